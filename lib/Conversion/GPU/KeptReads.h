//===- KeptReads.h - What all rows of a cluster share -----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A cluster walks over many rows, and every one of them is multiplied by the
// same weight. A thread puts its part of it into shared memory once, in front
// of the walk, as it lies in memory. Nobody else reads that part: no barrier is
// needed, no register is held, and no row waits for the second-level cache.
//
//   thread t, place c: slot c * kClusterThreads + t
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_KEPTREADS_H
#define DTENSOR_LIB_CONVERSION_GPU_KEPTREADS_H

#include "ThreadLayout.h"

namespace dtensor {

class KeptReads {
public:
  KeptReads(KernelMemory &memory, ThreadLayout &layout,
            mlir::gpu::GPUFuncOp kernel)
      : memory(memory), layout(layout), kernel(kernel) {}

  /// Reads `access` to input number `operand` into shared memory, unless it
  /// differs from row to row: at the first of `places`, all if there is room.
  void keep(const Access &access, unsigned operand,
            llvm::ArrayRef<Place> places);
  bool has(const Access &access) const;
  /// What was kept of `access` for place number `number`, if it was.
  std::optional<Lanes> load(const Access &access, unsigned number);

private:
  struct Kept {
    Access access;
    mlir::Value buffer;
    unsigned count;
  };
  mlir::Value getSlot(unsigned number);

  KernelMemory &memory;
  ThreadLayout &layout;
  mlir::gpu::GPUFuncOp kernel;
  llvm::SmallVector<Kept> all;
  int64_t bytes = 0;
};

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_KEPTREADS_H
