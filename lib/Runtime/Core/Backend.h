//===- Backend.h - where ranks run ------------------------------*- C++ -*-===//
//
// A backend runs one function on every rank of a mesh. It is found by name, so
// that the rest of the runtime and the conformance tests know no backend. A
// session is what it keeps for one mesh and one bundle: communicators, loaded
// kernels, captured graphs.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_BACKEND_H
#define DTENSOR_RUNTIME_CORE_BACKEND_H

#include "Rank.h"

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dtensor::rt {

class LoadedBundle;

class Session {
public:
  virtual ~Session() = default;

  /// The ranks of the mesh that run in this process, ascending.
  virtual std::vector<int64_t> getLocalRanks() const = 0;

  /// `prepare` is called before the body of a rank on the same thread, outside
  /// of compiled code, and may throw.
  using Body = std::function<void(RankContext &)>;
  using Prepare = std::function<void(int64_t rank)>;
  struct Options {
    /// Queues of the local ranks that the caller synchronizes by itself;
    /// empty: the session's own.
    std::span<void *const> streams;
    /// False: return as soon as the work is queued.
    bool wait = true;
    /// Two runs with equal keys that are not empty issue the same work.
    std::span<const uint64_t> key;
    /// When the caller asked for the run; see dtensor_rt_rank_stats.
    std::chrono::steady_clock::time_point asked =
        std::chrono::steady_clock::now();
  };

  /// Runs body(context) on every local rank and returns the statistics of
  /// every rank of the mesh, zeros for ranks of other processes. Raises the
  /// error of the first rank that failed, after all ranks have ended.
  virtual std::vector<dtensor_rt_rank_stats>
  run(const Prepare &prepare, const Body &body, const Options &options) = 0;
  std::vector<dtensor_rt_rank_stats> run(const Prepare &prepare,
                                         const Body &body) {
    return run(prepare, body, Options());
  }

  /// Waits for everything that was queued; raises when a rank failed.
  virtual void wait() {}

  /// False: arguments and results lie in memory of the backend.
  virtual bool usesHostMemory() const { return true; }

  /// Memory of a local rank that lives until freeStorage; raises when there is
  /// none. Only where usesHostMemory() is false, as are the copies, which wait
  /// until they are done.
  virtual void *allocateStorage(int64_t rank, int64_t bytes);
  virtual void freeStorage(int64_t rank, void *pointer);
  virtual void upload(int64_t rank, void *to, const void *from, int64_t bytes);
  /// `from` is memory of `rank`. Every process calls it, for remote ranks with
  /// a null `from`, and gets the bytes.
  virtual void download(int64_t rank, void *to, const void *from,
                        int64_t bytes);
};

/// See dtensor_rt_peers.
struct Peers {
  int64_t meshRank = 0;
  dtensor_rt_gather_fn gather = nullptr;
  void *user = nullptr;
};

class Backend {
public:
  virtual ~Backend() = default;
  virtual const char *getName() const = 0;

  /// The name of the bundle target that this backend runs, and whether it runs
  /// code for `target`.
  virtual const char *getTarget() const = 0;
  virtual bool runs(const std::string &target) const {
    return target == getTarget();
  }

  /// The most ranks that one mesh may have.
  virtual int64_t getMaxRanks() const = 0;

  /// Keeps `mesh` and `bundle`, which is null where there are no kernels.
  virtual std::unique_ptr<Session> open(const Mesh &mesh,
                                        const LoadedBundle *bundle) = 0;

  /// The same where the caller moves the bytes between processes; raises
  /// unless this backend leaves that to it.
  virtual std::unique_ptr<Session> openWithPeers(const Mesh &mesh,
                                                 const LoadedBundle *bundle,
                                                 const Peers &peers);
};

/// N ranks are N threads of this process.
Backend &getSimBackend();

/// A rank is an NVIDIA GPU; the ranks are threads of this process, or one
/// process each.
Backend &getCudaBackend();

/// A rank is this process, on the CPU; the caller moves bytes between ranks.
Backend &getProcessBackend();

/// Raises with the list of known names when there is none of this name.
Backend &findBackend(const std::string &name);

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_BACKEND_H
