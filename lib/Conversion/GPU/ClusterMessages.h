//===- ClusterMessages.h - Words between blocks -----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every block sends its number to all blocks of its cluster. A message writes
// into the receiver's shared memory and counts there, in a barrier that the
// receiver waits at: nobody waits for a block that is only slow to read, as all
// would at a barrier of the cluster.
//
// Rows take turns with two sets of slots. Who sends for a row has the numbers
// of the row before from every block, which therefore has read the row before
// that.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_CLUSTERMESSAGES_H
#define DTENSOR_LIB_CONVERSION_GPU_CLUSTERMESSAGES_H

#include "KernelMemory.h"

namespace dtensor {

class ClusterMessages {
public:
  ClusterMessages(KernelMemory &memory, mlir::gpu::GPUFuncOp kernel)
      : memory(memory), builder(memory.getBuilder()), kernel(kernel) {}

  /// First of all in a kernel; nothing may be sent before `finishStart`.
  void start();
  void finishStart();
  /// The number of the row in this block's walk (i32): 0, 1, ...
  void setTurn(mlir::Value value) { turn = value; }

  /// For clusters of more than one block. `word` of 32 or 64 bits is the same
  /// in the first threads of a block. The words of all blocks; beyond the size
  /// of the cluster something else.
  llvm::SmallVector<mlir::Value> exchange(mlir::Value word);
  /// Where this row's of two sets of `count` slots begins (i32).
  mlir::Value getSide(int64_t count);
  /// Blocks of the cluster (i32).
  mlir::Value getSize();

private:
  mlir::Value i32(int64_t value);
  mlir::Value toI32(mlir::Value value);
  mlir::Value isFirstThread();
  mlir::Value createBarriers();
  void send(mlir::Value word, mlir::Value slot, mlir::Value barrier);
  void expect(mlir::Value barrier, int64_t bytes);
  void wait(mlir::Value barrier);
  void emitAsm(mlir::ValueRange operands, llvm::StringRef text,
               llvm::StringRef constraints);
  mlir::Value address(mlir::Value buffer, mlir::Value slot);

  KernelMemory &memory;
  mlir::OpBuilder &builder;
  mlir::gpu::GPUFuncOp kernel;
  mlir::Value turn;
  /// Where one thread makes barriers.
  mlir::Block *making = nullptr;
};

/// Shared memory of a block for `count` elements.
mlir::Value addShared(mlir::gpu::GPUFuncOp kernel, mlir::Type type,
                      int64_t count);

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_CLUSTERMESSAGES_H
