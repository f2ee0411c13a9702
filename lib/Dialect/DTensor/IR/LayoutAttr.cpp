//===- LayoutAttr.cpp - text and rules of layouts -------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"

#include "AxisName.h"
#include "TrailingType.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Placements
//===----------------------------------------------------------------------===//

/// What follows `shard`: `(0)` or `(0, unit = D)`.
static ParseResult parseShard(AsmParser &parser, Placement &placement) {
  int64_t dim;
  Expr unit;
  SMLoc loc;
  if (parser.parseLParen() || parser.getCurrentLocation(&loc) ||
      parser.parseInteger(dim))
    return failure();
  if (dim < 0 || dim > std::numeric_limits<int32_t>::max())
    return parser.emitError(loc, "shard names dimension ") << dim;
  if (succeeded(parser.parseOptionalComma()) &&
      (parser.parseKeyword("unit") || parser.parseEqual() ||
       dtensor::parseExpr(parser, unit)))
    return failure();
  placement = Placement::shard(dim, unit);
  return parser.parseRParen();
}

static ParseResult parsePlacement(AsmParser &parser, Placement &placement) {
  if (succeeded(parser.parseOptionalQuestion())) {
    placement = Placement::open();
    return success();
  }
  if (succeeded(parser.parseOptionalKeyword("replicate"))) {
    placement = Placement::replicate();
    return success();
  }
  if (succeeded(parser.parseOptionalKeyword("shard")))
    return parseShard(parser, placement);
  if (failed(parser.parseOptionalKeyword("partial")))
    return parser.emitError(parser.getCurrentLocation(),
                            "expected replicate, shard, partial or ?");
  ReduceKindAttr kind;
  if (parser.parseLParen() || parseBareReduceKind(parser, kind) ||
      parser.parseRParen())
    return failure();
  placement = Placement::partial(kind.getValue());
  return success();
}

ParseResult dtensor::parseAxisName(AsmParser &parser, const Mesh &mesh,
                                   unsigned &axis) {
  SMLoc loc = parser.getCurrentLocation();
  std::string name;
  if (parser.parseString(&name))
    return failure();
  std::optional<unsigned> found = mesh.lookup(name);
  if (!found)
    return parser.emitError(loc, "\"")
           << name << "\" is not an axis of the mesh";
  axis = *found;
  return success();
}

/// `["tp", "dp"]`: every axis of the mesh once.
static ParseResult parseOrder(AsmParser &parser, const Mesh &mesh,
                              SmallVectorImpl<unsigned> &order) {
  llvm::SmallBitVector seen(mesh.getNumAxes());
  SMLoc loc = parser.getCurrentLocation();
  auto parseName = [&]() -> ParseResult {
    SMLoc loc = parser.getCurrentLocation();
    unsigned axis;
    if (parseAxisName(parser, mesh, axis))
      return failure();
    if (seen.test(axis))
      return parser.emitError(loc, "axis \"")
             << mesh.getName(axis) << "\" appears twice";
    seen.set(axis);
    order.push_back(axis);
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseName))
    return failure();
  if (!seen.all())
    return parser.emitError(loc, "order names ")
           << order.size() << " axes but mesh has " << mesh.getNumAxes();
  return success();
}

ParseResult dtensor::parsePlacements(AsmParser &parser, MeshAttr mesh,
                                     Layout &layout) {
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
        return parsePlacement(parser, layout.placements.emplace_back());
      }))
    return failure();
  // Checked here and not only by the verifier: the order counts on it.
  unsigned numAxes = mesh.getMesh().getNumAxes();
  if (layout.placements.size() != numAxes)
    return parser.emitError(loc, "layout has ")
           << layout.placements.size() << " placements but mesh has " << numAxes
           << " axes";
  if (failed(parser.parseOptionalKeyword("order")))
    return success();
  if (parser.parseEqual() || parseOrder(parser, mesh.getMesh(), layout.order))
    return failure();
  layout.canonicalizeOrder();
  return success();
}

void dtensor::printPlacements(AsmPrinter &printer, MeshAttr mesh,
                              const Layout &layout) {
  printer << "[";
  llvm::interleaveComma(
      layout.placements, printer,
      [&](const Placement &placement) { printer << placement.str(); });
  printer << "]";
  if (layout.hasDefaultOrder())
    return;
  printer << " order = [";
  llvm::interleaveComma(layout.order, printer, [&](unsigned axis) {
    printer.printString(mesh.getMesh().getName(axis));
  });
  printer << "]";
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

ParseResult dtensor::parseExtents(AsmParser &parser,
                                  SmallVectorImpl<Expr> &extents) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, [&] {
    return dtensor::parseExpr(parser, extents.emplace_back());
  });
}

void dtensor::printExtents(AsmPrinter &printer, ArrayRef<Expr> extents) {
  printer << "(";
  llvm::interleaveComma(extents, printer,
                        [&](Expr extent) { printer << extent.str(); });
  printer << ")";
}

Attribute LayoutAttr::parse(AsmParser &parser, Type type) {
  SMLoc loc = parser.getCurrentLocation();
  MeshAttr mesh;
  Layout layout;
  SmallVector<Expr> extents;
  if (parser.parseLess() || parser.parseAttribute(mesh) ||
      parser.parseComma() || parsePlacements(parser, mesh, layout) ||
      parser.parseComma() || parseExtents(parser, extents) ||
      parser.parseGreater() || giveTrailingType(parser, loc, type))
    return {};
  layout.extents.assign(extents);
  auto emitError = [&] { return parser.emitError(loc); };
  return LayoutAttr::getChecked(emitError, mesh, layout);
}

void LayoutAttr::print(AsmPrinter &printer) const {
  printer << "<" << getMesh() << ", ";
  printPlacements(printer, getMesh(), getLayout());
  printer << ", ";
  printExtents(printer, getExtents());
  printer << ">";
}

/// A global number is the same on every rank, and its axes are of the mesh.
static LogicalResult verifyAxesOf(function_ref<InFlightDiagnostic()> emitError,
                                  const Mesh &mesh, Expr expr,
                                  const std::string &what) {
  LogicalResult result = success();
  expr.walkSymbols([&](StringRef name, SymbolKind kind) {
    if (kind == SymbolKind::Extent || failed(result))
      return;
    if (!mesh.lookup(name))
      result = emitError() << what << " is " << expr.str() << ", but \"" << name
                           << "\" is not an axis of the mesh";
    else if (kind == SymbolKind::AxisIndex)
      result = emitError() << what << " is " << expr.str()
                           << ", which differs from rank to rank";
  });
  return result;
}

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 MeshAttr mesh, Layout layout) {
  if (!layout.verify(mesh.getMesh(),
                     [&](const Twine &message) { emitError() << message; }))
    return failure();
  for (auto [dim, extent] : llvm::enumerate(layout.extents))
    if (failed(verifyAxesOf(emitError, mesh.getMesh(), extent,
                            "extent of dimension " + std::to_string(dim))))
      return failure();
  for (const Placement &placement : layout.placements)
    if (placement.unit &&
        failed(
            verifyAxesOf(emitError, mesh.getMesh(), placement.unit,
                         "unit of dimension " + std::to_string(placement.dim))))
      return failure();
  return success();
}

LogicalResult
LayoutAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                           function_ref<InFlightDiagnostic()> emitError) const {
  ArrayRef<Expr> extents = getExtents();
  if (extents.size() != shape.size())
    return emitError() << "layout has " << extents.size()
                       << " extents but the tensor has rank " << shape.size();
  for (auto [dim, extent, size] : llvm::enumerate(extents, shape)) {
    std::optional<int64_t> number = extent.getConstant();
    if (ShapedType::isDynamic(size) && number)
      return emitError() << "dimension " << dim << " is dynamic but its extent "
                         << "is the constant " << *number;
    if (!ShapedType::isDynamic(size) &&
        provablyDifferent(extent, Expr::constant(extent.getContext(), size)))
      return emitError() << "dimension " << dim << " has size " << size
                         << " but extent " << extent.str();
  }
  return success();
}

LayoutAttr LayoutAttr::withPlacements(ArrayRef<Placement> placements) const {
  return get(getMesh(), Layout(placements, getExtents(), getLayout().order));
}

LayoutAttr LayoutAttr::mapExprs(function_ref<Expr(Expr)> change) const {
  return get(getMesh(), getLayout().mapExprs(change));
}

LayoutAttr LayoutAttr::withExtents(ArrayRef<Expr> extents) const {
  Layout layout = getLayout();
  layout.extents.assign(extents.begin(), extents.end());
  return get(getMesh(), layout);
}
