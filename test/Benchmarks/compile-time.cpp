//===- compile-time.cpp - How long the global half of the street takes ----===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Measures, in process and after parsing, every phase from `normalize` to the
// local program. Each run has a new context, so that no uniqued attribute of an
// earlier run helps. Times are of the processor, not of the wall, on one
// thread, and the least of all runs counts: what else the machine does must not
// show. "partitioning" below is
//
//     propagate + elide + plan + partition + canonicalize + cse,
//
// and `verified` adds the verifiers that run after each phase.
//
//===----------------------------------------------------------------------===//

#include "Programs.h"

#include "dtensor/Dialect/DTensor/Transforms/Passes.h"
#include "dtensor/Register.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <benchmark/benchmark.h>
#include <ctime>
#include <fstream>
#include <limits>

using namespace mlir;
using namespace dtensor;
using namespace dtensor::bench;

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

namespace {

enum Phase {
  kNormalize,
  kPropagate,
  kElide,
  kPlan,
  kPartition,
  kCleanUp,
  kVerify,
  kNumPhases
};
constexpr const char *kPhaseNames[kNumPhases] = {
    "normalize", "propagate", "elide", "plan", "partition", "cleanup",
    "verify"};

/// Seconds of each phase; `kVerify` without the verifier after `normalize`.
struct Times {
  double seconds[kNumPhases] = {};

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

static std::unique_ptr<Pass> makeVerifier(StringRef phase) {
  VerifyPhaseOptions options;
  options.phase = phase.str();
  return createVerifyPhase(options);
}

namespace {
class Run {
public:
  explicit Run(const std::string &program)
      : registry(makeRegistry()),
        context(registry, MLIRContext::Threading::DISABLED),
        module(parseSourceString<ModuleOp>(program, &context)) {}

  /// False, after diagnostics, when the program does not compile.
  bool measure() {
    return module &&
           step(kNormalize, [](PassManager &m) { m.addPass(createNormalize()); }) &&
           step(kPropagate, [](PassManager &m) { m.addPass(createPropagate()); }) &&
           verify("propagate") &&
           step(kElide, [](PassManager &m) {
             m.addNestedPass<func::FuncOp>(createElide());
           }) &&
           verify("propagate") &&
           step(kPlan, [](PassManager &m) {
             m.addNestedPass<func::FuncOp>(createPlan());
           }) &&
           verify("plan") &&
           step(kPartition, [](PassManager &m) { m.addPass(createPartition()); }) &&
           verify("partition") && step(kCleanUp, [](PassManager &m) {
             m.addPass(createCanonicalizerPass());
             m.addPass(createCSEPass());
           });
  }

  Times times;

private:
  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    registerAllDialects(registry);
    return registry;
  }

  bool step(Phase phase, llvm::function_ref<void(PassManager &)> build) {
    PassManager manager(&context);
    manager.enableVerifier(false);
    build(manager);
    double start = processorSeconds();
    bool ok = succeeded(manager.run(*module));
    times.seconds[phase] += processorSeconds() - start;
    return ok;
  }

  bool verify(StringRef phase) {
    return step(kVerify, [&](PassManager &m) { m.addPass(makeVerifier(phase)); });
  }

  DialectRegistry registry;
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};
} // namespace

/// Phase by phase the least of all runs of each benchmark.
static llvm::StringMap<Times> results;

static void runBenchmark(benchmark::State &state, const std::string &name,
                         unsigned numOps, const std::string &program) {
  Times least;
  for (double &seconds : least.seconds)
    seconds = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    Run run(program);
    if (!run.measure()) {
      state.SkipWithError("the program does not compile");
      return;
    }
    state.SetIterationTime(run.times.verified());
    for (int phase = 0; phase < kNumPhases; ++phase)
      least.seconds[phase] =
          std::min(least.seconds[phase], run.times.seconds[phase]);
  }
  results[name] = least;
  for (int phase = 0; phase < kNumPhases; ++phase)
    state.counters[std::string(kPhaseNames[phase]) + "_ms"] =
        1e3 * least.seconds[phase];
  state.counters["us_per_op"] = 1e6 * least.partitioning() / numOps;
  state.counters["us_per_op_verified"] = 1e6 * least.verified() / numOps;
}

//===----------------------------------------------------------------------===//
// Cases and targets
//===----------------------------------------------------------------------===//

static void add(const std::string &name, unsigned numOps, std::string program,
                int numRuns) {
  benchmark::RegisterBenchmark(
      name.c_str(),
      [=](benchmark::State &state) {
        runBenchmark(state, name, numOps, program);
      })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(numRuns);
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
               << (missing                       ? "not measured"
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
  printRow({"1,048,576 devices to 2 devices",
            perOp("devices/1048576", 1000, true) /
                perOp("devices/2", 1000, true),
            1.15, "x"});
  printRow({"one generic of 64 operands", perOp("fan_in/64", 1, true), 50,
            "ms"});
  printRow({"Llama, 32 layers", perOp("llama/32", 32 * 40, true), 0.1, "ms/op"});
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
