//===- Attention.h - prebuilt attention kernels -----------------*- C++ -*-===//
//
// out[b, h, i, :] = sum_j p[i, j] v[b, g(h), j, :]
// p[i, :] = softmax over the visible j of scale * <q[b, h, i, :], k[b, g(h), j,
// :]> with g(h) = h / (headsQ / headsKV). Without the causal flag every key is
// visible; with it, key j is visible to query i iff j <= i + diagonal. A query
// that sees no key gives zeros. Nothing of size queries x keys is ever stored.
//
// Three families of kernels, in the runtime's module of kernels (machine code
// for sm_90a, PTX for compute_80):
//   wgmma  bf16, f16; depth <= 128; 128 rows x 128 keys a tile; sm_90 only
//   mma    bf16, f16; depth <= 256; 64 rows x 64 keys (32 where depth > 128)
//   few    bf16, f16; depth <= 128; like mma for up to 16 packed rows
//   simt   f32;       depth <= 256; 64 rows x 64 keys (32 x 32 beyond 128)
// mma and simt pack the queries of the heads that share keys: a row is a pair
// (query, head of the group). A launch with splits > 1 writes partial results
// to a workspace, and the combine kernel, launched next on the same stream,
// adds them in the order of the splits: the same bits on every run.
//
// Use: planAttention; allocate plan.workspaceBytes; setAttentionWorkspace;
// launch plan.attend with attentionKernelParameters and, if plan.combine has a
// kernel, launch that with the same parameters.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_KERNELS_ATTENTION_H
#define DTENSOR_RUNTIME_KERNELS_ATTENTION_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace dtensor::rt::cuda {

/// Splits of one launch at most; the combine kernel has a thread for each.
inline constexpr int32_t kAttentionMaxSplits = 128;

enum class AttentionType : int32_t { BF16, F16, F32 };

/// Strides are in elements; the depth of each operand is contiguous.
struct AttentionStrides {
  int64_t batch, head, row;
};

struct AttentionProblem {
  const void *q, *k, *v;
  void *out;
  AttentionStrides qStrides, kStrides, vStrides, outStrides;
  AttentionType type;
  int64_t batch, headsQ, headsKV;
  /// Of queries and keys `depth`, of values and results `depthV`.
  int64_t queries, keys, depth, depthV;
  double scale;
  bool causal;
  /// Query i sees the keys j <= i + diagonal when causal. For the newest
  /// `queries` positions of `keys` cached ones: diagonal = keys - queries.
  int64_t diagonal;
  /// Memory of the device: a number that is added to the diagonal when causal;
  /// may be null.
  const int64_t *shift;
};

/// cuTensorMapEncodeTiled, by its C signature with enumerations as int.
using TensorMapEncode = int (*)(void *map, int type, uint32_t rank,
                                void *address, const uint64_t *extents,
                                const uint64_t *strides, const uint32_t *box,
                                const uint32_t *elementStrides, int interleave,
                                int swizzle, int promotion, int fill);

struct AttentionDevice {
  /// 10 * major + minor of the compute capability.
  int32_t arch;
  int32_t multiprocessors;
  /// May be null: the kernels that need tensor maps are then not chosen.
  TensorMapEncode encodeTiled;
};

/// What every kernel receives by value. Extents and strides in elements.
/// Query i sees the keys j < min(keys, i + diagonal + *shift + 1).
struct AttentionParameters {
  const void *q, *k, *v;
  void *out;
  /// May be null.
  const int64_t *shift;
  /// [splits, batch, headsQ, queries, depthV], null without splits.
  float *partial;
  /// [splits, batch, headsQ, queries]: log2 of the sum of exponentials.
  float *partialLog;
  AttentionStrides qStrides, kStrides, vStrides, outStrides;
  int32_t batch, headsQ, headsKV, group;
  int32_t queries, keys, depth, depthV, diagonal;
  int32_t rowBlocks, splits, headsPerSection;
  /// Rows of q, k and v can be read 16 bytes at a time.
  int32_t wideLoads;
  /// Rows of out can be written two elements at a time.
  int32_t pairStores;
  float scale, scaleLog2;
};

struct alignas(64) AttentionTensorMap {
  unsigned char bytes[128];
};

struct AttentionLaunch {
  /// Null: nothing to launch.
  const char *kernel = nullptr;
  uint32_t grid = 0, block = 0;
  /// Dynamic shared memory; above 48 KiB the function attribute must allow it.
  uint32_t sharedBytes = 0;
};

struct AttentionPlan {
  AttentionLaunch attend, combine;
  size_t workspaceBytes = 0;
  AttentionParameters parameters{};
  AttentionTensorMap maps[3]{};
};

/// The text of the error, empty on success. An empty `out` (batch, headsQ,
/// queries or depthV of 0) gives a plan without launches.
std::string planAttention(const AttentionProblem &problem,
                          const AttentionDevice &device, AttentionPlan &plan);

/// `workspace` holds plan.workspaceBytes, aligned to 16 bytes.
void setAttentionWorkspace(AttentionPlan &plan, void *workspace);

/// Fills the kernel parameters of both launches as cuLaunchKernel takes them;
/// they point into `plan`.
inline void attentionKernelParameters(AttentionPlan &plan, void *params[4]) {
  params[0] = &plan.parameters;
  for (int i = 0; i < 3; ++i)
    params[i + 1] = &plan.maps[i];
}

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_KERNELS_ATTENTION_H
