//===- CompiledABI.h - what compiled code and runtime agree on --*- C++ -*-===//
//
// Codes, descriptors and prototypes shared by the compiler, which emits calls,
// and the runtime, which answers them. Nothing else includes this header.
//
// Functions that compiled code may call (list: ABI.def). `ctx` is the context
// of the calling rank, handed to the entry's run function. A tensor argument
// is a pointer to a ranked memref descriptor (RankedDescriptor) with the rank
// passed beside. The members of a collective are the ranks that share the
// caller's coordinates on every mesh axis not in `axes`, ordered by their
// coordinates on `axes`, first axis major. Src and dst never overlap.
//
// `unit` tells how a group cuts a dimension: all members' pieces follow from
// the extent, the sizes of `axes` and the unit (Pieces.h).
//
//   all_gather          dst = concat over members q of src_q along dim; pieces
//                       may differ in size and may be empty
//   all_reduce          dst = kind over members q of src_q, combined in group
//                       order, hence the same bits on every member
//   reduce_scatter      dst = kind over q of
//                       src_q[offset : offset + dst.size[dim]] along dim, with
//                       the caller's own offset and size
//   all_to_all          dst = concat over q along gatherDim of
//                       src_q[splitOffset : + dst.size[splitDim]] along
//                       splitDim, with the caller's own offset and size
//   collective_permute  dst = src of the member at position `source`
//
// Sum and product of i8..i64 wrap; on i1, sum and max are `or`, product and
// min are `and`. Max and min of floats give NaN as soon as one operand is NaN.
// f16 and bf16 are accumulated in f32 and rounded once; a sum on "cuda" may
// round at every member, as NCCL does.
//
// Functions of the backend "cuda"; all memory is device memory, all work goes
// to the rank's current stream and nothing waits for it:
//
//   launch_kernel  kernel number `kernel` of the manifest's list; params are
//                  numParams pointers to its arguments; nothing is done where
//                  the grid is 0. cluster: 0, or the blocks of a cluster in a
//                  kernel that walks over its work in steps of the grid: no
//                  more clusters are started than the GPU holds at once
//   matmul         c[.., m, n] = op(a)[.., m, k] * op(b)[.., k, n], then bias
//                  and epilogue (enum class Epilogue); accumulated in f32 (f64
//                  for f64); op transposes the last two dimensions; all three
//                  have `rank` dimensions, a batch dimension of stride 0 is
//                  broadcast; bias: null, or n elements of dtypeOut; addend:
//                  null, or of c's shape and type, added before c is rounded
//                  unless `adds` is 0
//   attention      out = softmax(scale * q k^T) v over q of shape
//                  [batch.., heads, rows, depth] and k, v of shape
//                  [batch.., kvHeads, keys, depth]; head h reads kv head
//                  h / (heads / kvHeads); causal: query i sees the keys
//                  j <= queryOffset + i + keys - total + *shift; shift: an i64
//                  in the device's memory, or null for 0
//   attention_query_grad, attention_key_value_grad
//                  the gradients of attention's operands, where grad is that
//                  of its result; logSumExp and delta: f32 of shape
//                  [batch.., heads, rows], the logarithm of a row's sum of
//                  exponentials, which the first one computes, and the sum of
//                  gradient times result; causal: query i sees the keys
//                  j <= i + diagonal
//   copy           dst = src, both strided
//   fill           every element of dst becomes the low bytes of `bits`
//
//   alloc(bytes, alignment)   at least 64-byte aligned; belongs to the rank
//                             that runs on the calling thread
//   fail(ctx, message, a, b)  ends the caller's run with an error, "{0}" and
//                             "{1}" in message replaced by a and b; does not
//                             return; every other rank is released
//
// Functions that a bundle exports per entry (names are in the manifest):
//
//   BindFunction    0, or 1 + index into "checks" of the first failed launch
//                   check, whose two numbers are stored to values[0..1];
//                   shapes[i] is the global shape of argument i (null for a
//                   scalar), scalars[i] the value of integer scalar i
//   LayoutFunction  extents and offsets of the piece of tensor `ordinal`
//                   (arguments, then results) held at `coords`; all axis sizes
//                   1 and all coords 0 give the global extents
//   RunFunction     args: per argument, then per result, a descriptor pointer
//                   or a pointer to the scalar. Arguments are row-major and
//                   aligned to their element; results are row-major, 64-byte
//                   aligned and allocated by the caller with `layout`'s
//                   extents; what is written shares memory with nothing
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RT_COMPILEDABI_H
#define DTENSOR_RT_COMPILEDABI_H

#include "dtensor-rt/Types.h"

#include <cstdint>

namespace dtensor::rt {

/// Codes of the `kind` parameter of reducing collectives.
enum class Reduce : int32_t { Sum = 0, Max = 1, Min = 2, Product = 3 };

/// Codes of the `epilogue` parameter of matmul; gelu is the tanh formula.
enum class Epilogue : int32_t { None = 0, Relu = 1, Gelu = 2 };

/// One piece of device code; a bundle exports `dtensor_image_count` (int64_t)
/// of them as `dtensor_images`.
struct DeviceImage {
  int32_t arch; // 90: compute capability 9.0
  int32_t kind; // 0: PTX (null-terminated), 1: cubin
  const void *data;
  int64_t bytes;
};

/// Mesh axes packed 4 bits each: axis index + 1, lowest nibble major.
/// 0 is the empty list (a group of one); at most 15 axes.
using PackedAxes = int64_t;

/// Appends `axis` as the minor-most of `count` axes already in `axes`.
constexpr PackedAxes packAxis(PackedAxes axes, unsigned count, unsigned axis) {
  return static_cast<PackedAxes>(
      static_cast<uint64_t>(axes) |
      (static_cast<uint64_t>(axis + 1) << (4 * count)));
}

/// Head of MLIR's ranked memref descriptor; `rank` sizes, then `rank` strides
/// (in elements) follow it in memory.
struct RankedDescriptor {
  void *allocated;
  void *aligned;
  int64_t offset;

  int64_t *sizes() { return reinterpret_cast<int64_t *>(this + 1); }
  const int64_t *sizes() const {
    return reinterpret_cast<const int64_t *>(this + 1);
  }
};
static_assert(sizeof(RankedDescriptor) == 24, "MLIR's memref layout");

using BindFunction = int32_t (*)(const int64_t *const *shapes,
                                 const int64_t *scalars,
                                 const int64_t *axisSizes, int64_t *symbols,
                                 int64_t *values);
using LayoutFunction = void (*)(int32_t ordinal, const int64_t *symbols,
                                const int64_t *axisSizes, const int64_t *coords,
                                int64_t *extents, int64_t *offsets);
using RunFunction = void (*)(void *ctx, void *const *args,
                             const int64_t *symbols, const int64_t *axisSizes,
                             const int64_t *coords);

namespace abi {
using Void = void;
using Ptr = void *;
using I32 = int32_t;
using I64 = int64_t;
using F64 = double;
extern "C" {
#define DTENSOR_RT_FUNCTION(NAME, RESULT, ...)                                 \
  DTENSOR_RT_EXPORT RESULT NAME(__VA_ARGS__);
#include "dtensor-rt/ABI.def"
}
} // namespace abi

} // namespace dtensor::rt

#endif // DTENSOR_RT_COMPILEDABI_H
