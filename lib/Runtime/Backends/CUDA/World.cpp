//===- World.cpp - the ranks of one mesh and their communicators -*-C++-*-===//

#include "World.h"

#include "Collectives.h"
#include "Connect.h"

#include "../../Core/Error.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

using Clock = std::chrono::steady_clock;

static Clock::duration seconds(double value) {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(value));
}

/// One connection for the whole life of the process: others take its end for
/// the end of the rank.
static std::shared_ptr<Store> getJobStore(const Job &job) {
  static std::mutex mutex;
  static std::shared_ptr<Store> store;
  std::lock_guard lock(mutex);
  if (!store)
    store = makeTcpStore(job, kMeetSeconds);
  return store;
}

namespace {
/// Worlds of a job live as long as its process: to make one again all of its
/// processes would have to drop it at the same place of their programs.
struct JobWorlds {
  std::vector<std::shared_ptr<World>> all;

  /// The other processes end when they like, and NVIDIA's libraries may have
  /// ended: nothing is given back.
  ~JobWorlds() {
    for (std::shared_ptr<World> &world : all) {
      world->retire();
      new std::shared_ptr<World>(std::move(world));
    }
  }
};
} // namespace

std::shared_ptr<World> cuda::getWorld(const Mesh &mesh) {
  static std::mutex mutex;
  static std::map<std::vector<int64_t>, std::weak_ptr<World>> worlds;
  static JobWorlds kept;
  std::lock_guard lock(mutex);
  std::weak_ptr<World> &slot = worlds[mesh.sizes];
  std::shared_ptr<World> world = slot.lock();
  Job job = readJob();
  if (!world || (world->isLost() && !job.isDistributed())) {
    world = std::make_shared<World>(mesh, job);
    slot = world;
    if (job.isDistributed())
      kept.all.push_back(world);
  }
  return world;
}

World::World(const Mesh &mesh, const Job &job) : mesh(mesh), job(job) {
  int64_t numRanks = mesh.numRanks();
  int count = 0;
  check(getDriver().deviceGetCount(&count), "counting GPUs");
  if (job.isDistributed()) {
    if (numRanks != job.size)
      raise(DTENSOR_RT_INVALID_ARGUMENT, "a mesh of ", numRanks,
            " ranks in a job of ", job.size, " processes; one each is needed");
    ranks = {job.rank};
    // Launchers may show each process its own GPU only.
    int64_t local = count == 1 ? 0 : job.localRank;
    gpus.push_back(std::make_unique<Gpu>(static_cast<int>(local)));
    store = getJobStore(job);
    // Processes decide on graphs alone, so capturing must not need the others.
    setenv("NCCL_GRAPH_REGISTER", "0", /*overwrite=*/1);
  } else {
    if (numRanks > count)
      raise(DTENSOR_RT_INVALID_ARGUMENT, "a mesh of ", numRanks,
            " ranks, this machine has ", count, " GPUs");
    for (int64_t rank = 0; rank < numRanks; ++rank) {
      ranks.push_back(rank);
      gpus.push_back(std::make_unique<Gpu>(static_cast<int>(rank)));
      if (rank > 0)
        workers.push_back(std::make_unique<Worker>());
    }
    std::function<void(size_t)> enter = [&](size_t index) {
      getDriver().ctxPush(gpus[index]->getContext());
    };
    for (size_t i = 0; i < workers.size(); ++i)
      workers[i]->post(enter, i + 1);
    for (std::unique_ptr<Worker> &worker : workers)
      worker->wait();
    store = makeLocalStore();
  }
  comms.resize(ranks.size());
  peers.resize(ranks.size());
  aborting = std::make_unique<AbortWord>(gpus[0]->getContext());
  if (numRanks > 1)
    getNccl(); // a missing library is an error now, not in the first run
  store->setOnFailure(this, [this](int64_t rank, const std::string &message) {
    recordFailure(rank, message);
  });
  watchdog = std::thread([this] { watch(); });
}

void World::retire() {
  if (store)
    store->setOnFailure(this, nullptr);
  store.reset();
  {
    std::lock_guard lock(mutex);
    ending = true;
    changed.notify_all();
  }
  if (watchdog.joinable())
    watchdog.join();
  if (aborted)
    Aborts::get().wait();
}

World::~World() {
  retire();
  if (lost) {
    for (std::unique_ptr<Gpu> &gpu : gpus)
      gpu.release(); // its stream never ends; freeing would wait for it
    for (PeerGroups &groups : peers)
      for (auto &[axes, group] : groups)
        group.release();
    aborting.release();
    return;
  }
  dropPeers();
  // All at once: the members may wait for each other.
  onAllRanks([&](size_t index) {
    for (auto &[axes, comm] : comms[index])
      getNccl().commDestroy(comm);
  });
}

void World::dropSession(const void *session) {
  sessions.erase(session);
  if (!sessions.empty() || lost)
    return;
  for (std::unique_ptr<Gpu> &gpu : gpus) {
    CurrentContext current(gpu->getContext());
    gpu->giveMemoryBack();
  }
}

size_t World::indexOf(int64_t rank) const {
  return job.isDistributed() ? 0 : static_cast<size_t>(rank);
}

//===----------------------------------------------------------------------===//
// Communicators
//===----------------------------------------------------------------------===//

/// Under which its members meet.
std::string World::nameOf(const char *what, const Group &group) const {
  std::string name = what;
  for (int64_t size : mesh.sizes)
    name += concat("/", size);
  return name + concat("/", generation, "/", group.axes, "/", group.first);
}

Peers *World::getPeers(size_t index, const Group &group) {
  if (!Peers::serves(group.size()))
    return nullptr;
  std::unique_ptr<Peers> &slot = peers[index][group.axes];
  if (!slot)
    slot = std::make_unique<Peers>(*gpus[index], group, job.isDistributed(),
                                   *aborting, *store, nameOf("peers", group));
  return slot->areUsable() ? slot.get() : nullptr;
}

void World::dropPeers() {
  for (size_t i = 0; i < ranks.size(); ++i) {
    CurrentContext current(gpus[i]->getContext());
    peers[i].clear();
  }
}

NcclComm World::getComm(size_t index, const Group &group) {
  {
    std::lock_guard lock(mutex);
    if (failed)
      raise(DTENSOR_RT_RUN_FAILED, error);
    auto it = comms[index].find(group.axes);
    if (it != comms[index].end())
      return it->second;
  }
  auto checkAlive = [this] {
    if (hasFailed())
      raise(DTENSOR_RT_RUN_FAILED, getError());
  };
  NcclComm comm =
      makeComm(*gpus[index], group, *store, nameOf("nccl", group),
               concat("over ", axesString(mesh, group.axes)), checkAlive);
  {
    std::lock_guard lock(mutex);
    comms[index].emplace(group.axes, comm); // can be aborted from here on
  }
  warmUp(comm, group, checkAlive);
  return comm;
}

bool World::join(RankContext &rank, const Group &group,
                 const Collective &call) {
  if (hasFailed())
    return false;
  if (call.kind == CollectiveKind::CollectivePermute)
    hostWaits = true;
  size_t index = indexOf(rank.getRank());
  // Both at first use, so that a call of another size does not wait later.
  NcclComm comm = getComm(index, group);
  Peers *shared = getPeers(index, group);
  if (shared && !fitsPeers(mesh, group, call))
    shared = nullptr;
  runCollective(*gpus[index], shared, comm, mesh, group, call);
  return true;
}

void World::broadcast(int64_t owner, void *data, int64_t bytes) {
  PackedAxes axes = 0;
  for (unsigned a = 0; a < mesh.numAxes(); ++a)
    axes = packAxis(axes, a, a);
  Group group = makeGroup(mesh, ranks[0], axes);
  auto root = std::find(group.members.begin(), group.members.end(), owner) -
              group.members.begin();
  checkNccl(getNccl().broadcast(data, data, static_cast<size_t>(bytes),
                                kNcclInt8, static_cast<int>(root),
                                getComm(0, group), gpus[0]->getStream()),
            "collecting a result");
}

//===----------------------------------------------------------------------===//
// Runs and failures
//===----------------------------------------------------------------------===//

void World::onAllRanks(const std::function<void(size_t)> &fn) {
  isBusy.store(true, std::memory_order_relaxed);
  for (size_t i = 0; i < workers.size(); ++i)
    workers[i]->post(fn, i + 1);
  {
    CurrentContext current(gpus[0]->getContext());
    fn(0);
  }
  for (std::unique_ptr<Worker> &worker : workers)
    worker->wait();
  isBusy.store(false, std::memory_order_relaxed);
}

bool World::waitIdle(size_t index) {
  Clock::time_point end;
  bool isFailing = false;
  for (int64_t looks = 0; !gpus[index]->isIdle(); ++looks) {
    if (hasFailed() && !isFailing) {
      isFailing = true;
      end = Clock::now() + seconds(kGraceSeconds + kAbortSeconds);
    }
    if (isFailing && Clock::now() > end) {
      std::lock_guard lock(mutex);
      lost = true;
      return false;
    }
    // The first milliseconds count.
    if (looks > 20000)
      std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return true;
}

void World::recordFailure(int64_t rank, const std::string &message) {
  std::lock_guard lock(mutex);
  if (failed)
    return;
  error = concat("rank ", rank, ": ", message);
  failed.store(true, std::memory_order_release);
  changed.notify_all();
}

void World::fail(int64_t rank, const std::string &message) {
  recordFailure(rank, message);
  store->fail(rank, message);
}

std::string World::getError() {
  std::lock_guard lock(mutex);
  return error;
}

void World::recover() {
  std::lock_guard lock(mutex);
  if (job.isDistributed() || lost)
    return;
  dropGraphs();
  aborted = false;
  error.clear();
  dropPeers(); // their members may stand at different rounds
  aborting->set(false);
  ++generation;
  // Those who waited in the old one have been told of the failure.
  store = makeLocalStore();
  failed = false;
}

void World::checkAsyncErrors() {
  for (size_t i = 0; i < ranks.size(); ++i)
    for (auto &[axes, comm] : comms[i]) {
      NcclResult result = 0;
      getNccl().commGetAsyncError(comm, &result);
      if (result == 0 || result == kNcclInProgress || failed)
        continue;
      error = concat("rank ", ranks[i],
                     ": NCCL: ", getNccl().getErrorString(result));
      failed.store(true, std::memory_order_release);
    }
}

// When the process ends, NVIDIA's libraries are taken down, and no thread may
// be in them then. They were loaded before the first abort, so that this
// handler runs before theirs.
Aborts::Aborts() {
  std::atexit([] { Aborts::get().wait(); });
}

Aborts &Aborts::get() {
  static Aborts *aborts = new Aborts();
  return *aborts;
}

void Aborts::start(std::function<void()> abort) {
  std::lock_guard lock(mutex);
  if (underWay == 0)
    joinAll();
  ++underWay;
  threads.emplace_back([this, abort = std::move(abort)] {
    abort();
    std::lock_guard lock(mutex);
    --underWay;
    changed.notify_all();
  });
}

void Aborts::wait() {
  std::unique_lock lock(mutex);
  bool haveEnded = changed.wait_for(lock, seconds(kAbortSeconds),
                                    [this] { return underWay == 0; });
  if (haveEnded)
    return joinAll();
  for (std::thread &thread : threads)
    thread.detach();
  threads.clear();
}

/// What a thread keeps in NVIDIA's libraries goes when it has ended.
void Aborts::joinAll() {
  for (std::thread &thread : threads)
    thread.join();
  threads.clear();
}

/// One thread per communicator: an abort may itself wait for the other ranks.
void World::abortAll() {
  for (size_t i = 0; i < ranks.size(); ++i)
    for (auto &[axes, comm] : comms[i])
      Aborts::get().start([comm = comm, context = gpus[i]->getContext()] {
        CurrentContext current(context);
        getNccl().commAbort(comm);
      });
  for (Comms &all : comms)
    all.clear();
  aborting->set(true);
  aborted = true;
}

void World::dropGraphs() {
  CurrentContext current(gpus[0]->getContext());
  for (auto &[session, drop] : sessions)
    drop();
}

/// A run that is under way drops them itself.
void World::dropGraphsWhenIdle() {
  std::unique_lock lock(running, std::try_to_lock);
  if (!lock || lost)
    return;
  try {
    bool areIdle = std::all_of(gpus.begin(), gpus.end(),
                               [](auto &gpu) { return gpu->isIdle(); });
    if (areIdle)
      dropGraphs();
  } catch (const std::exception &) {
    // A GPU whose context is broken: nothing can be destroyed there.
  }
}

void World::watch() {
  std::unique_lock lock(mutex);
  Clock::time_point failedAt;
  bool wasFailed = false;
  while (!ending) {
    changed.wait_for(lock, seconds(0.1));
    if (ending)
      return;
    if (!failed) {
      wasFailed = false;
      checkAsyncErrors();
      continue;
    }
    if (!wasFailed) {
      wasFailed = true;
      failedAt = Clock::now();
    }
    // Distributed ranks do not recover, and work may be queued that nobody of
    // this process waits for.
    bool mustAbort = isBusy || job.isDistributed();
    if (mustAbort && !aborted &&
        Clock::now() > failedAt + seconds(kGraceSeconds))
      abortAll();
    if (aborted)
      dropGraphsWhenIdle();
  }
}
