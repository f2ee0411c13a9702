//===- Space.cpp - Rows and columns of a cluster --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Space.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;
using linalg::GenericOp;

static int64_t maskOf(ArrayRef<DimGroup> groups) {
  int64_t mask = 0;
  for (const DimGroup &group : groups)
    for (unsigned dim : group)
      mask |= int64_t(1) << dim;
  return mask;
}
int64_t Space::rowMask() const { return maskOf(rows); }
int64_t Space::innerMask() const { return maskOf(inner); }

// True if one step along dimension `dim` of a slice is known to jump over
// elements of the source that the slice lacks.
static bool hasGaps(Value tensor, unsigned dim) {
  auto slice = tensor.getDefiningOp<tensor::ExtractSliceOp>();
  if (!slice)
    return false;
  ArrayRef<int64_t> whole = slice.getSourceType().getShape();
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  int64_t left = dim + 1; // dimensions of the slice up to `dim`
  for (auto [i, size] : llvm::enumerate(slice.getStaticSizes())) {
    if (left == 0 && ShapedType::isStatic(size) &&
        ShapedType::isStatic(whole[i]) && size != whole[i])
      return true;
    if (left > 0 && !dropped.test(i))
      --left;
  }
  return false;
}

namespace {
/// An access together with the number of its operand.
struct NumberedAccess {
  unsigned operand;
  AffineMap map;
};

class SpaceBuilder {
public:
  SpaceBuilder(const Cluster &cluster, const KernelIO &io, bool joined = true)
      : cluster(cluster), io(io), joined(joined) {
    findAccesses();
  }

  /// Row dimensions, then inner ones.
  void splitDims(SmallVector<unsigned> &rows, SmallVector<unsigned> &inner) {
    SmallVector<unsigned> order = getOrder();
    for (unsigned dim : order) {
      bool isInner = cluster.hasReductions() ? cluster.reduced.test(dim)
                                             : dim == order.back();
      (isInner ? inner : rows).push_back(dim);
    }
  }

  std::optional<Space> makeWide() {
    Space space;
    SmallVector<unsigned> rows, inner;
    splitDims(rows, inner);
    if (cluster.hasReductions()) {
      space.rows = group(rows, space.conditions);
      space.inner = group(inner, space.conditions);
    } else {
      // What can be walked as one becomes one long row.
      SmallVector<unsigned> all(rows);
      all.append(inner);
      space.rows = group(all, space.conditions);
      if (!space.rows.empty())
        space.inner.push_back(space.rows.pop_back_val());
    }
    if (space.inner.size() != 1 || !widen(space))
      return std::nullopt;
    return space;
  }

  bool runsAlongRows() {
    SmallVector<unsigned> rows, inner;
    splitDims(rows, inner);
    if (rows.empty() || inner.empty())
      return false;
    int along = 0;
    for (const NumberedAccess &access : accesses) {
      if (access.operand >= io.numInputs || access.map.getNumResults() == 0)
        continue;
      AffineExpr last = access.map.getResults().back();
      if (last.isFunctionOfDim(inner.back()))
        --along;
      else if (access.map.isFunctionOfDim(inner.back()))
        ++along;
    }
    return along > 0;
  }

private:
  void findAccesses() {
    for (GenericOp op : cluster.ops) {
      for (OpOperand &operand : op->getOpOperands())
        if (auto number = io.findInput(operand.get()))
          accesses.push_back({*number, cluster.getMap(operand)});
      op.getBlock()->walk([&](linalg::IndexOp index) {
        named.insert(cluster.loops.find(op)->second[index.getDim()]);
      });
    }
    for (auto [i, output] : llvm::enumerate(io.outputs)) {
      auto op = cast<GenericOp>(output.getOwner());
      accesses.push_back({io.numInputs + static_cast<unsigned>(i),
                          cluster.getMap(*op.getTiedOpOperand(output))});
    }
  }

  // The order of the widest output's dimensions, so that it is written in
  // order; dimensions that it lacks come first, or in front of inner ones.
  SmallVector<unsigned> getOrder() {
    AffineMap widest;
    for (const NumberedAccess &access : accesses)
      if (access.operand >= io.numInputs &&
          (!widest || access.map.getNumResults() > widest.getNumResults()))
        widest = access.map;
    SmallVector<unsigned> order;
    if (widest && !cluster.hasReductions())
      for (AffineExpr expr : widest.getResults())
        if (auto dim = dyn_cast<AffineDimExpr>(expr))
          order.push_back(dim.getPosition());
    SmallVector<unsigned> missing;
    for (unsigned dim = 0; dim < cluster.numDims; ++dim)
      if (!llvm::is_contained(order, dim))
        missing.push_back(dim);
    if (order.empty())
      return missing;
    missing.append(order);
    return missing;
  }

  // Joins `next` to the group that ends with `last`.
  bool canJoin(unsigned last, unsigned next,
               SmallVectorImpl<Condition> &needed) {
    if (!joined || named.contains(last) || named.contains(next))
      return false;
    for (const NumberedAccess &access : accesses) {
      bool hasLast = access.map.isFunctionOfDim(last);
      bool hasNext = access.map.isFunctionOfDim(next);
      if (!hasLast && !hasNext)
        continue;
      std::optional<unsigned> at = positionOf(access.map, last);
      if (!at || positionOf(access.map, next) != *at + 1 ||
          hasGaps(io.operands[access.operand], *at))
        return false;
      needed.push_back({ConditionKind::Collapsible, access.operand, *at});
    }
    return true;
  }

  // Where `dim` stands by itself and nowhere else.
  static std::optional<unsigned> positionOf(AffineMap map, unsigned dim) {
    std::optional<unsigned> found;
    for (auto [i, expr] : llvm::enumerate(map.getResults())) {
      if (!expr.isFunctionOfDim(dim))
        continue;
      if (found || !isa<AffineDimExpr>(expr))
        return std::nullopt;
      found = i;
    }
    return found;
  }

  SmallVector<DimGroup> group(ArrayRef<unsigned> dims,
                              SmallVectorImpl<Condition> &conditions) {
    SmallVector<DimGroup> groups;
    for (unsigned dim : dims) {
      SmallVector<Condition> needed;
      if (!groups.empty() && canJoin(groups.back().back(), dim, needed)) {
        groups.back().push_back(dim);
        conditions.append(needed);
      } else {
        groups.push_back({dim});
      }
    }
    return groups;
  }

  bool widen(Space &space) {
    unsigned along = space.inner.front().back();
    unsigned bytes = 16;
    SmallVector<NumberedAccess> wide;
    for (const NumberedAccess &access : accesses) {
      if (!access.map.isFunctionOfDim(along))
        continue;
      std::optional<unsigned> at = positionOf(access.map, along);
      if (!at)
        return false;
      if (*at + 1 == access.map.getNumResults())
        wide.push_back(access);
    }
    findWideGathers(along, wide);
    for (const NumberedAccess &access : wide)
      bytes = std::min(bytes, bytesOf(access.operand));
    space.lanes = std::min(16 / bytes, 8u);
    if (wide.empty() || space.lanes == 1)
      return false;
    for (const NumberedAccess &access : wide)
      demandWide(space, access);
    space.conditions.push_back(
        {ConditionKind::ExtentMultiple, space.innerMask(), space.lanes});
    return true;
  }

  unsigned bytesOf(unsigned operand) {
    Type memory = getMemoryType(getElementTypeOrSelf(io.operands[operand]));
    return std::max(memory.getIntOrFloatBitWidth() / 8, 1u);
  }

  // tensor.extract whose last index runs along the row.
  void findWideGathers(unsigned along, SmallVectorImpl<NumberedAccess> &wide) {
    for (GenericOp op : cluster.ops)
      op.getBlock()->walk([&](tensor::ExtractOp extract) {
        if (extract.getIndices().empty())
          return;
        auto index =
            extract.getIndices().back().getDefiningOp<linalg::IndexOp>();
        std::optional<unsigned> number = io.findInput(extract.getTensor());
        if (index && number &&
            cluster.loops.find(op)->second[index.getDim()] == along)
          wide.push_back({*number, AffineMap()});
      });
  }

  void demandWide(Space &space, const NumberedAccess &access) {
    auto type = cast<RankedTensorType>(io.operands[access.operand].getType());
    int64_t rank = type.getRank();
    int64_t bytes =
        std::min<int64_t>(16, space.lanes * bytesOf(access.operand));
    auto add = [&](Condition condition) {
      for (const Condition &known : space.conditions)
        if (known.kind == condition.kind && known.a == condition.a &&
            known.b == condition.b)
          return;
      space.conditions.push_back(condition);
    };
    add({ConditionKind::UnitStride, access.operand, rank - 1});
    add({ConditionKind::Aligned, access.operand, bytes});
    auto isWalkedAsOne = [&](int64_t dim) {
      if (!access.map)
        return false;
      auto expr = dyn_cast<AffineDimExpr>(access.map.getResult(dim));
      return expr &&
             llvm::is_contained(space.inner.front(), expr.getPosition());
    };
    for (int64_t dim = 0; dim + 1 < rank; ++dim)
      if (!isWalkedAsOne(dim))
        add({ConditionKind::StrideMultiple, access.operand, dim, space.lanes});
  }

  const Cluster &cluster;
  const KernelIO &io;
  bool joined;
  SmallVector<NumberedAccess> accesses;
  /// Dimensions whose positions the code asks for.
  DenseSet<unsigned> named;
};
} // namespace

Space dtensor::makePlainSpace(const Cluster &cluster, const KernelIO &io) {
  Space space;
  SmallVector<unsigned> rows, inner;
  SpaceBuilder(cluster, io).splitDims(rows, inner);
  for (unsigned dim : rows)
    space.rows.push_back({dim});
  for (unsigned dim : inner)
    space.inner.push_back({dim});
  return space;
}

std::optional<Space> dtensor::makeWideSpace(const Cluster &cluster,
                                            const KernelIO &io, bool joined) {
  return SpaceBuilder(cluster, io, joined).makeWide();
}

bool dtensor::prefersColumns(const Cluster &cluster, const KernelIO &io) {
  return SpaceBuilder(cluster, io).runsAlongRows();
}
