//===- SelftestExchange.h - a collective and what it gives ------*- C++ -*-===//

#ifndef DTENSOR_TEST_GPU_SELFTESTEXCHANGE_H
#define DTENSOR_TEST_GPU_SELFTESTEXCHANGE_H

#include "Selftest.h"

#include <functional>

namespace dtensor::selftest {

using Sizes = std::vector<int64_t>;
using Axes = std::vector<unsigned>;

/// A mesh, and the axes that a collective is over.
struct Case {
  Sizes mesh;
  Axes axes;
};

/// One call of all ranks, with its tensors on them.
class Exchange {
public:
  /// Calls the runtime with the descriptors of source and destination.
  using Call =
      std::function<void(void *ctx, int64_t rank, void *from, void *to)>;
  /// What `rank` holds afterwards.
  using Wanted = std::function<std::vector<double>(int64_t rank)>;

  Exchange(Rig &rig, int32_t dtype, std::string what)
      : what(std::move(what)), rig(rig), dtype(dtype) {}

  /// The tensors of the next rank.
  void add(const Sizes &srcShape, const std::vector<double> &contents,
           const Sizes &dstShape);
  void queue(rt::RankContext &context);
  void check();

  std::string what;
  Call call;
  Wanted wanted;
  std::vector<DeviceArray> src, dst;

private:
  Rig &rig;
  int32_t dtype;
};

/// Small integers, exact in every type.
std::vector<double> pattern(int64_t count, int64_t seed, bool isTruth);
HostArray fromValues(int32_t dtype, const Sizes &shape,
                     const std::vector<double> &all);
/// The reduction of what the members of `rank`'s group hold.
std::vector<double> reduced(const Case &test, int64_t rank, rt::Reduce kind,
                            int32_t dtype,
                            const std::vector<std::vector<double>> &all);

// Tensors of 2x3x4 but for the dimensions that an extent is given for.
Exchange makeGather(Rig &rig, const Case &test, int32_t dtype, int64_t dim,
                    int64_t extent, int64_t unit);
Exchange makeReduce(Rig &rig, const Case &test, int32_t dtype, rt::Reduce kind,
                    int64_t count);
Exchange makeReduceScatter(Rig &rig, const Case &test, int32_t dtype,
                           rt::Reduce kind, int64_t dim, int64_t extent,
                           int64_t unit);
Exchange makeAllToAll(Rig &rig, const Case &test, int32_t dtype,
                      int64_t gatherDim, int64_t splitDim, int64_t gathered,
                      int64_t split);
Exchange makePermute(Rig &rig, const Case &test);

/// Queues all in one run, one behind the other, then checks each.
void runAll(Rig &rig, std::vector<Exchange> &exchanges);
void runOne(Rig &rig, Exchange exchange);

} // namespace dtensor::selftest

#endif // DTENSOR_TEST_GPU_SELFTESTEXCHANGE_H
