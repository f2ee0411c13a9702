//===- Bytes.h - how much memory a tensor takes -----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_BYTES_H
#define DTENSOR_DIALECT_DTENSOR_IR_BYTES_H

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"

namespace dtensor {

/// Of one element of a tensor, or of a scalar; `index` has 8.
unsigned getElementBytes(mlir::Type type);

/// What one rank reserves for a tensor with a layout, at the hints. Elements
/// have `elementBytes`, or their own size if that is 0.
double getHintedBytes(mlir::Type type, const Facts &facts,
                      unsigned elementBytes = 0);

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_IR_BYTES_H
