//===- Program.cpp - a program through the C interface ----------*- C++ -*-===//

#include "Program.h"

#include <algorithm>

using namespace dtensor::run;

namespace {

bool check(dtensor_rt_status status, Error &error) {
  if (status != DTENSOR_RT_OK)
    error = dtensor_rt_last_error();
  return status == DTENSOR_RT_OK;
}

/// Arrays as the runtime takes them; keeps the strides alive.
class ArrayList {
public:
  explicit ArrayList(const std::vector<HostArray> &arrays) {
    for (const HostArray &array : arrays)
      strides.push_back(array.strides());
    for (size_t i = 0; i < arrays.size(); ++i)
      list.push_back({sizeof(dtensor_rt_array), arrays[i].data.get(),
                      arrays[i].dtype,
                      static_cast<int32_t>(arrays[i].shape.size()),
                      arrays[i].shape.data(), strides[i].data()});
  }
  const dtensor_rt_array *data() const { return list.data(); }
  size_t size() const { return list.size(); }

private:
  std::vector<std::vector<int64_t>> strides;
  std::vector<dtensor_rt_array> list;
};

} // namespace

bool dtensor::run::openBundle(const std::string &path, Bundle &bundle,
                              Error &error) {
  dtensor_rt_bundle *handle = nullptr;
  if (!check(dtensor_rt_bundle_open(path.c_str(), &handle), error))
    return false;
  bundle.reset(handle);
  return true;
}

std::vector<std::string> dtensor::run::entryNames(dtensor_rt_bundle *bundle) {
  size_t count = 0;
  dtensor_rt_bundle_num_entries(bundle, &count);
  std::vector<std::string> names;
  const char *name;
  for (size_t i = 0; i < count; ++i)
    if (dtensor_rt_bundle_entry_name(bundle, i, &name) == DTENSOR_RT_OK)
      names.push_back(name);
  return names;
}

std::vector<dtensor_rt_axis_info>
dtensor::run::meshAxes(dtensor_rt_bundle *bundle) {
  size_t count = 0;
  dtensor_rt_bundle_num_axes(bundle, &count);
  std::vector<dtensor_rt_axis_info> axes(count);
  for (size_t i = 0; i < count; ++i) {
    axes[i].struct_size = sizeof(axes[i]);
    dtensor_rt_bundle_axis(bundle, i, &axes[i]);
  }
  return axes;
}

bool Program::create(dtensor_rt_bundle *bundle, const std::string &entry,
                     const std::string &backend, const NamedInts &mesh,
                     Error &error) {
  std::vector<const char *> names;
  std::vector<int64_t> sizes;
  for (const auto &[name, size] : mesh) {
    names.push_back(name.c_str());
    sizes.push_back(size);
  }
  for (const dtensor_rt_axis_info &axis : meshAxes(bundle)) {
    bool given = std::any_of(mesh.begin(), mesh.end(), [&](const auto &item) {
      return item.first == axis.name;
    });
    if (given)
      continue;
    if (axis.size < 0) {
      error = std::string("mesh axis \"") + axis.name +
              "\" has no size; give --mesh=" + axis.name + "=N";
      return false;
    }
    names.push_back(axis.name);
    sizes.push_back(axis.size);
  }
  dtensor_rt_executable_options options = {
      sizeof(options), entry.empty() ? nullptr : entry.c_str(),
      backend.c_str(), names.size(),
      names.data(),    sizes.data(),
      nullptr};
  dtensor_rt_executable *handle = nullptr;
  if (!check(dtensor_rt_executable_create(bundle, &options, &handle), error))
    return false;
  executable.reset(handle);
  return describe(error);
}

bool Program::describe(Error &error) {
  info.struct_size = sizeof(info);
  if (!check(dtensor_rt_executable_describe(executable.get(), &info), error))
    return false;
  values.resize(info.num_args + info.num_results);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i].struct_size = sizeof(values[i]);
    if (!check(dtensor_rt_executable_value(executable.get(), i, &values[i]),
               error))
      return false;
  }
  for (size_t i = 0; i < info.num_symbols; ++i) {
    const char *name;
    if (!check(dtensor_rt_executable_symbol(executable.get(), i, &name), error))
      return false;
    symbols.push_back(name);
  }
  return true;
}

int64_t Program::find(const std::string &name, size_t first,
                      size_t count) const {
  for (size_t i = first; i < first + count; ++i)
    if (name == values[i].name)
      return static_cast<int64_t>(i);
  return -1;
}

bool Program::globalExtents(size_t ordinal,
                            const std::vector<int64_t> &symbolValues,
                            std::vector<int64_t> &extents, Error &error) const {
  extents.resize(values[ordinal].rank);
  return check(dtensor_rt_executable_global_extents(
                   executable.get(), ordinal, symbolValues.data(),
                   symbolValues.size(), extents.data(), extents.size()),
               error);
}

bool Program::bind(const std::vector<HostArray> &args, Error &error) {
  ArrayList list(args);
  dtensor_rt_launch *handle = nullptr;
  if (!check(
          dtensor_rt_bind(executable.get(), list.data(), list.size(), &handle),
          error))
    return false;
  launch.reset(handle);
  for (size_t i = 0; i < numResults(); ++i) {
    const dtensor_rt_value_info &value = values[numArgs() + i];
    HostArray result;
    result.dtype = value.dtype;
    result.shape.resize(value.rank);
    if (!check(dtensor_rt_launch_global_extents(launch.get(), numArgs() + i,
                                                result.shape.data(),
                                                value.rank),
               error))
      return false;
    if (!result.allocate()) {
      error = std::string("result \"") + value.name + "\" of shape " +
              shapeString(result.shape) + " does not fit into memory";
      return false;
    }
    results.push_back(std::move(result));
  }
  return true;
}

bool Program::run(const std::vector<HostArray> &args, Error &error) {
  ArrayList argList(args), resultList(results);
  return check(dtensor_rt_run_global(launch.get(), argList.data(),
                                     argList.size(), resultList.data(),
                                     resultList.size()),
               error);
}

bool Program::load(const std::vector<HostArray> &args, Error &error) {
  ArrayList list(args);
  return check(dtensor_rt_launch_load(launch.get(), list.data(), list.size()),
               error);
}

bool Program::execute(Error &error) {
  return check(dtensor_rt_launch_execute(launch.get(), nullptr), error);
}

dtensor_rt_rank_stats Program::getStats(int64_t rank) const {
  dtensor_rt_rank_stats stats = {};
  stats.struct_size = sizeof(stats);
  dtensor_rt_launch_stats(launch.get(), rank, &stats);
  return stats;
}
