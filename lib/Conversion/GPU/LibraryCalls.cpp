//===- LibraryCalls.cpp - Products of matrices and attention --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loops of C += A * B by the operands that they index:
//
//   batch  A B C      m  A C      n  B C      k  A B
//
// The library takes any number of batch loops but one m, n and k. Several make
// one where they are neighbours in the same order in both operands; otherwise
// an operand is copied into that order first.
//
//===----------------------------------------------------------------------===//

#include "AttentionCall.h"
#include "dtensor/Conversion/GPU/GPUDialect.h"
#include "dtensor/Conversion/GPU/GPUPasses.h"
#include "dtensor/Conversion/RuntimeDialect.h"
#include "dtensor/Dialect/DTensor/IR/DTensor.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

namespace dtensor {
#define GEN_PASS_DEF_GPULIBRARYCALLS
#include "dtensor/Conversion/GPU/GPUPasses.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;
using LinalgGeneric = linalg::GenericOp;

namespace {
using LoopList = SmallVector<unsigned>;

/// A tensor and the loop that each of its dimensions follows.
struct Term {
  Value tensor;
  LoopList loops;

  Type getElementType() const { return getElementTypeOrSelf(tensor); }
};

struct Product {
  LinalgGeneric op;
  Term lhs, rhs, dest;
  LoopList batch, m, n, k;
};
} // namespace

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

static Value skipExtension(Value value) {
  if (auto cast = value.getDefiningOp<arith::ExtFOp>())
    return cast.getIn();
  return value;
}

// True if the body is c + a * b, up to order and widening of a and b.
static bool isMultiplyAdd(LinalgGeneric op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1)
    return false;
  Block *body = op.getBlock();
  auto add =
      body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!add)
    return false;
  BlockArgument a = body->getArgument(0), b = body->getArgument(1),
                c = body->getArgument(2);
  Value term = add.getLhs() == c ? add.getRhs() : add.getLhs();
  if (add.getLhs() != c && add.getRhs() != c)
    return false;
  auto product = term.getDefiningOp<arith::MulFOp>();
  if (!product)
    return false;
  Value x = skipExtension(product.getLhs()),
        y = skipExtension(product.getRhs());
  return (x == a && y == b) || (x == b && y == a);
}

static std::optional<Term> makeFactor(LinalgGeneric op, OpOperand &operand) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!isa<RankedTensorType>(operand.get().getType()) ||
      !map.isProjectedPermutation())
    return std::nullopt;
  Term factor{operand.get(), {}};
  for (AffineExpr expr : map.getResults())
    factor.loops.push_back(cast<AffineDimExpr>(expr).getPosition());
  return factor;
}

// The same values before a transposition or, if allowed, a widening: neither
// needs memory of its own.
static void skipViews(Term &factor, bool throughCasts) {
  while (auto op = factor.tensor.getDefiningOp<LinalgGeneric>()) {
    if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 ||
        op.getNumParallelLoops() != op.getNumLoops())
      return;
    Value yielded = op.getBlock()->getTerminator()->getOperand(0);
    Value source = throughCasts ? skipExtension(yielded) : yielded;
    OpOperand &input = *op.getDpsInputOperand(0);
    AffineMap from = op.getMatchingIndexingMap(&input);
    AffineMap to = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    if (source != op.getBlock()->getArgument(0) || !from.isPermutation() ||
        !to.isPermutation() || !isa<TensorType>(input.get().getType()))
      return;
    LoopList loops(factor.loops.size());
    for (auto [dim, expr] : llvm::enumerate(from.getResults()))
      loops[dim] = factor.loops[*to.getResultPosition(expr)];
    factor = {input.get(), loops};
  }
}

static std::optional<Product> matchProduct(LinalgGeneric op) {
  if (!op.hasPureTensorSemantics() || op.getNumReductionLoops() == 0 ||
      !isMultiplyAdd(op))
    return std::nullopt;
  auto lhs = makeFactor(op, *op.getDpsInputOperand(0));
  auto rhs = makeFactor(op, *op.getDpsInputOperand(1));
  auto dest = makeFactor(op, *op.getDpsInitOperand(0));
  if (!lhs || !rhs || !dest)
    return std::nullopt;
  Product product{op, *lhs, *rhs, *dest, {}, {}, {}, {}};
  for (bool throughCasts : {true, false}) {
    product.lhs = *lhs;
    product.rhs = *rhs;
    skipViews(product.lhs, throughCasts);
    skipViews(product.rhs, throughCasts);
    if (product.lhs.getElementType() == product.rhs.getElementType())
      break;
  }
  if (product.lhs.getElementType() != product.rhs.getElementType() ||
      !getRuntimeDType(product.lhs.getElementType()))
    return std::nullopt;
  return product;
}

// False if a loop has none of the four roles.
static bool assignRoles(Product &product) {
  auto has = [](const Term &factor, unsigned loop) {
    return llvm::is_contained(factor.loops, loop);
  };
  for (unsigned loop : product.dest.loops) {
    bool inLhs = has(product.lhs, loop), inRhs = has(product.rhs, loop);
    if (!inLhs && !inRhs)
      return false;
    (inLhs && inRhs ? product.batch
     : inLhs        ? product.m
                    : product.n)
        .push_back(loop);
  }
  for (unsigned loop : product.lhs.loops) {
    if (has(product.dest, loop))
      continue;
    if (!has(product.rhs, loop))
      return false;
    product.k.push_back(loop);
  }
  for (unsigned loop : product.rhs.loops)
    if (!has(product.dest, loop) && !has(product.lhs, loop))
      return false;
  if (product.k.empty() || (product.m.empty() && product.n.empty()))
    return false;
  // The result is written row by row: its last dimension is a column.
  if (product.n.empty() ||
      llvm::is_contained(product.m, product.dest.loops.back())) {
    std::swap(product.lhs, product.rhs);
    std::swap(product.m, product.n);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

// True if dimensions [first, last] of `tensor` may lie apart in memory, because
// one after the first was cut: then they cannot be walked as one.
static bool mayHaveGaps(Value tensor, unsigned first, unsigned last) {
  Operation *op = tensor.getDefiningOp();
  if (auto cast = dyn_cast_or_null<tensor::CastOp>(op))
    return mayHaveGaps(cast.getSource(), first, last);
  if (auto slice = dyn_cast_or_null<ShardSliceOp>(op)) {
    unsigned dim = slice.getDim();
    return (dim > first && dim <= last) ||
           mayHaveGaps(slice.getInput(), first, last);
  }
  // Which dimensions a reshape makes of which is not asked: slices are.
  if (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op)) {
    unsigned rank =
        cast<RankedTensorType>(op->getOperand(0).getType()).getRank();
    return rank != 0 && mayHaveGaps(op->getOperand(0), 0, rank - 1);
  }
  auto slice = dyn_cast_or_null<tensor::ExtractSliceOp>(op);
  if (!slice)
    return false;
  ArrayRef<int64_t> whole = slice.getSourceType().getShape();
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  SmallVector<unsigned> kept; // dimensions of the source
  for (unsigned dim = 0; dim < whole.size(); ++dim)
    if (!dropped.test(dim))
      kept.push_back(dim);
  for (unsigned dim = kept[first] + 1; dim <= kept[last]; ++dim)
    if (ShapedType::isDynamic(whole[dim]) ||
        slice.getStaticSize(dim) != whole[dim])
      return true;
  return mayHaveGaps(slice.getSource(), kept[first], kept[last]);
}

namespace {
/// What is added to a product: the op that does it and what it adds, on ranks
/// on which `condition` holds (null: on all).
struct Addend {
  Operation *op = nullptr;
  Value tensor, condition;
};

class ProductLowering {
public:
  ProductLowering(Product &product, Value context, RewriterBase &rewriter)
      : product(product), context(context), rewriter(rewriter),
        loc(product.op.getLoc()) {}

  void lower() {
    LoopList order = product.dest.loops;
    bool isDirect = fits(order, product.m, product.n);
    if (!isDirect)
      order = canonical(product.m, product.n);
    Operation *narrowing = findNarrowing(), *last = narrowing;
    Addend addend;
    if (isDirect)
      addend = findAddend(narrowing->getResult(0));
    if (addend.op)
      last = addend.op;
    rewriter.setInsertionPoint(last);
    Term lhs = arrange(product.lhs, product.m, product.k);
    Term rhs = arrange(product.rhs, product.k, product.n);
    Type element = getElementTypeOrSelf(last->getResult(0).getType());
    Value dest = createDest(order, element);
    Value result =
        device::MatmulOp::create(
            rewriter, loc, TypeRange{dest.getType()}, context, lhs.tensor,
            rhs.tensor, /*bias=*/Value(), addend.tensor, addend.condition, dest,
            groups(lhs, product.m, product.k),
            groups(rhs, product.k, product.n),
            groups({dest, order}, product.m, product.n), /*epilogue=*/0)
            .getResult();
    if (!isDirect)
      result = permute({result, order}, product.dest.loops).tensor;
    result = addInit(result);
    auto type = cast<RankedTensorType>(last->getResult(0).getType());
    if (result.getType() != type)
      result = tensor::CastOp::create(rewriter, loc, type, result);
    rewriter.replaceOp(last, result);
    if (narrowing != last && narrowing != product.op)
      rewriter.eraseOp(narrowing);
    if (product.op != last)
      rewriter.eraseOp(product.op);
  }

private:
  LoopList canonical(const LoopList &rows, const LoopList &columns) {
    LoopList order = product.batch;
    order.append(rows);
    order.append(columns);
    return order;
  }

  // Groups are neighbours in order, and the last dimension is in one of them.
  bool fits(const LoopList &order, const LoopList &rows,
            const LoopList &columns) {
    for (const LoopList &group : {rows, columns}) {
      if (group.empty())
        continue;
      auto first = llvm::find(order, group.front());
      if (order.end() - first < static_cast<ptrdiff_t>(group.size()) ||
          !std::equal(group.begin(), group.end(), first))
        return false;
    }
    return llvm::is_contained(rows, order.back()) ||
           llvm::is_contained(columns, order.back());
  }

  // True if the dimensions that make one of a product may lie apart.
  static bool hasGaps(const Term &factor, const LoopList &group) {
    if (group.size() < 2)
      return false;
    unsigned first =
        llvm::find(factor.loops, group.front()) - factor.loops.begin();
    return mayHaveGaps(factor.tensor, first, first + group.size() - 1);
  }

  Term arrange(const Term &factor, const LoopList &rows,
               const LoopList &columns) {
    if (!fits(factor.loops, rows, columns))
      return permute(factor, canonical(rows, columns));
    if (!hasGaps(factor, rows) && !hasGaps(factor, columns))
      return factor;
    Value packed = bufferization::AllocTensorOp::create(
        rewriter, loc, cast<RankedTensorType>(factor.tensor.getType()),
        /*dynamicSizes=*/ValueRange(), /*copy=*/factor.tensor);
    return {packed, factor.loops};
  }

  ArrayAttr groups(const Term &factor, const LoopList &rows,
                   const LoopList &columns) {
    SmallVector<Attribute> result;
    auto add = [&](ArrayRef<unsigned> loops) {
      SmallVector<int64_t> dims;
      for (unsigned loop : loops)
        dims.push_back(llvm::find(factor.loops, loop) - factor.loops.begin());
      result.push_back(rewriter.getI64ArrayAttr(dims));
    };
    for (unsigned loop : product.batch)
      add(loop);
    add(rows);
    add(columns);
    return rewriter.getArrayAttr(result);
  }

  Term permute(const Term &factor, const LoopList &order) {
    auto type = cast<RankedTensorType>(factor.tensor.getType());
    SmallVector<AffineExpr> from(order.size());
    SmallVector<OpFoldResult> sizes;
    for (auto [position, loop] : llvm::enumerate(order)) {
      unsigned dim = llvm::find(factor.loops, loop) - factor.loops.begin();
      from[dim] = rewriter.getAffineDimExpr(position);
      sizes.push_back(tensor::getMixedSize(rewriter, loc, factor.tensor, dim));
    }
    Value dest =
        tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
    AffineMap map =
        AffineMap::get(order.size(), 0, from, rewriter.getContext());
    SmallVector<utils::IteratorType> kinds(order.size(),
                                           utils::IteratorType::parallel);
    auto copy = LinalgGeneric::create(
        rewriter, loc, dest.getType(), factor.tensor, dest,
        ArrayRef{map, rewriter.getMultiDimIdentityMap(order.size())}, kinds,
        [](OpBuilder &builder, Location loc, ValueRange args) {
          linalg::YieldOp::create(builder, loc, args.front());
        });
    return {copy.getResult(0), order};
  }

  Value createDest(const LoopList &order, Type element) {
    SmallVector<OpFoldResult> sizes;
    for (unsigned loop : order) {
      unsigned dim =
          llvm::find(product.dest.loops, loop) - product.dest.loops.begin();
      sizes.push_back(getInitSize(dim));
    }
    return tensor::EmptyOp::create(rewriter, loc, sizes, element);
  }

  OpFoldResult getInitSize(unsigned dim) {
    Value init = product.dest.tensor;
    if (auto fill = init.getDefiningOp<linalg::FillOp>())
      init = fill.getOutputs().front();
    if (auto empty = init.getDefiningOp<tensor::EmptyOp>())
      return empty.getMixedSizes()[dim];
    return tensor::getMixedSize(rewriter, loc, init, dim);
  }

  bool startsFromZero() {
    auto fill = product.dest.tensor.getDefiningOp<linalg::FillOp>();
    return fill && matchPattern(fill.getInputs().front(), m_AnyZeroFloat());
  }

  Value addInit(Value result) {
    if (startsFromZero())
      return result;
    auto type = cast<RankedTensorType>(result.getType());
    AffineMap map = rewriter.getMultiDimIdentityMap(type.getRank());
    SmallVector<utils::IteratorType> kinds(type.getRank(),
                                           utils::IteratorType::parallel);
    Value dest = createDest(product.dest.loops, type.getElementType());
    return LinalgGeneric::create(
               rewriter, loc, dest.getType(),
               ValueRange{product.dest.tensor, result}, dest,
               ArrayRef{map, map, map}, kinds,
               [](OpBuilder &builder, Location loc, ValueRange args) {
                 Value sum =
                     arith::AddFOp::create(builder, loc, args[0], args[1]);
                 linalg::YieldOp::create(builder, loc, sum);
               })
        .getResult(0);
  }

  // An addition that is the only use of the result: the library adds, too. A
  // choice between the addend and zero becomes its condition.
  Addend findAddend(Value result) {
    if (!startsFromZero() || !result.hasOneUse())
      return {};
    auto user = dyn_cast<LinalgGeneric>(*result.getUsers().begin());
    if (!user || user->getBlock() != product.op->getBlock() ||
        user.getNumDpsInputs() != 2 || !isPointwise(user))
      return {};
    Block *body = user.getBlock();
    auto add =
        body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
    BlockArgument a = body->getArgument(0), b = body->getArgument(1);
    if (!add || !((add.getLhs() == a && add.getRhs() == b) ||
                  (add.getLhs() == b && add.getRhs() == a)))
      return {};
    bool isFirst = user.getDpsInputs().front() == result;
    Addend addend{user, user.getDpsInputs()[isFirst ? 1 : 0], Value()};
    if (!isa<RankedTensorType>(addend.tensor.getType()))
      return {};
    skipChoice(addend);
    Term term{addend.tensor, product.dest.loops};
    if (hasGaps(term, product.m) || hasGaps(term, product.n))
      return {};
    return addend;
  }

  static void skipChoice(Addend &addend) {
    auto op = addend.tensor.getDefiningOp<LinalgGeneric>();
    if (!op || op.getNumDpsInputs() != 1 || !isPointwise(op) ||
        !isa<RankedTensorType>(op.getDpsInputs().front().getType()))
      return;
    Block *body = op.getBlock();
    auto select =
        body->getTerminator()->getOperand(0).getDefiningOp<arith::SelectOp>();
    if (!select || select.getTrueValue() != body->getArgument(0) ||
        !matchPattern(select.getFalseValue(), m_AnyZeroFloat()) ||
        select.getCondition().getParentBlock() == body)
      return;
    addend.tensor = op.getDpsInputs().front();
    addend.condition = select.getCondition();
  }

  // Every element of the result is made from those at its own place.
  static bool isPointwise(LinalgGeneric op) {
    return op.getNumDpsInits() == 1 &&
           op.getNumParallelLoops() == op.getNumLoops() &&
           llvm::all_of(op.getIndexingMapsArray(),
                        [](AffineMap map) { return map.isIdentity(); });
  }

  // A rounding of the result that is its only use: the library rounds too.
  Operation *findNarrowing() {
    LinalgGeneric op = product.op;
    if (!startsFromZero() || !op->hasOneUse())
      return op;
    auto user = dyn_cast<LinalgGeneric>(*op->getUsers().begin());
    if (!user || user->getBlock() != op->getBlock() ||
        user.getNumDpsInputs() != 1 || !isPointwise(user))
      return op;
    auto narrow = user.getBlock()
                      ->getTerminator()
                      ->getOperand(0)
                      .getDefiningOp<arith::TruncFOp>();
    // The library mixes one narrow type with f32, not two with each other.
    if (!narrow || narrow.getIn() != user.getBlock()->getArgument(0) ||
        narrow.getType() != product.lhs.getElementType())
      return op;
    return user;
  }

  Product &product;
  Value context;
  RewriterBase &rewriter;
  Location loc;
};
} // namespace

namespace {
struct GPULibraryCalls : dtensor::impl::GPULibraryCallsBase<GPULibraryCalls> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    Value context = getContextArgument(getOperation());
    callAttentions(getOperation(), context, rewriter);
    SmallVector<LinalgGeneric> generics;
    getOperation().walk([&](LinalgGeneric op) {
      if (isMultiplyAdd(op))
        generics.push_back(op);
    });
    for (LinalgGeneric op : generics) {
      std::optional<Product> product = matchProduct(op);
      if (product && assignRoles(*product))
        ProductLowering(*product, context, rewriter).lower();
    }
  }
};
} // namespace
