//===- Fake.h - NVIDIA's libraries in host memory ---------------*- C++ -*-===//
//
// Just enough of the driver, of NCCL and of cuBLASLt to run the CUDA backend on
// a machine without GPUs: device memory is host memory, a stream is a thread
// that does one thing after the other, the runtime's own kernels are loops. So
// the host side of the backend is tested, with its order of work and its
// failures, by the same program that tests it on GPUs.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TEST_GPU_FAKE_FAKE_H
#define DTENSOR_TEST_GPU_FAKE_FAKE_H

#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#define FAKE_EXPORT extern "C" __attribute__((visibility("default")))

namespace fake {

using Work = std::function<void()>;

class Stream {
public:
  Stream() : thread([this] { loop(); }) {}
  ~Stream() {
    {
      std::lock_guard lock(mutex);
      isEnding = true;
      changed.notify_all();
    }
    thread.join();
  }

  void add(Work work) {
    if (origin) {
      origin->add(std::move(work));
      origin->apart.insert(this);
      return;
    }
    std::lock_guard lock(mutex);
    if (isCapturing) {
      captured.push_back(std::move(work));
      return;
    }
    queue.push_back(std::move(work));
    changed.notify_all();
  }
  bool isIdle() {
    std::lock_guard lock(mutex);
    return queue.empty() && !isWorking;
  }
  void wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return queue.empty() && !isWorking; });
  }

  bool isCapturing = false;
  std::vector<Work> captured;
  /// The stream whose capture this one has joined, and of that one: who has,
  /// and whose work it has not waited for.
  Stream *origin = nullptr;
  std::set<Stream *> joined, apart;

private:
  void loop() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return isEnding || !queue.empty(); });
      if (queue.empty())
        return;
      Work work = std::move(queue.front());
      queue.pop_front();
      isWorking = true;
      lock.unlock();
      work();
      lock.lock();
      isWorking = false;
      changed.notify_all();
    }
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Work> queue;
  bool isWorking = false, isEnding = false;
  std::thread thread;
};

/// Remembers only what captures need.
struct Event {
  Stream *source = nullptr;
};

/// What an attention kernel of this name does; null: nothing.
Work attentionWork(const std::string &name, const void *argument);

/// What the kernel of this name, which shares memory with the peers', does.
Work peerWork(const std::string &name, unsigned grid, const void *argument);

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

inline float fromBf16(uint16_t bits) {
  uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
}

inline uint16_t toBf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (value != value)
    return static_cast<uint16_t>((bits >> 16) | 64);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

inline float fromF16(uint16_t bits) {
  _Float16 value;
  std::memcpy(&value, &bits, 2);
  return static_cast<float>(value);
}

inline uint16_t toF16(float value) {
  auto half = static_cast<_Float16>(value);
  uint16_t bits;
  std::memcpy(&bits, &half, 2);
  return bits;
}

} // namespace fake

#endif // DTENSOR_TEST_GPU_FAKE_FAKE_H
