//===- ExplainMovement.h - one redistribute in words ------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_ANALYSIS_EXPLAINMOVEMENT_H
#define DTENSOR_LIB_ANALYSIS_EXPLAINMOVEMENT_H

#include "dtensor/Analysis/Explain.h"
#include "dtensor/Dialect/DTensor/IR/Bytes.h"

namespace dtensor {

/// `[shard(0), replicate]`, with the order where it is not the default.
std::string describePlacements(const Layout &layout);

/// What the steps of a plan are in words.
std::string describeSteps(const Mesh &mesh, llvm::ArrayRef<Step> steps);

/// Prices the strategies of one op on one mesh axis, all other axes and all
/// other ops as they are:
///
///   time(s) = op(s) + sum over operands of move(source, wanted by s)
///           + sum over distinct wishes w for results of move(given by s, w)
///
/// where the source of an operand is what it was before any redistribute.
class OpPricing {
public:
  OpPricing(mlir::Operation *op, ShardingRule rule, const Mesh &mesh,
            const Facts &facts);

  /// What the op does on `axis` now; nullopt if no strategy looks like it.
  std::optional<Strategy> chosen(unsigned axis) const;
  /// `sharded along its reduction of extent 64`.
  std::string describe(const Strategy &strategy) const;
  /// Appends the legal strategies beside the chosen one, cheapest first.
  void addRejected(unsigned axis,
                   llvm::SmallVectorImpl<RejectedWay> &rejected) const;

private:
  llvm::SmallVector<Placement> current(mlir::ValueRange values,
                                       unsigned axis) const;
  bool isLegal(unsigned axis, const Strategy &strategy) const;
  double opTime(unsigned axis, const Strategy &strategy) const;
  double time(unsigned axis, const Strategy &strategy) const;
  double move(mlir::Value value, unsigned axis, const Placement &from,
              const Placement &to) const;
  /// Bytes of a tensor as all axes but `axis` leave it.
  double wholeBytes(mlir::Value value, unsigned axis) const;
  std::string describeFactor(unsigned factor) const;

  mlir::Operation *op;
  ShardingRule rule;
  const Mesh &mesh;
  const Facts &facts;
  CostModel model;
};

/// Explains the redistributes of one function; equal plans are made once.
class MovementExplainer {
public:
  MovementExplainer(mlir::func::FuncOp func, MeshAttr mesh, const Facts &facts)
      : func(func), mesh(mesh), facts(facts) {}

  /// nullopt where no plan is legal.
  std::optional<Movement> explain(RedistributeOp op);

  /// `linear at a.mlir:7:8 gives [partial(sum)]: it runs ...`
  std::string describeChoice(mlir::Value value);

private:
  struct Planned {
    std::optional<Plan> plan;
    llvm::SmallVector<RejectedWay, 2> others;
  };
  using Question =
      std::pair<std::pair<mlir::Attribute, mlir::Attribute>, unsigned>;

  const Planned &lookup(RedistributeOp op);
  std::optional<Plan> makePlan(const Layout &from, const Layout &to,
                               unsigned elementBytes);
  void findOthers(const Layout &from, const Layout &to, unsigned elementBytes,
                  Planned &planned);
  void timeSteps(Plan &plan, const Layout &from, unsigned elementBytes);
  std::string describeGiven(mlir::Value value);
  std::string describeWanted(mlir::OpOperand &use,
                             llvm::ArrayRef<unsigned> axes);
  std::string describeStrategies(mlir::Operation *op,
                                 llvm::ArrayRef<unsigned> axes);
  std::string describeReason(mlir::OpOperand &use,
                             llvm::ArrayRef<unsigned> axes);
  void describeUsers(Movement &movement, llvm::ArrayRef<unsigned> axes);
  const OpPricing *getPricing(mlir::Operation *op);
  bool isStated(RedistributeOp op);

  mlir::func::FuncOp func;
  MeshAttr mesh;
  const Facts &facts;
  CostModel model;
  llvm::DenseMap<Question, Planned> known;
  llvm::DenseMap<mlir::Operation *, std::unique_ptr<OpPricing>> pricings;
};

} // namespace dtensor

#endif // DTENSOR_LIB_ANALYSIS_EXPLAINMOVEMENT_H
