//===- Backend.h - where ranks run ------------------------------*- C++ -*-===//
//
// A backend runs one function on every rank of a mesh. It is found by name, so
// that the rest of the runtime and the conformance tests know no backend.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_BACKEND_H
#define DTENSOR_RUNTIME_CORE_BACKEND_H

#include "Rank.h"

#include <functional>
#include <string>
#include <vector>

namespace dtensor::rt {

class Backend {
public:
  virtual ~Backend() = default;
  virtual const char *getName() const = 0;

  /// The name of the bundle target that this backend runs.
  virtual const char *getTarget() const = 0;

  /// The most ranks that one mesh may have.
  virtual int64_t getMaxRanks() const = 0;

  /// Runs body(context) on every rank of `mesh` and returns the statistics of
  /// every rank. `prepare` is called before it on the same thread, outside of
  /// compiled code, and may throw. Raises the error of the first rank that
  /// failed, after all ranks have ended.
  using Body = std::function<void(RankContext &)>;
  using Prepare = std::function<void(int64_t rank)>;
  virtual std::vector<dtensor_rt_rank_stats>
  run(const Mesh &mesh, const Prepare &prepare, const Body &body) = 0;
};

/// N ranks are N threads of this process.
Backend &getSimBackend();

/// Raises with the list of known names when there is none of this name.
Backend &findBackend(const std::string &name);

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_BACKEND_H
