//===- LowerContraction.cpp - Products of matrices on the CPU -------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   C[m, n] += sum_k A[m, k] * B[k, n]       C contiguous along n
//
//   for k0 in blocks of kDepth, for n0 in tiles of one vector row
//     panel = B[k0 : k0 + kDepth, n0 : n0 + width]    contiguous, zero-padded
//     for m0 in tiles of kRows
//       kRows x width sums stay in registers over the block
//
// All other loops (batch, further m, n, k) run around this. Edges are masked
// along n and taken row by row along m, so that every size works. The sum over
// k runs upward as a plain loop would.
//
//===----------------------------------------------------------------------===//

#include "LoopSchedule.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace dtensor;
using linalg::LinalgOp;

// 6 x 16 floats fill 12 of 16 AVX registers; a panel is 16 KiB of the L1 cache.
static constexpr int64_t kRows = 6;
static constexpr int64_t kDepth = 256;
static constexpr int64_t kVectorBytes = 64;

namespace {
/// A factor of the product: an input and the casts from its elements.
struct Factor {
  OpOperand *operand = nullptr;
  SmallVector<Operation *, 2> casts;
};

struct Contraction {
  LinalgOp op;
  /// lhs varies along m, rhs along n.
  Factor lhs, rhs;
  unsigned m, n, k;
  SmallVector<unsigned> outer;
  Type element;
};
} // namespace

//===----------------------------------------------------------------------===//
// Recognition
//===----------------------------------------------------------------------===//

// Follows casts from the product's operand back to a block argument.
static std::optional<Factor> matchFactor(LinalgOp op, Value value) {
  Factor factor;
  while (Operation *cast = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(cast))
      return std::nullopt;
    factor.casts.push_back(cast);
    value = cast->getOperand(0);
  }
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || argument.getOwner() != op.getBlock() ||
      argument.getArgNumber() >= static_cast<unsigned>(op.getNumDpsInputs()))
    return std::nullopt;
  std::reverse(factor.casts.begin(), factor.casts.end());
  factor.operand = op.getDpsInputOperand(argument.getArgNumber());
  return factor;
}

// Matches yield(init + a * b), in any order of operands.
static bool matchBody(LinalgOp op, Contraction &result) {
  Operation *yield = op.getBlock()->getTerminator();
  Value init = op.getRegionOutputArgs().front();
  Operation *sum = yield->getOperand(0).getDefiningOp();
  if (!isa_and_nonnull<arith::AddFOp, arith::AddIOp>(sum))
    return false;
  Value product =
      sum->getOperand(0) == init ? sum->getOperand(1) : sum->getOperand(0);
  if (sum->getOperand(0) != init && sum->getOperand(1) != init)
    return false;
  Operation *multiply = product.getDefiningOp();
  if (!isa_and_nonnull<arith::MulFOp, arith::MulIOp>(multiply))
    return false;
  std::optional<Factor> lhs = matchFactor(op, multiply->getOperand(0));
  std::optional<Factor> rhs = matchFactor(op, multiply->getOperand(1));
  if (!lhs || !rhs || lhs->operand == rhs->operand)
    return false;
  result.lhs = *lhs;
  result.rhs = *rhs;
  result.element = product.getType();
  return true;
}

// Names the loops: n is the one along which C is contiguous.
static bool chooseLoops(Contraction &result) {
  LinalgOp op = result.op;
  OpOperand &init = *op.getDpsInitOperand(0);
  AffineMap lhs = op.getMatchingIndexingMap(result.lhs.operand);
  AffineMap rhs = op.getMatchingIndexingMap(result.rhs.operand);
  AffineMap out = op.getMatchingIndexingMap(&init);
  SmallVector<unsigned> onlyLhs, onlyRhs, sums;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
    bool inLhs = lhs.isFunctionOfDim(loop), inRhs = rhs.isFunctionOfDim(loop);
    bool inOut = out.isFunctionOfDim(loop);
    if (inOut && inLhs != inRhs)
      (inLhs ? onlyLhs : onlyRhs).push_back(loop);
    else if (!inOut && inLhs && inRhs)
      sums.push_back(loop);
    else if (!inOut)
      return false;
  }
  auto contiguous = [&](unsigned loop) {
    return classifyAccess(op, init, loop) == Access::Contiguous;
  };
  if (llvm::none_of(onlyRhs, contiguous)) {
    std::swap(result.lhs, result.rhs);
    std::swap(onlyLhs, onlyRhs);
  }
  auto n = llvm::find_if(onlyRhs, contiguous);
  if (n == onlyRhs.end() || onlyLhs.empty() || sums.empty())
    return false;
  result.n = *n;
  result.m = onlyLhs.back();
  result.k = sums.back();
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    if (loop != result.m && loop != result.n && loop != result.k)
      result.outer.push_back(loop);
  return true;
}

static std::optional<Contraction> matchContraction(LinalgOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      op.getNumReductionLoops() == 0)
    return std::nullopt;
  for (OpOperand &operand : op->getOpOperands())
    if (!isa<MemRefType>(operand.get().getType()) ||
        !op.getMatchingIndexingMap(&operand).isProjectedPermutation())
      return std::nullopt;
  Contraction result;
  result.op = op;
  if (!matchBody(op, result))
    return std::nullopt;
  // Masked accesses of smaller elements would be taken apart one by one.
  unsigned bits = result.element.getIntOrFloatBitWidth();
  if ((bits != 32 && bits != 64) || !chooseLoops(result))
    return std::nullopt;
  return result;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

namespace {
class ContractionBuilder {
public:
  ContractionBuilder(RewriterBase &builder, Contraction &contraction)
      : builder(builder), c(contraction), loc(c.op.getLoc()) {
    width = kVectorBytes * 8 / c.element.getIntOrFloatBitWidth();
    vectorType = VectorType::get({width}, c.element);
  }

  void build() {
    panel = getPanel();
    extents = buildExtents(builder, c.op);
    positions.resize(extents.size());
    zero = index(0);
    one = index(1);
    buildOuter(0);
  }

private:
  using Body = llvm::function_ref<void(Value)>;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value add(Value lhs, Value rhs) {
    return arith::AddIOp::create(builder, loc, lhs, rhs);
  }
  Value minus(Value lhs, Value rhs) {
    return arith::SubIOp::create(builder, loc, lhs, rhs);
  }
  Value smaller(Value lhs, Value rhs) {
    return arith::MinSIOp::create(builder, loc, lhs, rhs);
  }

  void loop(Value begin, Value end, Value step, Body body) {
    auto nest = scf::ForOp::create(builder, loc, begin, end, step);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(nest.getBody());
    body(nest.getInductionVar());
  }

  // One panel serves all contractions of a function, which run one by one.
  Value getPanel() {
    auto type = MemRefType::get({kDepth, width}, c.element);
    auto function = c.op->getParentOfType<FunctionOpInterface>();
    Block &entry = function.getFunctionBody().front();
    for (Operation &op : entry)
      if (auto old = dyn_cast<memref::AllocaOp>(op))
        if (old.getType() == type)
          return old;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&entry);
    return memref::AllocaOp::create(builder, loc, type,
                                    builder.getI64IntegerAttr(kVectorBytes));
  }

  void buildOuter(unsigned depth) {
    if (depth == c.outer.size())
      return buildBlocks();
    unsigned which = c.outer[depth];
    loop(zero, extents[which], one, [&](Value position) {
      positions[which] = position;
      buildOuter(depth + 1);
    });
  }

  void buildBlocks() {
    Value depth = index(kDepth), row = index(width);
    loop(zero, extents[c.k], depth, [&](Value begin) {
      blockBegin = begin;
      blockSize = smaller(depth, minus(extents[c.k], begin));
      loop(zero, extents[c.n], row, [&](Value column) {
        positions[c.n] = column;
        tileSize = smaller(row, minus(extents[c.n], column));
        buildMask();
        buildPanel();
        buildTiles();
      });
    });
  }

  // Lane i is alive if i < tileSize.
  void buildMask() {
    auto lanes = llvm::to_vector(llvm::seq<int32_t>(0, width));
    auto type = VectorType::get({width}, builder.getI32Type());
    Value numbers = arith::ConstantOp::create(
        builder, loc, DenseElementsAttr::get(type, ArrayRef(lanes)));
    Value size = arith::IndexCastOp::create(builder, loc, builder.getI32Type(),
                                            tileSize);
    Value sizes = vector::BroadcastOp::create(builder, loc, type, size);
    mask = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt,
                                 numbers, sizes);
  }

  Value zeroVector() {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getZeroAttr(vectorType));
  }

  Value convert(const Factor &factor, Value value) {
    for (Operation *cast : factor.casts) {
      Operation *copy = builder.clone(*cast);
      copy->setOperand(0, value);
      value = copy->getResult(0);
    }
    return value;
  }

  Value loadScalar(const Factor &factor) {
    Value value = memref::LoadOp::create(
        builder, loc, factor.operand->get(),
        buildIndices(builder, c.op, *factor.operand, positions));
    return convert(factor, value);
  }

  void buildPanel() {
    if (c.rhs.casts.empty() &&
        classifyAccess(c.op, *c.rhs.operand, c.n) == Access::Contiguous)
      return buildPanelByRows();
    Value partial = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::slt, tileSize, index(width));
    auto guard = scf::IfOp::create(builder, loc, partial,
                                   /*withElseRegion=*/false);
    {
      OpBuilder::InsertionGuard inside(builder);
      builder.setInsertionPointToStart(guard.thenBlock());
      loop(zero, blockSize, one, [&](Value row) {
        vector::StoreOp::create(builder, loc, zeroVector(), panel,
                                ValueRange{row, zero});
      });
    }
    Value column = positions[c.n];
    loop(zero, tileSize, one, [&](Value lane) {
      positions[c.n] = add(column, lane);
      loop(zero, blockSize, one, [&](Value row) {
        positions[c.k] = add(blockBegin, row);
        memref::StoreOp::create(builder, loc, loadScalar(c.rhs), panel,
                                ValueRange{row, lane});
      });
    });
    positions[c.n] = column;
  }

  void buildPanelByRows() {
    loop(zero, blockSize, one, [&](Value row) {
      positions[c.k] = add(blockBegin, row);
      Value values = loadMasked(*c.rhs.operand);
      vector::StoreOp::create(builder, loc, values, panel,
                              ValueRange{row, zero});
    });
  }

  Value loadMasked(OpOperand &operand) {
    return vector::MaskedLoadOp::create(
        builder, loc, vectorType, operand.get(),
        buildIndices(builder, c.op, operand, positions), mask, zeroVector());
  }

  void buildTiles() {
    Value rows = index(kRows), count = extents[c.m];
    Value rest = arith::RemSIOp::create(builder, loc, count, rows);
    Value whole = minus(count, rest);
    loop(zero, whole, rows, [&](Value row) { buildTile(row, kRows); });
    loop(whole, count, one, [&](Value row) { buildTile(row, 1); });
  }

  void buildTile(Value firstRow, int64_t rows) {
    OpOperand &out = *c.op.getDpsInitOperand(0);
    SmallVector<Value> rowNumbers, sums;
    for (int64_t i = 0; i < rows; ++i) {
      rowNumbers.push_back(add(firstRow, index(i)));
      positions[c.m] = rowNumbers.back();
      sums.push_back(loadMasked(out));
    }
    auto nest = scf::ForOp::create(builder, loc, zero, blockSize, one, sums);
    {
      OpBuilder::InsertionGuard inside(builder);
      builder.setInsertionPointToStart(nest.getBody());
      scf::YieldOp::create(builder, loc,
                           buildStep(nest.getInductionVar(), rowNumbers,
                                     nest.getRegionIterArgs()));
    }
    for (int64_t i = 0; i < rows; ++i) {
      positions[c.m] = rowNumbers[i];
      vector::MaskedStoreOp::create(builder, loc, out.get(),
                                    buildIndices(builder, c.op, out, positions),
                                    mask, nest.getResult(i));
    }
  }

  SmallVector<Value> buildStep(Value row, ValueRange rowNumbers,
                               ValueRange sums) {
    positions[c.k] = add(blockBegin, row);
    Value panelRow = vector::LoadOp::create(builder, loc, vectorType, panel,
                                            ValueRange{row, zero});
    SmallVector<Value> results;
    for (auto [number, sum] : llvm::zip(rowNumbers, sums)) {
      positions[c.m] = number;
      Value factor = vector::BroadcastOp::create(builder, loc, vectorType,
                                                 loadScalar(c.lhs));
      results.push_back(multiplyAdd(factor, panelRow, sum));
    }
    return results;
  }

  // `contract` becomes one instruction where the processor has it.
  Value multiplyAdd(Value lhs, Value rhs, Value sum) {
    if (!isa<FloatType>(c.element)) {
      Value product = arith::MulIOp::create(builder, loc, lhs, rhs);
      return arith::AddIOp::create(builder, loc, sum, product);
    }
    auto flags = arith::FastMathFlags::contract;
    Value product = arith::MulFOp::create(builder, loc, lhs, rhs, flags);
    return arith::AddFOp::create(builder, loc, sum, product, flags);
  }

  RewriterBase &builder;
  Contraction &c;
  Location loc;
  int64_t width;
  VectorType vectorType;
  SmallVector<Value> extents, positions;
  Value zero, one, panel, blockBegin, blockSize, tileSize, mask;
};
} // namespace

bool dtensor::lowerContraction(RewriterBase &rewriter, LinalgOp op) {
  std::optional<Contraction> contraction = matchContraction(op);
  if (!contraction)
    return false;
  ContractionBuilder(rewriter, *contraction).build();
  rewriter.eraseOp(op);
  return true;
}
