//===- MatmulPreload.cpp - kernels of products, before they are needed ----===//
//
// The driver loads a kernel when it is first used: some milliseconds for each
// of the library's, more when its file has not been read yet. A program that
// has run at one shape has shown its products but for their rows.
//
//===----------------------------------------------------------------------===//

#include "Gpu.h"
#include "MatmulCache.h"
#include "ProductTuner.h"

#include <set>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

/// The library changes its kernels between these numbers of rows.
static constexpr int64_t kRows[] = {16,  32,   64,   128,  256,
                                    512, 1024, 2048, 4096, 8192};
/// The products of a program that has weights; one whose products change with
/// every shape is not held up for long.
static constexpr size_t kMostPreloaded = 16;

void MatmulCache::preload(const Problem &given) {
  Problem problem = given;
  problem.m = 0;
  if (problem.batch != 1 || problem.transA || ProductTuner::isAsked() ||
      preloaded.size() >= kMostPreloaded ||
      !preloaded.insert(keyOf(problem)).second)
    return;
  std::set<int64_t> rows(std::begin(kRows), std::end(kRows));
  TunedProduct kind = describe(problem);
  for (const TunedProduct &product : table.all())
    if (product.kind() == kind.kind())
      rows.insert(product.m);
  Stream stream = nullptr;
  check(getDriver().streamCreate(&stream, kStreamNonBlocking, 0),
        "making a stream");
  for (int64_t m : rows) {
    problem.m = m;
    preloadRows(problem, stream);
  }
  getDriver().streamDestroy(stream);
}

/// A graph that can be run has its kernels loaded; this one never runs, so that
/// its operands may be anything.
void MatmulCache::preloadRows(Problem problem, Stream stream) {
  const Driver &driver = getDriver();
  auto *anything = reinterpret_cast<char *>(size_t(1) << 20);
  if (driver.streamBeginCapture(stream, kCaptureRelaxed) != 0)
    return;
  try {
    std::unique_ptr<Plan> plan = makePlan(problem);
    if (problem.hasBias)
      getLt().descSet(plan->desc, kLtDescBiasPointer, &anything,
                      sizeof(anything));
    launch(problem, *plan, {anything, anything, nullptr, anything},
           {stream, 0});
  } catch (const std::exception &) {
    // The run that wants this product will say so.
  }
  Graph graph = nullptr;
  GraphExec exec = nullptr;
  if (driver.streamEndCapture(stream, &graph) != 0 || !graph)
    return;
  if (driver.graphInstantiate(&exec, graph, 0) == 0)
    driver.graphExecDestroy(exec);
  driver.graphDestroy(graph);
}
