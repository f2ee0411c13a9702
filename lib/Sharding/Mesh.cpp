//===- Mesh.cpp - Named axes of ranks -------------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Mesh.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <limits>
#include <tuple>

using namespace dtensor;

/// Sizes beyond this are not looked at when a size that obeys all facts is
/// sought one by one.
static constexpr int64_t kSearchLimit = 1 << 16;

static auto asTuple(const AxisFacts &facts) {
  return std::tie(facts.size, facts.min, facts.max, facts.divides,
                  facts.multipleOf, facts.hint);
}

bool MeshAxis::operator==(const MeshAxis &other) const {
  return name == other.name && asTuple(facts) == asTuple(other.facts);
}

std::optional<unsigned> Mesh::lookup(llvm::StringRef name) const {
  for (unsigned axis = 0; axis < axes.size(); ++axis)
    if (axes[axis].name == name)
      return axis;
  return std::nullopt;
}

std::optional<int64_t> Mesh::knownSize(unsigned axis) const {
  return axes[axis].facts.size;
}

Expr Mesh::sizeExpr(ExprContext &context, unsigned axis) const {
  if (std::optional<int64_t> size = knownSize(axis))
    return Expr::constant(context, *size);
  return Expr::symbol(context, axes[axis].name, SymbolKind::AxisSize);
}

Expr Mesh::indexExpr(ExprContext &context, unsigned axis) const {
  if (isTrivial(axis))
    return Expr::constant(context, 0);
  return Expr::symbol(context, axes[axis].name, SymbolKind::AxisIndex);
}

Expr Mesh::groupSizeExpr(ExprContext &context,
                         llvm::ArrayRef<unsigned> group) const {
  Expr product = Expr::constant(context, 1);
  for (unsigned axis : group)
    product = product * sizeExpr(context, axis);
  return product;
}

//===----------------------------------------------------------------------===//
// Facts of one axis
//===----------------------------------------------------------------------===//

/// Do the declared facts, the known size apart, allow this size?
static bool allows(const AxisFacts &facts, int64_t size) {
  return size >= facts.min && (!facts.max || size <= *facts.max) &&
         size % facts.multipleOf == 0 &&
         (!facts.divides || *facts.divides % size == 0);
}

/// The largest allowed size up to `from`, else the smallest above it; nullopt
/// if there is none up to kSearchLimit.
static std::optional<int64_t> nearestAllowed(const AxisFacts &facts,
                                             int64_t from) {
  from = std::min(from, kSearchLimit);
  for (int64_t size = from; size >= 1; --size)
    if (allows(facts, size))
      return size;
  for (int64_t size = from + 1; size <= kSearchLimit; ++size)
    if (allows(facts, size))
      return size;
  return std::nullopt;
}

int64_t Mesh::hint(unsigned axis) const {
  const AxisFacts &facts = axes[axis].facts;
  if (facts.size)
    return *facts.size;
  if (allows(facts, facts.hint))
    return facts.hint;
  return nearestAllowed(facts, facts.hint)
      .value_or(std::max<int64_t>(1, facts.min));
}

int64_t Mesh::groupHint(llvm::ArrayRef<unsigned> group) const {
  int64_t product = 1;
  for (unsigned axis : group)
    if (llvm::MulOverflow(product, hint(axis), product))
      return std::numeric_limits<int64_t>::max();
  return product;
}

void Mesh::declareAxes(Facts &facts) const {
  for (unsigned axis = 0; axis < axes.size(); ++axis) {
    AxisFacts declared = axes[axis].facts;
    declared.hint = hint(axis);
    facts.declareAxis(axes[axis].name, declared);
  }
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

/// The first number of `axis` that is below 1, as text.
static std::optional<std::string> findNonPositive(const AxisFacts &facts) {
  std::pair<llvm::StringRef, std::optional<int64_t>> numbers[] = {
      {"size", facts.size}, {"min", facts.min},
      {"max", facts.max},   {"divides", facts.divides},
      {"hint", facts.hint}, {"multiple_of", facts.multipleOf},
  };
  for (auto &[name, value] : numbers)
    if (value && *value < 1)
      return (name + " " + llvm::Twine(*value)).str();
  return std::nullopt;
}

static bool verifyAxis(const MeshAxis &axis, EmitError emitError) {
  auto fail = [&](const llvm::Twine &what) {
    emitError("mesh axis \"" + llvm::Twine(axis.name) + "\" " + what);
    return false;
  };
  const AxisFacts &facts = axis.facts;
  if (std::optional<std::string> bad = findNonPositive(facts))
    return fail("has " + *bad + ", but every number must be at least 1");
  if (facts.max && *facts.max < facts.min)
    return fail("has max " + llvm::Twine(*facts.max) + " below min " +
                llvm::Twine(facts.min));
  if (facts.size && !allows(facts, *facts.size))
    return fail("has size " + llvm::Twine(*facts.size) +
                ", which its own facts exclude");
  // Below the limit the search is complete, since a size divides `divides`.
  if (facts.divides && *facts.divides <= kSearchLimit &&
      !nearestAllowed(facts, facts.hint))
    return fail("has facts that no size satisfies");
  return true;
}

bool Mesh::verify(EmitError emitError) const {
  if (axes.empty() || axes.size() > kMaxAxes) {
    emitError("mesh has " + llvm::Twine(axes.size()) +
              " axes, but must have 1 to " + llvm::Twine(kMaxAxes));
    return false;
  }
  llvm::StringSet<> names;
  for (const MeshAxis &axis : axes) {
    if (axis.name.empty()) {
      emitError("mesh axis has an empty name");
      return false;
    }
    if (!names.insert(axis.name).second) {
      emitError("mesh has two axes named \"" + llvm::Twine(axis.name) + "\"");
      return false;
    }
    if (!verifyAxis(axis, emitError))
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Printing and hashing
//===----------------------------------------------------------------------===//

static void printFacts(const AxisFacts &facts, llvm::raw_ostream &os) {
  const AxisFacts defaults;
  const char *separator = " {";
  auto print = [&](llvm::StringRef name, int64_t value) {
    os << separator << name << ' ' << value;
    separator = ", ";
  };
  if (facts.min != defaults.min)
    print("min", facts.min);
  if (facts.max)
    print("max", *facts.max);
  if (facts.divides)
    print("divides", *facts.divides);
  if (facts.multipleOf != defaults.multipleOf)
    print("multiple_of", facts.multipleOf);
  if (facts.hint != defaults.hint)
    print("hint", facts.hint);
  if (*separator == ',')
    os << '}';
}

void Mesh::print(llvm::raw_ostream &os) const {
  for (unsigned i = 0; i < axes.size(); ++i) {
    os << (i ? ", " : "") << '"' << axes[i].name << "\" = ";
    if (axes[i].facts.size)
      os << *axes[i].facts.size;
    else
      os << '?';
    printFacts(axes[i].facts, os);
  }
}

std::string Mesh::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}

llvm::hash_code dtensor::hash_value(const Mesh &mesh) {
  llvm::hash_code hash = llvm::hash_value(mesh.getNumAxes());
  auto number = [](std::optional<int64_t> value) { return value.value_or(-1); };
  for (const MeshAxis &axis : mesh.getAxes())
    hash = llvm::hash_combine(hash, axis.name, number(axis.facts.size),
                              axis.facts.min, number(axis.facts.max),
                              number(axis.facts.divides), axis.facts.multipleOf,
                              axis.facts.hint);
  return hash;
}
