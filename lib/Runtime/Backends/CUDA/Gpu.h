//===- Gpu.h - one GPU as seen by one rank ----------------------*- C++ -*-===//
//
// Context, stream, memory and prebuilt kernels of one rank.
// All its work is in the order of the calls on one stream at a time; when the
// stream changes, the new one first waits for the old one. Used by one thread
// at a time, with the context current (CurrentContext).
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_GPU_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_GPU_H

#include "Api.h"
#include "Branches.h"
#include "Pool.h"

#include "../../Core/Device.h"

#include <algorithm>
#include <memory>
#include <string>

namespace dtensor::rt::cuda {

struct AttentionLaunch;

/// Makes a context current on this thread for a scope; most callers have it.
class CurrentContext {
public:
  explicit CurrentContext(Context context) {
    Context now = nullptr;
    getDriver().ctxGet(&now);
    isPushed = now != context;
    if (isPushed)
      getDriver().ctxPush(context);
  }
  CurrentContext(const CurrentContext &) = delete;
  ~CurrentContext() {
    Context old;
    if (isPushed)
      getDriver().ctxPop(&old);
  }

private:
  bool isPushed;
};

class Gpu {
public:
  /// Raises when there is no such device.
  explicit Gpu(int ordinal);
  Gpu(const Gpu &) = delete;
  ~Gpu();

  int getOrdinal() const { return ordinal; }
  /// 90 for compute capability 9.0.
  int getArch() const { return arch; }
  int getMultiprocessors() const { return multiprocessors; }
  /// "GPU 0 (NVIDIA H200, sm_90)"
  std::string describe() const;
  Context getContext() const { return context; }
  DeviceId getDevice() const { return device; }
  /// What is queued there comes after all work before it.
  Stream getStream() {
    branches.join(stream);
    return stream;
  }

  /// Null: the rank's own stream.
  void setStream(Stream next);
  /// True when all that was queued is done; raises when the GPU failed.
  bool isIdle() const;

  /// Between them work is captured, and products may be side by side.
  void beginCapture() { branches.begin(); }
  void endCapture() { branches.end(); }
  Branches::Place placeProduct(const ProductAccess &access, bool isSmall) {
    return branches.place(stream, access, isSmall);
  }

  void *allocate(int64_t bytes) { return pool.allocate(bytes); }
  void free(void *pointer) { pool.free(pointer); }
  /// Memory that outlives programs. It is not taken from the pool of the
  /// programs, whose addresses captured graphs use again.
  Pool &getStorage() { return storage; }

  /// Nothing may be allocated.
  void giveMemoryBack() {
    storage.clear();
    pool.clear();
  }

  /// Bytes that may be read from `data`, and bytes that may be written there
  /// when a buffer is the `bytes` bytes at `data` and nothing else; 0: unknown.
  int64_t readableFrom(const void *data) const {
    return std::max(pool.roomFrom(data), storage.roomFrom(data));
  }
  int64_t writableAt(const void *data, int64_t bytes) const {
    return std::max(pool.roomOf(data, bytes), storage.roomOf(data, bytes));
  }

  void copy(const View &dst, const View &src);
  void fill(const View &dst, int64_t bits);
  void attention(const Attention &call);
  void attentionGrad(const AttentionGrad &call);
  /// dst = convert(src), both packed; `kernel` is of Kernels/Copy.cu.
  void convert(const char *kernel, void *dst, const void *src, int64_t count);

  /// A kernel of the runtime with one struct of arguments.
  void launchOwn(const char *kernel, int64_t blocks, int64_t threads,
                 void *arguments);

  void launch(Function function, const int64_t (&grid)[3],
              const int64_t (&block)[3], int64_t sharedBytes, void **params);
  /// As many clusters of the grid as fit at once.
  void launchClusters(Function function, const KernelLaunch &call);

  int64_t numKernels = 0, numLibraryCalls = 0;

private:
  int64_t getResidentClusters(Function function, const LaunchConfig &config);
  void start(Function function, const LaunchConfig &config, void **params);
  Function getKernel(const char *name, int64_t sharedBytes = 0);
  template <typename Plan, typename Set, typename Parameters>
  void runAttentionPlan(Plan &plan, const AttentionLaunch &first, Set set,
                        Parameters parameters);
  bool runTranspose(const View &dst, const View &src);
  void runCopy(const View &dst, const View *src, int64_t bits);

  int ordinal;
  DeviceId device = 0;
  Context context = nullptr;
  Stream ownStream = nullptr, stream = nullptr;
  Branches branches;
  Event handover = nullptr;
  int arch = 0, multiprocessors = 0;
  std::string name;
  Pool pool, storage;
  Module kernels = nullptr;
  std::map<std::string, Function> functions;
  /// Kernel, blocks of a cluster, threads, shared bytes: clusters at once.
  std::map<std::tuple<Function, unsigned, unsigned, unsigned>, int> resident;
};

/// A temporary of a rank that is given back at the end of the scope.
class Scratch {
public:
  Scratch(Gpu &gpu, int64_t bytes);
  Scratch(const Scratch &) = delete;
  ~Scratch() { gpu.free(pointer); }
  char *get() const { return static_cast<char *>(pointer); }

private:
  Gpu &gpu;
  void *pointer;
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_GPU_H
