//===- LayoutUtils.cpp - layouts of types, facts of functions -------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/Bytes.h"
#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"
#include "dtensor/Sharding/LocalShape.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dtensor;

ExprContext &dtensor::getExprContext(MLIRContext *context) {
  auto *dialect = context->getLoadedDialect<DTensorDialect>();
  assert(dialect && "expressions belong to the loaded dialect");
  return dialect->getExprContext();
}

LayoutAttr dtensor::getLayout(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? dyn_cast_or_null<LayoutAttr>(tensor.getEncoding())
                : LayoutAttr();
}

LayoutAttr dtensor::getLayout(Value value) {
  return getLayout(value.getType());
}

RankedTensorType dtensor::withLayout(RankedTensorType type, LayoutAttr layout) {
  return RankedTensorType::get(type.getShape(), type.getElementType(), layout);
}

Type dtensor::withoutLayout(Type type) {
  return getLayout(type) ? withLayout(cast<RankedTensorType>(type), {}) : type;
}

SmallVector<Expr> dtensor::getExtents(Type type) {
  if (LayoutAttr layout = getLayout(type))
    return SmallVector<Expr>(layout.getExtents());
  SmallVector<Expr> extents;
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return extents;
  ExprContext &context = getExprContext(type.getContext());
  for (int64_t size : tensor.getShape())
    extents.push_back(
        ShapedType::isDynamic(size) ? Expr() : Expr::constant(context, size));
  return extents;
}

SmallVector<Expr> dtensor::getExtents(Value value) {
  return getExtents(value.getType());
}

//===----------------------------------------------------------------------===//
// Facts
//===----------------------------------------------------------------------===//

static SymbolFacts readSymbolFacts(DictionaryAttr declared) {
  SymbolFacts facts;
  if (auto min = declared.getAs<IntegerAttr>("min"))
    facts.min = min.getInt();
  if (auto max = declared.getAs<IntegerAttr>("max"))
    facts.max = max.getInt();
  if (auto hint = declared.getAs<IntegerAttr>("hint"))
    facts.hint = hint.getInt();
  Attribute multiple = declared.get("multiple_of");
  if (auto number = dyn_cast_or_null<IntegerAttr>(multiple))
    facts.multipleOf = number.getInt();
  else if (auto axis = dyn_cast_or_null<StringAttr>(multiple))
    facts.multipleOfAxis = axis.getValue().str();
  return facts;
}

Facts dtensor::getFacts(MeshAttr mesh, DictionaryAttr symbols) {
  Facts facts;
  if (mesh)
    mesh.getMesh().declareAxes(facts);
  if (symbols)
    for (NamedAttribute symbol : symbols)
      facts.declareSymbol(
          symbol.getName(),
          readSymbolFacts(cast<DictionaryAttr>(symbol.getValue())));
  return facts;
}

Facts dtensor::getFacts(FunctionOpInterface function) {
  return getFacts(getMesh(function), function->getAttrOfType<DictionaryAttr>(
                                         DTensorDialect::kSymbolsAttr));
}

//===----------------------------------------------------------------------===//
// The mesh of a function
//===----------------------------------------------------------------------===//

static MeshAttr meshOfTypes(TypeRange types) {
  for (Type type : types)
    if (LayoutAttr layout = getLayout(type))
      return layout.getMesh();
  return {};
}

static MeshAttr meshOfAttrs(ArrayAttr dictionaries) {
  if (!dictionaries)
    return {};
  for (auto dictionary : dictionaries.getAsRange<DictionaryAttr>())
    if (auto layout = dictionary.getAs<LayoutAttr>(DTensorDialect::kLayoutAttr))
      return layout.getMesh();
  return {};
}

static MeshAttr meshOfBody(FunctionOpInterface function) {
  MeshAttr mesh;
  function->walk([&](Operation *op) {
    mesh = meshOfTypes(op->getResultTypes());
    return mesh ? WalkResult::interrupt() : WalkResult::advance();
  });
  return mesh;
}

MeshAttr dtensor::getMesh(FunctionOpInterface function) {
  if (MeshAttr mesh = meshOfTypes(function.getArgumentTypes()))
    return mesh;
  if (MeshAttr mesh = meshOfTypes(function.getResultTypes()))
    return mesh;
  if (MeshAttr mesh = meshOfAttrs(function.getArgAttrsAttr()))
    return mesh;
  if (MeshAttr mesh = meshOfAttrs(function.getResAttrsAttr()))
    return mesh;
  if (auto mesh = function->getAttrOfType<MeshAttr>(DTensorDialect::kMeshAttr))
    return mesh;
  if (MeshAttr mesh = meshOfBody(function))
    return mesh;
  for (Operation *op = function->getParentOp(); op; op = op->getParentOp())
    if (auto mesh = op->getAttrOfType<MeshAttr>(DTensorDialect::kMeshAttr))
      return mesh;
  return {};
}

//===----------------------------------------------------------------------===//
// Two tensors, one global value
//===----------------------------------------------------------------------===//

bool dtensor::provablyDifferent(Expr lhs, Expr rhs) {
  if (!lhs || !rhs || lhs == rhs)
    return false;
  Expr difference = lhs - rhs;
  if (difference.isOverflow())
    return false;
  std::optional<int64_t> low = difference.getLowerBound();
  std::optional<int64_t> high = difference.getUpperBound();
  return (low && *low > 0) || (high && *high < 0);
}

static LogicalResult verifySameExtents(Operation *op, RankedTensorType lhs,
                                       RankedTensorType rhs, bool sameExtents) {
  SmallVector<Expr> from = getExtents(lhs), to = getExtents(rhs);
  for (auto [dim, x, y] : llvm::enumerate(from, to)) {
    if (x && y && (sameExtents ? x != y : provablyDifferent(x, y)))
      return op->emitOpError("extents of dimension ")
             << dim << " differ: " << x.str() << " and " << y.str();
  }
  return success();
}

LogicalResult dtensor::verifySameTensor(Operation *op, RankedTensorType lhs,
                                        RankedTensorType rhs) {
  if (lhs.getRank() != rhs.getRank())
    return op->emitOpError("ranks differ: ")
           << lhs.getRank() << " and " << rhs.getRank();
  if (lhs.getElementType() != rhs.getElementType())
    return op->emitOpError("element types differ: ")
           << lhs.getElementType() << " and " << rhs.getElementType();
  LayoutAttr from = getLayout(lhs), to = getLayout(rhs);
  if (from && to && from.getMesh() != to.getMesh())
    return op->emitOpError("meshes differ: ")
           << from.getMesh() << " and " << to.getMesh();
  return success();
}

LogicalResult dtensor::verifySameGlobal(Operation *op, RankedTensorType lhs,
                                        RankedTensorType rhs,
                                        bool sameExtents) {
  if (failed(verifySameTensor(op, lhs, rhs)))
    return failure();
  return verifySameExtents(op, lhs, rhs, sameExtents);
}

unsigned dtensor::getElementBytes(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isIntOrFloat()
             ? llvm::divideCeil(element.getIntOrFloatBitWidth(), 8)
             : 8;
}

double dtensor::getHintedBytes(Type type, const Facts &facts,
                               unsigned elementBytes) {
  LayoutAttr layout = getLayout(type);
  Expr count = localCapacity(layout.getMesh().getMesh(), layout.getLayout(),
                             getExprContext(type.getContext()));
  return static_cast<double>(facts.hint(count)) *
         (elementBytes ? elementBytes : getElementBytes(type));
}
