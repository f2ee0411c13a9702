//===- ChannelMethods.h - the methods of norms of channels ------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_CHANNELMETHODS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_CHANNELMETHODS_H

#include "BackwardMethods.h"

namespace dtensor {

DTENSOR_COMPOSITE_METHODS(ChannelNorm);

/// The channels of one group.
Expr groupWidth(Expr channels, Expr groups);

/// There are channels, in dimension 1.
llvm::LogicalResult checkChannels(mlir::Operation *op,
                                  llvm::ArrayRef<Expr> input);

/// The channels of `input` may be that many equal groups.
llvm::LogicalResult checkGroups(mlir::Operation *op, llvm::ArrayRef<Expr> input,
                                int64_t groups, const Facts &facts);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_CHANNELMETHODS_H
