//===- CAPILaunch.cpp - the C interface: launches and runs ------*- C++ -*-===//

#include "CAPI.h"

using namespace dtensor::rt;

namespace {

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

void checkMeshRank(const Executable &executable, int64_t rank) {
  if (rank < 0 || rank >= executable.getNumRanks())
    raise(DTENSOR_RT_NOT_FOUND, "no mesh rank ", rank, ", there are ",
          executable.getNumRanks());
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
