//===- BodyEmitter.cpp - Scalar code of linalg ops in kernels -------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is the same in all lanes is computed once. A branch on such a value
// stays one branch, so that the reads in it stay wide: a gathered row is read
// like any other.
//
//===----------------------------------------------------------------------===//

#include "BodyEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace dtensor;

Lanes BodyEmitter::lookup(Value value) {
  auto it = values.find(value);
  if (it != values.end())
    return it->second;
  return Lanes(memory.getScalar(value));
}

Lanes BodyEmitter::pickLane(const Lanes &all, unsigned lane) {
  if (!all.iota || all.values.size() > 1)
    return Lanes(all.get(lane));
  return Lanes(memory.add(all.get(0), memory.index(lane)));
}

void BodyEmitter::emit(Block &body, ArrayRef<Operation *> skipped) {
  for (Operation &op : body.without_terminator())
    if (!llvm::is_contained(skipped, &op))
      emitOp(op);
}

void BodyEmitter::emitOp(Operation &op) {
  if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    values[index.getResult()] = positions[index.getDim()];
    return;
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(op))
    return emitExtract(extract);
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return emitSize(dim);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    if (lookup(branch.getCondition()).isUniform() && branch.getNumResults())
      return emitIf(branch);
  emitPerLane(op);
}

void BodyEmitter::emitSize(tensor::DimOp op) {
  unsigned operand = *memory.findInput(op.getSource());
  int64_t dim = op.getConstantIndex().value_or(0);
  values[op.getResult()] =
      Lanes(memory.getParam({ParamKind::Size, operand, dim}));
}

void BodyEmitter::emitExtract(tensor::ExtractOp op) {
  unsigned operand = *memory.findInput(op.getTensor());
  SmallVector<Lanes> indices;
  bool regular = true;
  for (auto [dim, value] : llvm::enumerate(op.getIndices())) {
    indices.push_back(lookup(value));
    bool isLast = dim + 1 == op.getIndices().size();
    regular &= indices.back().isUniform() ||
               (isLast && indices.back().iota && memory.mayReadWide(operand));
  }
  if (regular) {
    values[op.getResult()] = memory.load(operand, indices);
    return;
  }
  Lanes result;
  for (unsigned lane = 0; lane < memory.getNumLanes(); ++lane) {
    SmallVector<Lanes> one;
    for (const Lanes &position : indices)
      one.push_back(pickLane(position, lane));
    result.values.push_back(memory.load(operand, one).get(0));
  }
  values[op.getResult()] = result;
}

// Results of all lanes leave the branch together.
void BodyEmitter::emitIf(scf::IfOp op) {
  Location loc = memory.getLoc();
  unsigned lanes = memory.getNumLanes();
  SmallVector<Type> types;
  for (Type type : op.getResultTypes())
    types.append(lanes, type);
  auto branch =
      scf::IfOp::create(builder, loc, types, lookup(op.getCondition()).get(0),
                        /*withElseRegion=*/true);
  for (auto [from, to] : {std::pair(op.thenBlock(), branch.thenBlock()),
                          std::pair(op.elseBlock(), branch.elseBlock())}) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(to);
    emit(*from);
    SmallVector<Value> yielded;
    for (Value value : from->getTerminator()->getOperands()) {
      Lanes all = lookup(value);
      for (unsigned lane = 0; lane < lanes; ++lane)
        yielded.push_back(pickLane(all, lane).get(0));
    }
    scf::YieldOp::create(builder, loc, yielded);
  }
  for (auto [i, result] : llvm::enumerate(op.getResults())) {
    Lanes all;
    llvm::append_range(all.values, branch.getResults().slice(i * lanes, lanes));
    values[result] = all;
  }
}

void BodyEmitter::emitPerLane(Operation &op) {
  bool uniform = true;
  op.walk([&](Operation *inner) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      uniform &= positions[index.getDim()].isUniform();
    for (Value operand : inner->getOperands())
      if (auto it = values.find(operand); it != values.end())
        uniform &= it->second.isUniform();
  });
  unsigned count = uniform ? 1 : memory.getNumLanes();
  SmallVector<Lanes> results(op.getNumResults());
  for (unsigned lane = 0; lane < count; ++lane)
    for (auto [result, value] : llvm::zip(results, cloneForLane(op, lane)))
      result.values.push_back(value);
  for (auto [from, to] : llvm::zip(op.getResults(), results))
    values[from] = to;
  // A cast of an iota is one: neighbouring columns of a gathered row.
  if (isa<arith::IndexCastOp>(op) && lookup(op.getOperand(0)).iota)
    values[op.getResult(0)].iota = true;
}

SmallVector<Value> BodyEmitter::cloneForLane(Operation &op, unsigned lane) {
  IRMapping mapping;
  op.walk([&](Operation *inner) {
    for (Value operand : inner->getOperands()) {
      if (mapping.contains(operand) || isa<TensorType>(operand.getType()))
        continue;
      auto it = values.find(operand);
      if (it != values.end())
        mapping.map(operand, pickLane(it->second, lane).get(0));
      else if (!op.isAncestor(operand.getParentRegion()->getParentOp()))
        mapping.map(operand, memory.getScalar(operand));
    }
  });
  Operation *clone = builder.clone(op, mapping);
  if (op.getNumRegions() == 0)
    return SmallVector<Value>(clone->getResults());
  SmallVector<Operation *> special;
  clone->walk([&](Operation *inner) {
    if (isa<linalg::IndexOp, tensor::ExtractOp, tensor::DimOp>(inner))
      special.push_back(inner);
  });
  for (Operation *inner : special) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(inner);
    Value value;
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      value = pickLane(positions[index.getDim()], lane).get(0);
    } else if (auto dim = dyn_cast<tensor::DimOp>(inner)) {
      value =
          memory.getParam({ParamKind::Size, *memory.findInput(dim.getSource()),
                           dim.getConstantIndex().value_or(0)});
    } else {
      auto extract = cast<tensor::ExtractOp>(inner);
      SmallVector<Lanes> indices(extract.getIndices().begin(),
                                 extract.getIndices().end());
      value =
          memory.load(*memory.findInput(extract.getTensor()), indices).get(0);
    }
    inner->getResult(0).replaceAllUsesWith(value);
    inner->erase();
  }
  return SmallVector<Value>(clone->getResults());
}
