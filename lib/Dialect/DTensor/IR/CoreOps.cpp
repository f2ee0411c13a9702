//===- CoreOps.cpp - small ops of the global view -------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace dtensor;

void DTensorDialect::registerCoreOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/CoreOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// constraint, agree, refine, extent
//===----------------------------------------------------------------------===//

LogicalResult ConstraintOp::verify() {
  RankedTensorType type = getInput().getType();
  LayoutAttr layout = getLayout();
  if (failed(layout.verifyEncoding(type.getShape(), type.getElementType(),
                                   [&] { return emitOpError(); })))
    return failure();
  return verifySameGlobal(*this, type, withLayout(type, layout),
                          /*sameExtents=*/false);
}

/// Each result is its input; all inputs have one shape, and results that state
/// placements the same ones.
LogicalResult AgreeOp::verify() {
  if (getInputs().empty() || getInputs().size() != getResults().size())
    return emitOpError("has ") << getInputs().size() << " inputs and "
                               << getResults().size() << " results";
  auto first = cast<RankedTensorType>(getInputs().front().getType());
  LayoutAttr stated;
  for (auto [input, result] : llvm::zip_equal(getInputs(), getResults())) {
    auto type = cast<RankedTensorType>(input.getType());
    if (failed(verifyCompatibleShape(first.getShape(), type.getShape())))
      return emitOpError("has inputs of different shapes: ")
             << first << " and " << type;
    if (failed(verifySameGlobal(*this, type,
                                cast<RankedTensorType>(result.getType()),
                                /*sameExtents=*/false)))
      return failure();
    LayoutAttr layout = dtensor::getLayout(result);
    if (!layout || layout.getLayout().hasOpen())
      continue;
    if (stated && !layout.getLayout().samePlacements(stated.getLayout()))
      return emitOpError("placements differ: ")
             << stated.getLayout().str() << " and " << layout.getLayout().str();
    stated = layout;
  }
  return success();
}

LogicalResult RefineOp::verify() {
  RankedTensorType from = getInput().getType(), to = getType();
  LayoutAttr source = dtensor::getLayout(from), target = dtensor::getLayout(to);
  if (!source != !target)
    return emitOpError("only one of operand and result has a layout");
  if (failed(verifySameGlobal(*this, from, to, /*sameExtents=*/false)))
    return failure();
  if (source && !source.getLayout().samePlacements(target.getLayout()))
    return emitOpError("placements differ: ")
           << source.getLayout().str() << " and " << target.getLayout().str();
  return success();
}

OpFoldResult RefineOp::fold(FoldAdaptor) {
  return getInput().getType() == getType() ? getInput() : OpFoldResult();
}

OpFoldResult ExtentOp::fold(FoldAdaptor) {
  std::optional<int64_t> value = getExpr().getExpr().getConstant();
  if (!value)
    return {};
  return IntegerAttr::get(IndexType::get(getContext()), *value);
}

//===----------------------------------------------------------------------===//
// call
//===----------------------------------------------------------------------===//

/// What the callee's expression is in the caller; null, after an error, if the
/// call does not say what one of its symbols is.
static Expr inCaller(CallOp op, Expr expr) {
  bool isKnown = true;
  Expr result = expr.substitute([&](StringRef name, SymbolKind kind) {
    if (kind != SymbolKind::Extent)
      return Expr();
    if (auto value = op.getSymbols().getAs<ExprAttr>(name))
      return value.getExpr();
    if (isKnown)
      op.emitOpError("does not say what symbol \"")
          << name << "\" of the callee is";
    isKnown = false;
    return Expr();
  });
  return isKnown ? result : Expr();
}

/// Checks one operand or result against the callee's type.
static LogicalResult verifyCallType(CallOp op, Type actual, Type formal,
                                    const Twine &what) {
  LayoutAttr layout = getLayout(formal);
  if (!layout) {
    if (actual != formal)
      return op.emitOpError() << what << " has type " << actual
                              << " but the callee has " << formal;
    return success();
  }
  LayoutAttr given = getLayout(actual);
  auto tensor = cast<RankedTensorType>(formal);
  auto givenTensor = dyn_cast<RankedTensorType>(actual);
  if (!given || givenTensor.getRank() != tensor.getRank() ||
      givenTensor.getElementType() != tensor.getElementType() ||
      given.getMesh() != layout.getMesh() ||
      !given.getLayout().samePlacements(layout.getLayout()))
    return op.emitOpError() << what << " has type " << actual
                            << " but the callee has " << formal;
  for (auto [dim, x, y] :
       llvm::enumerate(given.getExtents(), layout.getExtents())) {
    Expr expected = inCaller(op, y);
    if (!expected)
      return failure();
    if (x != expected)
      return op.emitOpError() << what << " dimension " << dim << " has extent "
                              << x.str() << " but the callee's " << y.str()
                              << " is " << expected.str() << " here";
  }
  return success();
}

static LogicalResult verifyCallTypes(CallOp op, TypeRange actual,
                                     TypeRange formal, StringRef what) {
  if (actual.size() != formal.size())
    return op.emitOpError() << "has " << actual.size() << " " << what
                            << "s but the callee has " << formal.size();
  for (auto [index, x, y] : llvm::enumerate(actual, formal))
    if (failed(verifyCallType(op, x, y, what + Twine(" ") + Twine(index))))
      return failure();
  return success();
}

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &table) {
  for (NamedAttribute symbol : getSymbols())
    if (!isa<ExprAttr>(symbol.getValue()))
      return emitOpError("symbol \"")
             << symbol.getName().getValue() << "\" is not given an expression";
  auto function = table.lookupNearestSymbolFrom<FunctionOpInterface>(
      *this, getCalleeAttr());
  if (!function)
    return emitOpError("\"") << getCallee() << "\" does not name a function";
  if (failed(verifyCallTypes(*this, getOperandTypes(),
                             function.getArgumentTypes(), "operand")))
    return failure();
  return verifyCallTypes(*this, getResultTypes(), function.getResultTypes(),
                         "result");
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/CoreOps.cpp.inc"
