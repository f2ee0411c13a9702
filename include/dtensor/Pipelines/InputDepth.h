//===- InputDepth.h - How deep a text may nest ------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR's parser recurses: a text that nests deep enough overflows the stack.
// Every tool refuses such a text before parsing.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_PIPELINES_INPUTDEPTH_H
#define DTENSOR_PIPELINES_INPUTDEPTH_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"

namespace mlir {
class MLIRContext;
} // namespace mlir

namespace dtensor {

/// Levels of brackets of any kind.
inline constexpr unsigned kMaxNesting = 256;

/// Fails, with an error at the bracket, if `text` nests deeper than
/// kMaxNesting. Bytecode has no brackets and always succeeds. `name` is the
/// file's, for the error.
llvm::LogicalResult checkInputDepth(llvm::StringRef text, llvm::StringRef name,
                                    mlir::MLIRContext *context);

} // namespace dtensor

#endif // DTENSOR_PIPELINES_INPUTDEPTH_H
