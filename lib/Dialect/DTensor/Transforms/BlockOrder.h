//===- BlockOrder.h - the ops of a block, numbered --------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_TRANSFORMS_BLOCKORDER_H
#define DTENSOR_LIB_DIALECT_DTENSOR_TRANSFORMS_BLOCKORDER_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

namespace dtensor {

/// What a block has where, as long as it does not change.
struct BlockOrder {
  explicit BlockOrder(mlir::Block &block) {
    for (auto [i, op] : llvm::enumerate(block)) {
      ops.push_back(&op);
      positions[&op] = i;
    }
  }

  llvm::SmallVector<mlir::Operation *> ops;
  llvm::DenseMap<mlir::Operation *, unsigned> positions;
};

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_TRANSFORMS_BLOCKORDER_H
