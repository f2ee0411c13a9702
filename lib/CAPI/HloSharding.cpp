//===- HloSharding.cpp - Shardings of XLA in the C interface --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/HloSharding.h"

#include "Support.h"

#include "llvm/ADT/STLExtras.h"

using namespace dtensor;
using namespace dtensor::capi;

static bool isComplete(const dtensor_compiler_layout *layout) {
  return layout && layout->struct_size >= sizeof(*layout) &&
         (!layout->num_axes || (layout->mesh_sizes && layout->dims));
}

/// A size that is not known is a symbol of its own.
static llvm::SmallVector<Expr>
extentsOf(ExprContext &context, const dtensor_compiler_layout &layout) {
  llvm::SmallVector<Expr> extents;
  for (size_t dim = 0; dim < layout.rank; ++dim)
    extents.push_back(layout.shape
                          ? Expr::constant(context, layout.shape[dim])
                          : Expr::symbol(context, "d" + std::to_string(dim)));
  return extents;
}

dtensor_compiler_status
dtensor_compiler_print_hlo_sharding(const dtensor_compiler_layout *layout,
                                    int32_t list,
                                    dtensor_compiler_buffer *result) {
  if (!isComplete(layout) || !result || result->struct_size < sizeof(*result))
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                "the layout or the result is null or too small");
  ExprContext context;
  llvm::SmallVector<Placement> placements;
  llvm::SmallVector<unsigned> order;
  for (size_t axis = 0; axis < layout->num_axes; ++axis) {
    int32_t dim = layout->dims[axis];
    if (dim >= 0 && static_cast<size_t>(dim) >= layout->rank)
      return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                  "axis " + llvm::Twine(axis) + " shards dimension " +
                      llvm::Twine(dim) + " of " + llvm::Twine(layout->rank));
    placements.push_back(dim < 0
                             ? Placement::replicate()
                             : Placement::shard(static_cast<unsigned>(dim)));
    order.push_back(layout->order ? layout->order[axis]
                                  : static_cast<unsigned>(axis));
  }
  llvm::SmallVector<unsigned> sorted(order);
  llvm::sort(sorted);
  for (size_t axis = 0; axis < sorted.size(); ++axis)
    if (sorted[axis] != axis)
      return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                  "the order is no permutation of the axes");
  std::string error;
  auto text = printHloSharding(
      Layout(placements, extentsOf(context, *layout), order),
      {layout->mesh_sizes, layout->num_axes},
      list ? HloDevices::List : HloDevices::Iota,
      [&](const llvm::Twine &message) { error = message.str(); });
  return text ? fill(result, *text) : fail(DTENSOR_COMPILER_BAD_PROGRAM, error);
}

dtensor_compiler_status
dtensor_compiler_parse_hlo_sharding(const char *text,
                                    const dtensor_compiler_layout *layout) {
  if (!text || !isComplete(layout))
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                "the text or the layout is null or too small");
  ExprContext context;
  std::string error;
  auto parsed = parseHloSharding(
      text, {layout->mesh_sizes, layout->num_axes}, extentsOf(context, *layout),
      [&](const llvm::Twine &message) { error = message.str(); });
  if (parsed && !layout->order && !parsed->hasDefaultOrder()) {
    error = "the axes of a dimension are not in the order of the mesh";
    parsed.reset();
  }
  if (!parsed)
    return fail(DTENSOR_COMPILER_BAD_PROGRAM, error);
  for (size_t axis = 0; axis < layout->num_axes; ++axis) {
    const Placement &placement = parsed->placements[axis];
    layout->dims[axis] =
        placement.isShard() ? static_cast<int32_t>(placement.dim) : -1;
    if (layout->order)
      layout->order[axis] = axis < parsed->order.size()
                                ? parsed->order[axis]
                                : static_cast<uint32_t>(axis);
  }
  return DTENSOR_COMPILER_OK;
}
