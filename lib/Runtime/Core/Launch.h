//===- Launch.h - an executable bound to global shapes ----------*- C++ -*-===//

#ifndef DTENSOR_RUNTIME_CORE_LAUNCH_H
#define DTENSOR_RUNTIME_CORE_LAUNCH_H

#include "Buffer.h"
#include "Executable.h"

#include <array>
#include <atomic>
#include <map>

namespace dtensor::rt {

/// Arrays as the caller gave them, checked. A scalar is a view of rank 0.
using Views = std::vector<View>;

/// Memory of a rank in its session.
class Storage {
public:
  Storage() = default;
  Storage(Session &session, int64_t rank, int64_t bytes)
      : session(&session), rank(rank),
        pointer(session.allocateStorage(rank, bytes)) {}
  Storage(Storage &&other) noexcept { *this = std::move(other); }
  Storage &operator=(Storage &&other) noexcept {
    std::swap(session, other.session);
    std::swap(rank, other.rank);
    std::swap(pointer, other.pointer);
    return *this;
  }
  ~Storage() {
    if (pointer)
      session->freeStorage(rank, pointer);
  }
  void *get() const { return pointer; }

private:
  Session *session = nullptr;
  int64_t rank = 0;
  void *pointer = nullptr;
};

/// The arrays of one rank and what they lie in.
struct RankValues {
  Views views; // arguments, then results
  std::vector<Buffer> host;
  std::vector<Storage> device;
};

class Launch {
public:
  /// `args` are the global arguments; of tensors only the shapes are read.
  Launch(std::shared_ptr<Executable> executable, const Views &args);

  const Executable &getExecutable() const { return *executable; }
  const std::vector<int64_t> &getSymbols() const { return symbols; }
  const std::vector<int64_t> &globalExtents(size_t ordinal) const {
    return extents[ordinal];
  }
  const Box &localBox(int64_t rank, size_t ordinal) const {
    return boxes[rank * numValues() + ordinal];
  }
  /// Of the last run; raises before the first.
  const dtensor_rt_rank_stats &getStats(int64_t rank) const;

  /// See dtensor_rt_run_local and dtensor_rt_run_global; arrays of runLocal
  /// are those of the local ranks.
  void runLocal(const Views &args, const Views &results,
                Session::Options options);
  void runGlobal(const Views &args, const Views &results);

  /// See dtensor_rt_launch_load, _execute and _fetch.
  void load(const Views &args);
  void execute(Session::Options options);
  void fetch(const Views &results);

  /// Raises unless `view` fits value `ordinal` with `expected` extents. `who`
  /// goes before the message.
  void checkArray(const View &view, size_t ordinal,
                  const std::vector<int64_t> &expected,
                  const std::string &who) const;

private:
  size_t numValues() const { return executable->getEntry().numValues(); }
  void checkScalars(const Views &args, const std::string &who) const;
  void checkArgs(const Views &args) const;
  void checkResults(const Views &results) const;
  /// Raises where results of other processes cannot be had.
  void checkCollectable() const;
  void setRankValues(RankValues &values, int64_t rank, const Views &args,
                     bool mayAlias);
  using Values = std::map<int64_t, RankValues>; // by local rank
  void runRanks(const Session::Prepare &prepare, Values &values,
                Session::Options &options);
  void collectResults(Values &values, const Views &results);

  std::shared_ptr<Executable> executable;
  std::vector<int64_t> scalars; // per argument, of integer scalars
  std::vector<int64_t> symbols;
  std::vector<std::vector<int64_t>> extents;
  std::vector<Box> boxes;
  std::vector<dtensor_rt_rank_stats> stats;
  Values loaded;
  std::vector<std::array<char, 8>> loadedScalars;
  std::atomic<bool> running{false};
};

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_LAUNCH_H
