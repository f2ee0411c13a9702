//===- Cuda.cpp - a rank is an NVIDIA GPU -----------------------*- C++ -*-===//
//
// The host program of every rank runs on a thread of its own and queues work;
// nothing waits for the GPU until the run is over.
//
//===----------------------------------------------------------------------===//

#include "Graphs.h"
#include "Images.h"
#include "MatmulCache.h"
#include "ProductTuner.h"
#include "World.h"

#include "../../Core/Backend.h"
#include "../../Core/Error.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

namespace {

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

/// The table of tuned products that a bundle carries.
ProductTable readTable(const LoadedBundle *bundle) {
  ProductTable table;
  if (!bundle)
    return table;
  for (const std::string &line : bundle->getManifest().products) {
    std::optional<TunedProduct> product = parseTunedProduct(line);
    if (!product)
      raise(DTENSOR_RT_BAD_BUNDLE, quoted(bundle->getPath()),
            ": not a tuned product: ", quoted(line));
    table.add(*product);
  }
  return table;
}

/// A GPU with the kernels and the tuned products of one bundle.
class SessionDevice : public Device {
public:
  SessionDevice(Gpu &gpu, const LoadedBundle *bundle)
      : gpu(gpu), table(readTable(bundle)) {
    if (bundle)
      kernels.emplace(gpu, *bundle);
  }

  void *allocate(int64_t bytes, int64_t) override {
    return gpu.allocate(bytes);
  }
  void free(void *pointer) override { gpu.free(pointer); }
  void copy(const View &dst, const View &src) override { gpu.copy(dst, src); }
  void fill(const View &dst, int64_t bits) override { gpu.fill(dst, bits); }
  void matmul(const Matmul &call) override {
    if (!products)
      products.emplace(gpu, table);
    products->run(call);
  }
  void attention(const Attention &call) override { gpu.attention(call); }
  void attentionGrad(const AttentionGrad &call) override {
    gpu.attentionGrad(call);
  }

  void launch(const KernelLaunch &call) override {
    if (!kernels)
      raise(DTENSOR_RT_RUN_FAILED, "this program has no kernels");
    Function function = kernels->get(call.kernel, call.sharedBytes);
    if (call.cluster)
      gpu.launchClusters(function, call);
    else
      gpu.launch(function, {call.grid, 1, 1}, {call.block, 1, 1},
                 call.sharedBytes, call.params);
  }

private:
  Gpu &gpu;
  ProductTable table;
  std::optional<BundleKernels> kernels;
  std::optional<MatmulCache> products;
};

/// Each in cache lines of its own: its thread writes to it in every run.
struct alignas(64) LocalRank {
  std::unique_ptr<SessionDevice> device;
  std::unique_ptr<RankContext> context;
  dtensor_rt_rank_stats stats = {};
};

class CudaSession : public Session {
public:
  CudaSession(const Mesh &mesh, const LoadedBundle *bundle);
  ~CudaSession() override;

  std::vector<int64_t> getLocalRanks() const override {
    return world->getLocalRanks();
  }
  using Session::run;
  std::vector<dtensor_rt_rank_stats> run(const Prepare &prepare,
                                         const Body &body,
                                         const Options &options) override;
  void wait() override;

  bool usesHostMemory() const override { return false; }
  void *allocateStorage(int64_t rank, int64_t bytes) override;
  void freeStorage(int64_t rank, void *pointer) override;
  void upload(int64_t rank, void *to, const void *from, int64_t bytes) override;
  void download(int64_t rank, void *to, const void *from,
                int64_t bytes) override;

private:
  /// What is done with the work of a run.
  enum class Mode { Queue, Capture, Replay };

  Mode chooseMode(GraphCache::Entry *entry) const;
  /// fn(index) on all local ranks; an exception is a failure of the rank.
  void onRanks(const std::function<void(size_t)> &fn);
  void queue(size_t index, const Body &body);
  void replay(size_t index, const GraphCache::Entry &entry);
  bool capture(size_t index, const Body &body, CapturedWork &work);
  bool captureAll(const Body &body, GraphCache::Entry &entry);
  void dropGraphs();
  [[noreturn]] void raiseFailure();
  size_t indexOf(int64_t rank) const;

  const Mesh &mesh;
  std::shared_ptr<World> world;
  std::vector<LocalRank> locals;
  GraphCache graphs;
  bool useGraphs = true;
};

CudaSession::CudaSession(const Mesh &mesh, const LoadedBundle *bundle)
    : mesh(mesh), world(getWorld(mesh)), locals(world->getLocalRanks().size()) {
  const char *choice = std::getenv("DTENSOR_GRAPHS");
  useGraphs = (!choice || std::strcmp(choice, "0") != 0) &&
              !ProductTuner::isAsked(); // it waits for the GPU
  for (size_t i = 0; i < locals.size(); ++i) {
    Gpu &gpu = world->getGpu(i);
    CurrentContext current(gpu.getContext());
    locals[i].device = std::make_unique<SessionDevice>(gpu, bundle);
    locals[i].context = std::make_unique<RankContext>(
        mesh, world->getLocalRanks()[i], *world, *locals[i].device);
  }
  auto lock = world->lockRuns();
  world->addSession(this, [this] { dropGraphs(); });
}

CudaSession::~CudaSession() {
  auto lock = world->lockRuns();
  for (size_t i = 0; i < locals.size(); ++i) {
    CurrentContext current(world->getGpu(i).getContext());
    try {
      if (!world->isLost())
        world->waitIdle(i);
    } catch (const std::exception &) {
      // The run that failed has said so.
    }
    if (i == 0)
      dropGraphs();
    locals[i].context.reset();
    locals[i].device.reset();
  }
  world->dropSession(this);
}

void CudaSession::dropGraphs() {
  if (world->isLost())
    graphs.abandon();
  graphs.clear();
}

size_t CudaSession::indexOf(int64_t rank) const {
  const std::vector<int64_t> &ranks = world->getLocalRanks();
  for (size_t i = 0; i < ranks.size(); ++i)
    if (ranks[i] == rank)
      return i;
  raise(DTENSOR_RT_INTERNAL, "rank ", rank, " is not in this process");
}

CudaSession::Mode CudaSession::chooseMode(GraphCache::Entry *entry) const {
  if (!entry || entry->isRefused || world->usesHostWaits())
    return Mode::Queue;
  if (!entry->works.empty())
    return Mode::Replay;
  return entry->runs > 0 ? Mode::Capture : Mode::Queue;
}

void CudaSession::onRanks(const std::function<void(size_t)> &fn) {
  world->onAllRanks([&](size_t index) {
    int64_t rank = world->getLocalRanks()[index];
    try {
      fn(index);
    } catch (const std::bad_alloc &) {
      world->fail(rank, "out of memory");
    } catch (const std::exception &error) {
      world->fail(rank, error.what());
    }
  });
}

void CudaSession::queue(size_t index, const Body &body) {
  LocalRank &local = locals[index];
  Gpu &gpu = world->getGpu(index);
  int64_t kernels = gpu.numKernels, calls = gpu.numLibraryCalls;
  local.context->run(body);
  local.context->reset();
  local.stats = local.context->getStats();
  local.stats.kernels = gpu.numKernels - kernels;
  local.stats.library_calls = gpu.numLibraryCalls - calls;
}

void CudaSession::replay(size_t index, const GraphCache::Entry &entry) {
  LocalRank &local = locals[index];
  auto start = std::chrono::steady_clock::now();
  check(entry.works[index].queue(world->getGpu(index).getStream()),
        "replaying captured work");
  local.stats.seconds = secondsSince(start);
}

bool CudaSession::capture(size_t index, const Body &body, CapturedWork &work) {
  const Driver &driver = getDriver();
  Gpu &gpu = world->getGpu(index);
  // Not on the caller's: a context's default stream cannot be captured.
  Stream wanted = gpu.getStream();
  gpu.setStream(nullptr);
  Stream stream = gpu.getStream();
  check(driver.streamBeginCapture(stream, kCaptureRelaxed), "capturing");
  gpu.beginCapture();
  Graph graph = nullptr;
  try {
    queue(index, body);
  } catch (...) {
    gpu.endCapture();
    driver.streamEndCapture(stream, &graph);
    throw;
  }
  Result result = driver.streamEndCapture(gpu.getStream(), &graph);
  gpu.endCapture();
  gpu.setStream(wanted);
  return result == 0 && graph && work.set(graph);
}

/// False: this work cannot be captured; nothing was done then.
bool CudaSession::captureAll(const Body &body, GraphCache::Entry &entry) {
  std::vector<CapturedWork> works(locals.size());
  std::vector<char> ok(locals.size());
  onRanks(
      [&](size_t index) { ok[index] = capture(index, body, works[index]); });
  entry.isRefused = std::find(ok.begin(), ok.end(), 0) != ok.end();
  if (entry.isRefused)
    return false;
  entry.works = std::move(works);
  for (const LocalRank &local : locals) {
    entry.stats.push_back(local.stats);
    entry.stats.back().from_graph = 1;
  }
  return true;
}

std::vector<dtensor_rt_rank_stats> CudaSession::run(const Prepare &prepare,
                                                    const Body &body,
                                                    const Options &options) {
  auto lock = world->lockRuns();
  if (world->hasFailed())
    raise(DTENSOR_RT_RUN_FAILED, world->getError());
  GraphCache::Entry *entry = nullptr;
  if (useGraphs && !options.key.empty())
    entry = &graphs.get(options.key);
  Mode mode = chooseMode(entry);
  if (entry)
    ++entry->runs;
  auto setStreams = [&](size_t index) {
    world->getGpu(index).setStream(
        options.streams.empty() ? nullptr
                                : static_cast<Stream>(options.streams[index]));
    prepare(world->getLocalRanks()[index]);
  };
  bool isPrepared = mode == Mode::Capture;
  if (mode == Mode::Capture) {
    onRanks(setStreams);
    if (!world->hasFailed() && captureAll(body, *entry))
      mode = Mode::Replay;
    else
      mode = Mode::Queue;
  }
  auto one = [&](size_t index) {
    if (!isPrepared)
      setStreams(index);
    if (mode == Mode::Replay)
      replay(index, *entry);
    else
      queue(index, body);
    locals[index].stats.host_seconds = secondsSince(options.asked);
    if (options.wait)
      world->waitIdle(index);
  };
  if (!world->hasFailed())
    onRanks(std::ref(one));
  if (world->hasFailed())
    raiseFailure();
  std::vector<dtensor_rt_rank_stats> stats(
      static_cast<size_t>(mesh.numRanks()));
  for (size_t i = 0; i < locals.size(); ++i) {
    dtensor_rt_rank_stats &own =
        stats[static_cast<size_t>(world->getLocalRanks()[i])];
    own = mode == Mode::Replay ? entry->stats[i] : locals[i].stats;
    own.seconds = locals[i].stats.seconds;
    own.host_seconds = locals[i].stats.host_seconds;
  }
  return stats;
}

/// Brings all local ranks to an end first.
void CudaSession::raiseFailure() {
  onRanks([&](size_t index) {
    try {
      world->waitIdle(index);
    } catch (const std::exception &) {
      // A consequence of the failure that is raised below.
    }
    if (!world->isLost())
      locals[index].context->reset();
  });
  std::string error = world->getError();
  world->recover();
  raise(DTENSOR_RT_RUN_FAILED, error);
}

void CudaSession::wait() {
  auto lock = world->lockRuns();
  onRanks([&](size_t index) { world->waitIdle(index); });
  if (world->hasFailed())
    raiseFailure();
}

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

void *CudaSession::allocateStorage(int64_t rank, int64_t bytes) {
  auto lock = world->lockRuns();
  Gpu &gpu = world->getGpu(indexOf(rank));
  CurrentContext current(gpu.getContext());
  void *pointer = gpu.getStorage().allocate(bytes);
  if (!pointer)
    raise(DTENSOR_RT_OUT_OF_MEMORY, "rank ", rank, ": ", gpu.describe(),
          " has no ", bytes, " bytes for an argument or result");
  return pointer;
}

void CudaSession::freeStorage(int64_t rank, void *pointer) {
  auto lock = world->lockRuns();
  Gpu &gpu = world->getGpu(indexOf(rank));
  CurrentContext current(gpu.getContext());
  gpu.getStorage().free(pointer);
}

void CudaSession::upload(int64_t rank, void *to, const void *from,
                         int64_t bytes) {
  if (bytes == 0)
    return;
  auto lock = world->lockRuns();
  size_t index = indexOf(rank);
  Gpu &gpu = world->getGpu(index);
  CurrentContext current(gpu.getContext());
  check(getDriver().memcpyHtoD(reinterpret_cast<DevicePtr>(to), from,
                               static_cast<size_t>(bytes), gpu.getStream()),
        "copying to the GPU");
  world->waitIdle(index);
}

void CudaSession::download(int64_t rank, void *to, const void *from,
                           int64_t bytes) {
  if (bytes == 0)
    return;
  auto lock = world->lockRuns();
  bool isShared = mesh.numRanks() > 1 && locals.size() == 1;
  size_t index = isShared ? 0 : indexOf(rank);
  Gpu &gpu = world->getGpu(index);
  CurrentContext current(gpu.getContext());
  const Driver &driver = getDriver();
  auto source = reinterpret_cast<DevicePtr>(from);
  std::optional<Scratch> shared;
  if (isShared) {
    shared.emplace(gpu, bytes);
    auto copy = reinterpret_cast<DevicePtr>(shared->get());
    if (source)
      check(driver.memcpyDtoD(copy, source, static_cast<size_t>(bytes),
                              gpu.getStream()),
            "collecting a result");
    world->broadcast(rank, shared->get(), bytes);
    source = copy;
  }
  check(driver.memcpyDtoH(to, source, static_cast<size_t>(bytes),
                          gpu.getStream()),
        "copying from the GPU");
  if (!world->waitIdle(index) || world->hasFailed())
    raise(DTENSOR_RT_RUN_FAILED, world->getError());
}

//===----------------------------------------------------------------------===//
// Backend
//===----------------------------------------------------------------------===//

class CudaBackend : public Backend {
public:
  const char *getName() const override { return "cuda"; }
  const char *getTarget() const override { return "cuda"; }
  bool runs(const std::string &target) const override {
    return target == "cuda" || target.rfind("cuda:", 0) == 0;
  }

  int64_t getMaxRanks() const override {
    Job job = readJob();
    if (job.isDistributed())
      return job.size;
    int count = 0;
    check(getDriver().deviceGetCount(&count), "counting GPUs");
    return count;
  }

  std::unique_ptr<Session> open(const Mesh &mesh,
                                const LoadedBundle *bundle) override {
    return std::make_unique<CudaSession>(mesh, bundle);
  }
};

} // namespace

Backend &dtensor::rt::getCudaBackend() {
  static CudaBackend backend;
  return backend;
}
