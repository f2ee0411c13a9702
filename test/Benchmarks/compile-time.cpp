//===- compile-time.cpp - How long the global half of the street takes ----===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Measures, in process and after parsing, every pass of the global pipeline.
// Each run has a new context, so that no uniqued attribute of an earlier run
// helps. Times are of the processor, not of the wall, on one thread, and the
// least of all runs counts: what else the machine does must not show.
// "Partitioning" below is
//
//     propagate + elide + plan + partition + canonicalize + cse,
//
// and "with verifiers" adds those that run after each of these phases. The
// cases `bundle` take the whole way, from text to the bytes of a bundle.
//
//===----------------------------------------------------------------------===//

#include "Programs.h"

#include "dtensor/Pipelines/Compile.h"
#include "dtensor/Pipelines/Pipelines.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <benchmark/benchmark.h>
#include <ctime>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

using namespace mlir;
using namespace dtensor;
using namespace dtensor::bench;

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

namespace {

enum Stage {
  kNormalize,
  kPropagate,
  kElide,
  kPlan,
  kPartition,
  kCleanUp,
  kVerify,
  kNumStages
};
constexpr const char *kPhaseNames[kNumStages] = {
    "normalize", "propagate", "elide", "plan",
    "partition", "cleanup",   "verify"};

/// Seconds of each phase; `kVerify` without the verifier after `normalize`.
struct Times {
  double seconds[kNumStages] = {};

  double partitioning() const {
    double sum = 0;
    for (int phase = kPropagate; phase <= kCleanUp; ++phase)
      sum += seconds[phase];
    return sum;
  }
  double verified() const { return partitioning() + seconds[kVerify]; }
};

} // namespace

static double processorSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

/// The phase that a pass of the global pipeline belongs to. What has no name of
/// ours is upstream's cleaning up.
static Stage getStage(StringRef argument) {
  return llvm::StringSwitch<Stage>(argument)
      .Case("dtensor-normalize", kNormalize)
      .Case("dtensor-propagate", kPropagate)
      .Case("dtensor-elide", kElide)
      .Case("dtensor-plan", kPlan)
      .Case("dtensor-partition", kPartition)
      .Case("dtensor-verify-phase", kVerify)
      .Default(kCleanUp);
}

namespace {

/// Adds up the time of passes by phase.
class Stopwatch : public PassInstrumentation {
public:
  explicit Stopwatch(Times &times) : times(times) {}

  void runBeforePass(Pass *pass, Operation *) override {
    start = processorSeconds();
  }
  void runAfterPass(Pass *pass, Operation *) override {
    // An adaptor that runs passes on functions has no argument; its passes
    // have been counted.
    if (pass->getArgument().empty())
      return;
    Stage phase = getStage(pass->getArgument());
    bool first = phase == kVerify && times.seconds[kPropagate] == 0;
    if (!first)
      times.seconds[phase] += processorSeconds() - start;
  }

private:
  Times &times;
  double start = 0;
};

} // namespace

/// Nullopt, after diagnostics, when the program does not compile.
static std::optional<Times> measure(const std::string &program) {
  DialectRegistry registry;
  registerCompilerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(program, &context);
  if (!module)
    return std::nullopt;
  Times times;
  PassManager manager(&context);
  manager.enableVerifier(false);
  manager.addInstrumentation(std::make_unique<Stopwatch>(times));
  buildGlobalPipeline(manager);
  if (failed(manager.run(*module)))
    return std::nullopt;
  return times;
}

/// Stage by phase the least of all runs of each benchmark.
static llvm::StringMap<Times> results;

static void runBenchmark(benchmark::State &state, const std::string &name,
                         unsigned numOps, const std::string &program) {
  Times least;
  for (double &seconds : least.seconds)
    seconds = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    std::optional<Times> times = measure(program);
    if (!times) {
      state.SkipWithError("the program does not compile");
      return;
    }
    state.SetIterationTime(times->verified());
    for (int phase = 0; phase < kNumStages; ++phase)
      least.seconds[phase] =
          std::min(least.seconds[phase], times->seconds[phase]);
  }
  results[name] = least;
  for (int phase = 0; phase < kNumStages; ++phase)
    state.counters[std::string(kPhaseNames[phase]) + "_ms"] =
        1e3 * least.seconds[phase];
  state.counters["us_per_op"] = 1e6 * least.partitioning() / numOps;
  state.counters["us_per_op_verified"] = 1e6 * least.verified() / numOps;
}

/// Milliseconds to a bundle, the least of all runs of each benchmark.
static llvm::StringMap<double> bundleTimes;

static void runBundle(benchmark::State &state, const std::string &name,
                      const std::string &program) {
  double least = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    DialectRegistry registry;
    registerCompilerDialects(registry);
    double start = processorSeconds();
    MLIRContext context(registry, MLIRContext::Threading::DISABLED);
    OwningOpRef<ModuleOp> module = parseProgram(program, name, &context);
    if (!module || !dtensor::compile(*module, CompileOptions())) {
      state.SkipWithError("the program does not compile");
      return;
    }
    double seconds = processorSeconds() - start;
    state.SetIterationTime(seconds);
    least = std::min(least, seconds);
  }
  bundleTimes[name] = 1e3 * least;
}

//===----------------------------------------------------------------------===//
// Cases and targets
//===----------------------------------------------------------------------===//

static void add(const std::string &name, unsigned numOps, std::string program,
                int numRuns) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State &state) {
                                 runBenchmark(state, name, numOps, program);
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(numRuns);
}

static void addBundle(unsigned numLayers, int numRuns) {
  std::string name = "bundle/llama/" + std::to_string(numLayers);
  std::string program = makeLlama(numLayers);
  benchmark::RegisterBenchmark(
      name.c_str(),
      [=](benchmark::State &state) { runBundle(state, name, program); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(numRuns);
}

/// Core ops of the training step, after normalization.
static constexpr unsigned kTrainingOps = 11141;

static void addTraining() {
  std::ifstream file(DTENSOR_TRAINING_PROGRAM);
  std::stringstream text;
  text << file.rdbuf();
  add("training/32", kTrainingOps, text.str(), 3);
}

static void addAll() {
  const char *any = "\"x\" = ?";
  for (unsigned count : {1000, 5000, 20000}) {
    int runs = count > 5000 ? 3 : 5;
    std::string suffix = "/" + std::to_string(count);
    add("chain/ours" + suffix, count, makeChain(count, Ops::Ours, any), runs);
    add("chain/linalg" + suffix, count, makeChain(count, Ops::Linalg, any),
        runs);
  }
  for (unsigned devices : {2, 1 << 20})
    add("devices/" + std::to_string(devices), 1000,
        makeChain(1000, Ops::Ours, "\"x\" = " + std::to_string(devices)), 10);
  add("fan_in/64", 1, makeFanIn(64), 10);
  add("llama/32", 32 * 40, makeLlama(32), 5);
  addTraining();
  addBundle(1, 3);
  addBundle(32, 1);
}

namespace {
struct Row {
  std::string what;
  double measured;
  double limit;
  const char *unit;
};
} // namespace

static void printRow(const Row &row) {
  bool missing = row.measured != row.measured;
  llvm::outs() << llvm::left_justify(row.what, 52)
               << llvm::format("%10.3f  %8.2f  %-6s ", row.measured, row.limit,
                               row.unit)
               << (missing                     ? "not measured"
                   : row.measured <= row.limit ? "met"
                                               : "MISSED")
               << '\n';
}

/// Milliseconds per op, NaN for a benchmark that did not run.
static double perOp(const std::string &name, unsigned numOps, bool verified) {
  auto it = results.find(name);
  if (it == results.end())
    return std::numeric_limits<double>::quiet_NaN();
  const Times &times = it->second;
  return 1e3 * (verified ? times.verified() : times.partitioning()) / numOps;
}

/// Milliseconds, NaN for a benchmark that did not run.
static double toBundle(const std::string &name) {
  auto it = bundleTimes.find(name);
  return it == bundleTimes.end() ? std::numeric_limits<double>::quiet_NaN()
                                 : it->second;
}

static void printTargets() {
  llvm::outs() << "\npartitioning (propagate to local), processor time\n"
               << llvm::left_justify("", 52) << "  measured     limit\n";
  for (std::string kind : {"chain/ours", "chain/linalg"}) {
    double at5000 = perOp(kind + "/5000", 5000, false);
    printRow({kind + ", 5000 ops, without verifiers", at5000, 0.1, "ms/op"});
    printRow({kind + ", 5000 ops, with verifiers",
              perOp(kind + "/5000", 5000, true), 0.1, "ms/op"});
    printRow({kind + ", an op of 20000 to an op of 5000",
              perOp(kind + "/20000", 20000, false) / at5000, 1.3, "x"});
  }
  printRow(
      {"1,048,576 devices to 2 devices",
       perOp("devices/1048576", 1000, true) / perOp("devices/2", 1000, true),
       1.15, "x"});
  printRow(
      {"one generic of 64 operands", perOp("fan_in/64", 1, true), 50, "ms"});
  printRow(
      {"Llama, 32 layers", perOp("llama/32", 32 * 40, true), 0.1, "ms/op"});
  printRow({"a training step of 32 layers, 11,141 ops",
            kTrainingOps * perOp("training/32", kTrainingOps, false), 1000,
            "ms"});
  printRow({"Llama, 1 layer, from text to a bundle", toBundle("bundle/llama/1"),
            1000, "ms"});
  printRow({"Llama, 32 layers, from text to a bundle",
            toBundle("bundle/llama/32"), 1500, "ms"});
}

/// The processor's name as the kernel tells it.
static std::string getProcessor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (StringRef(line).starts_with("model name"))
      return StringRef(line).split(':').second.trim().str();
  return "unknown";
}

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 1;
  benchmark::AddCustomContext("processor", getProcessor());
  benchmark::AddCustomContext("llvm", LLVM_VERSION_STRING);
  benchmark::AddCustomContext("compiler", __VERSION__);
  addAll();
  benchmark::RunSpecifiedBenchmarks();
  printTargets();
  benchmark::Shutdown();
}
