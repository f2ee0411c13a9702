//===- TestSupport.cpp - bundles and meshes for tests -----------*- C++ -*-===//

#include "TestSupport.h"

#include "dtensor-rt/Bundle.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include <unistd.h>

using namespace dtensor::test;

namespace {

struct Folder {
  std::string path;
  Folder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "dtensor-test-XXXXXX")
            .string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

/// The callback program: its scalar argument is the address of a function.
const char *const kCallbackSource = R"(
#include <stdint.h>
int32_t f_bind(const int64_t *const *shapes, const int64_t *scalars,
               const int64_t *sizes, int64_t *symbols, int64_t *values) {
  return 0;
}
void f_layout(int32_t ordinal, const int64_t *symbols, const int64_t *sizes,
              const int64_t *coords, int64_t *extents, int64_t *offsets) {}
typedef void (*callback)(void *ctx, const int64_t *coords, int64_t data);
void f_run(void *ctx, void *const *args, const int64_t *symbols,
           const int64_t *sizes, const int64_t *coords) {
  (*(callback *)args[0])(ctx, coords, *(int64_t *)args[1]);
}
)";

std::string callbackManifest(size_t numAxes) {
  return manifestHead() + R"("target": "cpu", "mesh": )" +
         meshManifest(numAxes) +
         R"(, "entries": [{"name": "f", "bind": "f_bind", "layout": "f_layout",
         "run": "f_run", "symbols": [], "checks": [], "results": [],
         "args": [{"name": "fn", "kind": "scalar", "dtype": "i64"},
                  {"name": "data", "kind": "scalar", "dtype": "i64"}]}]})";
}

struct CallbackData {
  const std::vector<int64_t> &mesh;
  const std::function<void(const RankView &)> &body;
};

void callBack(void *ctx, const int64_t *coords, int64_t data) {
  const auto &info = *reinterpret_cast<const CallbackData *>(data);
  int64_t rank = 0;
  for (size_t a = 0; a < info.mesh.size(); ++a)
    rank = rank * info.mesh[a] + coords[a];
  info.body({ctx, rank});
}

} // namespace

const std::string &dtensor::test::tempFolder() {
  static Folder folder;
  return folder.path;
}

void dtensor::test::writeFile(const std::string &path,
                              const std::string &bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), bytes.size());
}

std::string dtensor::test::readFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string dtensor::test::compileCode(const std::string &source) {
  static std::map<std::string, std::string> compiled;
  std::string &code = compiled[source];
  if (code.empty()) {
    std::string base = tempFolder() + "/code" + std::to_string(compiled.size());
    writeFile(base + ".c", source);
    std::string command = std::string(DTENSOR_TEST_CC) +
                          " -O1 -shared -fPIC -o " + base + ".so " + base +
                          ".c";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    code = readFile(base + ".so");
  }
  return code;
}

std::string dtensor::test::makeBundleFile(const std::string &name,
                                          const std::string &source,
                                          const std::string &manifest) {
  std::string path = tempFolder() + "/" + name;
  writeFile(path, rt::makeBundle(compileCode(source), manifest));
  return path;
}

dtensor_rt_bundle *dtensor::test::openBundle(const std::string &path) {
  dtensor_rt_bundle *bundle = nullptr;
  EXPECT_EQ(dtensor_rt_bundle_open(path.c_str(), &bundle), DTENSOR_RT_OK)
      << dtensor_rt_last_error();
  return bundle;
}

static std::string axisName(size_t axis) {
  return std::string(1, static_cast<char>('a' + axis));
}

dtensor_rt_executable *dtensor::test::createExecutable(
    dtensor_rt_bundle *bundle, const std::vector<int64_t> &mesh,
    const std::string &backend, const dtensor_rt_peers *peers) {
  std::vector<std::string> names;
  std::vector<const char *> pointers;
  for (size_t a = 0; a < mesh.size(); ++a)
    names.push_back(axisName(a));
  for (const std::string &name : names)
    pointers.push_back(name.c_str());
  dtensor_rt_executable_options options = {
      sizeof(options), nullptr, backend.c_str(), mesh.size(), pointers.data(),
      mesh.data(),     peers};
  dtensor_rt_executable *executable = nullptr;
  EXPECT_EQ(dtensor_rt_executable_create(bundle, &options, &executable),
            DTENSOR_RT_OK)
      << dtensor_rt_last_error();
  return executable;
}

std::string dtensor::test::manifestHead() {
  return "{\"abi\": " + std::to_string(dtensor::rt::kAbiVersion) + ", ";
}

std::string dtensor::test::meshManifest(size_t numAxes) {
  std::string axes;
  for (size_t a = 0; a < numAxes; ++a)
    axes += (a ? ", " : "") + (R"({"name": ")" + axisName(a)) +
            R"(", "size": null})";
  return R"({"axes": [)" + axes + "]}";
}

HostArray dtensor::test::makeArray(int32_t dtype,
                                   const std::vector<int64_t> &shape) {
  HostArray array;
  array.dtype = dtype;
  array.shape = shape;
  EXPECT_TRUE(array.allocate());
  std::memset(array.data.get(), 0, array.numBytes());
  return array;
}

dtensor_rt_array dtensor::test::toArray(const HostArray &array) {
  return {sizeof(dtensor_rt_array),
          array.data.get(),
          array.dtype,
          static_cast<int32_t>(array.shape.size()),
          array.shape.data(),
          nullptr};
}

Descriptor::Descriptor(const HostArray &array) {
  auto address = reinterpret_cast<int64_t>(array.data.get());
  words = {address, address, 0};
  words.insert(words.end(), array.shape.begin(), array.shape.end());
  std::vector<int64_t> strides = array.strides();
  words.insert(words.end(), strides.begin(), strides.end());
}

namespace {

/// Where ranks that are threads meet, as processes do over a network.
struct Room {
  std::mutex mutex;
  std::condition_variable changed;
  // By members, meeting and rank.
  std::map<std::tuple<std::vector<int64_t>, size_t, int64_t>, std::string> said;
};

struct Seat {
  Room *room;
  int64_t rank;
  std::map<std::vector<int64_t>, size_t> meetings;
};

int32_t gather(void *user, const int64_t *members, size_t count,
               size_t position, const void *send, size_t bytes, void *receive) {
  auto &seat = *static_cast<Seat *>(user);
  Room &room = *seat.room;
  std::vector<int64_t> group(members, members + count);
  EXPECT_EQ(group[position], seat.rank);
  size_t meeting = seat.meetings[group]++;
  std::unique_lock lock(room.mutex);
  room.said[{group, meeting, seat.rank}].assign(static_cast<const char *>(send),
                                                bytes);
  room.changed.notify_all();
  for (size_t i = 0; i < count; ++i) {
    auto key = std::make_tuple(group, meeting, group[i]);
    if (!room.changed.wait_for(lock, std::chrono::seconds(20),
                               [&] { return room.said.count(key) != 0; }))
      return 1;
    EXPECT_EQ(room.said[key].size(), bytes);
    std::memcpy(static_cast<char *>(receive) + i * bytes, room.said[key].data(),
                bytes);
  }
  return 0;
}

Outcome runExecutable(dtensor_rt_executable *executable, int64_t numRanks,
                      bool isLocal, CallbackData &data) {
  int64_t scalars[] = {reinterpret_cast<int64_t>(&callBack),
                       reinterpret_cast<int64_t>(&data)};
  dtensor_rt_array args[2];
  for (int i = 0; i < 2; ++i)
    args[i] = {sizeof(dtensor_rt_array),
               &scalars[i],
               DTENSOR_RT_i64,
               0,
               nullptr,
               nullptr};
  dtensor_rt_launch *launch = nullptr;
  EXPECT_EQ(dtensor_rt_bind(executable, args, 2, &launch), DTENSOR_RT_OK)
      << dtensor_rt_last_error();
  Outcome outcome;
  outcome.status = isLocal ? dtensor_rt_run_local(launch, args, 2, nullptr, 0)
                           : dtensor_rt_run_global(launch, args, 2, nullptr, 0);
  if (outcome.status != DTENSOR_RT_OK)
    outcome.message = dtensor_rt_last_error();
  for (int64_t rank = 0; rank < numRanks && outcome.message.empty(); ++rank) {
    dtensor_rt_rank_stats stats = {};
    stats.struct_size = sizeof(stats);
    dtensor_rt_launch_stats(launch, rank, &stats);
    outcome.stats.push_back(stats);
  }
  dtensor_rt_launch_destroy(launch);
  dtensor_rt_executable_destroy(executable);
  return outcome;
}

/// Every rank is a thread with an executable of its own.
Outcome runProcesses(dtensor_rt_bundle *bundle,
                     const std::vector<int64_t> &mesh, CallbackData &data) {
  int64_t count = numRanks(mesh);
  Room room;
  std::vector<Outcome> outcomes(count);
  std::vector<std::thread> threads;
  for (int64_t rank = 0; rank < count; ++rank)
    threads.emplace_back([&, rank] {
      Seat seat = {&room, rank, {}};
      dtensor_rt_peers peers = {sizeof(peers), rank, gather, &seat};
      outcomes[rank] =
          runExecutable(createExecutable(bundle, mesh, "process", &peers),
                        count, /*isLocal=*/true, data);
    });
  for (std::thread &thread : threads)
    thread.join();
  Outcome all = outcomes[0];
  for (int64_t rank = 0; rank < count; ++rank) {
    if (outcomes[rank].status != DTENSOR_RT_OK)
      return outcomes[rank];
    all.stats[rank] = outcomes[rank].stats[rank];
  }
  return all;
}

} // namespace

Outcome
dtensor::test::runOnMesh(const std::string &backend,
                         const std::vector<int64_t> &mesh,
                         const std::function<void(const RankView &)> &body) {
  static std::map<size_t, dtensor_rt_bundle *> bundles;
  dtensor_rt_bundle *&bundle = bundles[mesh.size()];
  if (!bundle)
    bundle = openBundle(makeBundleFile("callback" + std::to_string(mesh.size()),
                                       kCallbackSource,
                                       callbackManifest(mesh.size())));
  CallbackData data = {mesh, body};
  if (backend == "process")
    return runProcesses(bundle, mesh, data);
  return runExecutable(createExecutable(bundle, mesh, backend), numRanks(mesh),
                       /*isLocal=*/false, data);
}

std::vector<int64_t> dtensor::test::groupOf(const std::vector<int64_t> &mesh,
                                            int64_t rank,
                                            const std::vector<unsigned> &axes) {
  auto coordsOf = [&](int64_t r) {
    std::vector<int64_t> coords(mesh.size());
    for (size_t a = mesh.size(); a-- > 0; r /= mesh[a])
      coords[a] = r % mesh[a];
    return coords;
  };
  auto isIn = [&](unsigned axis) {
    return std::find(axes.begin(), axes.end(), axis) != axes.end();
  };
  std::vector<std::pair<std::vector<int64_t>, int64_t>> members;
  for (int64_t other = 0; other < numRanks(mesh); ++other) {
    std::vector<int64_t> mine = coordsOf(rank), theirs = coordsOf(other), key;
    bool same = true;
    for (unsigned a = 0; a < mesh.size(); ++a)
      same &= isIn(a) || mine[a] == theirs[a];
    for (unsigned axis : axes)
      key.push_back(theirs[axis]);
    if (same)
      members.emplace_back(key, other);
  }
  std::sort(members.begin(), members.end());
  std::vector<int64_t> result;
  for (const auto &[key, member] : members)
    result.push_back(member);
  return result;
}

dtensor::rt::PackedAxes dtensor::test::pack(const std::vector<unsigned> &axes) {
  rt::PackedAxes packed = 0;
  for (unsigned i = 0; i < axes.size(); ++i)
    packed = rt::packAxis(packed, i, axes[i]);
  return packed;
}

int64_t dtensor::test::chunkSize(int64_t extent, int64_t count, int64_t index) {
  int64_t chunk = (extent + count - 1) / count;
  return std::clamp<int64_t>(extent - index * chunk, 0, chunk);
}

int64_t dtensor::test::chunkOffset(int64_t extent, int64_t count,
                                   int64_t index) {
  return std::min(extent, index * ((extent + count - 1) / count));
}

int64_t dtensor::test::numRanks(const std::vector<int64_t> &mesh) {
  int64_t count = 1;
  for (int64_t size : mesh)
    count *= size;
  return count;
}
