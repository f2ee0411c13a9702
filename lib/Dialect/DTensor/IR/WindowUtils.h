//===- WindowUtils.h - what convolutions and pooling share ------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_WINDOWUTILS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_WINDOWUTILS_H

#include "CoreBuilders.h"
#include "dtensor/Dialect/DTensor/IR/WindowOps.h"

namespace dtensor {

/// Per dimension of space.
struct Windows {
  llvm::SmallVector<int64_t> stride, padding, dilation;

  unsigned space() const { return stride.size(); }
  /// How many there are in `extents` [space], of the lengths `kernel`.
  ExtentList count(llvm::ArrayRef<Expr> extents,
                   llvm::ArrayRef<Expr> kernel) const;
};

/// The parameters of `op`; an error at `op` if they are not `space` many or
/// out of range.
llvm::FailureOr<Windows> windowsOf(mlir::Operation *op, unsigned space);

/// States that a window fits into the padded `extents`.
void checkWindows(CoreBuilder core, const Windows &windows,
                  llvm::ArrayRef<Expr> extents, llvm::ArrayRef<Expr> kernel);

/// The windows of the last dimensions: [..., windows..., kernel...].
mlir::Value buildWindows(CoreBuilder core, mlir::Value input,
                         const Windows &windows, llvm::ArrayRef<Expr> kernel,
                         mlir::TypedAttr value);

/// The other way round: for each position in `sizes` and each element of a
/// window, the window of which it is that element: [..., sizes..., kernel...].
mlir::Value buildCovers(CoreBuilder core, mlir::Value windowed,
                        const Windows &windows, llvm::ArrayRef<Expr> sizes,
                        llvm::ArrayRef<Expr> kernel, mlir::TypedAttr value);

/// `numbers` as expressions.
ExtentList toExprs(mlir::MLIRContext *context, llvm::ArrayRef<int64_t> numbers);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_WINDOWUTILS_H
