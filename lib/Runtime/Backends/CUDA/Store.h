//===- Store.h - how ranks find each other ----------------------*- C++ -*-===//
//
// A table of small values that all ranks of a job see, and the place where the
// end of a rank is noticed. In one process it is a map; among processes, the
// one with rank 0 serves it over TCP, and every process keeps one connection:
// when that closes without a goodbye, or nothing comes from it for some seconds
// (a process that was stopped, a host that is gone), its rank is reported as
// failed.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_STORE_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_STORE_H

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace dtensor::rt::cuda {

/// How long ranks wait for each other.
inline constexpr double kMeetSeconds = 120;

/// Both ends of a connection say at every beat that they live. One that is
/// silent for so many beats of the other end is taken for failed. Beats are
/// counted, not seconds: a whole job that was paused goes on.
inline constexpr int kSilentBeats = 5;

/// This process in its job.
struct Job {
  int64_t rank = 0;
  int64_t size = 1;
  int64_t localRank = 0;
  std::string address; // of the process with rank 0
  int port = 0;
  double beatSeconds = 1; // 0: silence is no failure, as under a debugger

  bool isDistributed() const { return size > 1; }
};

/// From the environment of torchrun, mpirun or srun. Raises when it is not
/// complete.
Job readJob();

class Store {
public:
  virtual ~Store() = default;

  virtual void set(const std::string &key, const std::string &value) = 0;

  /// Waits until the key is set; raises when a rank fails first or after
  /// `seconds`.
  virtual std::string get(const std::string &key, double seconds) = 0;

  /// Tells every process that `rank` failed.
  virtual void fail(int64_t rank, const std::string &message) = 0;

  /// Called once, on any thread, when another process failed; one function for
  /// each owner, null: none.
  using OnFailure = std::function<void(int64_t rank, const std::string &)>;
  virtual void setOnFailure(const void *owner, OnFailure callback) = 0;
};

/// What is known here of the values, for those who wait for one.
class WaitingTable {
public:
  void set(const std::string &key, const std::string &value);
  /// Wakes all who wait, now and later.
  void fail();
  /// See Store::get.
  std::string get(const std::string &key, double seconds);

private:
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::string> values;
  bool isFailed = false;
};

std::unique_ptr<Store> makeLocalStore();
/// Connects to the process with rank 0; raises when it is not there within
/// `seconds`.
std::unique_ptr<Store> makeTcpStore(const Job &job, double seconds);

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_STORE_H
