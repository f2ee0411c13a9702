//===- ClassLoss.h - what losses of classes and gradients share -*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_CLASSLOSS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_CLASSLOSS_H

#include "NNBuilder.h"

namespace dtensor {

/// "none", "mean" or "sum".
llvm::StringRef getReduction(mlir::Operation *op);

/// An attribute that is a number.
double getNumber(mlir::Operation *op, llvm::StringRef name);

/// `reduction` is one of the three.
llvm::LogicalResult checkReduction(mlir::Operation *op);

/// `value` is of the float type that the op's result has.
llvm::LogicalResult checkFloat(mlir::Operation *op, mlir::Value value,
                               llvm::StringRef what);

/// Input, target and, if there is one, weight of a loss of classes go together;
/// errors at `op`.
llvm::LogicalResult checkClasses(mlir::Operation *op,
                                 llvm::ArrayRef<ExtentList> operands,
                                 const Facts &facts);

/// The types of `classes`: input, target and, if there is one, weight, and what
/// holds for any composite op.
llvm::LogicalResult verifyClasses(mlir::Operation *op,
                                  mlir::ValueRange classes);

/// m = max_c x_c and sum_c exp(x_c - m).
struct MaxAndSum {
  mlir::Value maximum, sum;
};

/// m and log(sum_c exp(x_c - m)); their sum is l.
struct LogSumExp {
  mlir::Value maximum, log;
};

/// One class loss being decomposed; `operands` are input, target and, if there
/// is one, weight. Tensors without classes have the loops of the target.
struct ClassLoss {
  mlir::Operation *op;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  NNBuilder nn;
  mlir::Value input, target, weight;
  unsigned classDim;
  mlir::Type wide;

  ClassLoss(mlir::Operation *op, mlir::OpBuilder &builder,
            mlir::ValueRange operands)
      : op(op), builder(builder), loc(op->getLoc()),
        nn(op, builder, operands[0],
           [&](unsigned dim) { return dim == getDim(operands[0]); }),
        input(operands[0]), target(operands[1]),
        weight(operands.size() > 2 ? operands[2] : mlir::Value()),
        classDim(getDim(operands[0])), wide(nn.accumulator) {}

  static unsigned getDim(mlir::Value input);

  mlir::Type targetType(mlir::Type element) {
    return openType(input.getType(), element, getExtents(target));
  }
  unsigned rank() { return nn.kept.size(); }

  /// A loop nest over the target; all inputs have its shape.
  mlir::Value map(llvm::StringRef label, mlir::ValueRange inputs,
                  mlir::Type type, ScalarBody body) {
    return nn.finish(label, inputs, type, body);
  }

  mlir::Value pick();
  mlir::Value pickWeight();
  MaxAndSum maxAndSum();
  LogSumExp logSumExp();
  mlir::Value smooth(LogSumExp lse);
  mlir::Value element(std::optional<LogSumExp> lse, mlir::Value weights,
                      mlir::Type type);
  mlir::Value isCounted(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value targetScalar);
  mlir::Value denominator(mlir::Value weights);
};

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_CLASSLOSS_H
