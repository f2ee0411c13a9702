//===- GenericVerifier.cpp - what a generic must obey ---------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/Reductions.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dtensor;

/// "input 0", "result 1": what map number `index` belongs to.
static std::string nameOf(GenericOp op, unsigned index) {
  unsigned inputs = op.getInputs().size();
  return index < inputs ? "input " + std::to_string(index)
                        : "result " + std::to_string(index - inputs);
}

static RankedTensorType typeOf(GenericOp op, unsigned index) {
  unsigned inputs = op.getInputs().size();
  Type type = index < inputs ? op.getInputs()[index].getType()
                             : op.getResults()[index - inputs].getType();
  return cast<RankedTensorType>(type);
}

static LogicalResult verifyIterators(GenericOp op) {
  for (auto name : op.getIterators().getAsValueRange<StringAttr>())
    if (name != "parallel" && name != "reduction")
      return op.emitOpError("iterator is \"")
             << name << "\", expected parallel or reduction";
  return success();
}

static LogicalResult verifyMaps(GenericOp op) {
  unsigned tensors = op.getInputs().size() + op.getNumResults();
  if (op.getIndexingMaps().size() != tensors)
    return op.emitOpError("has ") << op.getIndexingMaps().size() << " maps but "
                                  << op.getInputs().size() << " inputs and "
                                  << op.getNumResults() << " results";
  for (unsigned i = 0; i < tensors; ++i) {
    AffineMap map = op.getInputMap(i);
    if (map.getNumSymbols() != 0)
      return op.emitOpError("map of ") << nameOf(op, i) << " has symbols";
    if (map.getNumDims() != op.getNumIterators())
      return op.emitOpError("map of ")
             << nameOf(op, i) << " has " << map.getNumDims()
             << " dimensions but there are " << op.getNumIterators()
             << " iterators";
    if (map.getNumResults() != typeOf(op, i).getRank())
      return op.emitOpError("map of ")
             << nameOf(op, i) << " has " << map.getNumResults()
             << " results but the tensor has rank " << typeOf(op, i).getRank();
  }
  return success();
}

static LogicalResult verifyResultMaps(GenericOp op) {
  for (unsigned i = 0; i < op.getNumResults(); ++i) {
    AffineMap map = op.getResultMap(i);
    if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return op.emitOpError("map of result ")
             << i << " is not a projected permutation";
    for (AffineExpr expr : map.getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (dim && op.isReduction(dim.getPosition()))
        return op.emitOpError("map of result ")
               << i << " uses iterator " << dim.getPosition()
               << ", which is a reduction";
    }
  }
  for (unsigned i = 0; i < op.getNumIterators(); ++i)
    if (!op.getDimOf(i).first)
      return op.emitOpError("extent of iterator ")
             << i << " is not known: no tensor has it as a dimension";
  return success();
}

static LogicalResult verifyReductions(GenericOp op) {
  unsigned expected = op.hasReduction() ? op.getNumResults() : 0;
  if (op.getReductions().size() != expected)
    return op.emitOpError("has ") << op.getReductions().size()
                                  << " reduction kinds, expected " << expected;
  for (unsigned i = 0; i < expected; ++i) {
    Type element = getElementTypeOrSelf(op.getResult(i).getType());
    ReduceKind kind = op.getReduction(i);
    if (kind == ReduceKind::Avg)
      return op.emitOpError("result ")
             << i << " is reduced by avg, expected sum and a division";
    if (!canReduce(kind, element))
      return op.emitOpError("result ")
             << i << " of " << element << " cannot be reduced by "
             << stringify(kind);
  }
  return success();
}

/// Where iterator extents were seen first, for the second place in an error.
struct Seen {
  Expr extent;
  std::string name;
};

static LogicalResult verifyExtents(GenericOp op, unsigned index,
                                   MutableArrayRef<Seen> seen) {
  SmallVector<Expr> extents = getExtents(typeOf(op, index));
  for (auto [dim, expr] : llvm::enumerate(op.getInputMap(index).getResults())) {
    Expr extent = extents[dim];
    std::string name = nameOf(op, index) + " dimension " + std::to_string(dim);
    if (isa<AffineConstantExpr>(expr) && extent &&
        provablyDifferent(extent, Expr::constant(extent.getContext(), 1)))
      return op.emitOpError() << name << " has extent " << extent.str()
                              << " but is broadcast, expected 1";
    auto iterator = dyn_cast<AffineDimExpr>(expr);
    if (!iterator || !extent)
      continue;
    Seen &first = seen[iterator.getPosition()];
    if (provablyDifferent(first.extent, extent))
      return op.emitOpError()
             << name << " has extent " << extent.str() << " but " << first.name
             << " on the same iterator has " << first.extent.str();
    if (!first.extent)
      first = {extent, name};
  }
  return success();
}

static LogicalResult verifyLayouts(GenericOp op) {
  SmallVector<Type> types(op->getOperandTypes());
  llvm::append_range(types, op->getResultTypes());
  LayoutAttr first = types.empty() ? LayoutAttr() : getLayout(types.front());
  for (Type type : types) {
    LayoutAttr layout = getLayout(type);
    if (!layout != !first)
      return op.emitOpError("some of its tensors have a layout, some do not");
    if (layout && layout.getMesh() != first.getMesh())
      return op.emitOpError("meshes differ: ")
             << first.getMesh() << " and " << layout.getMesh();
  }
  return success();
}

static LogicalResult verifyBody(GenericOp op) {
  SmallVector<Type> expected;
  for (Value input : op.getInputs())
    expected.push_back(getElementTypeOrSelf(input.getType()));
  for (Value capture : op.getCaptures())
    expected.push_back(withoutLayout(capture.getType()));
  Block &block = op.getBody().front();
  if (block.getNumArguments() != expected.size())
    return op.emitOpError("body has ")
           << block.getNumArguments() << " arguments, expected "
           << expected.size();
  for (auto [i, argument, type] :
       llvm::enumerate(block.getArgumentTypes(), expected))
    if (argument != type)
      return op.emitOpError("body argument ")
             << i << " has type " << argument << ", expected " << type;
  YieldOp yield = op.getYield();
  if (yield.getNumOperands() != op.getNumResults())
    return op.emitOpError("body yields ")
           << yield.getNumOperands() << " values but there are "
           << op.getNumResults() << " results";
  for (auto [i, value, type] :
       llvm::enumerate(yield.getOperandTypes(), op.getResultTypes()))
    if (value != getElementTypeOrSelf(type))
      return op.emitOpError("body yields ")
             << value << " for result " << i << " of "
             << getElementTypeOrSelf(type);
  return success();
}

LogicalResult GenericOp::verify() {
  if (getNumResults() == 0)
    return emitOpError("has no result");
  if (failed(verifyIterators(*this)) || failed(verifyMaps(*this)) ||
      failed(verifyResultMaps(*this)) || failed(verifyReductions(*this)) ||
      failed(verifyLayouts(*this)) || failed(verifyBody(*this)))
    return failure();
  SmallVector<Seen> seen(getNumIterators());
  for (unsigned i = 0; i < getIndexingMaps().size(); ++i)
    if (failed(verifyExtents(*this, i, seen)))
      return failure();
  return success();
}

LogicalResult IndexOp::verify() {
  auto generic = (*this)->getParentOfType<GenericOp>();
  if (generic && getIterator() >= generic.getNumIterators())
    return emitOpError("iterator ")
           << getIterator() << " is out of range for "
           << generic.getNumIterators() << " iterators";
  return success();
}
