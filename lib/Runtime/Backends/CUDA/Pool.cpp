//===- Pool.cpp - caching device memory -------------------------*- C++ -*-===//

#include "Pool.h"

#include <algorithm>

using namespace dtensor::rt::cuda;

static constexpr int64_t kBlockAlignment = 512;
/// The driver hands out multiples of this anyway.
static constexpr int64_t kSegmentAlignment = int64_t(2) << 20;
static constexpr int64_t kLeastSegment = int64_t(32) << 20;

static constexpr int64_t kSlackPart = 64;

static int64_t roundUp(int64_t value, int64_t to) {
  return (value + to - 1) / to * to;
}

bool Pool::addSegment(int64_t bytes) {
  DevicePtr pointer = 0;
  // Small programs share one segment; when memory is short, exactly as much
  // as is needed.
  for (int64_t size :
       {std::max(roundUp(bytes, kSegmentAlignment), kLeastSegment),
        roundUp(bytes, kSegmentAlignment)}) {
    size_t available = 0, total = 0;
    getDriver().memGetInfo(&available, &total);
    if (static_cast<size_t>(size) > available)
      continue;
    if (getDriver().memAlloc(&pointer, static_cast<size_t>(size)) != 0)
      continue;
    segments.push_back(pointer);
    reserved += size;
    setFree(blocks.emplace(pointer, Block{size, 0, false, true}).first);
    return true;
  }
  return false;
}

/// Merges with free neighbours of the same segment.
void Pool::setFree(Blocks::iterator block) {
  auto next = std::next(block);
  if (next != blocks.end() && next->second.isFree && !next->second.isFirst) {
    freeBlocks.erase({next->second.size, next->first});
    block->second.size += next->second.size;
    blocks.erase(next);
  }
  if (!block->second.isFirst) {
    auto before = std::prev(block);
    if (before->second.isFree) {
      freeBlocks.erase({before->second.size, before->first});
      before->second.size += block->second.size;
      blocks.erase(block);
      block = before;
    }
  }
  block->second.isFree = true;
  freeBlocks.insert({block->second.size, block->first});
}

void *Pool::allocate(int64_t bytes) {
  if (bytes < 0 || bytes > INT64_MAX / 2)
    return nullptr;
  int64_t slack = bytes / kSlackPart;
  int64_t size = roundUp(std::max<int64_t>(bytes + slack, 1), kBlockAlignment);
  auto best = freeBlocks.lower_bound({size, 0});
  if (best == freeBlocks.end()) {
    if (!addSegment(size))
      return nullptr;
    best = freeBlocks.lower_bound({size, 0});
  }
  DevicePtr address = best->second;
  freeBlocks.erase(best);
  auto block = blocks.find(address);
  block->second.isFree = false;
  block->second.requested = bytes;
  if (int64_t rest = block->second.size - size) {
    block->second.size = size;
    auto tail = blocks.emplace(address + static_cast<DevicePtr>(size),
                               Block{rest, 0, false, false});
    setFree(tail.first);
  }
  return reinterpret_cast<void *>(address);
}

int64_t Pool::roomFrom(const void *pointer) const {
  auto address = reinterpret_cast<DevicePtr>(pointer);
  auto next = blocks.upper_bound(address);
  if (next == blocks.begin())
    return 0;
  auto block = std::prev(next);
  auto end = block->first + static_cast<DevicePtr>(block->second.size);
  bool isInside = !block->second.isFree && address < end;
  return isInside ? static_cast<int64_t>(end - address) : 0;
}

int64_t Pool::roomOf(const void *pointer, int64_t bytes) const {
  auto block = blocks.find(reinterpret_cast<DevicePtr>(pointer));
  bool isIt = block != blocks.end() && !block->second.isFree &&
              block->second.requested == bytes;
  return isIt ? block->second.size : 0;
}

void Pool::free(void *pointer) {
  auto block = blocks.find(reinterpret_cast<DevicePtr>(pointer));
  if (block != blocks.end() && !block->second.isFree)
    setFree(block);
}

void Pool::clear() {
  for (DevicePtr segment : segments)
    getDriver().memFree(segment);
  segments.clear();
  blocks.clear();
  freeBlocks.clear();
  reserved = 0;
}
