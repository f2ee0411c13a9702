//===- RowFetch.h - The next row of a cluster -------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// While a row is reduced, blocks wait for each other and memory would idle. So
// the reads of the next row are under way meanwhile, into registers of their
// own, packed as they lie in memory:
//
//   next = start(row 0)
//   for each row:  give(next) to its places, next = start(next row), compute
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_ROWFETCH_H
#define DTENSOR_LIB_CONVERSION_GPU_ROWFETCH_H

#include "ThreadLayout.h"

namespace dtensor {

class RowFetch {
public:
  RowFetch(KernelMemory &memory, ThreadLayout &layout)
      : memory(memory), layout(layout) {}

  /// Wants `access` to input number `operand` for every row; one that takes
  /// more than a read at a place stays with its reader.
  void add(const Access &access, unsigned operand, const Place &place);

  /// Begins to read for the row that `layout` is at.
  llvm::SmallVector<mlir::Value> start(llvm::ArrayRef<Place> places);
  /// What `start` gave, as loads of that row and of its places.
  void give(mlir::ValueRange raws, llvm::MutableArrayRef<Place> places);

private:
  struct Fetched {
    Access access;
    unsigned operand;
    bool isOfRow;
  };

  KernelMemory &memory;
  ThreadLayout &layout;
  llvm::SmallVector<Fetched> all;
};

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_ROWFETCH_H
