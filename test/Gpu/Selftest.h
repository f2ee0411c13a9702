//===- Selftest.h - checks of the CUDA runtime on real GPUs -----*- C++ -*-===//
//
// A program of its own, statically linked but for the system's C library, so
// that it can be carried to a machine that has GPUs and nothing else.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TEST_GPU_SELFTEST_H
#define DTENSOR_TEST_GPU_SELFTEST_H

#include "../../lib/Runtime/Core/Backend.h"
#include "../../lib/Runtime/Core/Error.h"
#include "../../tools/dtensor-run/HostArray.h"

#include <memory>
#include <string>
#include <vector>

namespace dtensor::selftest {

using run::HostArray;

/// Counts; prints what failed.
extern int64_t numChecks, numFailures;
extern bool isQuick;
void check(bool ok, const std::string &what);
/// ||a - b|| / ||b|| of all elements; infinite for a NaN on one side only.
double relativeError(const HostArray &actual,
                     const std::vector<double> &wanted);
void checkClose(const HostArray &actual, const std::vector<double> &wanted,
                double bound, const std::string &what);

HostArray makeArray(int32_t dtype, const std::vector<int64_t> &shape);
/// Uniform in [low, high); integers are rounded down.
HostArray makeRandom(int32_t dtype, const std::vector<int64_t> &shape,
                     uint64_t seed, double low = -1, double high = 1);
std::vector<double> values(const HostArray &array);

/// A memref descriptor.
class Descriptor {
public:
  Descriptor(void *data, const std::vector<int64_t> &sizes,
             std::vector<int64_t> strides = {});
  void *get() { return words.data(); }

private:
  std::vector<int64_t> words;
};

/// Memory of one rank with the contents of an array.
class DeviceArray {
public:
  DeviceArray(rt::Session &session, int64_t rank, const HostArray &array);
  DeviceArray(DeviceArray &&other) noexcept;
  ~DeviceArray();

  void *get() const { return data; }
  Descriptor describe(std::vector<int64_t> strides = {}) const {
    return Descriptor(data, shape, std::move(strides));
  }
  HostArray read() const;
  void write(const HostArray &array);

private:
  rt::Session &session;
  int64_t rank;
  int32_t dtype;
  std::vector<int64_t> shape;
  void *data = nullptr;
};

/// One mesh and the ranks on it.
struct Rig {
  explicit Rig(const std::vector<int64_t> &sizes);

  int64_t numRanks() const { return mesh.numRanks(); }
  /// The message of a run that fails, else nothing.
  std::string run(const rt::Session::Body &body,
                  const rt::Session::Options &options = {});
  /// A failure is reported.
  void runChecked(const rt::Session::Body &body, const std::string &what,
                  const rt::Session::Options &options = {});

  rt::Mesh mesh;
  std::unique_ptr<rt::Session> session;
};

rt::PackedAxes pack(const std::vector<unsigned> &axes);

void testCopies();
void testMatmul();
void testAttention();
void testAttentionGrad();
void testBranches();
void testMemory();
void testCollectives(int numGpus);
/// That many calls.
void testStorm(int numGpus, int64_t numCalls);
void testGraphs(int numGpus);
void testPeers(int numGpus);
void testFailures(int numGpus);
/// With a signal, rank 1 sends it to itself.
void testProcesses(int64_t numProcesses, int signal, bool inGraph);
void benchmark(int numGpus);

} // namespace dtensor::selftest

#endif // DTENSOR_TEST_GPU_SELFTEST_H
