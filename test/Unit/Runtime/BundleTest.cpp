//===- BundleTest.cpp - damaged bundles are refused -------------*- C++ -*-===//

#include "TestSupport.h"

#include "dtensor-rt/Bundle.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cstring>
#include <dlfcn.h>

using namespace dtensor;
using namespace dtensor::test;
using testing::HasSubstr;

namespace {

const char *const kSource = R"(
#include <stdint.h>
int32_t f_bind(const int64_t *const *shapes, const int64_t *scalars,
               const int64_t *sizes, int64_t *symbols, int64_t *values) {
  return 0;
}
void f_layout(int32_t ordinal, const int64_t *symbols, const int64_t *sizes,
              const int64_t *coords, int64_t *extents, int64_t *offsets) {}
void f_run(void *ctx, void *const *args, const int64_t *symbols,
           const int64_t *sizes, const int64_t *coords) {}
)";

std::string manifest(const std::string &args = "") {
  return manifestHead() + R"("target": "cpu", "mesh": )" + meshManifest(1) +
         R"(, "entries": [{"name": "f", "bind": "f_bind",
         "layout": "f_layout", "run": "f_run", "symbols": [], "checks": [],
         "args": [)" +
         args + R"(], "results": []}]})";
}

std::string goodBundle() {
  return rt::makeBundle(compileCode(kSource), manifest());
}

/// The message of opening a file with these bytes.
std::string errorOf(const std::string &bytes) {
  std::string path = tempFolder() + "/damaged.so";
  writeFile(path, bytes);
  dtensor_rt_bundle *bundle = nullptr;
  EXPECT_NE(dtensor_rt_bundle_open(path.c_str(), &bundle), DTENSOR_RT_OK);
  EXPECT_EQ(bundle, nullptr);
  std::string message = dtensor_rt_last_error();
  EXPECT_THAT(message, HasSubstr("damaged.so"));
  return message;
}

std::string errorOfManifest(const std::string &text) {
  return errorOf(rt::makeBundle(compileCode(kSource), text));
}

std::string errorOfFooter(void (*change)(rt::BundleFooter &)) {
  std::string bytes = goodBundle();
  rt::BundleFooter footer;
  size_t at = bytes.size() - sizeof(footer);
  std::memcpy(&footer, bytes.data() + at, sizeof(footer));
  change(footer);
  std::memcpy(bytes.data() + at, &footer, sizeof(footer));
  return errorOf(bytes);
}

TEST(ABI, EveryListedFunctionIsExported) {
  const char *const names[] = {
#define DTENSOR_RT_FUNCTION(NAME, RESULT, ...) #NAME,
#include "dtensor-rt/ABI.def"
  };
  EXPECT_EQ(std::size(names), 18u);
  for (const char *name : names)
    EXPECT_NE(dlsym(RTLD_DEFAULT, name), nullptr) << name;
}

TEST(Bundle, AnIntactOneOpens) {
  std::string path = tempFolder() + "/good.so";
  writeFile(path, goodBundle());
  dtensor_rt_bundle *bundle = openBundle(path);
  const char *text = nullptr;
  size_t bytes = 0;
  EXPECT_EQ(dtensor_rt_bundle_manifest(bundle, &text, &bytes), DTENSOR_RT_OK);
  EXPECT_EQ(std::string(text, bytes), manifest());
  EXPECT_EQ(dtensor_rt_bundle_close(bundle), DTENSOR_RT_OK);
}

TEST(Bundle, TruncatedAnywhereIsRefused) {
  std::string bytes = goodBundle();
  for (size_t size = 0; size < bytes.size(); size += 64)
    EXPECT_THAT(errorOf(bytes.substr(0, size)), HasSubstr("is not a bundle"))
        << size;
  EXPECT_THAT(errorOf(bytes.substr(0, bytes.size() - 1)),
              HasSubstr("truncated"));
  EXPECT_THAT(errorOf(bytes.substr(64)), HasSubstr("is damaged: the footer"));
}

TEST(Bundle, EveryFieldOfTheFooterIsChecked) {
  EXPECT_THAT(errorOfFooter([](rt::BundleFooter &f) { f.magic[3] = 'x'; }),
              HasSubstr("do not begin with DTENSORB"));
  EXPECT_THAT(errorOfFooter([](rt::BundleFooter &f) { f.abiVersion = 7; }),
              HasSubstr("ABI version 7, this runtime has version " +
                        std::to_string(rt::kAbiVersion)));
  EXPECT_THAT(errorOfFooter([](rt::BundleFooter &f) { ++f.checksum; }),
              HasSubstr("its checksum is"));
  EXPECT_THAT(errorOfFooter([](rt::BundleFooter &f) { f.codeBytes = ~0ull; }),
              HasSubstr("18446744073709551615 bytes of code"));
  EXPECT_THAT(errorOfFooter([](rt::BundleFooter &f) { ++f.manifestBytes; }),
              HasSubstr("of manifest, the file holds"));
}

TEST(Bundle, AnyFlippedByteIsFound) {
  std::string bytes = goodBundle();
  size_t body = bytes.size() - sizeof(rt::BundleFooter);
  for (size_t at = 0; at < body; at += 997) {
    std::string damaged = bytes;
    damaged[at] ^= 1;
    EXPECT_THAT(errorOf(damaged), HasSubstr("its checksum is"));
  }
}

TEST(Bundle, OtherFilesAreRefused) {
  EXPECT_THAT(errorOf(""), HasSubstr("it has 0 bytes"));
  EXPECT_THAT(errorOf(std::string(500, 'a')), HasSubstr("is not a bundle"));
  EXPECT_THAT(errorOf(compileCode(kSource)), HasSubstr("is not a bundle"));
  EXPECT_THAT(errorOf(rt::makeBundle("no ELF", manifest())),
              HasSubstr("cannot be loaded"));
  dtensor_rt_bundle *bundle = nullptr;
  EXPECT_EQ(dtensor_rt_bundle_open("/nonexistent/x.so", &bundle),
            DTENSOR_RT_NOT_FOUND);
  EXPECT_EQ(dtensor_rt_bundle_open("/tmp", &bundle), DTENSOR_RT_BAD_BUNDLE);
}

TEST(Bundle, AnOverwrittenFileDoesNotDisturbTheLoadedOne) {
  std::string path = tempFolder() + "/rewritten.so";
  writeFile(path, goodBundle());
  dtensor_rt_bundle *first = openBundle(path);
  writeFile(path, rt::makeBundle(compileCode(kSource), manifest() + " "));
  dtensor_rt_bundle *second = openBundle(path);
  size_t firstBytes = 0, secondBytes = 0;
  const char *text;
  dtensor_rt_bundle_manifest(first, &text, &firstBytes);
  dtensor_rt_bundle_manifest(second, &text, &secondBytes);
  EXPECT_EQ(firstBytes + 1, secondBytes);
  dtensor_rt_bundle_close(first);
  dtensor_rt_bundle_close(second);
}

TEST(Manifest, BadOnesAreRefusedWithTheirPlace) {
  EXPECT_THAT(errorOfManifest("hello"), HasSubstr("not a JSON object"));
  EXPECT_THAT(errorOfManifest("{}"), HasSubstr("top level: no \"abi\""));
  EXPECT_THAT(errorOfManifest(R"({"abi": 9})"), HasSubstr("ABI version 9"));
  auto tensor = [](const std::string &rest) {
    return errorOfManifest(
        manifest(R"({"name": "x", "kind": "tensor", )" + rest + "}"));
  };
  EXPECT_THAT(tensor(R"("dtype": "f99")"),
              HasSubstr("top level.entries[0].args[0].dtype: unknown element "
                        "type \"f99\""));
  EXPECT_THAT(tensor(R"("dtype": "f32", "shape": [null], "extents": [],
                        "placements": [{"kind": "replicate"}])"),
              HasSubstr("0 extents for 1 dimensions"));
  EXPECT_THAT(tensor(R"("dtype": "f32", "shape": [4], "extents": ["4"],
                        "placements": [{"kind": "shard", "dim": 1}])"),
              HasSubstr("shards dimension 1 of a 1-d tensor"));
  EXPECT_THAT(tensor(R"("dtype": "f32", "shape": [], "extents": [],
                        "placements": [])"),
              HasSubstr("0 placements for 1 mesh axes"));
  EXPECT_THAT(tensor(R"("dtype": "f32", "shape": [-4], "extents": ["4"],
                        "placements": [{"kind": "replicate"}])"),
              HasSubstr("is -4, at least 0 is expected"));
}

} // namespace
