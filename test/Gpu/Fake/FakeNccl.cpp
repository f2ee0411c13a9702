//===- FakeNccl.cpp - collectives among threads -----------------*- C++ -*-===//
//
// The members of a communicator meet on their streams; an abort lets all go on
// without a result and ends when no graph holds calls of the communicator, as
// NCCL's does.
//
//===----------------------------------------------------------------------===//

#include "Fake.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <thread>

using namespace fake;

namespace {

constexpr int kInvalidUsage = 5;

struct Id {
  char bytes[128];
};

struct Clique {
  std::mutex mutex;
  std::condition_variable changed;
  int size = 0, joined = 0;
  bool isAborted = false;
  std::vector<const void *> sources;
  int arrived = 0, departed = 0;
  uint64_t step = 0;
  std::map<std::pair<int, int>, std::deque<std::vector<char>>> mail;

  /// All members publish, work, and leave together; false after an abort.
  template <typename Fn>
  bool meet(int rank, const void *source, Fn work) {
    std::unique_lock lock(mutex);
    sources[static_cast<size_t>(rank)] = source;
    if (!passBarrier(lock, arrived))
      return false;
    lock.unlock();
    work();
    lock.lock();
    return passBarrier(lock, departed);
  }

  bool passBarrier(std::unique_lock<std::mutex> &lock, int &count) {
    uint64_t now = step;
    if (++count == size) {
      count = 0;
      ++step;
      changed.notify_all();
      return true;
    }
    changed.wait(lock, [&] { return step != now || isAborted; });
    return step != now;
  }
};

struct Comm {
  std::shared_ptr<Clique> clique;
  int rank;
  /// Held by the calls that lie in graphs.
  std::shared_ptr<char> calls;

  std::shared_ptr<char> hold(const Stream *stream) const {
    return stream->isCapturing ? calls : nullptr;
  }
};

std::mutex cliquesMutex;
std::map<int64_t, std::shared_ptr<Clique>> cliques;

struct Transfer {
  bool isSend;
  void *data;
  size_t bytes;
  int peer;
  Comm *comm;
  Stream *stream;
};
thread_local int groupDepth = 0;
thread_local std::vector<Transfer> transfers;

size_t bytesOf(int type) {
  static const size_t bytes[] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2};
  return bytes[type];
}

double load(const void *base, size_t i, int type) {
  switch (type) {
  case 0:
    return static_cast<const int8_t *>(base)[i];
  case 1:
    return static_cast<const uint8_t *>(base)[i];
  case 2:
    return static_cast<const int32_t *>(base)[i];
  case 6:
    return fromF16(static_cast<const uint16_t *>(base)[i]);
  case 7:
    return static_cast<double>(static_cast<const float *>(base)[i]);
  case 8:
    return static_cast<const double *>(base)[i];
  case 9:
    return fromBf16(static_cast<const uint16_t *>(base)[i]);
  }
  std::abort();
}

void store(void *base, size_t i, int type, double value) {
  switch (type) {
  case 0:
    static_cast<int8_t *>(base)[i] =
        static_cast<int8_t>(static_cast<int64_t>(value));
    return;
  case 1:
    static_cast<uint8_t *>(base)[i] = static_cast<uint8_t>(value);
    return;
  case 2:
    static_cast<int32_t *>(base)[i] = static_cast<int32_t>(value);
    return;
  case 6:
    static_cast<uint16_t *>(base)[i] = toF16(static_cast<float>(value));
    return;
  case 7:
    static_cast<float *>(base)[i] = static_cast<float>(value);
    return;
  case 8:
    static_cast<double *>(base)[i] = value;
    return;
  case 9:
    static_cast<uint16_t *>(base)[i] = toBf16(static_cast<float>(value));
    return;
  }
  std::abort();
}

template <typename T>
T combine(T a, T b, int op) {
  switch (op) {
  case 0:
    return a + b;
  case 1:
    return a * b;
  case 2:
    return std::max(a, b);
  default:
    return std::min(a, b);
  }
}

/// out[i] = reduction of all sources at first + i.
std::vector<char> reduceAll(const Clique &clique, size_t first, size_t count,
                            int type, int op) {
  bool isFloat = type >= 6;
  if (isFloat && op >= 2) {
    std::fprintf(stderr, "NCCL's max and min of floats lose NaNs\n");
    std::abort();
  }
  std::vector<char> out(count * bytesOf(type));
  for (size_t i = 0; i < count; ++i) {
    if (type == 4) { // more digits than a double has
      int64_t value =
          static_cast<const int64_t *>(clique.sources[0])[first + i];
      for (size_t q = 1; q < clique.sources.size(); ++q)
        value = combine(
            value, static_cast<const int64_t *>(clique.sources[q])[first + i],
            op);
      reinterpret_cast<int64_t *>(out.data())[i] = value;
      continue;
    }
    double value = load(clique.sources[0], first + i, type);
    for (size_t q = 1; q < clique.sources.size(); ++q)
      value = combine(value, load(clique.sources[q], first + i, type), op);
    store(out.data(), i, type, value);
  }
  return out;
}

} // namespace

FAKE_EXPORT int ncclGetVersion(int *version) {
  *version = 22809;
  return 0;
}
FAKE_EXPORT const char *ncclGetErrorString(int) { return "a fake NCCL error"; }
FAKE_EXPORT int ncclGetUniqueId(Id *id) {
  static int64_t count = 0;
  std::lock_guard lock(cliquesMutex);
  std::memset(id->bytes, 0, sizeof(id->bytes));
  ++count;
  std::memcpy(id->bytes, &count, sizeof(count));
  return 0;
}

FAKE_EXPORT int ncclCommInitRankConfig(Comm **comm, int size, Id id, int rank,
                                       void *) {
  const char *multicast = std::getenv("NCCL_NVLS_ENABLE");
  if (!multicast || std::strcmp(multicast, "0") != 0)
    return kInvalidUsage;
  int64_t number;
  std::memcpy(&number, id.bytes, sizeof(number));
  std::shared_ptr<Clique> clique;
  {
    std::lock_guard lock(cliquesMutex);
    auto &slot = cliques[number];
    if (!slot) {
      slot = std::make_shared<Clique>();
      slot->size = size;
      slot->sources.resize(static_cast<size_t>(size));
    }
    clique = slot;
  }
  std::unique_lock lock(clique->mutex);
  ++clique->joined;
  clique->changed.notify_all();
  clique->changed.wait(lock, [&] { return clique->joined == size; });
  *comm = new Comm{clique, rank, std::make_shared<char>()};
  return 0;
}
FAKE_EXPORT int ncclCommDestroy(Comm *comm) {
  delete comm;
  return 0;
}

namespace {
/// NCCL takes itself down when the process ends, under whoever is in it still.
struct AtEnd {
  std::atomic<int> aborts{0};
  ~AtEnd() {
    if (aborts == 0)
      return;
    std::fputs("fake NCCL: the process ends in an abort\n", stderr);
    std::abort();
  }
} atEnd;
} // namespace

FAKE_EXPORT int ncclCommAbort(Comm *comm) {
  ++atEnd.aborts;
  {
    std::lock_guard lock(comm->clique->mutex);
    comm->clique->isAborted = true;
    comm->clique->changed.notify_all();
  }
  // Others go on meanwhile.
  do
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  while (comm->calls.use_count() > 1);
  delete comm;
  --atEnd.aborts;
  return 0;
}
FAKE_EXPORT int ncclCommGetAsyncError(Comm *, int *error) {
  *error = 0;
  return 0;
}

FAKE_EXPORT int ncclAllReduce(const void *src, void *dst, size_t count,
                              int type, int op, Comm *comm, Stream *stream) {
  stream->add(
      [=, clique = comm->clique, rank = comm->rank, held = comm->hold(stream)] {
        std::vector<char> out;
        if (clique->meet(rank, src,
                         [&] { out = reduceAll(*clique, 0, count, type, op); }))
          std::memcpy(dst, out.data(), out.size());
      });
  return 0;
}
FAKE_EXPORT int ncclReduceScatter(const void *src, void *dst, size_t count,
                                  int type, int op, Comm *comm,
                                  Stream *stream) {
  stream->add(
      [=, clique = comm->clique, rank = comm->rank, held = comm->hold(stream)] {
        std::vector<char> out;
        if (clique->meet(rank, src, [&] {
              out = reduceAll(*clique, static_cast<size_t>(rank) * count, count,
                              type, op);
            }))
          std::memcpy(dst, out.data(), out.size());
      });
  return 0;
}
FAKE_EXPORT int ncclAllGather(const void *src, void *dst, size_t count,
                              int type, Comm *comm, Stream *stream) {
  stream->add(
      [=, clique = comm->clique, rank = comm->rank, held = comm->hold(stream)] {
        size_t bytes = count * bytesOf(type);
        clique->meet(rank, src, [&] {
          for (size_t q = 0; q < clique->sources.size(); ++q)
            std::memcpy(static_cast<char *>(dst) + q * bytes,
                        clique->sources[q], bytes);
        });
      });
  return 0;
}
FAKE_EXPORT int ncclBroadcast(const void *src, void *dst, size_t count,
                              int type, int root, Comm *comm, Stream *stream) {
  stream->add(
      [=, clique = comm->clique, rank = comm->rank, held = comm->hold(stream)] {
        clique->meet(rank, src, [&] {
          if (rank != root)
            std::memcpy(dst, clique->sources[static_cast<size_t>(root)],
                        count * bytesOf(type));
        });
      });
  return 0;
}

FAKE_EXPORT int ncclGroupStart() {
  ++groupDepth;
  return 0;
}
FAKE_EXPORT int ncclSend(const void *data, size_t count, int type, int peer,
                         Comm *comm, Stream *stream) {
  transfers.push_back({true, const_cast<void *>(data), count * bytesOf(type),
                       peer, comm, stream});
  return groupDepth > 0 ? 0 : kInvalidUsage;
}
FAKE_EXPORT int ncclRecv(void *data, size_t count, int type, int peer,
                         Comm *comm, Stream *stream) {
  transfers.push_back({false, data, count * bytesOf(type), peer, comm, stream});
  return groupDepth > 0 ? 0 : kInvalidUsage;
}
FAKE_EXPORT int ncclGroupEnd() {
  if (--groupDepth > 0 || transfers.empty())
    return 0;
  std::vector<Transfer> all = std::move(transfers);
  transfers.clear();
  all[0].stream->add([all, clique = all[0].comm->clique,
                      rank = all[0].comm->rank,
                      held = all[0].comm->hold(all[0].stream)] {
    std::unique_lock lock(clique->mutex);
    for (const Transfer &t : all)
      if (t.isSend)
        clique->mail[{rank, t.peer}].emplace_back(
            static_cast<char *>(t.data), static_cast<char *>(t.data) + t.bytes);
    clique->changed.notify_all();
    for (const Transfer &t : all) {
      if (t.isSend)
        continue;
      auto &box = clique->mail[{t.peer, rank}];
      clique->changed.wait(lock,
                           [&] { return clique->isAborted || !box.empty(); });
      if (clique->isAborted)
        return;
      if (box.front().size() != t.bytes) {
        std::fprintf(stderr, "rank %d sends %zu bytes, rank %d takes %zu\n",
                     t.peer, box.front().size(), rank, t.bytes);
        std::abort();
      }
      std::memcpy(t.data, box.front().data(), t.bytes);
      box.pop_front();
    }
  });
  return 0;
}
