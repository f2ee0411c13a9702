//===- dtensor-run.cpp - run a bundle ---------------------------*- C++ -*-===//
//
// Everything that can be wrong with the command line, the files and the paths
// of the outputs is found before the program runs.
//
//===----------------------------------------------------------------------===//

#include "Inputs.h"
#include "Npy.h"
#include "Report.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace dtensor::run;

namespace {

constexpr int64_t kWarmUps = 3;

/// One invocation of the tool.
class Session {
public:
  explicit Session(const Options &options) : options(options) {}

  bool execute(Error &error) {
    if (!options.tune.empty())
      setenv("DTENSOR_TUNE", options.tune.c_str(), /*overwrite=*/1);
    if (!open(error))
      return false;
    if (options.list)
      return printEntries(bundle.get(), options, error);
    return program.create(bundle.get(), options.entry, options.backend,
                          options.mesh, error) &&
           makeInputs(program, options, args, error) && openOutputs(error) &&
           program.bind(args, error) && prepareReference(error) &&
           runAll(error) && writeOutputs(error) && finish(error);
  }

private:
  bool open(Error &error) {
    std::string path = options.program;
    size_t dot = path.rfind('.');
    if (dot != std::string::npos && path.substr(dot) == ".mlir") {
      if (!compiled.create("program.so", error) ||
          !compileProgram(path, compiled.getPath(), error))
        return false;
      path = compiled.getPath();
    }
    return openBundle(path, bundle, error);
  }

  const char *resultName(size_t i) const {
    return program.value(program.numArgs() + i).name;
  }

  bool openOutputs(Error &error) {
    outputs.resize(program.numResults());
    written.assign(program.numResults(), false);
    for (const auto &[name, path] : options.outputs) {
      int64_t ordinal =
          program.find(name, program.numArgs(), program.numResults());
      if (ordinal < 0) {
        error = "no result \"" + name + "\"; the entry has";
        for (size_t i = 0; i < program.numResults(); ++i)
          error += (i ? ", \"" : " \"") + std::string(resultName(i)) + "\"";
        return false;
      }
      if (!openOutput(static_cast<size_t>(ordinal) - program.numArgs(), path,
                      error))
        return false;
    }
    for (size_t i = 0; i < outputs.size() && !options.outputDir.empty(); ++i)
      if (!written[i] &&
          !openOutput(i, options.outputDir + "/" + resultName(i) + ".npy",
                      error))
        return false;
    return true;
  }

  bool openOutput(size_t i, const std::string &path, Error &error) {
    written[i] = true;
    return outputs[i].open(path, error);
  }

  bool prepareReference(Error &error) {
    if (!options.check)
      return true;
    // One device, or as few as the facts about the mesh allow.
    NamedInts mesh;
    std::string text;
    for (const dtensor_rt_axis_info &axis : meshAxes(bundle.get())) {
      mesh.emplace_back(axis.name, axis.least_size);
      text += (text.empty() ? "" : ",") + std::string(axis.name) + "=" +
              std::to_string(axis.least_size);
    }
    if (!reference.create(bundle.get(), options.entry, options.backend, mesh,
                          error) ||
        !reference.bind(args, error)) {
      error =
          "option --check runs on the smallest mesh, " + text + ": " + error;
      return false;
    }
    if (program.numRanks() > 1 && program.numRanks() == reference.numRanks()) {
      error = "option --check compares with the smallest mesh, and " + text +
              " is the smallest that the program allows";
      return false;
    }
    return true;
  }

  /// Of `loaded` arguments, or of distribution, run and collection.
  bool runOnce(Timing &timing, Error &error, bool loaded = false) {
    using Clock = std::chrono::steady_clock;
    Clock::time_point start = Clock::now();
    if (!(loaded ? program.execute(error) : program.run(args, error)))
      return false;
    timing = {0, std::chrono::duration<double>(Clock::now() - start).count(),
              0};
    for (int64_t rank = 0; rank < program.numRanks(); ++rank) {
      dtensor_rt_rank_stats stats = program.getStats(rank);
      timing.program = std::max(timing.program, stats.seconds);
      timing.host = std::max(timing.host, stats.host_seconds);
    }
    return true;
  }

  bool runAll(Error &error) {
    Progress progress("running " + options.program);
    Timing timing;
    if (!runOnce(timing, error) || !runAgain(error))
      return false;
    if (options.bench && !program.load(args, error))
      return false;
    // The first runs with loaded arguments are still making ready.
    for (int64_t i = -kWarmUps; i < options.bench && options.bench; ++i) {
      if (!runOnce(timing, error, /*loaded=*/true))
        return false;
      if (i >= 0)
        timings.push_back(timing);
    }
    return !options.check || reference.run(args, error);
  }

  /// Runs 2 to --repeat, each compared with the first one.
  bool runAgain(Error &error) {
    std::vector<std::string> first;
    if (options.repeat < 2)
      return true;
    for (const HostArray &result : program.getResults())
      first.emplace_back(result.data.get(), result.numBytes());
    Timing timing;
    for (int64_t run = 2; run <= options.repeat; ++run) {
      if (!runOnce(timing, error))
        return false;
      for (size_t i = 0; i < first.size(); ++i) {
        const HostArray &result = program.getResults()[i];
        if (std::memcmp(first[i].data(), result.data.get(), first[i].size())) {
          error = "result \"" + std::string(resultName(i)) + "\" of run " +
                  std::to_string(run) + " differs from the first run";
          return false;
        }
      }
    }
    return true;
  }

  bool writeOutputs(Error &error) {
    for (size_t i = 0; i < outputs.size(); ++i)
      if (written[i] && !outputs[i].write(program.getResults()[i], error))
        return false;
    return true;
  }

  bool finish(Error &error) {
    for (size_t i = 0; i < outputs.size(); ++i)
      if (!written[i] && !options.check && !options.bench)
        std::printf("%s: %s\n", resultName(i),
                    summary(program.getResults()[i]).c_str());
    if (!timings.empty())
      printTimings(timings);
    printStats(program, options.stats);
    return !options.check || compareAll(error);
  }

  bool compareAll(Error &error) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      const HostArray &actual = program.getResults()[i];
      Tolerance tolerance = defaultTolerance(actual.dtype);
      tolerance.rtol = options.rtol.value_or(tolerance.rtol);
      tolerance.atol = options.atol.value_or(tolerance.atol);
      Comparison result = compare(actual, reference.getResults()[i], tolerance);
      std::printf("check: %s: %s %s, max error %.3g\n", resultName(i),
                  dtensor_rt_dtype_name(actual.dtype),
                  shapeString(actual.shape).c_str(), result.maxError);
      if (result.numDifferent && error.empty())
        error = describeDifference(i, result);
    }
    return error.empty();
  }

  std::string describeDifference(size_t i, const Comparison &result) const {
    const HostArray &actual = program.getResults()[i];
    char numbers[160];
    std::snprintf(numbers, sizeof(numbers),
                  " of %lld elements; largest error %.6g: %.9g, expected %.9g",
                  static_cast<long long>(actual.numElements()), result.maxError,
                  getElement(actual, result.worst),
                  getElement(reference.getResults()[i], result.worst));
    return "result \"" + std::string(resultName(i)) +
           "\" differs from the smallest mesh in " +
           std::to_string(result.numDifferent) + numbers + " at " +
           indexString(actual, result.worst);
  }

  const Options &options;
  TemporaryFile compiled;
  Bundle bundle;
  Program program, reference;
  std::vector<HostArray> args;
  std::vector<NpyWriter> outputs;
  std::vector<bool> written;
  std::vector<Timing> timings;
};

int fail(const Error &error) {
  std::fflush(stdout);
  std::fprintf(stderr, "dtensor-run: error: %s\n", error.c_str());
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  Error error;
  if (!parseOptions(argc, argv, options, error))
    return fail(error);
  if (options.help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  Session session(options);
  return session.execute(error) ? 0 : fail(error);
}
