//===- Launch.h - an executable bound to global shapes ----------*- C++ -*-===//

#ifndef DTENSOR_RUNTIME_CORE_LAUNCH_H
#define DTENSOR_RUNTIME_CORE_LAUNCH_H

#include "Executable.h"

#include <atomic>

namespace dtensor::rt {

/// Arrays as the caller gave them, checked. A scalar is a view of rank 0.
using Views = std::vector<View>;

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

  /// See dtensor_rt_run_local and dtensor_rt_run_global.
  void runLocal(const Views &args, const Views &results);
  void runGlobal(const Views &args, const Views &results);

  /// Raises unless `view` fits value `ordinal` with `expected` extents. `who`
  /// goes before the message.
  void checkArray(const View &view, size_t ordinal,
                  const std::vector<int64_t> &expected,
                  const std::string &who) const;

private:
  size_t numValues() const { return executable->getEntry().numValues(); }
  void checkScalars(const Views &args, const std::string &who) const;
  void checkGlobal(const Views &args, const Views &results) const;
  void runRanks(const Backend::Prepare &prepare,
                std::vector<std::vector<View>> &values);

  std::shared_ptr<Executable> executable;
  std::vector<int64_t> scalars; // per argument, of integer scalars
  std::vector<int64_t> symbols;
  std::vector<std::vector<int64_t>> extents;
  std::vector<Box> boxes;
  std::vector<dtensor_rt_rank_stats> stats;
  std::atomic<bool> running{false};
};

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_LAUNCH_H
