//===- runtime_selftest.cpp - checks of the CUDA runtime on GPUs -*-C++-*-===//
//
//   runtime_selftest [--gpus=N] [--quick] [--bench] [--only=NAME]
//   runtime_selftest [--kill | --stop] [--in-graph]   see SelftestProcesses.cpp
//
// Checks every function that compiled code may call on 1 .. N GPUs of this
// machine against results of the host in double precision. Exit code 1 when
// anything is wrong. --quick: few cases, for a memory checker. --bench: times,
// too.
//
//===----------------------------------------------------------------------===//

#include "Selftest.h"

#include "../../lib/Runtime/Backends/CUDA/Store.h"

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

using namespace dtensor;
using namespace dtensor::selftest;

int64_t selftest::numChecks = 0;
int64_t selftest::numFailures = 0;
bool selftest::isQuick = false;

void selftest::check(bool ok, const std::string &what) {
  ++numChecks;
  if (ok)
    return;
  if (++numFailures <= 40)
    std::printf("FAILED: %s\n", what.c_str());
  std::fflush(stdout);
}

double selftest::relativeError(const HostArray &actual,
                               const std::vector<double> &wanted) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    double a = run::getElement(actual, static_cast<int64_t>(i)), b = wanted[i];
    if (std::isnan(a) || std::isnan(b)) {
      if (std::isnan(a) != std::isnan(b))
        return std::numeric_limits<double>::infinity();
      continue;
    }
    if (a == b)
      b = a = std::isinf(a) ? 0 : a;
    error += (a - b) * (a - b);
    norm += b * b;
  }
  return error == 0 ? 0 : std::sqrt(error / norm);
}

void selftest::checkClose(const HostArray &actual,
                          const std::vector<double> &wanted, double bound,
                          const std::string &what) {
  double error = relativeError(actual, wanted);
  check(error <= bound,
        rt::concat(what, ": relative error ", error, ", bound ", bound));
}

HostArray selftest::makeArray(int32_t dtype,
                              const std::vector<int64_t> &shape) {
  HostArray array;
  array.dtype = dtype;
  array.shape = shape;
  if (!array.allocate()) {
    std::printf("no host memory\n");
    std::exit(2);
  }
  // Poison: what no kernel writes is found.
  std::memset(array.data.get(), 0x7b, static_cast<size_t>(array.numBytes()));
  return array;
}

HostArray selftest::makeRandom(int32_t dtype, const std::vector<int64_t> &shape,
                               uint64_t seed, double low, double high) {
  HostArray array = makeArray(dtype, shape);
  run::fillRandom(array, seed, low, high);
  return array;
}

std::vector<double> selftest::values(const HostArray &array) {
  std::vector<double> result(static_cast<size_t>(array.numElements()));
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = run::getElement(array, static_cast<int64_t>(i));
  return result;
}

Descriptor::Descriptor(void *data, const std::vector<int64_t> &sizes,
                       std::vector<int64_t> strides) {
  if (strides.empty()) {
    strides.resize(sizes.size());
    int64_t stride = 1;
    for (size_t d = sizes.size(); d-- > 0; stride *= sizes[d])
      strides[d] = stride;
  }
  words = {reinterpret_cast<int64_t>(data), reinterpret_cast<int64_t>(data), 0};
  words.insert(words.end(), sizes.begin(), sizes.end());
  words.insert(words.end(), strides.begin(), strides.end());
}

DeviceArray::DeviceArray(rt::Session &session, int64_t rank,
                         const HostArray &array)
    : session(session), rank(rank), dtype(array.dtype), shape(array.shape),
      data(session.allocateStorage(rank, array.numBytes())) {
  write(array);
}

DeviceArray::DeviceArray(DeviceArray &&other) noexcept
    : session(other.session), rank(other.rank), dtype(other.dtype),
      shape(other.shape), data(other.data) {
  other.data = nullptr;
}

DeviceArray::~DeviceArray() {
  if (data)
    session.freeStorage(rank, data);
}

void DeviceArray::write(const HostArray &array) {
  session.upload(rank, data, array.data.get(), array.numBytes());
}

HostArray DeviceArray::read() const {
  HostArray array = makeArray(dtype, shape);
  session.download(rank, array.data.get(), data, array.numBytes());
  return array;
}

Rig::Rig(const std::vector<int64_t> &sizes) {
  for (size_t a = 0; a < sizes.size(); ++a)
    mesh.names.push_back(std::string(1, static_cast<char>('a' + a)));
  mesh.sizes = sizes;
  session = rt::getCudaBackend().open(mesh, nullptr);
}

std::string Rig::run(const rt::Session::Body &body,
                     const rt::Session::Options &options) {
  try {
    session->run([](int64_t) {}, body, options);
    return "";
  } catch (const std::exception &error) {
    return error.what();
  }
}

void Rig::runChecked(const rt::Session::Body &body, const std::string &what,
                     const rt::Session::Options &options) {
  std::string error = run(body, options);
  check(error.empty(), what + ": " + error);
}

rt::PackedAxes selftest::pack(const std::vector<unsigned> &axes) {
  rt::PackedAxes packed = 0;
  for (unsigned i = 0; i < axes.size(); ++i)
    packed = rt::packAxis(packed, i, axes[i]);
  return packed;
}

int main(int argc, char **argv) {
  int numGpus = 0;
  bool withTimes = false, inGraph = false;
  int signal = 0;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    std::string arg = argv[i];
    if (arg.rfind("--gpus=", 0) == 0)
      numGpus = std::atoi(arg.c_str() + 7);
    else if (arg.rfind("--only=", 0) == 0)
      only = arg.substr(7);
    else if (arg == "--quick")
      isQuick = true;
    else if (arg == "--kill")
      signal = SIGKILL;
    else if (arg == "--stop")
      signal = SIGSTOP;
    else if (arg == "--in-graph")
      inGraph = true;
    else if (arg == "--bench")
      withTimes = true;
    else {
      std::printf("unknown option %s\n", arg.c_str());
      return 2;
    }
  }
  try {
    int64_t numProcesses = rt::cuda::readJob().size;
    auto most = static_cast<int>(rt::getCudaBackend().getMaxRanks());
    if (numGpus == 0 || numGpus > most)
      numGpus = most;
    struct Part {
      const char *name;
      std::function<void()> run;
    };
    std::vector<Part> parts = {
        {"copies", testCopies},
        {"memory", testMemory},
        {"matmul", testMatmul},
        {"attention", testAttention},
        {"gradients", testAttentionGrad},
        {"collectives", [&] { testCollectives(numGpus); }},
        {"storm", [&] { testStorm(numGpus, isQuick ? 100 : 10000); }},
        {"graphs", [&] { testGraphs(numGpus); }},
        {"branches", [] { testBranches(); }},
        {"peers", [&] { testPeers(numGpus); }},
        {"failures", [&] { testFailures(numGpus); }},
    };
    if (numProcesses > 1)
      parts = {
          {"processes", [&] { testProcesses(numProcesses, signal, inGraph); }}};
    if (withTimes)
      parts.push_back({"bench", [&] { benchmark(numGpus); }});
    for (const Part &part : parts) {
      if (!only.empty() && only != part.name)
        continue;
      int64_t checks = numChecks, failures = numFailures;
      part.run();
      std::printf("%s: %lld checks, %lld failed\n", part.name,
                  static_cast<long long>(numChecks - checks),
                  static_cast<long long>(numFailures - failures));
      std::fflush(stdout);
    }
  } catch (const std::exception &error) {
    std::printf("error: %s\n", error.what());
    return 2;
  }
  std::printf("%s: %lld checks on %d GPUs, %lld failed\n",
              numFailures ? "FAILED" : "ok", static_cast<long long>(numChecks),
              numGpus, static_cast<long long>(numFailures));
  return numFailures ? 1 : 0;
}
