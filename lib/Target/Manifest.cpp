//===- Manifest.cpp - The bundle's description of itself ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Target/Entry.h"

#include "dtensor-rt/Bundle.h"
#include "dtensor-rt/Types.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace dtensor;
using llvm::json::Array;
using llvm::json::Object;
using llvm::json::Value;

static const char *getDTypeName(int32_t dtype) {
  static const char *const names[] = {
#define DTENSOR_RT_DTYPE(CODE, NAME, BYTES) #NAME,
      DTENSOR_RT_FOR_EACH_DTYPE(DTENSOR_RT_DTYPE)
#undef DTENSOR_RT_DTYPE
  };
  return names[dtype];
}

static Value orNull(std::optional<int64_t> number) {
  return number ? Value(*number) : Value(nullptr);
}

static Value describeAxis(const MeshAxis &axis) {
  const AxisFacts &facts = axis.facts;
  return Object{{"name", axis.name},
                {"size", orNull(facts.size)},
                {"min", facts.min},
                {"max", orNull(facts.max)},
                {"divides", orNull(facts.divides)},
                {"multiple_of", facts.multipleOf},
                {"hint", facts.hint}};
}

static Value describePlacement(const Placement &placement) {
  if (placement.isShard())
    return Object{{"kind", "shard"},
                  {"dim", static_cast<int64_t>(placement.dim)},
                  {"unit", placement.unit ? Value(placement.unit.str())
                                          : Value(nullptr)}};
  if (placement.isPartial())
    return Object{{"kind", "partial"}, {"reduce", stringify(placement.reduce)}};
  return Object{{"kind", "replicate"}};
}

static Value describeValue(const EntryValue &value) {
  Object object{{"name", value.name}, {"dtype", getDTypeName(value.dtype)}};
  object["kind"] = value.isScalar ? "scalar" : "tensor";
  if (value.isScalar)
    return object;
  Array shape, extents, placements;
  for (int64_t size : value.shape)
    shape.push_back(mlir::ShapedType::isDynamic(size) ? Value(nullptr)
                                                      : Value(size));
  for (Expr extent : value.layout.extents)
    extents.push_back(extent.str());
  for (const Placement &placement : value.layout.placements)
    placements.push_back(describePlacement(placement));
  object["shape"] = std::move(shape);
  object["extents"] = std::move(extents);
  object["placements"] = std::move(placements);
  // Axes, major first; left out where they nest in the order of the mesh.
  if (!llvm::is_sorted(value.layout.order)) {
    Array order;
    for (unsigned axis : value.layout.order)
      order.push_back(static_cast<int64_t>(axis));
    object["order"] = std::move(order);
  }
  object["donated"] = value.donated;
  return object;
}

static Value describeEntry(const Entry &entry) {
  Array arguments, results;
  for (const EntryValue &value : entry.arguments)
    arguments.push_back(describeValue(value));
  for (const EntryValue &value : entry.results)
    results.push_back(describeValue(value));
  return Object{{"name", entry.name},
                {"bind", entry.getBindName()},
                {"layout", entry.getLayoutName()},
                {"run", entry.getRunName()},
                {"symbols", Array(entry.symbols)},
                {"args", std::move(arguments)},
                {"results", std::move(results)},
                {"checks", Array(entry.checks)}};
}

Value dtensor::buildManifest(llvm::ArrayRef<Entry> entries,
                             llvm::StringRef target, llvm::StringRef cpu) {
  Array axes, described;
  for (const MeshAxis &axis : entries.front().declaredMesh.getAxes())
    axes.push_back(describeAxis(axis));
  for (const Entry &entry : entries)
    described.push_back(describeEntry(entry));
  return Object{{"abi", static_cast<int64_t>(rt::kAbiVersion)},
                {"target", target},
                {"cpu", cpu},
                {"mesh", Object{{"axes", std::move(axes)}}},
                {"entries", std::move(described)}};
}

std::string dtensor::packBundle(const std::string &code,
                                const Value &manifest) {
  std::string text;
  llvm::raw_string_ostream(text) << manifest;
  return rt::makeBundle(code, text);
}
