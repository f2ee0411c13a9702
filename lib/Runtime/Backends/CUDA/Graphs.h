//===- Graphs.h - captured runs ---------------------------------*- C++ -*-===//
//
// The first run with a key is queued call by call, the second is captured into
// one graph per local rank, all later ones replay it. A key names everything
// that the queued work depends on. Temporaries keep their captured addresses:
// they lie in the pool of the programs, where nothing lives between runs. The
// cache is bounded, the key not used for longest goes first.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_GRAPHS_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_GRAPHS_H

#include "Api.h"

#include "dtensor-rt/dtensor_rt.h"

#include <cstdint>
#include <list>
#include <map>
#include <vector>

namespace dtensor::rt::cuda {

class GraphCache {
public:
  using Key = std::vector<uint64_t>;
  struct Entry {
    int64_t runs = 0;
    bool isRefused = false;
    std::vector<GraphExec> graphs; // by local rank, empty: not captured
    std::vector<dtensor_rt_rank_stats> stats;
    std::list<Key>::iterator age;
  };

  GraphCache() = default;
  GraphCache(const GraphCache &) = delete;
  ~GraphCache() { clear(); }

  /// Made when it is not there; valid until the next call.
  Entry &get(const Key &key) {
    auto it = entries.find(key);
    if (it != entries.end()) {
      ages.splice(ages.end(), ages, it->second.age);
      return it->second;
    }
    if (entries.size() >= kMaxEntries) {
      drop(entries.at(ages.front()));
      entries.erase(ages.front());
      ages.pop_front();
    }
    Entry &entry = entries[key];
    entry.age = ages.insert(ages.end(), key);
    return entry;
  }

  void clear() {
    for (auto &[key, entry] : entries)
      drop(entry);
    entries.clear();
    ages.clear();
  }

  static void drop(Entry &entry) {
    for (GraphExec graph : entry.graphs)
      if (graph)
        getDriver().graphExecDestroy(graph);
    entry.graphs.clear();
  }

private:
  static constexpr size_t kMaxEntries = 64;
  std::map<Key, Entry> entries;
  std::list<Key> ages; // oldest first
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_GRAPHS_H
