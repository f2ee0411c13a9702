//===- Pool.h - caching device memory ---------------------------*- C++ -*-===//
//
// Segments are taken from the driver and never returned while the pool lives,
// so a program in steady state calls no allocator of the driver. A segment is
// cut into blocks; best fit, neighbours that are free merge:
//
//   sum of block sizes of a segment == size of the segment
//   no two free blocks of a segment touch
//
// Large blocks are a little larger than asked for, so that uneven pieces can be
// moved as if they were even (Collectives.h).
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
  /// Bytes from `pointer` to the end of its block: at least what is left of the
  /// allocation; 0 for memory that is not of this pool.
  int64_t roomFrom(const void *pointer) const;
  /// Size of the block when the allocation is these `bytes` bytes and nothing
  /// else, so that what is behind them belongs to nobody; else 0.
  int64_t roomOf(const void *pointer, int64_t bytes) const;
  /// Gives everything back to the driver; nothing may be in use.
  void clear();

  int64_t getReservedBytes() const { return reserved; }

private:
  struct Block {
    int64_t size;
    int64_t requested;
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
