//===- HostArray.h - arrays that the tool owns ------------------*- C++ -*-===//
//
// Elements are read and written as double: exact for every type but i64
// beyond 2^53, for which integers are compared as integers.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUN_HOSTARRAY_H
#define DTENSOR_RUN_HOSTARRAY_H

#include "dtensor-rt/dtensor_rt.h"

#include <memory>
#include <string>
#include <vector>

namespace dtensor::run {

struct FreeMemory {
  void operator()(void *pointer) const;
};

/// A scalar has no dimensions and one element.
struct HostArray {
  int32_t dtype = DTENSOR_RT_f32;
  std::vector<int64_t> shape;
  bool isColumnMajor = false;
  std::unique_ptr<char, FreeMemory> data;

  int64_t numElements() const;
  int64_t numBytes() const;

  /// Allocates for the shape and type; false when there is no memory.
  bool allocate();

  /// Strides in elements, as the runtime takes them.
  std::vector<int64_t> strides() const;
};

/// "2x3x4", "scalar".
std::string shapeString(const std::vector<int64_t> &shape);

/// Element at a position in storage order.
double getElement(const HostArray &array, int64_t index);
void setElement(HostArray &array, int64_t index, double value);

bool isFloat(int32_t dtype);

/// Uniform numbers in [low, high), integers rounded down. Depends on the seed,
/// the shape and the range only, so a run can be repeated on another mesh.
void fillRandom(HostArray &array, uint64_t seed, double low, double high);

/// |a - b| <= atol + rtol * |b| for floats, equality else; NaN equals NaN.
struct Tolerance {
  double rtol, atol;
};

/// 1e-10, 1e-4, 1e-2, 5e-2 for f64, f32, f16, bf16; 0 for integers.
Tolerance defaultTolerance(int32_t dtype);

struct Comparison {
  int64_t numDifferent = 0;
  double maxError = 0; // infinite when only one side is finite
  int64_t worst = -1;  // storage index of maxError, or -1
};

/// Both arrays are row-major, of one shape and type.
Comparison compare(const HostArray &actual, const HostArray &expected,
                   const Tolerance &tolerance);

/// "[1, 2]": the index of an element of a row-major array.
std::string indexString(const HostArray &array, int64_t position);

/// One line: type, shape, and the values, or their range when many.
std::string summary(const HostArray &array);

} // namespace dtensor::run

#endif // DTENSOR_RUN_HOSTARRAY_H
