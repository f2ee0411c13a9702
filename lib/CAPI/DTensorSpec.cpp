//===- DTensorSpec.cpp - Specs of PyTorch in the C interface --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/DTensorSpec.h"

#include "Support.h"

#include "llvm/ADT/STLExtras.h"

#include <deque>

using namespace dtensor;
using namespace dtensor::capi;

static constexpr ReduceKind kReduceKinds[] = {ReduceKind::Sum, ReduceKind::Avg,
                                              ReduceKind::Max, ReduceKind::Min,
                                              ReduceKind::Product};
static_assert(DTENSOR_COMPILER_PRODUCT ==
              static_cast<int>(std::size(kReduceKinds)) - 1);

//===----------------------------------------------------------------------===//
// From the struct
//===----------------------------------------------------------------------===//

static Mesh meshOf(const dtensor_compiler_spec &spec) {
  llvm::SmallVector<MeshAxis> axes;
  for (size_t i = 0; i < spec.num_axes; ++i) {
    MeshAxis &axis = axes.emplace_back();
    axis.name = spec.axis_names ? spec.axis_names[i] : "d" + std::to_string(i);
    if (spec.mesh_sizes[i] != -1)
      axis.facts.size = spec.mesh_sizes[i];
  }
  return Mesh(axes);
}

static std::optional<DTensorPlacement>
placementOf(const dtensor_compiler_spec &spec, size_t axis,
            EmitError emitError) {
  const dtensor_compiler_placement &it = spec.placements[axis];
  auto refuse = [&](const llvm::Twine &what) {
    emitError("placement " + llvm::Twine(axis) + " has " + what);
    return std::nullopt;
  };
  switch (it.kind) {
  case DTENSOR_COMPILER_REPLICATE:
    return DTensorPlacement{Placement::replicate()};
  case DTENSOR_COMPILER_SHARD:
    if (it.dim < 0)
      return refuse("dimension " + llvm::Twine(it.dim));
    if (it.split_factor < 1)
      return refuse("split factor " + llvm::Twine(it.split_factor));
    return DTensorPlacement{Placement::shard(static_cast<unsigned>(it.dim)),
                            it.split_factor};
  case DTENSOR_COMPILER_PARTIAL:
    if (it.reduce_op < 0 || it.reduce_op > DTENSOR_COMPILER_PRODUCT)
      return refuse("reduce_op " + llvm::Twine(it.reduce_op));
    return DTensorPlacement{Placement::partial(kReduceKinds[it.reduce_op])};
  }
  return refuse("kind " + llvm::Twine(it.kind));
}

static std::optional<Expr> extentOf(const dtensor_compiler_spec &spec,
                                    size_t dim, ExprContext &context,
                                    EmitError emitError) {
  if (!spec.extents || !spec.extents[dim]) {
    if (spec.shape[dim] >= 0)
      return Expr::constant(context, spec.shape[dim]);
    emitError("dimension " + llvm::Twine(dim) + " has size " +
              llvm::Twine(spec.shape[dim]) + " and no extent");
    return std::nullopt;
  }
  std::string error;
  std::optional<Expr> extent =
      parseExpr(llvm::StringRef(spec.extents[dim]), context, &error);
  if (!extent)
    emitError("extent of dimension " + llvm::Twine(dim) + ", \"" +
              spec.extents[dim] + "\": " + error);
  return extent;
}

static std::optional<std::string> print(const dtensor_compiler_spec &spec,
                                        EmitError emitError) {
  ExprContext context;
  Mesh mesh = meshOf(spec);
  if (!mesh.verify(emitError))
    return std::nullopt;
  llvm::SmallVector<DTensorPlacement> placements;
  for (size_t axis = 0; axis < spec.num_axes; ++axis) {
    auto placement = placementOf(spec, axis, emitError);
    if (!placement)
      return std::nullopt;
    placements.push_back(*placement);
  }
  llvm::SmallVector<Expr> extents;
  for (size_t dim = 0; dim < spec.rank; ++dim) {
    auto extent = extentOf(spec, dim, context, emitError);
    if (!extent)
      return std::nullopt;
    extents.push_back(*extent);
  }
  auto layout = fromDTensorPlacements(placements, mesh, extents, emitError);
  if (!layout)
    return std::nullopt;
  return printDTensorSpec(*layout, mesh, emitError);
}

dtensor_compiler_status
dtensor_compiler_print_dtensor_spec(const dtensor_compiler_spec *spec,
                                    dtensor_compiler_buffer *result) {
  if (!spec || spec->struct_size < sizeof(*spec) || !result ||
      result->struct_size < sizeof(*result) ||
      (spec->num_axes && (!spec->mesh_sizes || !spec->placements)) ||
      (spec->rank && !spec->shape))
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                "the spec or the result is null or too small");
  std::string error;
  auto text =
      print(*spec, [&](const llvm::Twine &message) { error = message.str(); });
  return text ? fill(result, *text) : fail(DTENSOR_COMPILER_BAD_PROGRAM, error);
}

//===----------------------------------------------------------------------===//
// To the struct
//===----------------------------------------------------------------------===//

namespace {
/// The struct and what it points to.
struct OwnedSpec : dtensor_compiler_spec {
  const char *keep(std::string text) {
    return texts.emplace_back(std::move(text)).c_str();
  }

  std::deque<std::string> texts;
  std::vector<const char *> names, extentTexts;
  std::vector<int64_t> sizes, lengths;
  std::vector<dtensor_compiler_placement> made;
};
} // namespace

static dtensor_compiler_placement structOf(const DTensorPlacement &it) {
  dtensor_compiler_placement made = {DTENSOR_COMPILER_REPLICATE, 0, 1, 0};
  if (it.placement.isShard()) {
    made.kind = DTENSOR_COMPILER_SHARD;
    made.dim = static_cast<int32_t>(it.placement.dim);
    made.split_factor = it.splitFactor;
  } else if (it.placement.isPartial()) {
    made.kind = DTENSOR_COMPILER_PARTIAL;
    made.reduce_op = static_cast<int32_t>(
        llvm::find(kReduceKinds, it.placement.reduce) - kReduceKinds);
  }
  return made;
}

static std::unique_ptr<OwnedSpec>
own(const Mesh &mesh, const Layout &layout,
    llvm::ArrayRef<DTensorPlacement> placements) {
  auto spec = std::make_unique<OwnedSpec>();
  for (unsigned axis = 0; axis < mesh.getNumAxes(); ++axis) {
    spec->names.push_back(spec->keep(mesh.getName(axis).str()));
    spec->sizes.push_back(mesh.knownSize(axis).value_or(-1));
    spec->made.push_back(structOf(placements[axis]));
  }
  for (Expr extent : layout.extents) {
    spec->lengths.push_back(extent.getConstant().value_or(-1));
    spec->extentTexts.push_back(spec->keep(extent.str()));
  }
  static_cast<dtensor_compiler_spec &>(*spec) = {sizeof(dtensor_compiler_spec),
                                                 mesh.getNumAxes(),
                                                 spec->names.data(),
                                                 spec->sizes.data(),
                                                 spec->made.data(),
                                                 layout.getRank(),
                                                 spec->lengths.data(),
                                                 spec->extentTexts.data()};
  return spec;
}

dtensor_compiler_status
dtensor_compiler_parse_dtensor_spec(const char *text, size_t bytes,
                                    const dtensor_compiler_spec **spec) {
  if (!text || !spec)
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                llvm::Twine(text ? "spec" : "text") + " is null");
  ExprContext context;
  std::string error;
  auto keep = [&](const llvm::Twine &message) { error = message.str(); };
  auto parsed = parseDTensorSpec(llvm::StringRef(text, bytes), context, keep);
  auto placements =
      parsed ? toDTensorPlacements(parsed->second, parsed->first, keep)
             : std::nullopt;
  if (!placements)
    return fail(DTENSOR_COMPILER_BAD_PROGRAM, error);
  *spec = own(parsed->first, parsed->second, *placements).release();
  return DTENSOR_COMPILER_OK;
}

void dtensor_compiler_spec_free(const dtensor_compiler_spec *spec) {
  delete static_cast<const OwnedSpec *>(spec);
}
