//===- Npy.h - NumPy's array files ------------------------------*- C++ -*-===//
//
// Versions 1, 2 and 3; little-endian; row-major and column-major. bf16, which
// NumPy lacks, is the two-byte void type "V2", as NumPy writes arrays of
// extension types. Errors name the file and the numbers.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUN_NPY_H
#define DTENSOR_RUN_NPY_H

#include "HostArray.h"

namespace dtensor::run {

/// False with `error` set when the file is missing, no array, damaged, or of
/// an element type that programs do not have.
bool readNpy(const std::string &path, HostArray &array, std::string &error);

/// An output file, made before the program runs so that a path that cannot be
/// written is known early. The data goes to a temporary name in the same
/// folder, which takes the final name when all is written: a reader never
/// sees half a file, and a failed run leaves an older file as it was.
class NpyWriter {
public:
  NpyWriter() = default;
  NpyWriter(NpyWriter &&other);
  NpyWriter(const NpyWriter &) = delete;
  /// Removes the temporary file unless it was finished.
  ~NpyWriter();

  bool open(const std::string &path, std::string &error);
  bool write(const HostArray &array, std::string &error);

private:
  std::string path, temporary;
  int file = -1;
};

/// The header of a row-major array, version 1 (padded to 64 bytes).
std::string makeNpyHeader(int32_t dtype, const std::vector<int64_t> &shape);

} // namespace dtensor::run

#endif // DTENSOR_RUN_NPY_H
