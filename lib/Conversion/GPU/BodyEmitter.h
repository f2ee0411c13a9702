//===- BodyEmitter.h - Scalar code of linalg ops in kernels -----*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_BODYEMITTER_H
#define DTENSOR_LIB_CONVERSION_GPU_BODYEMITTER_H

#include "KernelMemory.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace dtensor {

/// Writes the body of a linalg.generic for all lanes of one place.
class BodyEmitter {
public:
  using Values = llvm::DenseMap<mlir::Value, Lanes>;

  /// `positions` are those of the op's loops.
  BodyEmitter(KernelMemory &memory, llvm::ArrayRef<Lanes> positions)
      : memory(memory), builder(memory.getBuilder()), positions(positions) {}

  void map(mlir::Value value, const Lanes &lanes) { values[value] = lanes; }
  /// Every op of the body but the terminator and `skipped`.
  void emit(mlir::Block &body, llvm::ArrayRef<mlir::Operation *> skipped = {});
  Lanes lookup(mlir::Value value);

private:
  void emitOp(mlir::Operation &op);
  void emitExtract(mlir::tensor::ExtractOp op);
  void emitIf(mlir::scf::IfOp op);
  void emitPerLane(mlir::Operation &op);
  void emitSize(mlir::tensor::DimOp op);
  /// Lane `lane` of `op`, which may have regions.
  llvm::SmallVector<mlir::Value> cloneForLane(mlir::Operation &op,
                                              unsigned lane);
  Lanes pickLane(const Lanes &all, unsigned lane);

  KernelMemory &memory;
  mlir::OpBuilder &builder;
  llvm::SmallVector<Lanes> positions;
  Values values;
};

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_BODYEMITTER_H
