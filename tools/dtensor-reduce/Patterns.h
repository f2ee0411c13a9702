//===- Patterns.h - What makes a program simpler ----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TOOLS_REDUCE_PATTERNS_H
#define DTENSOR_TOOLS_REDUCE_PATTERNS_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Reducer/Tester.h"

namespace dtensor {

/// Changes of one function, each made only where the program stays of interest:
/// a result or an argument that nothing reads goes, an op becomes its operand,
/// a layout replicates, a mesh loses an axis, a size becomes smaller.
void populateReductions(mlir::RewritePatternSet &patterns,
                        mlir::Tester &tester);

} // namespace dtensor

#endif // DTENSOR_TOOLS_REDUCE_PATTERNS_H
