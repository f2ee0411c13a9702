//===- LocalFunction.cpp - the function that one rank runs ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LocalFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <set>

using namespace mlir;
using namespace dtensor;

SmallVector<std::string> LocalFunction::symbolsOf(func::FuncOp global) {
  std::set<std::string> names;
  auto addType = [&](Type type) {
    LayoutAttr layout = getLayout(type);
    if (!layout)
      return;
    auto addExpr = [&](Expr expr) {
      expr.walkSymbols([&](StringRef name, SymbolKind kind) {
        if (kind == SymbolKind::Extent)
          names.insert(name.str());
      });
    };
    llvm::for_each(layout.getExtents(), addExpr);
    for (const Placement &placement : layout.getPlacements())
      if (placement.unit)
        addExpr(placement.unit);
  };
  if (auto declared =
          global->getAttrOfType<DictionaryAttr>(DTensorDialect::kSymbolsAttr))
    for (NamedAttribute symbol : declared)
      names.insert(symbol.getName().str());
  llvm::for_each(global.getArgumentTypes(), addType);
  llvm::for_each(global.getResultTypes(), addType);
  for (unsigned i = 0, e = global.getNumArguments(); i != e; ++i)
    if (auto name =
            global.getArgAttrOfType<StringAttr>(i, DTensorDialect::kSymbolAttr))
      names.insert(name.str());
  return SmallVector<std::string>(names.begin(), names.end());
}

LocalFunction::LocalFunction(func::FuncOp global, MeshAttr mesh)
    : global(global), mesh(mesh), facts(dtensor::getFacts(global)),
      context(getExprContext(global.getContext())), symbols(symbolsOf(global)) {
  createSignature();
  if (global.isExternal())
    return;
  Block *entry = local.addEntryBlock();
  OpBuilder builder = OpBuilder::atBlockBegin(entry);
  mark = arith::ConstantIndexOp::create(builder, local.getLoc(), 0);
  builder.setInsertionPoint(mark);
  exprs.emplace(builder, local.getLoc());
  bindArguments();
}

void LocalFunction::addArguments(SmallVectorImpl<Type> &types,
                                 SmallVectorImpl<DictionaryAttr> &attributes) {
  MLIRContext *mlirContext = global.getContext();
  Builder builder(mlirContext);
  auto add = [&](StringRef attribute, StringRef name) {
    types.push_back(builder.getIndexType());
    attributes.push_back(builder.getDictionaryAttr(
        builder.getNamedAttr(attribute, builder.getStringAttr(name))));
  };
  for (StringRef symbol : symbols)
    add(DTensorDialect::kSymbolAttr, symbol);
  for (const MeshAxis &axis : mesh.getMesh().getAxes())
    add(DTensorDialect::kAxisSizeAttr, axis.name);
  for (const MeshAxis &axis : mesh.getMesh().getAxes())
    add(DTensorDialect::kAxisIndexAttr, axis.name);
}

/// Attributes of the global function stay; its types are kept in one of their
/// own, because everything outside needs the layouts of the arguments.
void LocalFunction::createSignature() {
  MLIRContext *mlirContext = global.getContext();
  SmallVector<Type> types, results;
  SmallVector<DictionaryAttr> attributes;
  for (auto [i, type] : llvm::enumerate(global.getArgumentTypes())) {
    types.push_back(getLocalType(type));
    attributes.push_back(global.getArgAttrDict(i));
  }
  for (Type type : global.getResultTypes())
    results.push_back(getLocalType(type));
  addArguments(types, attributes);
  OpBuilder builder(global);
  local = func::FuncOp::create(builder, global.getLoc(), global.getName(),
                               FunctionType::get(mlirContext, types, results));
  local->setDiscardableAttrs(global->getDiscardableAttrDictionary());
  local.setVisibility(global.getVisibility());
  for (auto [i, attribute] : llvm::enumerate(attributes))
    local.setArgAttrs(i, attribute);
  for (unsigned i = 0, e = global.getNumResults(); i != e; ++i)
    local.setResultAttrs(i, global.getResultAttrDict(i));
  local->setAttr(DTensorDialect::kGlobalTypeAttr,
                 TypeAttr::get(global.getFunctionType()));
  local->setAttr(DTensorDialect::kMeshAttr, mesh);
}

void LocalFunction::bindArguments() {
  unsigned next = global.getNumArguments();
  for (StringRef symbol : symbols)
    exprs->bind(symbol, SymbolKind::Extent, local.getArgument(next++));
  for (const MeshAxis &axis : mesh.getMesh().getAxes())
    exprs->bind(axis.name, SymbolKind::AxisSize, local.getArgument(next++));
  for (const MeshAxis &axis : mesh.getMesh().getAxes())
    exprs->bind(axis.name, SymbolKind::AxisIndex, local.getArgument(next++));
}

Value LocalFunction::getAxisSize(unsigned axis) {
  return materialize(mesh.getMesh().sizeExpr(context, axis));
}

Value LocalFunction::getAxisIndex(unsigned axis) {
  return materialize(mesh.getMesh().indexExpr(context, axis));
}

Value LocalFunction::materialize(Expr expr) {
  Value value = exprs->materialize(expr);
  if (value)
    return value;
  // Not a crash: a program may name a symbol that nothing binds.
  global.emitError("symbol '")
      << exprs->unbound << "' is used in an extent but bound by no argument";
  exprs->unbound.clear();
  return arith::ConstantIndexOp::create(getEntryBuilder(), local.getLoc(), 0);
}

const LocalDim &LocalFunction::getLocalDim(LayoutAttr layout, unsigned dim) {
  auto [slot, isNew] = dims.try_emplace({layout, dim});
  if (isNew) {
    const Layout &value = layout.getLayout();
    if (value.axesOf(dim).empty()) {
      Expr extent = value.extents[dim];
      slot->second = {extent, Expr::constant(context, 0), extent};
    } else {
      slot->second = localDim(mesh.getMesh(), value, dim, context, &facts);
    }
  }
  return slot->second;
}

Value LocalFunction::getLocalSize(Value value, unsigned dim) {
  return materialize(getLocalDim(getLayout(value), dim).size);
}

Value LocalFunction::getOffset(Value value, unsigned dim) {
  return materialize(getLocalDim(getLayout(value), dim).offset);
}

bool LocalFunction::isWhole(Value value, unsigned dim) {
  return getLayout(value).getLayout().axesOf(dim).empty();
}

RankedTensorType LocalFunction::getLocalType(Type element, LayoutAttr layout) {
  SmallVector<int64_t> shape;
  for (unsigned dim = 0, e = layout.getExtents().size(); dim != e; ++dim)
    shape.push_back(getLocalDim(layout, dim)
                        .size.getConstant()
                        .value_or(ShapedType::kDynamic));
  return RankedTensorType::get(shape, element);
}

RankedTensorType LocalFunction::getLocalType(Value value) {
  return cast<RankedTensorType>(getLocalType(value.getType()));
}

Type LocalFunction::getLocalType(Type type) {
  LayoutAttr layout = getLayout(type);
  if (!layout)
    return type;
  return getLocalType(cast<RankedTensorType>(type).getElementType(), layout);
}
