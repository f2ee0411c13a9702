//===- Program.h - a program through the C interface ------------*- C++ -*-===//
//
// C++ clothes for the runtime's handles: they close themselves, failures set
// `error` to the runtime's message.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUN_PROGRAM_H
#define DTENSOR_RUN_PROGRAM_H

#include "HostArray.h"
#include "Options.h"
#include "Support.h"

#include <map>

namespace dtensor::run {

template <typename Handle, dtensor_rt_status (*Close)(Handle *)>
struct Closer {
  void operator()(Handle *handle) const { Close(handle); }
};
using Bundle =
    std::unique_ptr<dtensor_rt_bundle,
                    Closer<dtensor_rt_bundle, dtensor_rt_bundle_close>>;
using ExecutableHandle = std::unique_ptr<
    dtensor_rt_executable,
    Closer<dtensor_rt_executable, dtensor_rt_executable_destroy>>;
using LaunchHandle =
    std::unique_ptr<dtensor_rt_launch,
                    Closer<dtensor_rt_launch, dtensor_rt_launch_destroy>>;

bool openBundle(const std::string &path, Bundle &bundle, Error &error);

std::vector<std::string> entryNames(dtensor_rt_bundle *bundle);
std::vector<dtensor_rt_axis_info> meshAxes(dtensor_rt_bundle *bundle);

/// One entry on one mesh.
class Program {
public:
  /// Axes that `mesh` does not name take their declared sizes.
  bool create(dtensor_rt_bundle *bundle, const std::string &entry,
              const std::string &backend, const NamedInts &mesh, Error &error);

  size_t numArgs() const { return info.num_args; }
  size_t numResults() const { return info.num_results; }
  int64_t numRanks() const { return info.num_ranks; }
  /// Arguments, then results.
  const dtensor_rt_value_info &value(size_t ordinal) const {
    return values[ordinal];
  }
  const std::vector<std::string> &getSymbols() const { return symbols; }

  /// The first of `count` values from `first` with this name, or -1.
  int64_t find(const std::string &name, size_t first, size_t count) const;

  bool globalExtents(size_t ordinal, const std::vector<int64_t> &symbols,
                     std::vector<int64_t> &extents, Error &error) const;

  /// Binds to the arguments and allocates the results.
  bool bind(const std::vector<HostArray> &args, Error &error);
  bool run(const std::vector<HostArray> &args, Error &error);

  /// Puts the arguments where the ranks run, then runs on them: what is left
  /// of run() when nothing is distributed or collected.
  bool load(const std::vector<HostArray> &args, Error &error);
  bool execute(Error &error);

  const std::vector<HostArray> &getResults() const { return results; }
  dtensor_rt_rank_stats getStats(int64_t rank) const;

private:
  bool describe(Error &error);

  ExecutableHandle executable;
  LaunchHandle launch;
  dtensor_rt_executable_info info = {};
  std::vector<dtensor_rt_value_info> values;
  std::vector<std::string> symbols;
  std::vector<HostArray> results;
};

} // namespace dtensor::run

#endif // DTENSOR_RUN_PROGRAM_H
