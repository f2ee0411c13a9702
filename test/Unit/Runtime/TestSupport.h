//===- TestSupport.h - bundles and meshes for tests -------------*- C++ -*-===//
//
// Tests need bundles whose code does exactly what they say, so they compile a
// few lines of C and append manifest and footer. One such program calls back
// into the test, so that a test body runs as a rank of any backend through the
// public interface only.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TEST_UNIT_RUNTIME_TESTSUPPORT_H
#define DTENSOR_TEST_UNIT_RUNTIME_TESTSUPPORT_H

#include "HostArray.h"

#include "dtensor-rt/CompiledABI.h"
#include "dtensor-rt/dtensor_rt.h"

#include <functional>
#include <string>
#include <vector>

namespace dtensor::test {

using run::HostArray;

/// A folder of this process, removed at its end.
const std::string &tempFolder();

void writeFile(const std::string &path, const std::string &bytes);
std::string readFile(const std::string &path);

/// The shared object that `source` (C) compiles to; compiled once per source.
std::string compileCode(const std::string &source);

/// Writes a bundle of `source` and `manifest` and returns its path.
std::string makeBundleFile(const std::string &name, const std::string &source,
                           const std::string &manifest);

/// Opens and creates, failing the test when that does not work.
dtensor_rt_bundle *openBundle(const std::string &path);
dtensor_rt_executable *
createExecutable(dtensor_rt_bundle *bundle, const std::vector<int64_t> &mesh,
                 const std::string &backend = "sim",
                 const dtensor_rt_peers *peers = nullptr);

/// The beginning of a manifest: its ABI version, a comma behind it.
std::string manifestHead();
/// Axes of test meshes are called a, b, c ...
std::string meshManifest(size_t numAxes);

/// A tensor of the given type with all elements 0.
HostArray makeArray(int32_t dtype, const std::vector<int64_t> &shape);

dtensor_rt_array toArray(const HostArray &array);

/// A memref descriptor of a row-major array, as compiled code passes it.
class Descriptor {
public:
  explicit Descriptor(const HostArray &array);
  void *get() { return words.data(); }

private:
  std::vector<int64_t> words;
};

/// What a rank of a callback run sees.
struct RankView {
  void *ctx;
  int64_t rank;
};

struct Outcome {
  dtensor_rt_status status;
  std::string message;
  std::vector<dtensor_rt_rank_stats> stats;
};

/// Runs `body` on every rank of a mesh.
Outcome runOnMesh(const std::string &backend, const std::vector<int64_t> &mesh,
                  const std::function<void(const RankView &)> &body);

/// The ranks that share `rank`'s coordinates outside of `axes`, ordered by
/// those on `axes`, first axis major. Written apart from the runtime's own.
std::vector<int64_t> groupOf(const std::vector<int64_t> &mesh, int64_t rank,
                             const std::vector<unsigned> &axes);

rt::PackedAxes pack(const std::vector<unsigned> &axes);

/// torch.chunk: c = ceil(extent / count), size = clamp(extent - r * c, 0, c).
int64_t chunkSize(int64_t extent, int64_t count, int64_t index);
int64_t chunkOffset(int64_t extent, int64_t count, int64_t index);

int64_t numRanks(const std::vector<int64_t> &mesh);

} // namespace dtensor::test

#endif // DTENSOR_TEST_UNIT_RUNTIME_TESTSUPPORT_H
