//===- AttentionRing.h - keys and values go round ---------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_ATTENTIONRING_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_ATTENTIONRING_H

#include "dtensor/Dialect/DTensor/IR/NNOps.h"

namespace dtensor {

/// The pieces of a sequence that go round: in step i rank r has piece
/// (r + i) mod n of what `keys` is cut into along one mesh axis.
class RingPieces {
public:
  struct Piece {
    mlir::Value begin, size;
  };

  RingPieces(mlir::Operation *op, mlir::Value keys, unsigned axis,
             mlir::OpBuilder &builder, PartitionContext &context);

  /// What this rank has in a step.
  Piece at(mlir::Value step);
  /// Pieces have different sizes.
  mlir::Value open(mlir::Value local);
  /// What the neighbour has, `size` rows of it.
  mlir::Value pass(mlir::Value local, mlir::Value size);
  /// Of this rank's part of `query` and all keys; `diagonal` is that of all
  /// queries, the last one's at the last key if it is null.
  mlir::Value diagonal(mlir::Value query, mlir::Value diagonal);
  /// The same of the keys from `begin` on; null of null.
  mlir::Value diagonalAt(mlir::Value diagonal, mlir::Value begin);

  mlir::Value ranks, zero, one;

private:
  mlir::Value value(Expr expr);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  PartitionContext &context;
  LayoutAttr layout;
  unsigned axis, dim;
  mlir::Value keys, capacity, rank, next;
};

/// The local form of an attention whose keys are sharded as its queries are.
/// Fails after an error at `op`.
llvm::FailureOr<mlir::Value> buildRing(AttentionOp op, mlir::OpBuilder &builder,
                                       mlir::ValueRange operands,
                                       PartitionContext &context);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_ATTENTIONRING_H
