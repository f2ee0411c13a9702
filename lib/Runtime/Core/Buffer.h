//===- Buffer.h - aligned memory --------------------------------*- C++ -*-===//
//
// 64 bytes is a cache line and the widest vector of the host.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_BUFFER_H
#define DTENSOR_RUNTIME_CORE_BUFFER_H

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace dtensor::rt {

inline constexpr int64_t kAlignment = 64;

/// Memory of at least `bytes` bytes, at least 64-byte aligned, never null for
/// 0 bytes; null when there is none. Give it back with free().
inline void *alignedAlloc(int64_t bytes, int64_t alignment = kAlignment) {
  if (bytes < 0 || bytes > INT64_MAX / 2)
    return nullptr;
  uint64_t align =
      static_cast<uint64_t>(alignment < kAlignment ? kAlignment : alignment);
  uint64_t size = bytes ? static_cast<uint64_t>(bytes) : 1;
  return std::aligned_alloc(align, (size + align - 1) / align * align);
}

struct FreeMemory {
  void operator()(void *pointer) const { std::free(pointer); }
};
using Buffer = std::unique_ptr<void, FreeMemory>;

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_BUFFER_H
