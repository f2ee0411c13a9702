//===- Rank.cpp - the context of one running rank ---------------*- C++ -*-===//

#include "Rank.h"

#include "Error.h"

#include <algorithm>

using namespace dtensor::rt;

static thread_local RankContext *currentRank = nullptr;

RankContext::RankContext(const Mesh &mesh, int64_t rank,
                         Communicator &communicator, Device &device)
    : mesh(mesh), rank(rank), coords(mesh.coords(rank)),
      communicator(communicator), device(device) {
  stats.struct_size = sizeof(stats);
}

RankContext::~RankContext() { reset(); }

void RankContext::reset() {
  for (auto &[pointer, bytes] : allocations)
    device.free(pointer);
  allocations.clear();
  liveBytes = 0;
}

RankContext *RankContext::current() { return currentRank; }

bool RankContext::run(const std::function<void(RankContext &)> &body) {
  // Nothing in this frame changes after setjmp or has a destructor.
  currentRank = this;
  stats = {};
  stats.struct_size = sizeof(stats);
  start = Clock::now();
  if (setjmp(exit) != 0) {
    currentRank = nullptr;
    return false;
  }
  body(*this);
  currentRank = nullptr;
  stats.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return true;
}

void RankContext::leave() { std::longjmp(exit, 1); }

void RankContext::fail(const std::string &message) noexcept {
  communicator.fail(rank, message);
}

const Group &RankContext::getGroup(PackedAxes axes) {
  auto it = groups.find(axes);
  if (it == groups.end())
    it = groups.emplace(axes, makeGroup(mesh, rank, axes)).first;
  return it->second;
}

void RankContext::doCollective(const Collective &call, bool &ok) {
  checkAlone(call);
  const Group &group = getGroup(call.axes);
  if (group.size() == 1) {
    checkTogether({&call}, group.members);
    if (call.src.base != call.dst.base)
      device.copy(call.dst, ownPart(call));
    ok = true;
    return;
  }
  ok = communicator.join(*this, group, call);
  if (!ok)
    return;
  auto kind = static_cast<int32_t>(call.kind);
  ++stats.collectives[kind];
  stats.bytes[kind] += receivedBytes(call, group.position, group.size());
}

bool RankContext::collective(const Collective &call) noexcept {
  bool ok = false;
  try {
    doCollective(call, ok);
  } catch (const std::exception &error) {
    fail(error.what());
  }
  return ok;
}

void *RankContext::allocate(int64_t bytes, int64_t alignment) {
  void *pointer = device.allocate(bytes, alignment);
  if (!pointer)
    return nullptr;
  allocations[pointer] = bytes;
  liveBytes += bytes;
  stats.peak_bytes = std::max(stats.peak_bytes, liveBytes);
  return pointer;
}

bool RankContext::release(void *pointer) {
  auto it = allocations.find(pointer);
  if (it == allocations.end())
    return false;
  liveBytes -= it->second;
  allocations.erase(it);
  device.free(pointer);
  return true;
}
