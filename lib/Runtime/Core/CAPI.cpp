//===- CAPI.cpp - the C interface -------------------------------*- C++ -*-===//
//
// Every function is a thin wrapper: check what the caller gave, call the
// class, turn an exception into a status and a message.
//
//===----------------------------------------------------------------------===//

#include "Handles.h"
#include "Launch.h"

#include "dtensor-rt/Bundle.h"
#include "dtensor-rt/dtensor_rt.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

using namespace dtensor::rt;

static thread_local std::string lastError;

namespace {

/// What an executable handle stands for; keeps the strings that describe
/// hands out.
struct ExecutableObject {
  std::shared_ptr<Executable> executable;
  std::vector<std::string> extents, placements; // per value
};

HandleTable<dtensor_rt_bundle, LoadedBundle> &bundles() {
  static auto *table =
      new HandleTable<dtensor_rt_bundle, LoadedBundle>("bundle", 0);
  return *table;
}

HandleTable<dtensor_rt_executable, ExecutableObject> &executables() {
  static auto *table =
      new HandleTable<dtensor_rt_executable, ExecutableObject>("executable", 1);
  return *table;
}

HandleTable<dtensor_rt_launch, Launch> &launches() {
  static auto *table = new HandleTable<dtensor_rt_launch, Launch>("launch", 2);
  return *table;
}

/// Runs `fn`; its exceptions become a status.
template <typename Fn>
dtensor_rt_status guard(Fn fn) noexcept {
  try {
    fn();
    return DTENSOR_RT_OK;
  } catch (const Error &error) {
    lastError = error.what();
    return error.getStatus();
  } catch (const std::bad_alloc &) {
    lastError = "out of memory";
    return DTENSOR_RT_OUT_OF_MEMORY;
  } catch (const std::exception &error) {
    lastError = error.what();
    return DTENSOR_RT_INTERNAL;
  }
}

template <typename... Ts>
[[noreturn]] void invalid(const Ts &...parts) {
  raise(DTENSOR_RT_INVALID_ARGUMENT, parts...);
}

template <typename T>
T *notNull(T *pointer, const char *name) {
  if (!pointer)
    invalid(name, " is null");
  return pointer;
}

void checkIndex(size_t index, size_t count, const char *what) {
  if (index >= count)
    raise(DTENSOR_RT_NOT_FOUND, "no ", what, " ", index, ", there are ", count);
}

void checkCount(size_t given, size_t expected, const char *what) {
  if (given != expected)
    invalid(given, " ", what, " given, ", expected, " expected");
}

/// A struct of an older caller is a prefix of ours.
template <typename T>
void checkStruct(const T *pointer, size_t leastSize, const char *name) {
  notNull(pointer, name);
  if (pointer->struct_size < leastSize)
    invalid(name, ".struct_size is ", pointer->struct_size, ", at least ",
            leastSize, " is expected");
}

template <typename T>
void store(T *out, T value) {
  checkStruct(out, sizeof(size_t) * 2, "info");
  value.struct_size = out->struct_size;
  std::memcpy(static_cast<void *>(out), &value,
              std::min(out->struct_size, sizeof(T)));
}

bool isRealType(int32_t dtype) { return dtensor_rt_dtype_bytes(dtype) != 0; }

View makeView(const dtensor_rt_array &array, const std::string &name,
              bool needsData) {
  if (!isRealType(array.dtype))
    invalid(name, ": unknown element type code ", array.dtype);
  if (array.ndim < 0 || array.ndim > kMaxRank)
    invalid(name, ": ", array.ndim, " dimensions, at most ", kMaxRank,
            " are supported");
  if (array.ndim && !array.shape)
    invalid(name, ": shape is null");
  int64_t count = 1;
  for (int32_t d = 0; d < array.ndim; ++d) {
    if (array.shape[d] < 0)
      invalid(name, ": dimension ", d, " has size ", array.shape[d]);
    if (__builtin_mul_overflow(count, std::max<int64_t>(array.shape[d], 1),
                               &count))
      invalid(name, ": more elements than memory can hold");
  }
  View view = rowMajorView(array.data, array.dtype, array.ndim, array.shape);
  for (int32_t d = 0; array.strides && d < array.ndim; ++d)
    view.strides[d] = array.strides[d];
  if (needsData && !array.data && view.numElements() != 0)
    invalid(name, ": data is null");
  return view;
}

/// Reads `count` arrays; the struct size of the first one is the stride.
Views makeViews(const dtensor_rt_array *arrays, size_t count, const char *what,
                bool needsData) {
  Views views;
  if (count == 0)
    return views;
  checkStruct(arrays, sizeof(dtensor_rt_array), what);
  size_t stride = arrays->struct_size;
  const char *at = reinterpret_cast<const char *>(arrays);
  for (size_t i = 0; i < count; ++i, at += stride) {
    const auto &array = *reinterpret_cast<const dtensor_rt_array *>(at);
    std::string name = concat(what, "[", i, "]");
    if (array.struct_size != stride)
      invalid(name, ".struct_size is ", array.struct_size,
              ", that of the "
              "first one is ",
              stride);
    views.push_back(makeView(array, name, needsData));
  }
  return views;
}

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

void checkOrdinal(const Executable &executable, size_t ordinal, size_t rank) {
  const EntryDecl &entry = executable.getEntry();
  checkIndex(ordinal, entry.numValues(), "value");
  checkCount(rank, entry.value(ordinal).shape.size(), "dimensions");
}

void checkMeshRank(const Executable &executable, int64_t rank) {
  if (rank < 0 || rank >= executable.getNumRanks())
    raise(DTENSOR_RT_NOT_FOUND, "no mesh rank ", rank, ", there are ",
          executable.getNumRanks());
}

/// Copies to a caller's array, which may be null only when there is nothing.
void copyOut(const std::vector<int64_t> &from, int64_t *to, const char *name) {
  if (from.empty())
    return;
  std::copy(from.begin(), from.end(), notNull(to, name));
}

Session::Options readRunOptions(const Executable &executable,
                                const dtensor_rt_run_options *options) {
  Session::Options result;
  if (!options)
    return result;
  checkStruct(options, sizeof(*options), "options");
  result.wait = options->wait != 0;
  if (options->streams)
    result.streams = {options->streams, executable.getLocalRanks().size()};
  return result;
}

void runLocal(dtensor_rt_launch *handle, const CallerArrays &args,
              const CallerArrays &results,
              const dtensor_rt_run_options *givenOptions) {
  std::shared_ptr<Launch> launch = launches().get(handle);
  const Executable &executable = launch->getExecutable();
  Session::Options options = readRunOptions(executable, givenOptions);
  if (launch->rerunLocal(args, results, options))
    return;
  const EntryDecl &entry = executable.getEntry();
  size_t ranks = executable.getLocalRanks().size();
  std::string each = concat(" for ", ranks, " local ranks");
  checkCount(args.count, entry.args.size() * ranks,
             ("arguments" + each).c_str());
  checkCount(results.count, entry.results.size() * ranks,
             ("results" + each).c_str());
  launch->runLocal(makeViews(args.data, args.count, "args", true),
                   makeViews(results.data, results.count, "results", true),
                   options);
}

} // namespace

const char *dtensor_rt_last_error(void) { return lastError.c_str(); }

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

dtensor_rt_status dtensor_rt_bind(dtensor_rt_executable *executable,
                                  const dtensor_rt_array *args, size_t numArgs,
                                  dtensor_rt_launch **launch) {
  return guard([&] {
    auto object = executables().get(executable);
    notNull(launch, "launch");
    const EntryDecl &entry = object->executable->getEntry();
    checkCount(numArgs, entry.args.size(), "arguments");
    Views views = makeViews(args, numArgs, "args", false);
    for (size_t i = 0; i < numArgs; ++i)
      if (entry.args[i].isScalar && !views[i].base)
        invalid("args[", i, "]: data of scalar ", quoted(entry.args[i].name),
                " is null");
    *launch =
        launches().add(std::make_shared<Launch>(object->executable, views));
  });
}

dtensor_rt_status dtensor_rt_launch_destroy(dtensor_rt_launch *launch) {
  return guard([&] { launches().remove(launch); });
}

dtensor_rt_status dtensor_rt_launch_symbols(dtensor_rt_launch *launch,
                                            int64_t *values,
                                            size_t numSymbols) {
  return guard([&] {
    auto object = launches().get(launch);
    checkCount(numSymbols, object->getSymbols().size(), "symbols");
    copyOut(object->getSymbols(), values, "values");
  });
}

dtensor_rt_status dtensor_rt_launch_global_extents(dtensor_rt_launch *launch,
                                                   size_t ordinal,
                                                   int64_t *extents,
                                                   size_t rank) {
  return guard([&] {
    auto object = launches().get(launch);
    checkOrdinal(object->getExecutable(), ordinal, rank);
    copyOut(object->globalExtents(ordinal), extents, "extents");
  });
}

dtensor_rt_status dtensor_rt_launch_local_box(dtensor_rt_launch *launch,
                                              int64_t meshRank, size_t ordinal,
                                              int64_t *extents,
                                              int64_t *offsets, size_t rank) {
  return guard([&] {
    auto object = launches().get(launch);
    checkOrdinal(object->getExecutable(), ordinal, rank);
    checkMeshRank(object->getExecutable(), meshRank);
    const Box &box = object->localBox(meshRank, ordinal);
    copyOut(box.extents, extents, "extents");
    copyOut(box.offsets, offsets, "offsets");
  });
}

dtensor_rt_status dtensor_rt_run_local(dtensor_rt_launch *launch,
                                       const dtensor_rt_array *args,
                                       size_t numArgs,
                                       const dtensor_rt_array *results,
                                       size_t numResults) {
  return guard([&] {
    runLocal(launch, {args, numArgs}, {results, numResults}, nullptr);
  });
}

dtensor_rt_status
dtensor_rt_run_local_with(dtensor_rt_launch *launch,
                          const dtensor_rt_array *args, size_t numArgs,
                          const dtensor_rt_array *results, size_t numResults,
                          const dtensor_rt_run_options *options) {
  return guard([&] {
    runLocal(launch, {args, numArgs}, {results, numResults}, options);
  });
}

dtensor_rt_status dtensor_rt_launch_load(dtensor_rt_launch *launch,
                                         const dtensor_rt_array *args,
                                         size_t numArgs) {
  return guard([&] {
    auto object = launches().get(launch);
    checkCount(numArgs, object->getExecutable().getEntry().args.size(),
               "arguments");
    object->load(makeViews(args, numArgs, "args", true));
  });
}

dtensor_rt_status
dtensor_rt_launch_execute(dtensor_rt_launch *launch,
                          const dtensor_rt_run_options *options) {
  return guard([&] {
    auto object = launches().get(launch);
    object->execute(readRunOptions(object->getExecutable(), options));
  });
}

dtensor_rt_status dtensor_rt_launch_fetch(dtensor_rt_launch *launch,
                                          const dtensor_rt_array *results,
                                          size_t numResults) {
  return guard([&] {
    auto object = launches().get(launch);
    checkCount(numResults, object->getExecutable().getEntry().results.size(),
               "results");
    object->fetch(makeViews(results, numResults, "results", true));
  });
}

dtensor_rt_status dtensor_rt_launch_wait(dtensor_rt_launch *launch) {
  return guard(
      [&] { launches().get(launch)->getExecutable().getSession().wait(); });
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

dtensor_rt_status dtensor_rt_run_global(dtensor_rt_launch *launch,
                                        const dtensor_rt_array *args,
                                        size_t numArgs,
                                        const dtensor_rt_array *results,
                                        size_t numResults) {
  return guard([&] {
    auto object = launches().get(launch);
    const EntryDecl &entry = object->getExecutable().getEntry();
    checkCount(numArgs, entry.args.size(), "arguments");
    checkCount(numResults, entry.results.size(), "results");
    object->runGlobal(makeViews(args, numArgs, "args", true),
                      makeViews(results, numResults, "results", true));
  });
}

dtensor_rt_status dtensor_rt_launch_stats(dtensor_rt_launch *launch,
                                          int64_t meshRank,
                                          dtensor_rt_rank_stats *stats) {
  return guard([&] {
    auto object = launches().get(launch);
    checkMeshRank(object->getExecutable(), meshRank);
    store(stats, object->getStats(meshRank));
  });
}
