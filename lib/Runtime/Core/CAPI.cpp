//===- CAPI.cpp - the C interface: names, bundles, executables --*- C++ -*-===//

#include "CAPI.h"

#include "dtensor-rt/Bundle.h"

#include <cstddef>

using namespace dtensor::rt;

HandleTable<dtensor_rt_bundle, LoadedBundle> &dtensor::rt::bundles() {
  static auto *table =
      new HandleTable<dtensor_rt_bundle, LoadedBundle>("bundle", 0);
  return *table;
}

HandleTable<dtensor_rt_executable, ExecutableObject> &
dtensor::rt::executables() {
  static auto *table =
      new HandleTable<dtensor_rt_executable, ExecutableObject>("executable", 1);
  return *table;
}

HandleTable<dtensor_rt_launch, Launch> &dtensor::rt::launches() {
  static auto *table = new HandleTable<dtensor_rt_launch, Launch>("launch", 2);
  return *table;
}

std::string &dtensor::rt::lastError() {
  static thread_local std::string text;
  return text;
}

namespace {

Peers readPeers(const dtensor_rt_peers &peers) {
  checkStruct(&peers, sizeof(peers), "options.peers");
  return {peers.mesh_rank, notNull(peers.gather, "options.peers.gather"),
          peers.user};
}

Executable::Options readOptions(const dtensor_rt_executable_options *options) {
  checkStruct(options, offsetof(dtensor_rt_executable_options, peers),
              "options");
  Executable::Options result;
  if (options->entry)
    result.entry = options->entry;
  result.backend = options->backend ? options->backend : "sim";
  if (options->num_axes) {
    notNull(options->axis_names, "options.axis_names");
    notNull(options->axis_sizes, "options.axis_sizes");
  }
  for (size_t i = 0; i < options->num_axes; ++i) {
    result.axisNames.push_back(
        notNull(options->axis_names[i], "options.axis_names[i]"));
    result.axisSizes.push_back(options->axis_sizes[i]);
  }
  if (options->struct_size >= sizeof(*options) && options->peers)
    result.peers = readPeers(*options->peers);
  return result;
}

} // namespace

const char *dtensor_rt_last_error(void) { return lastError().c_str(); }

uint32_t dtensor_rt_abi_version(void) { return kAbiVersion; }

size_t dtensor_rt_dtype_bytes(int32_t dtype) {
  switch (dtype) {
#define DTENSOR_RT_DTYPE(CODE, NAME, BYTES)                                    \
  case CODE:                                                                   \
    return BYTES;
    DTENSOR_RT_FOR_EACH_DTYPE(DTENSOR_RT_DTYPE)
#undef DTENSOR_RT_DTYPE
  }
  return 0;
}

const char *dtensor_rt_dtype_name(int32_t dtype) {
  switch (dtype) {
#define DTENSOR_RT_DTYPE(CODE, NAME, BYTES)                                    \
  case CODE:                                                                   \
    return #NAME;
    DTENSOR_RT_FOR_EACH_DTYPE(DTENSOR_RT_DTYPE)
#undef DTENSOR_RT_DTYPE
  }
  return nullptr;
}

const char *dtensor_rt_collective_name(int32_t kind) {
  static const char *const names[DTENSOR_RT_NUM_COLLECTIVES] = {
      "all_gather", "all_reduce", "reduce_scatter", "all_to_all",
      "collective_permute"};
  return kind >= 0 && kind < DTENSOR_RT_NUM_COLLECTIVES ? names[kind] : nullptr;
}

dtensor_rt_status dtensor_rt_bundle_open(const char *path,
                                         dtensor_rt_bundle **bundle) {
  return guard([&] {
    notNull(bundle, "bundle");
    *bundle = bundles().add(LoadedBundle::open(notNull(path, "path")));
  });
}

dtensor_rt_status dtensor_rt_bundle_close(dtensor_rt_bundle *bundle) {
  return guard([&] { bundles().remove(bundle); });
}

dtensor_rt_status dtensor_rt_bundle_manifest(dtensor_rt_bundle *bundle,
                                             const char **text, size_t *bytes) {
  return guard([&] {
    const std::string &manifest = bundles().get(bundle)->getManifestText();
    *notNull(text, "text") = manifest.c_str();
    if (bytes)
      *bytes = manifest.size();
  });
}

dtensor_rt_status dtensor_rt_bundle_num_entries(dtensor_rt_bundle *bundle,
                                                size_t *count) {
  return guard([&] {
    *notNull(count, "count") =
        bundles().get(bundle)->getManifest().entries.size();
  });
}

dtensor_rt_status dtensor_rt_bundle_entry_name(dtensor_rt_bundle *bundle,
                                               size_t index,
                                               const char **name) {
  return guard([&] {
    auto loaded = bundles().get(bundle);
    const auto &entries = loaded->getManifest().entries;
    checkIndex(index, entries.size(), "entry");
    *notNull(name, "name") = entries[index].name.c_str();
  });
}

dtensor_rt_status dtensor_rt_bundle_num_axes(dtensor_rt_bundle *bundle,
                                             size_t *count) {
  return guard([&] {
    *notNull(count, "count") = bundles().get(bundle)->getManifest().axes.size();
  });
}

dtensor_rt_status dtensor_rt_bundle_axis(dtensor_rt_bundle *bundle,
                                         size_t index,
                                         dtensor_rt_axis_info *info) {
  return guard([&] {
    auto loaded = bundles().get(bundle);
    const auto &axes = loaded->getManifest().axes;
    checkIndex(index, axes.size(), "mesh axis");
    const AxisDecl &axis = axes[index];
    store(info,
          dtensor_rt_axis_info{0, axis.name.c_str(), axis.size.value_or(-1),
                               axis.hint, leastSize(axis)});
  });
}

dtensor_rt_status
dtensor_rt_executable_create(dtensor_rt_bundle *bundle,
                             const dtensor_rt_executable_options *options,
                             dtensor_rt_executable **executable) {
  return guard([&] {
    auto loaded = bundles().get(bundle);
    notNull(executable, "executable");
    auto object = std::make_shared<ExecutableObject>();
    object->executable =
        std::make_shared<Executable>(loaded, readOptions(options));
    const EntryDecl &entry = object->executable->getEntry();
    for (size_t i = 0; i < entry.numValues(); ++i) {
      object->extents.push_back(entry.value(i).extentsString());
      object->placements.push_back(entry.value(i).placementsString());
    }
    *executable = executables().add(object);
  });
}

dtensor_rt_status
dtensor_rt_executable_destroy(dtensor_rt_executable *executable) {
  return guard([&] { executables().remove(executable); });
}

dtensor_rt_status
dtensor_rt_executable_describe(dtensor_rt_executable *executable,
                               dtensor_rt_executable_info *info) {
  return guard([&] {
    auto object = executables().get(executable);
    const EntryDecl &entry = object->executable->getEntry();
    store(info,
          dtensor_rt_executable_info{0, entry.args.size(), entry.results.size(),
                                     entry.symbols.size(),
                                     object->executable->getMesh().numAxes(),
                                     object->executable->getNumRanks()});
  });
}

dtensor_rt_status dtensor_rt_executable_value(dtensor_rt_executable *executable,
                                              size_t ordinal,
                                              dtensor_rt_value_info *info) {
  return guard([&] {
    auto object = executables().get(executable);
    const EntryDecl &entry = object->executable->getEntry();
    checkIndex(ordinal, entry.numValues(), "value");
    const ValueDecl &value = entry.value(ordinal);
    store(info, dtensor_rt_value_info{
                    0, value.name.c_str(), value.isScalar, value.dtype,
                    value.shape.size(), value.shape.data(),
                    object->extents[ordinal].c_str(),
                    object->placements[ordinal].c_str(), value.donated});
  });
}

dtensor_rt_status
dtensor_rt_executable_symbol(dtensor_rt_executable *executable, size_t index,
                             const char **name) {
  return guard([&] {
    auto object = executables().get(executable);
    const auto &symbols = object->executable->getEntry().symbols;
    checkIndex(index, symbols.size(), "symbol");
    *notNull(name, "name") = symbols[index].c_str();
  });
}

dtensor_rt_status dtensor_rt_executable_global_extents(
    dtensor_rt_executable *executable, size_t ordinal, const int64_t *symbols,
    size_t numSymbols, int64_t *extents, size_t rank) {
  return guard([&] {
    auto object = executables().get(executable);
    checkOrdinal(*object->executable, ordinal, rank);
    checkCount(numSymbols, object->executable->getEntry().symbols.size(),
               "symbols");
    std::vector<int64_t> values(numSymbols);
    if (numSymbols)
      values.assign(notNull(symbols, "symbols"), symbols + numSymbols);
    copyOut(object->executable->globalExtents(ordinal, values), extents,
            "extents");
  });
}

dtensor_rt_status
dtensor_rt_executable_num_local_ranks(dtensor_rt_executable *executable,
                                      size_t *count) {
  return guard([&] {
    *notNull(count, "count") =
        executables().get(executable)->executable->getLocalRanks().size();
  });
}

dtensor_rt_status
dtensor_rt_executable_local_rank(dtensor_rt_executable *executable,
                                 size_t index, int64_t *meshRank) {
  return guard([&] {
    auto object = executables().get(executable);
    const auto &ranks = object->executable->getLocalRanks();
    checkIndex(index, ranks.size(), "local rank");
    *notNull(meshRank, "mesh_rank") = ranks[index];
  });
}
