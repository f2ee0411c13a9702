//===- PropagationGraph.h - a function as a placement problem ---*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One value of the problem per tensor, one node per op. Where control flow
// gives a value several sources (the branches of an `if`, the operand and the
// yield of a loop) a Join node makes them agree, as for `agree`; where a
// placement is stated (return, call, constraint, redistribute) a Pin node asks
// for it.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_TRANSFORMS_PROPAGATIONGRAPH_H
#define DTENSOR_DIALECT_DTENSOR_TRANSFORMS_PROPAGATIONGRAPH_H

#include "NestingOrders.h"
#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "dtensor/Sharding/Propagation.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

namespace dtensor {

class PropagationGraph {
public:
  PropagationGraph(mlir::func::FuncOp func, MeshAttr mesh);

  /// Fails after an error at the op that cannot take part. `signature` gives
  /// the decided type of a called function.
  llvm::LogicalResult
  build(llvm::function_ref<mlir::FunctionType(CallOp)> signature);
  void solve(const PropagationWeights &weights);

  /// The decided layout of a value, in its own extents.
  LayoutAttr getLayout(mlir::Value value) const;
  /// What an op wants of an operand; null where it takes what it gets.
  LayoutAttr getWanted(mlir::OpOperand &operand) const;
  /// How an op gives its result before any redistribution of it.
  LayoutAttr getGiven(mlir::OpResult result) const;
  /// The decided layout of a result of the function.
  LayoutAttr getFunctionResult(unsigned index) const;

private:
  llvm::LogicalResult addBlock(mlir::Block &block);
  llvm::LogicalResult addOp(mlir::Operation *op);
  llvm::LogicalResult addCompute(mlir::Operation *op);
  llvm::LogicalResult addRegionOp(mlir::RegionBranchOpInterface op);
  llvm::LogicalResult addCall(CallOp call);
  void addPin(mlir::OpOperand &operand, int result, LayoutAttr pinned,
              unsigned priority = 0);
  void addAgree(AgreeOp op);
  void addReturn(mlir::func::ReturnOp op);
  unsigned addJoin(llvm::ArrayRef<mlir::OpOperand *> sources,
                   llvm::ArrayRef<mlir::Value> targets, bool onTrail);
  /// The problem's value of a tensor with a layout, -1 of anything else.
  int valueOf(mlir::Value value);
  unsigned addNode(PropagationNode node, bool onTrail = true);
  static LayoutAttr layoutOf(mlir::Type type,
                             const PropagationSolution::Placements &placements,
                             llvm::ArrayRef<unsigned> order);

  mutable mlir::func::FuncOp func;
  MeshAttr mesh;
  PropagationProblem problem;
  PropagationSolution solution;
  NestingOrders orders;
  llvm::DenseMap<mlir::Value, unsigned> values;
  /// Which operand of which node an operand of an op is.
  llvm::DenseMap<mlir::OpOperand *, std::pair<unsigned, unsigned>> uses;
  llvm::DenseMap<mlir::Value, std::pair<unsigned, unsigned>> producers;
  /// The problem's value of each result of the function, -1 if no tensor.
  llvm::SmallVector<int> functionResults;
  llvm::function_ref<mlir::FunctionType(CallOp)> signature;
};

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_TRANSFORMS_PROPAGATIONGRAPH_H
