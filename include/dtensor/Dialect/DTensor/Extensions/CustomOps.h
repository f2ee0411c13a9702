//===- CustomOps.h - ops that are told at run time --------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A host without classes of MLIR tells by functions what an op of its own is.
// A host that has classes attaches the interfaces to them and needs none of
// this.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_EXTENSIONS_CUSTOMOPS_H
#define DTENSOR_DIALECT_DTENSOR_EXTENSIONS_CUSTOMOPS_H

#include "dtensor/Interfaces/Interfaces.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <string>

namespace dtensor {

/// An op without regions or successors. Its operands may be tensors of known
/// rank and scalars, its results are tensors of known rank. Both functions are
/// pure: the same op gives the same answer, on whatever thread it is asked.
struct CustomOp {
  /// "dialect.op". The dialect is one that nobody else has.
  std::string name;

  /// The rule for operands of these extents; an empty list for a scalar. An
  /// extent of a result is the product of the sizes of its factors. Fails
  /// after an error at the op.
  std::function<mlir::FailureOr<ShardingRule>(
      mlir::Operation *op,
      llvm::ArrayRef<llvm::SmallVector<Expr>> operandExtents)>
      getRule;

  /// The op on local tensors of these types, as a module with one function of
  /// one block; its body takes the op's place. Null after an error at the op.
  /// Not set: the local view has the op itself.
  std::function<mlir::OwningOpRef<mlir::ModuleOp>(
      mlir::Operation *op, mlir::TypeRange operands, mlir::TypeRange results)>
      lower;
};

/// Makes the op known to `context`. On an error says in `error` what is wrong
/// with the name, or that it is taken.
llvm::LogicalResult registerCustomOp(mlir::MLIRContext *context,
                                     CustomOp customOp, std::string &error);

/// The op's definition; null for all other ops.
const CustomOp *getCustomOp(mlir::Operation *op);

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_EXTENSIONS_CUSTOMOPS_H
