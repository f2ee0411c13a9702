//===- NarrowReads.h - Widened tensors stay out of memory -------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_NARROWREADS_H
#define DTENSOR_LIB_CONVERSION_GPU_NARROWREADS_H

#include "Cluster.h"

namespace dtensor {

/// Where an op of a cluster only widens its input, say bf16 to f32, readers in
/// other kernels read the input and widen it themselves: half the bytes, and
/// the result need not be written at all.
void readNarrow(const Cluster &cluster);

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_NARROWREADS_H
