//===- Executable.cpp - one entry on one mesh -------------------*- C++ -*-===//

#include "Executable.h"

#include "Error.h"

#include <algorithm>

using namespace dtensor::rt;

namespace {

/// What is wrong with `size`, or nothing.
std::string findContradiction(const AxisDecl &axis, int64_t size) {
  if (axis.size && size != *axis.size)
    return concat("size ", *axis.size);
  if (size < axis.min)
    return concat("at least ", axis.min);
  if (axis.max && size > *axis.max)
    return concat("at most ", *axis.max);
  if (axis.divides && *axis.divides % size != 0)
    return concat("a divisor of ", *axis.divides);
  if (size % axis.multipleOf != 0)
    return concat("a multiple of ", axis.multipleOf);
  return "";
}

void checkFacts(const AxisDecl &axis, int64_t size) {
  std::string fact = findContradiction(axis, size);
  if (!fact.empty())
    raise(DTENSOR_RT_MESH_MISMATCH, "mesh axis ", quoted(axis.name),
          " has size ", size, ", the program declares ", fact);
}

std::string axisNames(const std::vector<AxisDecl> &axes) {
  std::string text;
  for (const AxisDecl &axis : axes)
    text += (text.empty() ? "" : ", ") + quoted(axis.name);
  return text.empty() ? "none" : text;
}

/// Sizes in the order of the declaration.
Mesh makeMesh(const std::vector<AxisDecl> &axes,
              const Executable::Options &options) {
  Mesh mesh;
  for (const AxisDecl &axis : axes) {
    mesh.names.push_back(axis.name);
    mesh.sizes.push_back(0);
  }
  for (size_t i = 0; i < options.axisNames.size(); ++i) {
    const std::string &name = options.axisNames[i];
    size_t a = std::find(mesh.names.begin(), mesh.names.end(), name) -
               mesh.names.begin();
    if (a == axes.size())
      raise(DTENSOR_RT_NOT_FOUND, "no mesh axis ", quoted(name),
            "; the program has ", axisNames(axes));
    if (mesh.sizes[a])
      raise(DTENSOR_RT_INVALID_ARGUMENT, "mesh axis ", quoted(name),
            " is given twice");
    if (options.axisSizes[i] < 1)
      raise(DTENSOR_RT_INVALID_ARGUMENT, "mesh axis ", quoted(name),
            " has size ", options.axisSizes[i], ", at least 1 is expected");
    mesh.sizes[a] = options.axisSizes[i];
  }
  for (size_t a = 0; a < axes.size(); ++a) {
    if (!mesh.sizes[a])
      raise(DTENSOR_RT_INVALID_ARGUMENT, "mesh axis ", quoted(axes[a].name),
            " is not given");
    checkFacts(axes[a], mesh.sizes[a]);
  }
  return mesh;
}

void checkNumRanks(const Mesh &mesh, const Backend &backend) {
  int64_t count = 1;
  for (int64_t size : mesh.sizes)
    if (__builtin_mul_overflow(count, size, &count))
      count = INT64_MAX;
  if (count > backend.getMaxRanks())
    raise(DTENSOR_RT_INVALID_ARGUMENT, "a mesh of ", count, " ranks; backend ",
          quoted(backend.getName()), " has at most ", backend.getMaxRanks());
}

std::string fillIn(std::string text, const int64_t (&values)[2]) {
  const char *const marks[] = {"{0}", "{1}"};
  for (int i = 0; i < 2; ++i)
    for (size_t at; (at = text.find(marks[i])) != std::string::npos;)
      text.replace(at, 3, std::to_string(values[i]));
  return text;
}

template <typename Function>
Function lookup(const LoadedBundle &bundle, const std::string &name) {
  return reinterpret_cast<Function>(bundle.findSymbol(name));
}

} // namespace

int64_t dtensor::rt::leastSize(const AxisDecl &axis) {
  int64_t most = axis.size.value_or(
      axis.divides.value_or(axis.max.value_or(axis.min + axis.multipleOf)));
  // A divisor is searched one by one; larger meshes do not exist.
  most = std::min<int64_t>(most, 1 << 20);
  for (int64_t size = std::max<int64_t>(axis.min, 1); size <= most; ++size)
    if (findContradiction(axis, size).empty())
      return size;
  return 0;
}

Executable::Executable(std::shared_ptr<LoadedBundle> loaded,
                       const Options &options)
    : bundle(std::move(loaded)), entry(bundle->findEntry(options.entry)),
      backend(findBackend(options.backend)) {
  const Manifest &manifest = bundle->getManifest();
  if (!backend.runs(manifest.target))
    raise(DTENSOR_RT_INVALID_ARGUMENT, "backend ", quoted(backend.getName()),
          " runs code for ", quoted(backend.getTarget()),
          ", the bundle was compiled for ", quoted(manifest.target));
  mesh = makeMesh(manifest.axes, options);
  checkNumRanks(mesh, backend);
  bindFunction = lookup<BindFunction>(*bundle, entry.bind);
  layoutFunction = lookup<LayoutFunction>(*bundle, entry.layout);
  runFunction = lookup<RunFunction>(*bundle, entry.run);
  session = options.peers
                ? backend.openWithPeers(mesh, bundle.get(), *options.peers)
                : backend.open(mesh, bundle.get());
  localRanks = session->getLocalRanks();
}

std::vector<int64_t>
Executable::bind(const std::vector<const int64_t *> &shapes,
                 const std::vector<int64_t> &scalars) const {
  std::vector<int64_t> symbols(entry.symbols.size());
  int64_t values[2] = {};
  int32_t failed = bindFunction(shapes.data(), scalars.data(),
                                mesh.sizes.data(), symbols.data(), values);
  if (failed == 0)
    return symbols;
  size_t check = static_cast<size_t>(failed) - 1;
  if (check >= entry.checks.size())
    raise(DTENSOR_RT_CHECK_FAILED, quoted(entry.name), ": launch check ",
          failed, " failed");
  raise(DTENSOR_RT_CHECK_FAILED, quoted(entry.name), ": ",
        fillIn(entry.checks[check], values));
}

std::vector<int64_t>
Executable::globalExtents(size_t ordinal,
                          const std::vector<int64_t> &symbols) const {
  std::vector<int64_t> extents(entry.value(ordinal).shape.size());
  std::vector<int64_t> offsets(extents.size());
  std::vector<int64_t> ones(mesh.numAxes(), 1), zeros(mesh.numAxes(), 0);
  layoutFunction(static_cast<int32_t>(ordinal), symbols.data(), ones.data(),
                 zeros.data(), extents.data(), offsets.data());
  int64_t limit = INT64_MAX / 32; // bytes of any number of elements fit
  for (int64_t extent : extents) {
    if (extent < 0 || extent > limit)
      raise(DTENSOR_RT_INVALID_ARGUMENT, quoted(entry.value(ordinal).name),
            " would have shape ",
            shapeString(extents.data(), entry.value(ordinal).rank()));
    limit /= std::max<int64_t>(extent, 1);
  }
  return extents;
}

Box Executable::localBox(size_t ordinal, const std::vector<int64_t> &symbols,
                         int64_t rank) const {
  const ValueDecl &value = entry.value(ordinal);
  std::vector<int64_t> global = globalExtents(ordinal, symbols);
  std::vector<int64_t> coords = mesh.coords(rank);
  Box box{std::vector<int64_t>(global.size()),
          std::vector<int64_t>(global.size())};
  layoutFunction(static_cast<int32_t>(ordinal), symbols.data(),
                 mesh.sizes.data(), coords.data(), box.extents.data(),
                 box.offsets.data());
  for (size_t d = 0; d < global.size(); ++d)
    if (box.extents[d] < 0 || box.offsets[d] < 0 ||
        box.offsets[d] > global[d] ||
        box.extents[d] > global[d] - box.offsets[d])
      raise(DTENSOR_RT_INTERNAL, quoted(value.name), " on rank ", rank,
            ": elements ", box.offsets[d], " to ",
            box.offsets[d] + box.extents[d], " of dimension ", d,
            " lie outside of ", global[d]);
  return box;
}

void Executable::callRun(RankContext &rank, void *const *args,
                         const int64_t *symbols) const {
  runFunction(&rank, args, symbols, mesh.sizes.data(), rank.getCoords().data());
}
