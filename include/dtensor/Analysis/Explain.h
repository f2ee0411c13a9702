//===- Explain.h - why a program moves what it moves ------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads a program after `plan` and says for every redistribute who gives the
// value, who wants it otherwise and why, what it moves, and what the ways not
// taken would have cost. Nothing of this is stored in the IR: a rejected way
// is priced again from the op's rule, the layouts around it and the CostModel.
//
// Bytes are those that one rank sends, as a formula and at the hints; times are
// microseconds at the hints. What a loop repeats counts once.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ANALYSIS_EXPLAIN_H
#define DTENSOR_ANALYSIS_EXPLAIN_H

#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <vector>

namespace dtensor {

/// A way that was not taken. `instead` is the time of the way that was, when
/// measured the same: of the whole plan for another plan, of the op and the
/// movement around it for another strategy of an op.
struct RejectedWay {
  std::string what;
  double time = 0, instead = 0;
  /// Null for a strategy.
  Expr bytes;
};

/// One redistribute.
struct Movement {
  explicit Movement(RedistributeOp op) : op(op), where(op.getLoc()) {}

  RedistributeOp op;
  /// The steps that the op's plan has, else those that planning gives it; with
  /// times.
  Plan plan;
  /// The first user, or the place that states the placement.
  mlir::Location where;
  /// `linear at a.mlir:7:8 gives [partial(sum)]`.
  std::string given;
  /// `return at a.mlir:9:3 wants [replicate]: result 0 of @f`; one per user,
  /// or the one place that states the placement.
  llvm::SmallVector<std::string, 1> wanted;
  /// Cheapest first: other plans, then other strategies of the ops around.
  llvm::SmallVector<RejectedWay, 4> rejected;
  bool inLoop = false;
  /// Those of one bucket are one collective.
  std::optional<int64_t> bucket;

  /// `all_gather dim 0 over "tp", then ...`; `nothing moves` without steps.
  std::string describeSteps() const;
};

/// What one rank holds of a tensor and when: at the positions birth..death of
/// the function's ops in order of execution. Arguments live throughout.
struct Lifetime {
  mlir::Value value;
  /// 0 for a value that is another one under a new name.
  Expr bytes;
  unsigned birth = 0, death = 0;
};

struct FunctionReport {
  mlir::func::FuncOp func;
  MeshAttr mesh;
  Facts facts;
  std::vector<Movement> movements;
  std::vector<Lifetime> lifetimes;
  unsigned numPositions = 0;
  /// With those of called functions, every call once.
  unsigned collectives = 0;
  Expr bytes;
  double time = 0;
  /// The sum of what is live where it is largest at the hints. Called functions
  /// and the buffers of a collective come on top, fused ops need less.
  Expr peak;

  const Mesh &getMesh() const { return mesh.getMesh(); }
};

/// One report per function that has a mesh and a body, in order. Redistributes
/// without a legal plan are left out.
std::vector<FunctionReport> explain(mlir::Operation *root);

/// Why `value`, of a function after `plan`, is placed as it is: who gives it
/// and what that op does on each mesh axis, then a line per redistribute of it.
/// Empty without a layout.
std::vector<std::string> explainValue(mlir::Value value);

/// A summary of each function, then a paragraph per redistribute.
void printExplanation(llvm::ArrayRef<FunctionReport> reports,
                      llvm::raw_ostream &os);

/// One self-contained HTML page: the graph, every movement with its bytes as a
/// function of symbols and mesh, memory over time, and the shards of arguments
/// and results. The formulas are in it as trees and evaluated by the page.
void printExplanationPage(llvm::ArrayRef<FunctionReport> reports,
                          llvm::StringRef title, llvm::raw_ostream &os);

/// `relu at a.mlir:8:8`: the label of a generic, else the op's name.
std::string describeOp(mlir::Operation *op);
std::string describeLocation(mlir::Location loc);
/// `96 bytes`, `4*B bytes, 512 at B = 128`.
std::string describeBytes(Expr bytes, const Facts &facts);

} // namespace dtensor

#endif // DTENSOR_ANALYSIS_EXPLAIN_H
