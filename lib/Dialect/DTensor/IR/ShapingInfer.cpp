//===- ShapingInfer.cpp - extents of parts, joins, rearrangements ---------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CoreBuilders.h"
#include "ShapingMethods.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dtensor;

namespace {
using Result = FailureOr<ExtentList>;

/// What all of them read: the operands' extents and what is known.
struct Extents {
  ArrayRef<ExtentList> operands;
  const Facts &facts;

  ArrayRef<Expr> input() const { return operands.front(); }
  unsigned rank() const { return operands.front().size(); }
};
} // namespace

static Expr constantOf(Operation *op, int64_t value) {
  return Expr::constant(getExprContext(op->getContext()), value);
}

/// lhs <= rhs fails for every value of the symbols.
static bool neverLE(const Facts &facts, Expr lhs, Expr rhs) {
  return facts.proveLT(rhs, lhs);
}

static LogicalResult checkNotNegative(Operation *op, StringRef what, Expr expr,
                                      const Facts &facts) {
  if (!neverLE(facts, constantOf(op, 0), expr))
    return success();
  return op->emitOpError(what) << " " << expr.str() << " is negative";
}

/// `list` has one entry per dimension.
static LogicalResult checkLength(Operation *op, StringRef what, size_t length,
                                 size_t rank) {
  if (length == rank)
    return success();
  return op->emitOpError(what)
         << " has " << length << " entries for rank " << rank;
}

static ExtentList withoutDim(ArrayRef<Expr> extents, unsigned dim) {
  ExtentList result(extents);
  result.erase(result.begin() + dim);
  return result;
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

static Result inferSelect(SelectOp op, const Extents &x) {
  auto index = exprOf(op, op.getIndex());
  if (failed(index) || failed(checkDim(op, "dim", op.getDim(), x.rank())) ||
      failed(checkNotNegative(op, "index", *index, x.facts)))
    return failure();
  Expr extent = x.input()[op.getDim()];
  if (neverLE(x.facts, *index + 1, extent))
    return op.emitOpError("index ")
           << index->str() << " is outside of extent " << extent.str();
  return withoutDim(x.input(), op.getDim());
}

static Result inferGlu(GluOp op, const Extents &x) {
  int64_t dim = op.getDim();
  if (failed(checkDim(op, "dim", dim, x.rank())))
    return failure();
  ExtentList extents(x.input());
  Expr half = floordiv(extents[dim], 2);
  if (failed(checkExtent(op, "dimension " + Twine(dim), extents[dim], half * 2,
                         x.facts)))
    return failure();
  extents[dim] = half;
  return extents;
}

static LogicalResult inferUnbind(UnbindOp op, const Extents &x,
                                 SmallVectorImpl<ExtentList> &results) {
  int64_t dim = op.getDim();
  if (failed(checkDim(op, "dim", dim, x.rank())) ||
      failed(checkExtent(op, "dimension " + Twine(dim), x.input()[dim],
                         constantOf(op, op.getNumResults()), x.facts)))
    return failure();
  results.append(op.getNumResults(), withoutDim(x.input(), dim));
  return success();
}

static void addParts(ArrayRef<Expr> input, unsigned dim, ArrayRef<Expr> sizes,
                     SmallVectorImpl<ExtentList> &results) {
  for (Expr size : sizes) {
    ExtentList extents(input);
    extents[dim] = size;
    results.push_back(std::move(extents));
  }
}

static LogicalResult inferSplit(SplitOp op, const Extents &x,
                                SmallVectorImpl<ExtentList> &results) {
  int64_t dim = op.getDim();
  auto sizes = exprList(op, op.getSizes());
  if (failed(sizes) || failed(checkDim(op, "dim", dim, x.rank())))
    return failure();
  if (sizes->size() != op.getNumResults())
    return op.emitOpError("has ") << sizes->size() << " sizes and "
                                  << op.getNumResults() << " results";
  Expr total = constantOf(op, 0);
  for (Expr size : *sizes) {
    if (failed(checkNotNegative(op, "size", size, x.facts)))
      return failure();
    total = total + size;
  }
  if (failed(checkExtent(op, "dimension " + Twine(dim), x.input()[dim], total,
                         x.facts)))
    return failure();
  addParts(x.input(), dim, *sizes, results);
  return success();
}

/// Part i is clamp(extent - i * size, 0, size) with size = ceil(extent / n).
static LogicalResult inferChunk(ChunkOp op, const Extents &x,
                                SmallVectorImpl<ExtentList> &results) {
  int64_t dim = op.getDim(), parts = op.getNumResults();
  if (failed(checkDim(op, "dim", dim, x.rank())))
    return failure();
  Expr extent = x.input()[dim], size = ceildiv(extent, parts);
  ExtentList sizes;
  for (int64_t part = 0; part < parts; ++part) {
    Expr rest = max(extent - part * size, 0);
    sizes.push_back(x.facts.proveEqual(extent, size * parts) ? size
                                                             : min(rest, size));
  }
  addParts(x.input(), dim, sizes, results);
  return success();
}

//===----------------------------------------------------------------------===//
// Joins
//===----------------------------------------------------------------------===//

static Result inferStack(StackOp op, const Extents &x) {
  if (x.operands.empty())
    return op.emitOpError("has no operands");
  if (failed(checkDim(op, "dim", op.getDim(), x.rank() + 1)))
    return failure();
  for (auto [number, extents] : llvm::enumerate(x.operands)) {
    if (extents.size() != x.rank())
      return op.emitOpError("operand ")
             << number << " has rank " << extents.size() << ", expected "
             << x.rank();
    for (auto [dim, extent] : llvm::enumerate(extents))
      if (failed(checkExtent(
              op, "operand " + Twine(number) + " dimension " + Twine(dim),
              extent, x.input()[dim], x.facts)))
        return failure();
  }
  ExtentList extents(x.input());
  extents.insert(extents.begin() + op.getDim(),
                 constantOf(op, x.operands.size()));
  return extents;
}

static Result inferPad(PadOp op, const Extents &x) {
  auto low = exprList(op, op.getLow()), high = exprList(op, op.getHigh());
  if (failed(low) || failed(high) ||
      failed(checkLength(op, "low", low->size(), x.rank())) ||
      failed(checkLength(op, "high", high->size(), x.rank())))
    return failure();
  ExtentList extents(x.input());
  for (auto [dim, extent] : llvm::enumerate(extents)) {
    for (Expr border : {(*low)[dim], (*high)[dim]})
      if (failed(checkNotNegative(op, "border", border, x.facts)))
        return failure();
    extent = (*low)[dim] + extent + (*high)[dim];
  }
  return extents;
}

//===----------------------------------------------------------------------===//
// Rearrangements
//===----------------------------------------------------------------------===//

static Result inferFlip(FlipOp op, const Extents &x) {
  if (failed(dimMask(op, intList(op.getDims()), x.rank())))
    return failure();
  return ExtentList(x.input());
}

static Result inferRoll(RollOp op, const Extents &x) {
  auto shifts = exprList(op, op.getShifts());
  if (failed(shifts) || failed(dimMask(op, intList(op.getDims()), x.rank())))
    return failure();
  if (shifts->size() != op.getDims().size())
    return op.emitOpError("has ") << op.getDims().size() << " dims and "
                                  << shifts->size() << " shifts";
  return ExtentList(x.input());
}

static Result inferRepeat(RepeatOp op, const Extents &x) {
  auto repeats = exprList(op, op.getRepeats());
  if (failed(repeats))
    return failure();
  if (repeats->size() < x.rank())
    return op.emitOpError("repeats has ")
           << repeats->size() << " entries, expected at least " << x.rank();
  for (Expr times : *repeats)
    if (failed(checkNotNegative(op, "repeat", times, x.facts)))
      return failure();
  unsigned added = repeats->size() - x.rank();
  ExtentList extents = *repeats;
  for (auto [dim, extent] : llvm::enumerate(x.input()))
    extents[added + dim] = extents[added + dim] * extent;
  return extents;
}

static Result inferInterleave(RepeatInterleaveOp op, const Extents &x) {
  auto times = exprOf(op, op.getRepeats());
  if (failed(times) || failed(checkDim(op, "dim", op.getDim(), x.rank())) ||
      failed(checkNotNegative(op, "repeat", *times, x.facts)))
    return failure();
  ExtentList extents(x.input());
  extents[op.getDim()] = extents[op.getDim()] * *times;
  return extents;
}

static Result inferTriangle(Operation *op, const Extents &x) {
  if (x.rank() < 2)
    return op->emitOpError("operand has rank ")
           << x.rank() << ", expected at least 2";
  return ExtentList(x.input());
}

/// max(min(M + min(offset, 0), N - max(offset, 0)), 0).
static Result inferDiagonal(DiagonalOp op, const Extents &x) {
  int64_t row = op.getDim1(), column = op.getDim2(), offset = op.getOffset();
  if (failed(dimMask(op, {row, column}, x.rank())))
    return failure();
  ExtentList extents;
  for (auto [dim, extent] : llvm::enumerate(x.input()))
    if (int64_t(dim) != row && int64_t(dim) != column)
      extents.push_back(extent);
  Expr length = min(x.input()[row] + std::min<int64_t>(offset, 0),
                    x.input()[column] - std::max<int64_t>(offset, 0));
  extents.push_back(offset ? max(length, 0) : length);
  return extents;
}

static Result inferOneHot(OneHotOp op, const Extents &x) {
  auto classes = exprOf(op, op.getClasses());
  if (failed(classes) ||
      failed(checkNotNegative(op, "the number of classes", *classes, x.facts)))
    return failure();
  ExtentList extents(x.input());
  extents.push_back(*classes);
  return extents;
}

static Result inferSingle(Operation *op, const Extents &x) {
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](SelectOp op) { return inferSelect(op, x); })
      .Case([&](GluOp op) { return inferGlu(op, x); })
      .Case([&](StackOp op) { return inferStack(op, x); })
      .Case([&](PadOp op) { return inferPad(op, x); })
      .Case([&](FlipOp op) { return inferFlip(op, x); })
      .Case([&](RollOp op) { return inferRoll(op, x); })
      .Case([&](RepeatOp op) { return inferRepeat(op, x); })
      .Case([&](RepeatInterleaveOp op) { return inferInterleave(op, x); })
      .Case<TrilOp, TriuOp>([&](auto op) { return inferTriangle(op, x); })
      .Case([&](DiagonalOp op) { return inferDiagonal(op, x); })
      .Case([&](OneHotOp op) { return inferOneHot(op, x); });
}

static LogicalResult inferShaping(Operation *op, ArrayRef<ExtentList> operands,
                                  const Facts &facts,
                                  SmallVectorImpl<ExtentList> &results) {
  Extents x{operands, facts};
  if (op->getNumResults() == 0)
    return op->emitOpError("has no results");
  if (auto unbind = dyn_cast<UnbindOp>(op))
    return inferUnbind(unbind, x, results);
  if (auto split = dyn_cast<SplitOp>(op))
    return inferSplit(split, x, results);
  if (auto chunk = dyn_cast<ChunkOp>(op))
    return inferChunk(chunk, x, results);
  Result extents = inferSingle(op, x);
  if (failed(extents))
    return failure();
  results.push_back(std::move(*extents));
  return success();
}

static LogicalResult verifyShaping(Operation *op) {
  for (Value result : op->getResults()) {
    Type to = scalarType(result);
    if (isa<OneHotOp>(op))
      break;
    for (Value operand : op->getOperands())
      if (scalarType(operand) != to)
        return op->emitOpError("operand has element type ")
               << scalarType(operand) << " and result " << to;
    if (isa<GluOp>(op) && !isa<FloatType>(to))
      return op->emitOpError("is not defined on element type ") << to;
  }
  if (isa<OneHotOp>(op)) {
    Type from = scalarType(op->getOperand(0));
    if (!from.isIntOrIndex() || isBool(from))
      return op->emitOpError("operand has element type ")
             << from << ", expected integers";
  }
  return verifyComposite(op);
}

void DTensorDialect::registerShapingOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/ShapingOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/ShapingOps.cpp.inc"
