//===- View.cpp - strided views of arrays -----------------------*- C++ -*-===//
//
// Copies first merge dimensions that both sides store one after the other, so
// that a copy of two row-major arrays is one memcpy.
//
//===----------------------------------------------------------------------===//

#include "View.h"

#include "dtensor-rt/dtensor_rt.h"

#include <cassert>
#include <cstring>

using namespace dtensor::rt;

int64_t View::numElements() const {
  int64_t count = 1;
  for (int64_t d = 0; d < rank; ++d)
    count *= sizes[d];
  return count;
}

int64_t View::elementBytes() const {
  return static_cast<int64_t>(dtensor_rt_dtype_bytes(dtype));
}

bool View::isRowMajor() const {
  int64_t expected = 1;
  for (int64_t d = rank - 1; d >= 0; --d) {
    if (sizes[d] != 1 && strides[d] != expected)
      return false;
    expected *= sizes[d];
  }
  return true;
}

View View::slice(int64_t dim, int64_t offset, int64_t size) const {
  assert(dim < rank && offset >= 0 && offset + size <= sizes[dim]);
  View result = *this;
  // An empty array may have no address, and nothing has no offset.
  if (result.base)
    result.base += offset * strides[dim] * elementBytes();
  result.sizes[dim] = size;
  return result;
}

std::string dtensor::rt::shapeString(const int64_t *sizes, int64_t rank) {
  if (rank == 0)
    return "scalar";
  std::string text;
  for (int64_t d = 0; d < rank; ++d)
    text += (d ? "x" : "") + std::to_string(sizes[d]);
  return text;
}

std::string View::shapeString() const {
  return dtensor::rt::shapeString(sizes, rank);
}

View dtensor::rt::rowMajorView(void *data, int32_t dtype, int64_t rank,
                               const int64_t *sizes) {
  assert(rank <= kMaxRank);
  View view;
  view.base = static_cast<char *>(data);
  view.dtype = dtype;
  view.rank = rank;
  int64_t stride = 1;
  for (int64_t d = rank - 1; d >= 0; --d) {
    view.sizes[d] = sizes[d];
    view.strides[d] = stride;
    stride *= sizes[d];
  }
  return view;
}

namespace {

/// One dimension of a copy, strides in bytes.
struct CopyDim {
  int64_t size, dstStride, srcStride;
};

template <typename T>
void copyRow(char *dst, const char *src, const CopyDim &dim) {
  for (int64_t i = 0; i < dim.size; ++i)
    std::memcpy(dst + i * dim.dstStride, src + i * dim.srcStride, sizeof(T));
}

void copyRow(char *dst, const char *src, const CopyDim &dim, int64_t bytes) {
  if (dim.dstStride == bytes && dim.srcStride == bytes) {
    std::memcpy(dst, src, dim.size * bytes);
    return;
  }
  switch (bytes) {
  case 1:
    return copyRow<char>(dst, src, dim);
  case 2:
    return copyRow<int16_t>(dst, src, dim);
  case 4:
    return copyRow<int32_t>(dst, src, dim);
  default:
    return copyRow<int64_t>(dst, src, dim);
  }
}

void copyDims(char *dst, const char *src, const CopyDim *dims, int64_t count,
              int64_t bytes) {
  if (count == 1)
    return copyRow(dst, src, *dims, bytes);
  for (int64_t i = 0; i < dims->size; ++i)
    copyDims(dst + i * dims->dstStride, src + i * dims->srcStride, dims + 1,
             count - 1, bytes);
}

} // namespace

void dtensor::rt::copy(const View &dst, const View &src) {
  assert(dst.rank == src.rank && dst.elementBytes() == src.elementBytes());
  if (dst.numElements() == 0)
    return;
  int64_t bytes = dst.elementBytes();
  CopyDim dims[kMaxRank + 1] = {{1, bytes, bytes}};
  int64_t count = 0;
  for (int64_t d = 0; d < dst.rank; ++d) {
    assert(dst.sizes[d] == src.sizes[d]);
    if (dst.sizes[d] == 1)
      continue;
    CopyDim dim = {dst.sizes[d], dst.strides[d] * bytes,
                   src.strides[d] * bytes};
    CopyDim *outer = count ? &dims[count - 1] : nullptr;
    if (outer && outer->dstStride == dim.size * dim.dstStride &&
        outer->srcStride == dim.size * dim.srcStride)
      *outer = {outer->size * dim.size, dim.dstStride, dim.srcStride};
    else
      dims[count++] = dim;
  }
  copyDims(dst.base, src.base, dims, count ? count : 1, bytes);
}
