//===- Factorization.h - two shapes as products of factors ------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A reshape cuts both lists of extents into groups of equal products, as small
// as can be proved, and each group into factors that both sides share:
//
//   (T, H*D) -> (T, H, D)     groups (T | T), (H*D | H, D)   factors T, H, D
//   (6, 4) -> (8, 3)          one group, factor gcd(6, 8) = 2, rest stays whole
//
// Within a group the factors from the left multiply to the same running product
// on both sides; where that cannot go on, the rest of each dimension is a
// factor of its own, which must stay whole. Extents of 1 are in no group.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_FACTORIZATION_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_FACTORIZATION_H

#include "dtensor/Sharding/Facts.h"
#include "dtensor/Sharding/ShardingRule.h"

namespace dtensor {

/// Dimensions of both sides with one product. `matched` is false for the last
/// group if equality was not proved.
struct ReshapeGroup {
  llvm::SmallVector<unsigned> from, to;
  bool matched = true;
};

llvm::SmallVector<ReshapeGroup> groupReshape(llvm::ArrayRef<Expr> from,
                                             llvm::ArrayRef<Expr> to,
                                             const Facts &facts);

/// The rule of a reshape, without partial signatures.
ShardingRule factorReshape(llvm::ArrayRef<Expr> from, llvm::ArrayRef<Expr> to,
                           const Facts &facts);

/// q with lhs == q * rhs for all values, if polynomial division finds it; null
/// otherwise.
Expr divideExactly(Expr lhs, Expr rhs);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_FACTORIZATION_H
