//===- NpyTest.cpp - array files and comparisons ----------------*- C++ -*-===//

#include "Npy.h"
#include "TestSupport.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>
#include <filesystem>
#include <limits>

using namespace dtensor;
using namespace dtensor::run;
using testing::HasSubstr;

namespace {

std::string path(const std::string &name) {
  return test::tempFolder() + "/" + name;
}

/// Version 1, without padding.
std::string npy(const std::string &dict, const std::string &data,
                char version = 1) {
  std::string file("\x93NUMPY", 6);
  file += version;
  file += '\0';
  file += static_cast<char>(dict.size() & 255);
  file += static_cast<char>(dict.size() >> 8);
  if (version > 1)
    file += std::string(2, '\0');
  return file + dict + data;
}

std::string errorOf(const std::string &bytes) {
  test::writeFile(path("bad.npy"), bytes);
  HostArray array;
  std::string error;
  EXPECT_FALSE(readNpy(path("bad.npy"), array, error));
  EXPECT_THAT(error, HasSubstr("bad.npy"));
  return error;
}

std::string errorOfHeader(const std::string &dict) {
  return errorOf(npy(dict, "12345678"));
}

bool write(const std::string &file, const HostArray &array) {
  NpyWriter writer;
  std::string error;
  return writer.open(file, error) && writer.write(array, error);
}

TEST(Npy, WhatIsWrittenIsRead) {
  for (int32_t dtype = DTENSOR_RT_f64; dtype <= DTENSOR_RT_i1; ++dtype)
    for (const std::vector<int64_t> &shape :
         {std::vector<int64_t>{}, {5}, {0}, {2, 3}, {2, 0, 3}, {1, 2, 3, 4}}) {
      HostArray array = test::makeArray(dtype, shape);
      fillRandom(array, 3, 0, 2);
      ASSERT_TRUE(write(path("a.npy"), array));
      HostArray back;
      std::string error;
      ASSERT_TRUE(readNpy(path("a.npy"), back, error)) << error;
      EXPECT_EQ(back.dtype, dtype);
      EXPECT_EQ(back.shape, shape);
      EXPECT_EQ(compare(back, array, {0, 0}).numDifferent, 0);
    }
}

TEST(Npy, AllVersionsAndOrdersAreRead) {
  std::string dict = "{'shape': (2L, 2), 'fortran_order': True, "
                     "'descr': '<i2'}";
  for (char version : {1, 2, 3}) {
    test::writeFile(path("v.npy"),
                    npy(dict, std::string("\1\0\2\0\3\0\4\0", 8), version));
    HostArray array;
    std::string error;
    ASSERT_TRUE(readNpy(path("v.npy"), array, error)) << error;
    EXPECT_TRUE(array.isColumnMajor);
    EXPECT_EQ(array.strides(), (std::vector<int64_t>{1, 2}));
    EXPECT_EQ(getElement(array, 2), 3);
  }
}

TEST(Npy, TruncatedAnywhereIsRefused) {
  HostArray array = test::makeArray(DTENSOR_RT_f32, {3, 5});
  ASSERT_TRUE(write(path("whole.npy"), array));
  std::string bytes = test::readFile(path("whole.npy"));
  for (size_t size = 0; size < bytes.size(); ++size)
    errorOf(bytes.substr(0, size));
  EXPECT_THAT(errorOf(bytes.substr(0, bytes.size() - 4)),
              HasSubstr("promises 60 bytes of elements, the file holds 56"));
  EXPECT_THAT(errorOf(bytes + "x"), HasSubstr("has extra data"));
}

TEST(Npy, BadHeadersAreRefused) {
  EXPECT_THAT(errorOf("just text, not an array"),
              HasSubstr("is not an .npy file"));
  EXPECT_THAT(errorOf(npy("{}", "", 9)), HasSubstr("version 9"));
  EXPECT_THAT(errorOfHeader("{}"), HasSubstr("is missing"));
  std::string rest = ", 'fortran_order': False, 'shape': (1,)}";
  EXPECT_THAT(errorOfHeader("{'descr': '>f8'" + rest),
              HasSubstr("'>f8' is not supported"));
  EXPECT_THAT(errorOfHeader("{'descr': '<c8'" + rest), HasSubstr("'<c8'"));
  EXPECT_THAT(errorOfHeader("{'descr': [('a', '<f8')]" + rest),
              HasSubstr("records"));
  std::string start = "{'descr': '<f8', 'fortran_order': False, 'shape': ";
  EXPECT_THAT(errorOfHeader(start + "(-1,)}"), HasSubstr("a dimension"));
  EXPECT_THAT(errorOfHeader(start + "(99999999999999999999,)}"),
              HasSubstr("out of range"));
  EXPECT_THAT(errorOfHeader(start + "(4611686018427387904, 8)}"),
              HasSubstr("more elements than memory"));
  EXPECT_THAT(errorOfHeader(start + "(1"), HasSubstr("bad header"));
  EXPECT_THAT(errorOfHeader("{'descr': '<f8"), HasSubstr("a string"));
  EXPECT_THAT(errorOfHeader("{'color': 3}"), HasSubstr("unknown key"));
  std::string many(100, '1');
  for (size_t i = 1; i < many.size(); i += 2)
    many[i] = ',';
  EXPECT_THAT(errorOfHeader(start + "(" + many + ")}"),
              HasSubstr("more than 16 dimensions"));
}

TEST(Npy, MissingFilesAndFoldersAreErrors) {
  HostArray array;
  std::string error;
  EXPECT_FALSE(readNpy(path("none.npy"), array, error));
  EXPECT_THAT(error, HasSubstr("none.npy\" cannot be opened: No such file"));
  EXPECT_FALSE(readNpy(test::tempFolder(), array, error));
  EXPECT_THAT(error, HasSubstr("is not a regular file"));
  NpyWriter writer;
  EXPECT_FALSE(writer.open(path("no/such/folder.npy"), error));
  EXPECT_THAT(error, HasSubstr("cannot be written: No such file"));
  EXPECT_FALSE(writer.open(test::tempFolder(), error));
  EXPECT_THAT(error, HasSubstr("it is a directory"));
}

TEST(Npy, AnUnfinishedWriterLeavesTheOldFile) {
  test::writeFile(path("old.npy"), "old");
  size_t before = std::distance(
      std::filesystem::directory_iterator(test::tempFolder()), {});
  {
    NpyWriter writer;
    std::string error;
    ASSERT_TRUE(writer.open(path("old.npy"), error)) << error;
  }
  EXPECT_EQ(test::readFile(path("old.npy")), "old");
  EXPECT_EQ(std::distance(
                std::filesystem::directory_iterator(test::tempFolder()), {}),
            static_cast<ptrdiff_t>(before));
}

TEST(Compare, FindsTheWorstElement) {
  HostArray a = test::makeArray(DTENSOR_RT_f32, {2, 3});
  HostArray b = test::makeArray(DTENSOR_RT_f32, {2, 3});
  setElement(a, 4, 0.5);
  setElement(a, 2, 0.25);
  Comparison result = compare(a, b, {0, 0.3});
  EXPECT_EQ(result.numDifferent, 1);
  EXPECT_EQ(result.maxError, 0.5);
  EXPECT_EQ(indexString(a, result.worst), "[1, 1]");
}

TEST(Compare, KnowsInfinitiesAndNaN) {
  HostArray a = test::makeArray(DTENSOR_RT_f64, {3});
  HostArray b = test::makeArray(DTENSOR_RT_f64, {3});
  double inf = std::numeric_limits<double>::infinity();
  double nan = std::numeric_limits<double>::quiet_NaN();
  setElement(a, 0, inf);
  setElement(b, 0, inf);
  setElement(a, 1, nan);
  setElement(b, 1, nan);
  EXPECT_EQ(compare(a, b, {1, 1}).numDifferent, 0);
  setElement(b, 0, 1);
  setElement(b, 1, 1);
  setElement(b, 2, inf);
  EXPECT_EQ(compare(a, b, {1, 1}).numDifferent, 3);
}

TEST(Compare, IntegersAreExact) {
  HostArray a = test::makeArray(DTENSOR_RT_i64, {1});
  HostArray b = test::makeArray(DTENSOR_RT_i64, {1});
  reinterpret_cast<int64_t *>(a.data.get())[0] = (1ll << 60) + 1;
  reinterpret_cast<int64_t *>(b.data.get())[0] = 1ll << 60;
  EXPECT_EQ(compare(a, b, {0, 0}).numDifferent, 1);
}

} // namespace
