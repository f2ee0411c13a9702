//===- ExpandScalars.h - Scalar ops that LLVM lacks -------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_EXPANDSCALARS_H
#define DTENSOR_LIB_CONVERSION_EXPANDSCALARS_H

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace dtensor {

/// Rewrites scalar arithmetic and mathematics that has no direct or no accurate
/// counterpart in LLVM into ops that have one.
void populateExpandScalarPatterns(mlir::RewritePatternSet &patterns);

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_EXPANDSCALARS_H
