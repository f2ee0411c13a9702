//===- ThreadLayout.h - Where the threads of a kernel work ------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Thread t of the T that share a row takes, in chunk c of V lanes, the elements
//
//   r = ((block * chunks + c) * T + t) * V ... r + V - 1
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_THREADLAYOUT_H
#define DTENSOR_LIB_CONVERSION_GPU_THREADLAYOUT_H

#include "KernelBuilder.h"

namespace dtensor {

/// Some lanes of a row and what is known there.
struct Place {
  /// Those of the row's first lanes where the place does not exist: reading
  /// needs no branch, only storing and summing do.
  llvm::SmallVector<Lanes> positions;
  /// Null: the place exists for sure.
  mlir::Value predicate;
  llvm::DenseMap<mlir::Value, Lanes> values;
  llvm::SmallVector<std::pair<Access, Lanes>> loads;
};

class ThreadLayout {
public:
  ThreadLayout(KernelMemory &memory, const Space &space,
               const Schedule &schedule)
      : memory(memory), space(space), schedule(schedule) {}

  void locateThread();
  /// A thread without a row works on row 0 and stores nothing: barriers need
  /// it.
  void locateRow(unsigned numDims);

  /// What depends on the row alone.
  Place rowPlace;
  /// Those that a thread keeps, one for each chunk.
  std::vector<Place> createPlaces();
  /// The place whose first element has the number `first` within its row.
  Place createPlace(mlir::Value first);

  /// The numbers of first elements for a walk over the row.
  mlir::Value getStart();
  mlir::Value getEnd() { return innerExtent; }
  mlir::Value getStep();

  /// Threads of a row (i32), of one block.
  mlir::Value getThreads() { return threads; }
  mlir::Value hasRow() { return active; }
  /// True in one thread of all that share the row.
  mlir::Value isFirstOfRow();

private:
  mlir::Value i32(int64_t value);
  mlir::Value toI32(mlir::Value value);
  mlir::Value toIndex(mlir::Value value);
  mlir::Value totalThreads();

  KernelMemory &memory;
  const Space &space;
  const Schedule &schedule;
  mlir::OpBuilder &builder = memory.getBuilder();
  mlir::Location loc = memory.getLoc();
  mlir::Value thread, threads, row, chunk, active, innerExtent;
};

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_THREADLAYOUT_H
