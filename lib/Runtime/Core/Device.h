//===- Device.h - memory and computation of one rank ------------*- C++ -*-===//
//
// Where the buffers of a rank lie and what works on them. Work may be queued:
// it is done in the order of the calls, and memory given back is used again
// only by later work.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_DEVICE_H
#define DTENSOR_RUNTIME_CORE_DEVICE_H

#include "View.h"

namespace dtensor::rt {

struct KernelLaunch {
  int32_t kernel; // index into the manifest's list
  int64_t grid, block;
  int64_t cluster; // blocks of a cluster, or 0
  int64_t sharedBytes;
  int64_t numParams;
  void **params;
};

/// See CompiledABI.h.
struct Matmul {
  View a, b, c;
  View bias, addend; // base is null: none
  bool transA = false, transB = false;
  Epilogue epilogue = Epilogue::None;
};

/// See CompiledABI.h.
struct Attention {
  View q, k, v, out;
  double scale = 1;
  bool causal = false;
  int64_t queryOffset = 0, total = 0;
  /// Memory of the device; null: 0.
  const int64_t *shift = nullptr;
};

/// See CompiledABI.h.
struct AttentionGrad {
  View grad, q, k, v, logSumExp, delta;
  /// Either the first one or the others.
  View gradQ, gradK, gradV;
  bool isOfQuery = false;
  double scale = 1;
  bool causal = false;
  int64_t diagonal = 0;
};

class Device {
public:
  virtual ~Device() = default;

  /// At least 64-byte aligned; null: no memory.
  virtual void *allocate(int64_t bytes, int64_t alignment) = 0;
  virtual void free(void *pointer) = 0;

  /// Equal shapes and element types; views of any strides.
  virtual void copy(const View &dst, const View &src) = 0;
  virtual void fill(const View &dst, int64_t bits) = 0;

  /// These raise where the device has no such code.
  virtual void launch(const KernelLaunch &call) = 0;
  virtual void matmul(const Matmul &call) = 0;
  virtual void attention(const Attention &call) = 0;
  virtual void attentionGrad(const AttentionGrad &call) = 0;
};

/// The memory of this process; it copies and fills only, at once.
Device &getHostDevice();

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_DEVICE_H
