//===- Connect.cpp - communicators of NCCL, ready for use -------*- C++ -*-===//

#include "Connect.h"

#include "../../Core/Error.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

using Clock = std::chrono::steady_clock;

static Clock::time_point meetingEnd() {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(kMeetSeconds));
}

//===----------------------------------------------------------------------===//
// Meeting
//===----------------------------------------------------------------------===//

static NcclUniqueId exchangeId(const Group &group, Store &store,
                               const std::string &key) {
  NcclUniqueId id;
  if (group.position == 0) {
    checkNccl(getNccl().getUniqueId(&id), "meeting");
    store.set(key, std::string(id.bytes, sizeof(id.bytes)));
    return id;
  }
  std::string value = store.get(key, kMeetSeconds);
  std::memcpy(id.bytes, value.data(), std::min(value.size(), sizeof(id.bytes)));
  return id;
}

namespace {
/// Shared with a thread that may never come back when a member is gone.
struct Meeting {
  std::mutex mutex;
  std::condition_variable changed;
  bool isDone = false;
  NcclResult result = 0;
  NcclComm comm = nullptr;
};
} // namespace

NcclComm cuda::makeComm(Gpu &gpu, const Group &group, Store &store,
                        const std::string &key, const std::string &who,
                        const CheckAlive &checkAlive) {
  NcclUniqueId id = exchangeId(group, store, key);
  auto meeting = std::make_shared<Meeting>();
  std::thread([meeting, id, context = gpu.getContext(),
               size = static_cast<int>(group.size()),
               position = static_cast<int>(group.position)] {
    CurrentContext current(context);
    NcclConfig config;
    config.blocking = 1;
    NcclComm comm = nullptr;
    NcclResult result =
        getNccl().commInitRank(&comm, size, id, position, &config);
    std::lock_guard lock(meeting->mutex);
    meeting->result = result;
    meeting->comm = comm;
    meeting->isDone = true;
    meeting->changed.notify_all();
  }).detach();
  std::unique_lock lock(meeting->mutex);
  auto end = meetingEnd();
  while (!meeting->isDone) {
    meeting->changed.wait_for(lock, std::chrono::milliseconds(50));
    if (meeting->isDone)
      break;
    checkAlive();
    if (Clock::now() > end)
      raise(DTENSOR_RT_RUN_FAILED, "the ranks ", who, " do not meet within ",
            kMeetSeconds, " s");
  }
  checkNccl(meeting->result, "making a communicator");
  return meeting->comm;
}

//===----------------------------------------------------------------------===//
// Warming up
//===----------------------------------------------------------------------===//

/// NCCL changes its algorithms between these many bytes of an all-reduce.
static constexpr size_t kWarmBytes[] = {1 << 10, 1 << 16, 1 << 22};
static constexpr size_t kMostWarmBytes = 1 << 22;

static void queueAll(NcclComm comm, const Group &group, void *from, void *to,
                     Stream stream) {
  const Nccl &nccl = getNccl();
  const char *what = "connecting the ranks";
  for (size_t bytes : kWarmBytes)
    checkNccl(nccl.allReduce(from, to, bytes / 4, kNcclFloat32, kNcclSum, comm,
                             stream),
              what);
  size_t piece = kMostWarmBytes / static_cast<size_t>(group.size());
  checkNccl(nccl.allGather(from, to, piece, kNcclInt8, comm, stream), what);
  checkNccl(nccl.reduceScatter(from, to, piece / 4, kNcclFloat32, kNcclSum,
                               comm, stream),
            what);
  checkNccl(nccl.broadcast(from, to, piece, kNcclInt8, 0, comm, stream), what);
  checkNccl(nccl.groupStart(), what);
  for (int q = 0; q < static_cast<int>(group.size()); ++q) {
    if (q == group.position)
      continue;
    nccl.send(from, 8, kNcclInt8, q, comm, stream);
    nccl.recv(to, 8, kNcclInt8, q, comm, stream);
  }
  checkNccl(nccl.groupEnd(), what);
}

void cuda::warmUp(NcclComm comm, const Group &group,
                  const CheckAlive &checkAlive) {
  const Driver &driver = getDriver();
  Stream stream = nullptr;
  DevicePtr memory = 0; // what is sent, what is received
  check(driver.streamCreate(&stream, kStreamNonBlocking, 0), "making a stream");
  check(driver.memAlloc(&memory, 2 * kMostWarmBytes),
        "taking memory to connect the ranks");
  check(driver.memsetD8(memory, 0, 2 * kMostWarmBytes, stream),
        "connecting the ranks");
  queueAll(comm, group, reinterpret_cast<void *>(memory),
           reinterpret_cast<void *>(memory + kMostWarmBytes), stream);
  // When it fails, memory and stream are left to the work that uses them.
  auto end = meetingEnd();
  for (Result result; (result = driver.streamQuery(stream)) != 0;) {
    if (result != kErrorNotReady)
      check(result, "connecting the ranks");
    checkAlive();
    if (Clock::now() > end)
      raise(DTENSOR_RT_RUN_FAILED, "the ranks do not connect within ",
            kMeetSeconds, " s");
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  driver.streamDestroy(stream);
  driver.memFree(memory);
}
