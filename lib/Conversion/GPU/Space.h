//===- Space.h - Rows and columns of a cluster ------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Neighbouring dimensions that all operands hold side by side can be walked as
// one, if in memory
//
//   stride(d) = size(d + 1) * stride(d + 1)
//
// which the host tests at launch. Fewer dimensions mean fewer divisions and
// longer rows.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_SPACE_H
#define DTENSOR_LIB_CONVERSION_GPU_SPACE_H

#include "KernelMemory.h"

namespace dtensor {

/// Dimensions walked as one, outermost first.
using DimGroup = llvm::SmallVector<unsigned>;

struct Space {
  llvm::SmallVector<DimGroup> rows;
  /// One group: its elements are numbered 0, 1, ... and only the last
  /// dimension's stride counts. More than one: the number is taken apart.
  llvm::SmallVector<DimGroup> inner;
  /// What the grouping and the wide accesses rely on.
  llvm::SmallVector<Condition> conditions;
  /// Elements per access: 1, or as many as fill 16 bytes.
  unsigned lanes = 1;

  int64_t rowMask() const;
  int64_t innerMask() const;
};

/// Walks every dimension by itself: right for any strides.
Space makePlainSpace(const Cluster &cluster, const KernelIO &io);

/// Reads neighbours along a row at once and, if `joined`, groups dimensions;
/// nullopt if no operand can be read so.
std::optional<Space> makeWideSpace(const Cluster &cluster, const KernelIO &io,
                                   bool joined);

/// True if memory runs along the rows rather than within them, so that
/// neighbouring threads should take neighbouring rows.
bool prefersColumns(const Cluster &cluster, const KernelIO &io);

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_SPACE_H
