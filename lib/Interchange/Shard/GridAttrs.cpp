//===- GridAttrs.cpp - What the shard dialect has no words for ------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GridAttrs.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace dtensor;

/// The strings of an attribute; empty where `op` has none. Fails after an
/// error unless there are `count`.
static FailureOr<SmallVector<StringRef>>
readStrings(Operation *op, StringRef name, size_t count) {
  SmallVector<StringRef> result;
  Attribute attr = op->getAttr(name);
  if (!attr)
    return result;
  auto array = dyn_cast<ArrayAttr>(attr);
  if (!array || !llvm::all_of(array, llvm::IsaPred<StringAttr>) ||
      array.size() != count)
    return op->emitOpError("attribute \"")
           << name << "\" is no list of " << count << " strings";
  for (StringAttr text : array.getAsRange<StringAttr>())
    result.push_back(text.getValue());
  return result;
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

/// What `axis` has in braces.
static std::string factsText(const MeshAxis &axis) {
  std::string text = Mesh(axis).str();
  StringRef rest = text;
  if (!rest.consume_back("}"))
    return "";
  return rest.substr(rest.rfind('{') + 1).str();
}

void dtensor::writeAxes(shard::GridOp grid, const Mesh &mesh) {
  SmallVector<std::string> facts;
  SmallVector<StringRef> names, factRefs;
  for (const MeshAxis &axis : mesh.getAxes()) {
    names.push_back(axis.name);
    facts.push_back(factsText(axis));
  }
  Builder builder(grid.getContext());
  grid->setAttr(kAxesAttr, builder.getStrArrayAttr(names));
  if (llvm::all_of(facts, [](const std::string &text) { return text.empty(); }))
    return;
  factRefs.assign(facts.begin(), facts.end());
  grid->setAttr(kAxisFactsAttr, builder.getStrArrayAttr(factRefs));
}

/// The facts of an axis of this size; reads them as a mesh does.
static FailureOr<AxisFacts> readFacts(shard::GridOp grid, int64_t size,
                                      StringRef facts) {
  std::string text = "#dtensor.mesh<\"a\" = ";
  text += ShapedType::isDynamic(size) ? "?" : std::to_string(size);
  text += facts.empty() ? ">" : (" {" + facts + "}>").str();
  // What the parser says of a text that nobody wrote would not help.
  ScopedDiagnosticHandler quiet(grid.getContext(),
                                [](Diagnostic &) { return success(); });
  if (auto mesh = dyn_cast_if_present<MeshAttr>(
          parseAttribute(text, grid.getContext())))
    return mesh.getMesh().getAxes().front().facts;
  return failure();
}

FailureOr<MeshAttr> dtensor::readAxes(shard::GridOp grid) {
  ArrayRef<int64_t> shape = grid.getShape();
  auto names = readStrings(grid, kAxesAttr, shape.size());
  auto facts = readStrings(grid, kAxisFactsAttr, shape.size());
  if (failed(names) || failed(facts))
    return failure();
  SmallVector<MeshAxis> axes;
  for (auto [i, size] : llvm::enumerate(shape)) {
    StringRef text = facts->empty() ? "" : (*facts)[i];
    FailureOr<AxisFacts> read = readFacts(grid, size, text);
    if (failed(read))
      return grid.emitOpError("axis ")
             << i << " of size "
             << (ShapedType::isDynamic(size) ? "?" : std::to_string(size))
             << ": \"" << text << "\" are no facts of it";
    axes.push_back(
        {names->empty() ? ("d" + Twine(i)).str() : (*names)[i].str(), *read});
  }
  auto mesh = MeshAttr::getChecked([&] { return grid.emitOpError(); },
                                   grid.getContext(), Mesh(axes));
  if (!mesh)
    return failure();
  return mesh;
}

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

void dtensor::writeExtents(Operation *op, RankedTensorType type,
                           ArrayRef<Expr> extents) {
  if (llvm::all_of(llvm::enumerate(extents), [&](auto pair) {
        return !type.isDynamicDim(pair.index()) &&
               pair.value().isConstant(type.getDimSize(pair.index()));
      }))
    return;
  SmallVector<std::string> texts;
  for (Expr extent : extents)
    texts.push_back(extent.str());
  SmallVector<StringRef> refs(texts.begin(), texts.end());
  op->setAttr(kExtentsAttr, Builder(op->getContext()).getStrArrayAttr(refs));
}

FailureOr<SmallVector<Expr>> dtensor::readExtents(Operation *op,
                                                  RankedTensorType type) {
  auto texts = readStrings(op, kExtentsAttr, type.getRank());
  if (failed(texts))
    return failure();
  ExprContext &context = getExprContext(op->getContext());
  SmallVector<Expr> extents;
  for (auto [dim, size] : llvm::enumerate(type.getShape())) {
    if (texts->empty()) {
      extents.push_back(
          ShapedType::isDynamic(size) ? Expr() : Expr::constant(context, size));
      continue;
    }
    std::string error;
    auto extent = dtensor::parseExpr((*texts)[dim], context, &error);
    if (!extent)
      return op->emitOpError("extent of dimension ")
             << dim << ", \"" << (*texts)[dim] << "\": " << error;
    extents.push_back(*extent);
  }
  return extents;
}
