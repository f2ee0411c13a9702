//===- Report.h - what the tool prints --------------------------*- C++ -*-===//

#ifndef DTENSOR_RUN_REPORT_H
#define DTENSOR_RUN_REPORT_H

#include "Program.h"

namespace dtensor::run {

/// Every entry with its arguments, results and symbols; the mesh first.
bool printEntries(dtensor_rt_bundle *bundle, const Options &options,
                  Error &error);

/// Of the last run: text, the largest of all ranks; JSON, a line per rank.
void printStats(const Program &program, StatsFormat format);

/// Slowest rank's seconds in the program, wall seconds, and slowest rank's
/// seconds until its work was queued, per run.
struct Timing {
  double program, wall, host;
};
void printTimings(std::vector<Timing> timings);

} // namespace dtensor::run

#endif // DTENSOR_RUN_REPORT_H
