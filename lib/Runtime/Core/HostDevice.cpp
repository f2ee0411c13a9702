//===- HostDevice.cpp - the memory of this process --------------*- C++ -*-===//

#include "Buffer.h"
#include "Device.h"
#include "Error.h"

#include <cstring>

using namespace dtensor::rt;

namespace {

[[noreturn]] void noCode(const char *what) {
  raise(DTENSOR_RT_RUN_FAILED, what, " needs a device, this rank runs on the ",
        "host");
}

class HostDevice : public Device {
public:
  void *allocate(int64_t bytes, int64_t alignment) override {
    return alignedAlloc(bytes, alignment);
  }
  void free(void *pointer) override { std::free(pointer); }

  void copy(const View &dst, const View &src) override {
    dtensor::rt::copy(dst, src);
  }

  /// The first element, copied to all.
  void fill(const View &dst, int64_t bits) override {
    View one = dst;
    char element[sizeof(bits)];
    std::memcpy(element, &bits, sizeof(bits));
    one.base = element;
    for (int64_t d = 0; d < one.rank; ++d)
      one.strides[d] = 0;
    dtensor::rt::copy(dst, one);
  }

  void launch(const KernelLaunch &) override { noCode("a kernel"); }
  void matmul(const Matmul &) override { noCode("matmul"); }
  void attention(const Attention &) override { noCode("attention"); }
  void attentionGrad(const AttentionGrad &) override {
    noCode("gradients of attention");
  }
};

} // namespace

Device &dtensor::rt::getHostDevice() {
  static HostDevice device;
  return device;
}
