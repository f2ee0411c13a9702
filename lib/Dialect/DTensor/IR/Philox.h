//===- Philox.h - random bits from a key and a counter ----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_PHILOX_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_PHILOX_H

#include "CompositeUtils.h"

#include <array>

namespace dtensor {

/// Four words of 32 bits.
using RandomWords = std::array<mlir::Value, 4>;

/// Philox4x32-10 of one key and one counter, each part of which is an i64.
RandomWords buildPhilox(Scalars &s, mlir::Value key, mlir::Value counterLow,
                        mlir::Value counterHigh);

/// A multiple of 2^-p in [0, 1), where p are the bits of precision of `type`,
/// in its accumulator's type. Takes word 2 * `pair`, for f64 the next one too.
mlir::Value buildUniform(Scalars &s, const RandomWords &words,
                         mlir::FloatType type, unsigned pair = 0);

/// A normally distributed number in the accumulator's type of `type`.
mlir::Value buildNormal(Scalars &s, const RandomWords &words,
                        mlir::FloatType type);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_PHILOX_H
