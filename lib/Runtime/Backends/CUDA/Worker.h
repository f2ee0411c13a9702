//===- Worker.h - a thread that runs one job after the other ----*- C++ -*-===//
//
// A call costs microseconds, waking a thread costs tens: both sides look for a
// while before they sleep, some milliseconds where there are cores to spare, so
// that a program of that length finds its threads awake again.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_WORKER_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_WORKER_H

#include <atomic>
#include <functional>
#include <thread>

namespace dtensor::rt::cuda {

class Worker {
public:
  Worker() : thread([this] { loop(); }) {}
  Worker(const Worker &) = delete;
  ~Worker() {
    job = nullptr;
    advance(posted);
    thread.join();
  }

  /// Calls next(index). `next` must live until wait() returns; it must not
  /// throw.
  void post(const std::function<void(size_t)> &next, size_t nextIndex) {
    job = &next;
    index = nextIndex;
    advance(posted);
  }
  /// Until all that was posted is done.
  void wait() { waitFor(done, posted.load(std::memory_order_relaxed)); }

private:
  static int numLooks() {
    static const int count =
        std::thread::hardware_concurrency() >= 16 ? 100000 : 4000;
    return count;
  }

  static void advance(std::atomic<uint64_t> &counter) {
    counter.fetch_add(1, std::memory_order_release);
    counter.notify_one(); // looks for sleepers before it calls the kernel
  }
  static void waitFor(std::atomic<uint64_t> &counter, uint64_t value) {
    for (int i = numLooks(); i > 0; --i) {
      if (counter.load(std::memory_order_acquire) == value)
        return;
      __builtin_ia32_pause();
    }
    for (uint64_t now;
         (now = counter.load(std::memory_order_acquire)) != value;)
      counter.wait(now, std::memory_order_acquire);
  }

  void loop() {
    for (uint64_t count = 1;; ++count) {
      waitFor(posted, count);
      if (!job)
        return;
      (*job)(index);
      advance(done);
    }
  }

  // One cache line from the caller to the thread, one back.
  alignas(64) std::atomic<uint64_t> posted{0};
  const std::function<void(size_t)> *job = nullptr;
  size_t index = 0;
  alignas(64) std::atomic<uint64_t> done{0};
  alignas(64) std::thread thread;
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_WORKER_H
