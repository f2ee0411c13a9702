//===- Graphs.h - captured runs ---------------------------------*- C++ -*-===//
//
// The first run with a key is queued call by call, the second is captured into
// one graph per local rank, all later ones replay it. A key names everything
// that the queued work depends on. Temporaries keep their captured addresses:
// they lie in the pool of the programs, where nothing lives between runs. The
// cache is bounded, the key not used for longest goes first.
//
// Replaying is the cheapest way to queue even one kernel (H200, driver 580:
// 1.9 us, a launch takes 4.3 us).
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_GRAPHS_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_GRAPHS_H

#include "Api.h"

#include "dtensor-rt/dtensor_rt.h"

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace dtensor::rt::cuda {

/// Captured work of one rank.
class CapturedWork {
public:
  CapturedWork() = default;
  CapturedWork(CapturedWork &&other) noexcept
      : exec(std::exchange(other.exec, nullptr)) {}
  ~CapturedWork() {
    if (exec)
      getDriver().graphExecDestroy(exec);
  }

  /// Takes the graph. False: it cannot be run.
  bool set(Graph graph) {
    Result result = getDriver().graphInstantiate(&exec, graph, 0);
    getDriver().graphDestroy(graph);
    return result == 0;
  }
  void abandon() { exec = nullptr; }
  Result queue(Stream stream) const {
    return getDriver().graphLaunch(exec, stream);
  }

private:
  GraphExec exec = nullptr;
};

class GraphCache {
public:
  using Key = std::vector<uint64_t>;
  struct Entry {
    int64_t runs = 0;
    bool isRefused = false;
    std::vector<CapturedWork> works; // by local rank, empty: not captured
    std::vector<dtensor_rt_rank_stats> stats;
    std::list<Key>::iterator age;
  };

  GraphCache() = default;
  GraphCache(const GraphCache &) = delete;

  /// Made when it is not there; valid until the next call.
  Entry &get(std::span<const uint64_t> key) {
    auto it = entries.find(key);
    if (it != entries.end()) {
      ages.splice(ages.end(), ages, it->second.age);
      return it->second;
    }
    if (entries.size() >= kMaxEntries) {
      entries.erase(ages.front());
      ages.pop_front();
    }
    Key own(key.begin(), key.end());
    Entry &entry = entries[own];
    entry.age = ages.insert(ages.end(), std::move(own));
    return entry;
  }

  void clear() {
    entries.clear();
    ages.clear();
  }

  /// Forgets the graphs without destroying them: one of them may run forever.
  void abandon() {
    for (auto &[key, entry] : entries)
      for (CapturedWork &work : entry.works)
        work.abandon();
    clear();
  }

private:
  struct Less {
    using is_transparent = void;
    bool operator()(std::span<const uint64_t> a,
                    std::span<const uint64_t> b) const {
      return std::lexicographical_compare(a.begin(), a.end(), b.begin(),
                                          b.end());
    }
  };
  static constexpr size_t kMaxEntries = 64;
  std::map<Key, Entry, Less> entries;
  std::list<Key> ages; // oldest first
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_GRAPHS_H
