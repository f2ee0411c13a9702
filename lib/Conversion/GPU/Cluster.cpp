//===- Cluster.cpp - linalg ops that share a kernel -----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cluster.h"

#include "Extents.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace dtensor;
using linalg::GenericOp;

//===----------------------------------------------------------------------===//
// One op
//===----------------------------------------------------------------------===//

AffineMap Cluster::getMap(OpOperand &operand) const {
  auto op = cast<GenericOp>(operand.getOwner());
  SmallVector<AffineExpr> dims;
  for (unsigned dim : loops.find(op)->second)
    dims.push_back(getAffineDimExpr(dim, op.getContext()));
  return op.getMatchingIndexingMap(&operand).replaceDimsAndSymbols(dims, {},
                                                                   numDims, 0);
}

llvm::SmallBitVector Cluster::getDims(GenericOp op) const {
  llvm::SmallBitVector result(numDims);
  for (unsigned dim : loops.find(op)->second)
    result.set(dim);
  return result;
}

bool Cluster::walksOnce() const {
  DenseSet<Operation *> late; // these wait for a total
  for (GenericOp op : ops) {
    for (Value operand : op->getOperands()) {
      auto producer = operand.getDefiningOp<GenericOp>();
      if (producer && contains(producer) &&
          (late.contains(producer) || producer.getNumReductionLoops() != 0))
        late.insert(op);
    }
    if (late.contains(op) && getDims(op).anyCommon(reduced))
      return false;
  }
  return true;
}

Operation *dtensor::getCombiner(GenericOp op, unsigned index) {
  BlockArgument carried =
      op.getMatchingBlockArgument(op.getDpsInitOperand(index));
  Value yielded = op.getBlock()->getTerminator()->getOperand(index);
  Operation *combiner = yielded.getDefiningOp();
  if (!combiner || !carried.hasOneUse() ||
      *carried.getUsers().begin() != combiner || !yielded.hasOneUse() ||
      combiner->getNumOperands() != 2)
    return nullptr;
  if (!isa<arith::AddFOp, arith::MulFOp, arith::MaximumFOp, arith::MinimumFOp,
           arith::MaxNumFOp, arith::MinNumFOp, arith::AddIOp, arith::MulIOp,
           arith::MaxSIOp, arith::MinSIOp, arith::MaxUIOp, arith::MinUIOp,
           arith::AndIOp, arith::OrIOp, arith::XOrIOp>(combiner))
    return nullptr;
  return combiner;
}

// Loops in the body would have to run lane by lane.
static bool hasSimpleBody(GenericOp op) {
  auto result = op.getBlock()->walk([&](Operation *inner) {
    bool fine = inner->getNumRegions() == 0 || isa<scf::IfOp>(inner);
    return fine ? WalkResult::advance() : WalkResult::interrupt();
  });
  return !result.wasInterrupted();
}

bool dtensor::canCluster(GenericOp op) {
  if (!op.hasPureTensorSemantics() || !hasSimpleBody(op))
    return false;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    AffineMap map = op.getMatchingIndexingMap(&init);
    if (!map.isProjectedPermutation())
      return false;
    if (op.getNumParallelLoops() != map.getNumResults())
      return false;
  }
  if (op.getNumReductionLoops() == 0)
    return true;
  for (unsigned i = 0; i < op.getNumDpsInits(); ++i)
    if (!getCombiner(op, i))
      return false;
  return true;
}

static bool isCheap(GenericOp op) {
  return op.getNumReductionLoops() == 0 &&
         llvm::none_of(op.getBlock()->without_terminator(),
                       [](Operation &inner) {
                         return isa<math::MathDialect>(inner.getDialect()) &&
                                !isa<math::RsqrtOp, math::SqrtOp, math::AbsFOp,
                                     math::AbsIOp, math::FmaOp>(inner);
                       });
}

//===----------------------------------------------------------------------===//
// Joining
//===----------------------------------------------------------------------===//

namespace {
/// What joining an op to a cluster needs: the dimension of every loop.
class Joiner {
public:
  Joiner(Cluster &cluster, GenericOp op, ExtentClasses &extents)
      : cluster(cluster), op(op), extents(extents),
        dims(op.getNumLoops(), kUnknown) {}

  bool tryJoin() {
    if (!matchValues() || !matchRest())
      return false;
    Cluster joined = cluster;
    joined.numDims = numDims;
    joined.reduced.resize(numDims);
    joined.ops.push_back(op);
    joined.loops[op] = dims;
    if (!isValid(joined))
      return false;
    cluster = std::move(joined);
    return true;
  }

private:
  static constexpr unsigned kUnknown = ~0u;

  bool bind(unsigned loop, unsigned dim) {
    if (dims[loop] == dim)
      return true;
    if (dims[loop] != kUnknown || llvm::is_contained(dims, dim))
      return false;
    dims[loop] = dim;
    return true;
  }

  // A gather reads its table anywhere: that one must be in memory.
  bool gathersFromCluster() {
    auto result = op.getBlock()->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (Operation *producer = operand.getDefiningOp();
            producer && cluster.contains(producer))
          return WalkResult::interrupt();
      return WalkResult::advance();
    });
    return result.wasInterrupted();
  }

  // Where the op reads a value of the cluster, it must be at the same place.
  bool matchValues() {
    if (gathersFromCluster())
      return false;
    for (OpOperand &operand : op->getOpOperands()) {
      auto producer = operand.get().getDefiningOp<GenericOp>();
      if (!producer || !cluster.contains(producer))
        continue;
      AffineMap written = cluster.getMap(
          *producer.getTiedOpOperand(cast<OpResult>(operand.get())));
      AffineMap read = op.getMatchingIndexingMap(&operand);
      ArrayRef<int64_t> shape =
          cast<RankedTensorType>(operand.get().getType()).getShape();
      for (auto [from, to, size] :
           llvm::zip(read.getResults(), written.getResults(), shape)) {
        // The one element of a dimension that a sum has kept.
        if (size == 1 && isa<AffineConstantExpr>(from))
          continue;
        auto loop = dyn_cast<AffineDimExpr>(from);
        auto dim = dyn_cast<AffineDimExpr>(to);
        if (!loop || !dim || !bind(loop.getPosition(), dim.getPosition()))
          return false;
      }
    }
    return true;
  }

  // Nothing flows along the other loops: any dimension of their extent will do.
  bool matchRest() {
    numDims = cluster.numDims;
    for (unsigned loop = 0; loop < dims.size(); ++loop) {
      if (dims[loop] != kUnknown)
        continue;
      unsigned dim = 0;
      while (dim < cluster.numDims &&
             (llvm::is_contained(dims, dim) || !hasExtent(dim, loop)))
        ++dim;
      dims[loop] = dim < cluster.numDims ? dim : numDims++;
    }
    return true;
  }

  bool hasExtent(unsigned dim, unsigned loop) {
    unsigned wanted = extents.getClass(op, loop);
    for (GenericOp member : cluster.ops)
      for (auto [other, at] : llvm::enumerate(cluster.loops[member]))
        if (at == dim)
          return extents.getClass(member, other) == wanted;
    return false;
  }

  // Values lost to recomputation must be cheap, reductions never are.
  bool isValid(Cluster &joined) {
    for (GenericOp member : joined.ops) {
      if (member.getNumReductionLoops() == 0)
        continue;
      llvm::SmallBitVector reduced(joined.numDims);
      for (auto [loop, kind] : llvm::enumerate(member.getIteratorTypesArray()))
        if (kind == utils::IteratorType::reduction)
          reduced.set(joined.loops[member][loop]);
      if (joined.hasReductions() && joined.reduced != reduced)
        return false;
      joined.reduced = reduced;
      if (!joined.getDims(member).all())
        return false;
    }
    llvm::SmallBitVector single = getSingleDims(joined);
    for (GenericOp member : joined.ops) {
      llvm::SmallBitVector missing = joined.getDims(member).flip();
      missing.reset(single);
      if (isCheap(member) || missing.none())
        continue;
      // Once per row is no recomputation.
      if (joined.hasReductions() ? missing.test(joined.reduced)
                                 : !isLastOnly(missing))
        return false;
    }
    return true;
  }

  // Dimensions of extent 1, as a sum that keeps its dimension has one.
  static llvm::SmallBitVector getSingleDims(Cluster &joined) {
    llvm::SmallBitVector single(joined.numDims);
    for (GenericOp member : joined.ops)
      for (auto [range, dim] :
           llvm::zip(member.getStaticLoopRanges(), joined.loops[member]))
        if (range == 1)
          single.set(dim);
    return single;
  }

  static bool isLastOnly(const llvm::SmallBitVector &missing) {
    int first = missing.find_first();
    return first == static_cast<int>(missing.size()) - 1;
  }

  Cluster &cluster;
  GenericOp op;
  ExtentClasses &extents;
  SmallVector<unsigned> dims;
  unsigned numDims = 0;
};

class ClusterFormer {
public:
  ClusterFormer(Block &block, ExtentClasses &extents)
      : block(block), extents(extents) {}

  std::vector<Cluster> run() {
    for (auto [position, op] : llvm::enumerate(block))
      order[&op] = position;
    for (Operation &op : block)
      if (auto generic = dyn_cast<GenericOp>(op))
        place(generic);
    return std::move(clusters);
  }

private:
  static constexpr unsigned kMaxOps = 48;

  void place(GenericOp op) {
    if (canCluster(op)) {
      SmallVector<unsigned> candidates;
      for (Value operand : op->getOperands())
        if (Operation *producer = operand.getDefiningOp())
          if (auto it = owner.find(producer); it != owner.end())
            candidates.push_back(it->second);
      llvm::sort(candidates, std::greater<>());
      candidates.erase(llvm::unique(candidates), candidates.end());
      for (unsigned index : candidates) {
        Cluster &cluster = clusters[index];
        if (cluster.ops.size() < kMaxOps && canCluster(cluster.ops.front()) &&
            isConvex(index, op) && Joiner(cluster, op, extents).tryJoin()) {
          owner[op] = index;
          return;
        }
      }
    }
    owner[op] = clusters.size();
    Cluster &cluster = clusters.emplace_back();
    cluster.ops.push_back(op);
    cluster.numDims = op.getNumLoops();
    cluster.reduced.resize(cluster.numDims);
    SmallVector<unsigned> &loops = cluster.loops[op];
    for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
      loops.push_back(loop);
      if (kind == utils::IteratorType::reduction)
        cluster.reduced.set(loop);
    }
  }

  // No path from the cluster through an op outside of it to `op`. Whole
  // clusters count as one op, for that is what they become.
  bool isConvex(unsigned index, GenericOp op) {
    DenseSet<Operation *> seen;
    SmallVector<Operation *> work;
    unsigned first = order[clusters[index].ops.front()];
    auto push = [&](Operation *user) {
      user->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (Operation *producer = getInBlock(operand))
            work.push_back(producer);
      });
    };
    push(op);
    while (!work.empty()) {
      Operation *current = work.pop_back_val();
      auto it = owner.find(current);
      if (it != owner.end() && it->second == index) {
        continue;
      }
      if (!seen.insert(current).second)
        continue;
      if (reaches(current, index))
        return false;
      if (order[current] < first && it == owner.end())
        continue;
      push(current);
      if (it != owner.end())
        for (GenericOp member : clusters[it->second].ops)
          if (seen.insert(member).second)
            push(member);
    }
    return true;
  }

  // True if `outside` reads a value of the cluster itself.
  bool reaches(Operation *outside, unsigned index) {
    auto readsFrom = [&](Operation *op) {
      auto result = op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands()) {
          Operation *producer = getInBlock(operand);
          auto it = producer ? owner.find(producer) : owner.end();
          if (it != owner.end() && it->second == index)
            return WalkResult::interrupt();
        }
        return WalkResult::advance();
      });
      return result.wasInterrupted();
    };
    auto it = owner.find(outside);
    if (it == owner.end())
      return readsFrom(outside);
    return llvm::any_of(clusters[it->second].ops,
                        [&](GenericOp member) { return readsFrom(member); });
  }

  Operation *getInBlock(Value value) {
    Operation *producer = value.getDefiningOp();
    if (!producer || producer->getBlock() != &block)
      return nullptr;
    return producer;
  }

  Block &block;
  ExtentClasses &extents;
  DenseMap<Operation *, unsigned> order;
  DenseMap<Operation *, unsigned> owner;
  std::vector<Cluster> clusters;
};
} // namespace

std::vector<Cluster> dtensor::formClusters(Block &block,
                                           ExtentClasses &extents) {
  return ClusterFormer(block, extents).run();
}
