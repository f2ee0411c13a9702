//===- Extents.cpp - Which loops have equally many trips ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Extents.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;

ExtentClasses::ExtentClasses(Operation *root) {
  root->walk([&](linalg::LinalgOp op) { visit(op); });
}

unsigned ExtentClasses::find(unsigned id) {
  while (parents[id] != id)
    id = parents[id] = parents[parents[id]];
  return id;
}

void ExtentClasses::join(unsigned a, unsigned b) { parents[find(a)] = find(b); }

unsigned ExtentClasses::idOfSize(OpFoldResult size) {
  auto add = [&] {
    parents.push_back(parents.size());
    return parents.size() - 1;
  };
  if (std::optional<int64_t> constant = getConstantIntValue(size)) {
    auto [it, isNew] = constants.try_emplace(*constant, 0);
    if (isNew)
      it->second = add();
    return it->second;
  }
  Value value = cast<Value>(size);
  if (auto dim = value.getDefiningOp<tensor::DimOp>())
    if (std::optional<int64_t> index = dim.getConstantIndex())
      return idOf(dim.getSource(), *index);
  auto [it, isNew] = values.try_emplace(value, 0);
  if (isNew)
    it->second = add();
  return it->second;
}

unsigned ExtentClasses::idOf(Value tensor, unsigned dim) {
  auto [it, isNew] = dims.try_emplace({tensor, dim}, 0);
  if (!isNew)
    return it->second;
  auto type = cast<RankedTensorType>(tensor.getType());
  unsigned id = parents.size();
  parents.push_back(id);
  it->second = id;
  if (!type.isDynamicDim(dim)) {
    join(
        id,
        idOfSize(
            OpBuilder(tensor.getContext()).getIndexAttr(type.getDimSize(dim))));
  } else if (auto empty = tensor.getDefiningOp<tensor::EmptyOp>()) {
    join(id, idOfSize(empty.getMixedSizes()[dim]));
  } else if (auto slice = tensor.getDefiningOp<tensor::ExtractSliceOp>()) {
    SmallVector<OpFoldResult> sizes = slice.getMixedSizes();
    if (sizes.size() == static_cast<size_t>(type.getRank()))
      join(id, idOfSize(sizes[dim]));
  } else if (auto cast = tensor.getDefiningOp<tensor::CastOp>()) {
    if (isa<RankedTensorType>(cast.getSource().getType()))
      join(id, idOf(cast.getSource(), dim));
  } else if (auto op = tensor.getDefiningOp<DestinationStyleOpInterface>()) {
    join(id,
         idOf(op.getTiedOpOperand(llvm::cast<OpResult>(tensor))->get(), dim));
  }
  return id;
}

void ExtentClasses::visit(linalg::LinalgOp op) {
  DenseMap<unsigned, unsigned> loops;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (!loop)
        continue;
      unsigned id = idOf(operand.get(), dim);
      auto [it, isNew] = loops.try_emplace(loop.getPosition(), id);
      if (!isNew)
        join(id, it->second);
    }
  }
}

unsigned ExtentClasses::getClass(linalg::GenericOp op, unsigned loop) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [dim, expr] : llvm::enumerate(map.getResults()))
      if (auto position = dyn_cast<AffineDimExpr>(expr))
        if (position.getPosition() == loop)
          return find(idOf(operand.get(), dim));
  }
  llvm_unreachable("every loop of a linalg op is a dimension of an operand");
}
