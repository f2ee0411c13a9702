//===- Launch.h - an executable bound to global shapes ----------*- C++ -*-===//

#ifndef DTENSOR_RUNTIME_CORE_LAUNCH_H
#define DTENSOR_RUNTIME_CORE_LAUNCH_H

#include "Executable.h"
#include "Work.h"

#include <array>
#include <atomic>

namespace dtensor::rt {

/// Arrays as they come through the C interface.
struct CallerArrays {
  const dtensor_rt_array *data;
  size_t count;
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
  /// Runs on the arrays of the last runLocal, which are known to be good.
  /// False: these are others, nothing was done.
  bool rerunLocal(const CallerArrays &args, const CallerArrays &results,
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
  void setRankWork(RankWork &own, int64_t rank, const Views &args,
                   bool mayAlias);
  Work makeLocalWork(const Views &args, const Views &results) const;
  bool isLocalWork(const CallerArrays &args, const CallerArrays &results) const;
  void runRanks(const Session::Prepare &prepare, const Work &work,
                const Session::Options &options);
  void collectResults(const Work &work, const Views &results);

  std::shared_ptr<Executable> executable;
  std::vector<int64_t> scalars; // per argument, of integer scalars
  std::vector<int64_t> symbols;
  std::vector<std::vector<int64_t>> extents;
  std::vector<Box> boxes;
  std::vector<dtensor_rt_rank_stats> stats;
  // Of load, and of the last runLocal, with their keys.
  Work loaded, local;
  std::vector<uint64_t> loadedKey, localKey;
  std::vector<std::array<char, 8>> loadedScalars;
  std::atomic<bool> running{false};
};

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_LAUNCH_H
