//===- Bucket.h - which reductions travel together --------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_TRANSFORMS_BUCKET_H
#define DTENSOR_LIB_DIALECT_DTENSOR_TRANSFORMS_BUCKET_H

#include "llvm/ADT/StringRef.h"

namespace dtensor {

/// Redistributions of one block with the same number become one collective;
/// partitioning hands the number to their all-reduces.
inline constexpr llvm::StringLiteral kBucketAttr = "dtensor.bucket";

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_TRANSFORMS_BUCKET_H
