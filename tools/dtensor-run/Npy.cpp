//===- Npy.cpp - NumPy's array files ----------------------------*- C++ -*-===//

#include "Npy.h"

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace dtensor::run;

namespace {

struct TypeName {
  int32_t dtype;
  const char *descr;
};

/// The first name of a type is the one written.
constexpr TypeName kTypeNames[] = {
    {DTENSOR_RT_f64, "<f8"}, {DTENSOR_RT_f32, "<f4"},
    {DTENSOR_RT_f16, "<f2"}, {DTENSOR_RT_bf16, "|V2"},
    {DTENSOR_RT_i64, "<i8"}, {DTENSOR_RT_i32, "<i4"},
    {DTENSOR_RT_i16, "<i2"}, {DTENSOR_RT_i8, "|i1"},
    {DTENSOR_RT_i1, "|b1"},  {DTENSOR_RT_bf16, "<V2"},
    {DTENSOR_RT_bf16, "V2"}, {DTENSOR_RT_i8, "<i1"},
    {DTENSOR_RT_i1, "<b1"},  {DTENSOR_RT_index, "<i8"},
};

/// Reads the Python dictionary of the header.
class HeaderParser {
public:
  HeaderParser(const std::string &text, HostArray &array)
      : text(text), array(array) {}

  /// The reason, or nothing.
  std::string parse() {
    expect('{');
    while (problem.empty() && !accept('}')) {
      parseItem();
      if (!accept(','))
        if (peek() != '}')
          fail("expected , or }");
    }
    if (problem.empty() && (!hasType || !hasOrder || !hasShape))
      fail("descr, fortran_order or shape is missing");
    return problem;
  }

private:
  void fail(const std::string &reason) {
    if (problem.empty())
      problem = reason;
  }

  char peek() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n'))
      ++at;
    return at < text.size() ? text[at] : '\0';
  }

  bool accept(char c) {
    if (peek() != c)
      return false;
    ++at;
    return true;
  }

  void expect(char c) {
    if (!accept(c))
      fail(std::string("expected ") + c);
  }

  std::string parseString() {
    char quote = peek();
    size_t end = text.find(quote, at + 1);
    if ((quote != '\'' && quote != '"') || end == std::string::npos) {
      fail("expected a string");
      return "";
    }
    std::string result = text.substr(at + 1, end - at - 1);
    at = end + 1;
    return result;
  }

  bool acceptWord(const char *word) {
    peek();
    if (text.compare(at, std::strlen(word), word) != 0)
      return false;
    at += std::strlen(word);
    return true;
  }

  void parseItem() {
    std::string key = parseString();
    expect(':');
    if (key == "descr")
      parseType();
    else if (key == "fortran_order")
      parseOrder();
    else if (key == "shape")
      parseShape();
    else
      fail("unknown key '" + key + "'");
  }

  void parseType() {
    if (peek() == '[')
      return fail("records are not supported");
    std::string descr = parseString();
    hasType = true;
    for (const TypeName &type : kTypeNames)
      if (descr == type.descr) {
        array.dtype = type.dtype;
        return;
      }
    fail("element type '" + descr + "' is not supported");
  }

  void parseOrder() {
    hasOrder = true;
    array.isColumnMajor = acceptWord("True");
    if (!array.isColumnMajor && !acceptWord("False"))
      fail("fortran_order is neither True nor False");
  }

  void parseShape() {
    hasShape = true;
    expect('(');
    int64_t count = 1;
    while (problem.empty() && !accept(')')) {
      int64_t size = parseNumber();
      array.shape.push_back(size);
      // The largest element takes 8 bytes; one factor 2 of margin.
      if (array.shape.size() > 16)
        fail("more than 16 dimensions");
      else if (__builtin_mul_overflow(count, size ? size : 1, &count) ||
               count > LLONG_MAX / 16)
        fail("the shape has more elements than memory can hold");
      if (!accept(',') && peek() != ')')
        fail("expected , or ) in the shape");
    }
  }

  int64_t parseNumber() {
    peek();
    int64_t value = 0;
    size_t start = at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, text[at] - '0', &value))
        fail("a dimension is out of range");
    if (at == start)
      fail("expected a dimension");
    if (at < text.size() && text[at] == 'L') // Python 2 wrote long integers so
      ++at;
    return value;
  }

  const std::string &text;
  HostArray &array;
  size_t at = 0;
  bool hasType = false, hasOrder = false, hasShape = false;
  std::string problem;
};

/// Closes when it goes.
struct File {
  std::FILE *stream;
  ~File() {
    if (stream)
      std::fclose(stream);
  }
  bool read(void *data, size_t bytes) const {
    return std::fread(data, 1, bytes, stream) == bytes;
  }
};

/// The reason, or nothing. Leaves the stream at the data.
std::string readHeader(const File &file, HostArray &array, int64_t fileSize,
                       int64_t &headerSize) {
  unsigned char start[8];
  if (!file.read(start, 8) || std::memcmp(start, "\x93NUMPY", 6) != 0)
    return "is not an .npy file";
  int version = start[6];
  if (version < 1 || version > 3)
    return "has .npy version " + std::to_string(version) +
           ", versions 1 to 3 are known";
  unsigned char length[4] = {};
  size_t lengthBytes = version == 1 ? 2 : 4;
  if (!file.read(length, lengthBytes))
    return "is truncated in its header";
  int64_t bytes = length[0] | length[1] << 8 | length[2] << 16 |
                  static_cast<int64_t>(length[3]) << 24;
  headerSize = 8 + static_cast<int64_t>(lengthBytes) + bytes;
  if (headerSize > fileSize)
    return "is truncated: its header takes " + std::to_string(headerSize) +
           " bytes, the file has " + std::to_string(fileSize);
  std::string text(static_cast<size_t>(bytes), '\0');
  if (!file.read(text.data(), text.size()))
    return "cannot be read";
  std::string problem = HeaderParser(text, array).parse();
  return problem.empty() ? "" : "has a bad header: " + problem;
}

std::string readArray(const File &file, HostArray &array) {
  struct stat info;
  if (fstat(fileno(file.stream), &info) != 0 || !S_ISREG(info.st_mode))
    return "is not a regular file";
  int64_t headerSize = 0;
  std::string problem = readHeader(file, array, info.st_size, headerSize);
  if (!problem.empty())
    return problem;
  int64_t bytes = array.numBytes(), present = info.st_size - headerSize;
  if (present != bytes)
    return (present < bytes ? "is truncated: " : "has extra data: ") +
           ("its header promises " + std::to_string(bytes)) +
           " bytes of elements, the file holds " + std::to_string(present);
  if (!array.allocate())
    return "does not fit into memory: " + std::to_string(bytes) + " bytes";
  if (!file.read(array.data.get(), static_cast<size_t>(bytes)))
    return "cannot be read";
  return "";
}

} // namespace

bool dtensor::run::readNpy(const std::string &path, HostArray &array,
                           std::string &error) {
  array = HostArray();
  File file{std::fopen(path.c_str(), "rb")};
  std::string problem =
      file.stream ? readArray(file, array)
                  : "cannot be opened: " + std::string(std::strerror(errno));
  if (!problem.empty())
    error = "\"" + path + "\" " + problem;
  return problem.empty();
}

std::string dtensor::run::makeNpyHeader(int32_t dtype,
                                        const std::vector<int64_t> &shape) {
  const char *descr = "";
  for (const TypeName &type : kTypeNames)
    if (type.dtype == dtype) {
      descr = type.descr;
      break;
    }
  std::string dict = std::string("{'descr': '") + descr +
                     "', 'fortran_order': False, 'shape': (";
  for (size_t d = 0; d < shape.size(); ++d)
    dict += (d ? ", " : "") + std::to_string(shape[d]);
  dict += shape.size() == 1 ? ",), }" : "), }";
  size_t total = (10 + dict.size() + 1 + 63) / 64 * 64;
  dict.append(total - 10 - dict.size() - 1, ' ');
  dict += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dict.size() & 255);
  header += static_cast<char>(dict.size() >> 8);
  return header + dict;
}

NpyWriter::NpyWriter(NpyWriter &&other)
    : path(std::move(other.path)), temporary(std::move(other.temporary)),
      file(other.file) {
  other.file = -1;
}

NpyWriter::~NpyWriter() {
  if (file < 0)
    return;
  close(file);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

bool NpyWriter::open(const std::string &target, std::string &error) {
  struct stat info;
  path = target;
  bool exists = stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) {
    error = "\"" + path + "\" cannot be written: it is a directory";
    return false;
  }
  // A device or a pipe is written to in place: a rename would replace it.
  bool inPlace = exists && !S_ISREG(info.st_mode);
  if (!inPlace)
    temporary = target + ".tmp" + std::to_string(getpid());
  file = ::open(inPlace ? path.c_str() : temporary.c_str(),
                O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0)
    error = "\"" + path + "\" cannot be written: " + std::strerror(errno);
  return file >= 0;
}

static bool writeAll(int file, const char *data, size_t size) {
  while (size) {
    ssize_t count = ::write(file, data, size);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return false;
    data += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

bool NpyWriter::write(const HostArray &array, std::string &error) {
  std::string header = makeNpyHeader(array.dtype, array.shape);
  bool ok =
      writeAll(file, header.data(), header.size()) &&
      writeAll(file, array.data.get(), static_cast<size_t>(array.numBytes())) &&
      (temporary.empty() || std::rename(temporary.c_str(), path.c_str()) == 0);
  if (!ok) {
    error = "\"" + path + "\" cannot be written: " + std::strerror(errno);
    return false;
  }
  close(file);
  file = -1;
  return true;
}
