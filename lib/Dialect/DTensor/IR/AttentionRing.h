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

/// The local form of an attention whose keys are sharded as its queries are.
/// Fails after an error at `op`.
llvm::FailureOr<mlir::Value> buildRing(AttentionOp op, mlir::OpBuilder &builder,
                                       mlir::ValueRange operands,
                                       PartitionContext &context);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_ATTENTIONRING_H
