//===- GenericPartials.h - partial values through a body --------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A body f may run on pending values of kind k in the inputs S, all others
// whole, if reducing afterwards is the same as before:
//
//   (+)_r f(x_r, c) = f((+)_r x_r, c)        x = inputs in S, c = the others
//
// For sums and averages f has to be linear in S (GenericLinearity.cpp), for
// maxima, minima and products it has to commute with the reduction step by step
// (GenericPartials.cpp). Both read the body once per question and answer "no"
// when in doubt.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DIALECT_DTENSOR_IR_GENERICPARTIALS_H
#define LIB_DIALECT_DTENSOR_IR_GENERICPARTIALS_H

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "llvm/ADT/SmallBitVector.h"

namespace dtensor {

/// The partial signatures that the body of `op` allows, in a fixed order.
llvm::SmallVector<PartialSignature> derivePartialSignatures(GenericOp op);

/// Those of sums and averages.
void deriveLinearSignatures(GenericOp op,
                            llvm::SmallVectorImpl<PartialSignature> &found);

/// Adds a signature of kind `kind` in the inputs `partial` and the results
/// that `kinds` names, unless it is there or leaves every result whole.
void addSignature(GenericOp op, const llvm::SmallBitVector &partial,
                  ReduceKind kind,
                  llvm::ArrayRef<std::optional<ReduceKind>> results,
                  llvm::SmallVectorImpl<PartialSignature> &found);

/// With more inputs than this, only sets of inputs that go together are tried
/// and not each input alone.
inline constexpr unsigned kMaxSingles = 8;

} // namespace dtensor

#endif // LIB_DIALECT_DTENSOR_IR_GENERICPARTIALS_H
