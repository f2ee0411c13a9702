//===- Report.cpp - what the tool prints ------------------------*- C++ -*-===//

#include "Report.h"

#include <algorithm>
#include <cstdio>

using namespace dtensor::run;

namespace {

void printValue(const char *role, const dtensor_rt_value_info &value) {
  std::printf("  %s %s: %s", role, value.name,
              dtensor_rt_dtype_name(value.dtype));
  if (!value.is_scalar)
    std::printf(" (%s) [%s]%s", value.extents, value.placements,
                value.donated ? " donated" : "");
  std::printf("\n");
}

/// Any mesh does for a description; the smallest one always fits.
NamedInts describingMesh(dtensor_rt_bundle *bundle) {
  NamedInts mesh;
  for (const dtensor_rt_axis_info &axis : meshAxes(bundle))
    mesh.emplace_back(axis.name, axis.least_size);
  return mesh;
}

/// "a, b" of a number per collective kind, those above 0 only.
std::string jsonObject(const int64_t *values) {
  std::string text;
  for (int kind = 0; kind < DTENSOR_RT_NUM_COLLECTIVES; ++kind)
    if (values[kind])
      text += (text.empty() ? "\"" : ", \"") +
              std::string(dtensor_rt_collective_name(kind)) +
              "\": " + std::to_string(values[kind]);
  return "{" + text + "}";
}

void printJson(const Program &program) {
  for (int64_t rank = 0; rank < program.numRanks(); ++rank) {
    dtensor_rt_rank_stats stats = program.getStats(rank);
    std::printf(
        "{\"rank\": %lld, \"collectives\": %s, \"bytes\": %s, "
        "\"peak_bytes\": %lld, \"seconds\": %.9f, \"kernels\": %lld, "
        "\"library_calls\": %lld, \"host_seconds\": %.9f}\n",
        static_cast<long long>(rank), jsonObject(stats.collectives).c_str(),
        jsonObject(stats.bytes).c_str(),
        static_cast<long long>(stats.peak_bytes), stats.seconds,
        static_cast<long long>(stats.kernels),
        static_cast<long long>(stats.library_calls), stats.host_seconds);
  }
}

void printText(const Program &program) {
  dtensor_rt_rank_stats most = {};
  for (int64_t rank = 0; rank < program.numRanks(); ++rank) {
    dtensor_rt_rank_stats stats = program.getStats(rank);
    for (int kind = 0; kind < DTENSOR_RT_NUM_COLLECTIVES; ++kind) {
      most.collectives[kind] =
          std::max(most.collectives[kind], stats.collectives[kind]);
      most.bytes[kind] = std::max(most.bytes[kind], stats.bytes[kind]);
    }
    most.peak_bytes = std::max(most.peak_bytes, stats.peak_bytes);
    most.seconds = std::max(most.seconds, stats.seconds);
    most.kernels = std::max(most.kernels, stats.kernels);
    most.library_calls = std::max(most.library_calls, stats.library_calls);
    most.host_seconds = std::max(most.host_seconds, stats.host_seconds);
  }
  std::printf("ranks: %lld\n", static_cast<long long>(program.numRanks()));
  for (int kind = 0; kind < DTENSOR_RT_NUM_COLLECTIVES; ++kind)
    if (most.collectives[kind])
      std::printf("%s: %lld per rank, at most %lld bytes received\n",
                  dtensor_rt_collective_name(kind),
                  static_cast<long long>(most.collectives[kind]),
                  static_cast<long long>(most.bytes[kind]));
  if (most.kernels || most.library_calls)
    std::printf("kernels: %lld, library calls: %lld per rank\n",
                static_cast<long long>(most.kernels),
                static_cast<long long>(most.library_calls));
  std::printf("peak memory: at most %lld bytes per rank\n",
              static_cast<long long>(most.peak_bytes));
  // On GPUs it is the time to queue the work.
  std::printf("time: %.3f ms on the slowest rank\n", most.seconds * 1e3);
  if (most.host_seconds > 0)
    std::printf("host: %.2f us until the work of all ranks was queued\n",
                most.host_seconds * 1e6);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2,
                   values.end());
  return values[values.size() / 2];
}

} // namespace

bool dtensor::run::printEntries(dtensor_rt_bundle *bundle,
                                const Options &options, Error &error) {
  for (const dtensor_rt_axis_info &axis : meshAxes(bundle)) {
    std::string size = axis.size < 0 ? "?" : std::to_string(axis.size);
    std::printf("axis %s = %s\n", axis.name, size.c_str());
  }
  for (const std::string &name : entryNames(bundle)) {
    if (!options.entry.empty() && options.entry != name)
      continue;
    Program program;
    NamedInts mesh =
        options.mesh.empty() ? describingMesh(bundle) : options.mesh;
    if (!program.create(bundle, name, options.backend, mesh, error))
      return false;
    std::string symbols;
    for (const std::string &symbol : program.getSymbols())
      symbols += (symbols.empty() ? "" : ", ") + symbol;
    std::printf("entry %s (%s)\n", name.c_str(), symbols.c_str());
    for (size_t i = 0; i < program.numArgs(); ++i)
      printValue("input", program.value(i));
    for (size_t i = 0; i < program.numResults(); ++i)
      printValue("output", program.value(program.numArgs() + i));
  }
  return true;
}

void dtensor::run::printStats(const Program &program, StatsFormat format) {
  if (format == StatsFormat::Json)
    printJson(program);
  else if (format == StatsFormat::Text)
    printText(program);
}

void dtensor::run::printTimings(std::vector<Timing> timings) {
  std::vector<double> program, wall, host;
  for (const Timing &timing : timings) {
    program.push_back(timing.program * 1e3);
    host.push_back(timing.host * 1e6);
    wall.push_back(timing.wall * 1e3);
  }
  std::printf("bench: %zu runs, slowest rank: median %.4f ms, min %.4f ms, max "
              "%.4f ms; wall: median %.4f ms, min %.4f ms\n",
              timings.size(), median(program),
              *std::min_element(program.begin(), program.end()),
              *std::max_element(program.begin(), program.end()), median(wall),
              *std::min_element(wall.begin(), wall.end()));
  if (host.front() > 0)
    std::printf("host: median %.2f us a call\n", median(host));
}
