//===- Pool.h - caching device memory ---------------------------*- C++ -*-===//
//
// Segments are taken from the driver and never returned while the pool lives,
// so a program in steady state calls no allocator of the driver. A segment is
// cut into blocks; best fit, neighbours that are free merge:
//
//   sum of block sizes of a segment == size of the segment
//   no two free blocks of a segment touch
//
// Blocks are reused in the order of the calls, which is safe because all work
// of a rank is on one stream in that order. Equal sequences of calls on a pool
// where nothing is live return equal addresses: captured graphs rely on it.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_POOL_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_POOL_H

#include "Api.h"

#include <map>
#include <set>
#include <unordered_map>
#include <vector>

namespace dtensor::rt::cuda {

class Pool {
public:
  Pool() = default;
  Pool(const Pool &) = delete;

  /// The context must be current. 256-byte aligned; null: no memory.
  void *allocate(int64_t bytes);
  void free(void *pointer);
  /// Gives everything back to the driver; nothing may be in use.
  void clear();

  int64_t getReservedBytes() const { return reserved; }

private:
  struct Block {
    int64_t size;
    bool isFree;
    bool isFirst; // of its segment
  };
  using Blocks = std::map<DevicePtr, Block>;

  bool addSegment(int64_t bytes);
  void setFree(Blocks::iterator block);

  Blocks blocks;
  std::set<std::pair<int64_t, DevicePtr>> freeBlocks; // by size, address
  std::vector<DevicePtr> segments;
  int64_t reserved = 0;
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_POOL_H
