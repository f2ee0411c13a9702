//===- View.h - strided views of arrays -------------------------*- C++ -*-===//
//
// element(i...) = base + bytes(dtype) * sum_d i_d * strides[d]
//
// Views are cheap and own nothing; they live on the stack of a collective, so
// the number of dimensions is bounded.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_VIEW_H
#define DTENSOR_RUNTIME_CORE_VIEW_H

#include "dtensor-rt/CompiledABI.h"

#include <string>

namespace dtensor::rt {

inline constexpr int64_t kMaxRank = 16;

struct View {
  char *base = nullptr;
  int32_t dtype = 0;
  int64_t rank = 0;
  int64_t sizes[kMaxRank] = {};
  int64_t strides[kMaxRank] = {};

  int64_t numElements() const;
  int64_t elementBytes() const;
  int64_t numBytes() const { return numElements() * elementBytes(); }
  bool isRowMajor() const;

  /// The part [offset, offset + size) of dimension `dim`.
  View slice(int64_t dim, int64_t offset, int64_t size) const;

  /// "2x3x4", "scalar" without dimensions.
  std::string shapeString() const;
};

/// A row-major view of `data`.
View rowMajorView(void *data, int32_t dtype, int64_t rank,
                  const int64_t *sizes);

/// "2x3x4" of any list of extents.
std::string shapeString(const int64_t *sizes, int64_t rank);

/// dst[i] = src[i]; requires equal sizes and element bytes.
void copy(const View &dst, const View &src);

/// dst[i] = the neutral element of `kind`; -0.0 for a sum of floats, because
/// -0.0 + x == x for every x, 0.0 + -0.0 is not -0.0.
void fillNeutral(const View &dst, Reduce kind);

/// For each i: value = kind over k = 0 .. numSources-1, in this order, of
/// sources[k][i]; value /= divisor when divisor != 1; destinations[j][i] =
/// value for all j. All views have one shape and dtype. An element is read
/// from all sources before it is written, so a destination may be a source.
void reduce(const View *sources, int64_t numSources, const View *destinations,
            int64_t numDestinations, Reduce kind, int64_t divisor = 1);

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_VIEW_H
