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
// A cluster of B blocks walks over rows, number n of N takes the rows n, n + N,
// ...; block b has a share of ceil(ceil(inner / V) / B) neighbouring V, from s
// on, and there
//
//   r = (s + c * T + t) * V ... r + V - 1
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
  /// The rows of a cluster: from, to, step.
  llvm::SmallVector<mlir::Value, 3> getRows();
  /// Computes places anew from now on. What is the same in every row would
  /// otherwise be kept in registers all the time.
  void forgetThread();
  /// Takes back at the end of a region what was forgotten there.
  class Saved {
  public:
    explicit Saved(ThreadLayout &layout)
        : layout(layout), thread(layout.thread) {}
    ~Saved() { layout.thread = thread; }

  private:
    ThreadLayout &layout;
    mlir::Value thread;
  };
  /// Places are those of row number `number` from now on.
  void enterRow(mlir::Value number, unsigned numDims);

  /// What depends on the row alone.
  Place rowPlace;
  /// Those that a thread keeps, one for each chunk.
  std::vector<Place> createPlaces();
  /// Those of a step of a walk over the row, from element number `first` on,
  /// which exists.
  std::vector<Place> createPlaces(mlir::Value first);

  /// The positions of an operand's elements there, read through `map`.
  llvm::SmallVector<Lanes> getIndices(mlir::AffineMap map, const Place &place);
  /// True if `map` gives the same element everywhere in a row.
  bool isOfRow(mlir::AffineMap map) const;
  /// True if `map` gives the same elements in every row.
  bool isOfAllRows(mlir::AffineMap map) const;

  /// The numbers of first elements for a walk over the row, `chunks` places in
  /// a step.
  mlir::Value getStart();
  mlir::Value getEnd() { return innerExtent; }
  mlir::Value getStep();

  /// Threads of a row (i32), of one block.
  mlir::Value getThreads() { return threads; }
  /// This one's number among them.
  mlir::Value getThread() { return thread; }
  /// Null: every thread has one.
  mlir::Value hasRow() { return active; }
  /// True in one thread of all that share the row.
  mlir::Value isFirstOfRow();

private:
  mlir::Value i32(int64_t value);
  mlir::Value toI32(mlir::Value value);
  mlir::Value toIndex(mlir::Value value);
  mlir::Value getRowCount();
  Place createPlace(mlir::Value first);
  Place createPlace(mlir::Value first, mlir::Value exists);
  void readInnerExtent();
  void locateShare();
  void placeRow(mlir::Value number, unsigned numDims);

  KernelMemory &memory;
  const Space &space;
  const Schedule &schedule;
  mlir::OpBuilder &builder = memory.getBuilder();
  mlir::Location loc = memory.getLoc();
  mlir::Value thread, threads, row, chunk, active, innerExtent;
  /// Of a block of a cluster: its number there, first and last vectors.
  mlir::Value part, shareBegin, shareEnd;
};

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_THREADLAYOUT_H
