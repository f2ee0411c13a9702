//===- Placement.cpp - How one mesh axis holds a tensor -------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Placement.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

using namespace dtensor;

llvm::StringRef dtensor::stringify(ReduceKind kind) {
  switch (kind) {
  case ReduceKind::Sum:
    return "sum";
  case ReduceKind::Avg:
    return "avg";
  case ReduceKind::Max:
    return "max";
  case ReduceKind::Min:
    return "min";
  case ReduceKind::Product:
    return "product";
  }
  llvm_unreachable("unknown reduction");
}

std::optional<ReduceKind> dtensor::parseReduceKind(llvm::StringRef text) {
  return llvm::StringSwitch<std::optional<ReduceKind>>(text)
      .Case("sum", ReduceKind::Sum)
      .Case("avg", ReduceKind::Avg)
      .Case("max", ReduceKind::Max)
      .Case("min", ReduceKind::Min)
      .Case("product", ReduceKind::Product)
      .Default(std::nullopt);
}

Placement Placement::replicate() {
  Placement placement;
  placement.kind = PlacementKind::Replicate;
  return placement;
}

Placement Placement::shard(unsigned dim, Expr unit) {
  Placement placement;
  placement.kind = PlacementKind::Shard;
  placement.dim = dim;
  if (unit && !unit.isConstant(1))
    placement.unit = unit;
  return placement;
}

Placement Placement::partial(ReduceKind reduce) {
  Placement placement;
  placement.kind = PlacementKind::Partial;
  placement.reduce = reduce;
  return placement;
}

bool Placement::operator==(const Placement &other) const {
  return kind == other.kind && dim == other.dim && unit == other.unit &&
         reduce == other.reduce;
}

void Placement::print(llvm::raw_ostream &os) const {
  switch (kind) {
  case PlacementKind::Open:
    os << '?';
    return;
  case PlacementKind::Replicate:
    os << "replicate";
    return;
  case PlacementKind::Shard:
    os << "shard(" << dim;
    if (unit)
      os << ", unit = " << unit;
    os << ')';
    return;
  case PlacementKind::Partial:
    os << "partial(" << stringify(reduce) << ')';
    return;
  }
  llvm_unreachable("unknown placement");
}

std::string Placement::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}

llvm::hash_code dtensor::hash_value(const Placement &placement) {
  return llvm::hash_combine(static_cast<int>(placement.kind), placement.dim,
                            placement.unit, static_cast<int>(placement.reduce));
}
