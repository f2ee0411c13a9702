//===- Cluster.h - linalg ops that share a kernel ---------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A cluster walks over one space of dimensions, rows x inner:
//
//   every loop of every op is one dimension of the space
//   every op that reduces sums over exactly the inner dimensions, for all rows
//
// Hence a value of the cluster depends on (row, inner) or on the row alone, and
// one group of threads can compute a row without asking any other.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_CLUSTER_H
#define DTENSOR_LIB_CONVERSION_GPU_CLUSTER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SmallBitVector.h"

namespace dtensor {

class ExtentClasses;

/// A tensor as an op of a cluster sees it: `map` from the cluster's dimensions.
struct Access {
  mlir::Value tensor;
  mlir::AffineMap map;

  bool operator==(const Access &other) const {
    return tensor == other.tensor && map == other.map;
  }
};

struct Cluster {
  /// In program order.
  llvm::SmallVector<mlir::linalg::GenericOp> ops;
  /// Loop of an op -> dimension of the space.
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<unsigned>> loops;
  unsigned numDims = 0;
  /// Dimensions that the reducing ops sum over; none: nothing reduces.
  llvm::SmallBitVector reduced;

  bool contains(mlir::Operation *op) const { return loops.contains(op); }
  bool hasReductions() const { return reduced.any(); }
  mlir::linalg::GenericOp getFirst() const { return ops.front(); }
  mlir::linalg::GenericOp getLast() const { return ops.back(); }
  /// The map of `operand`, an operand of an op of this cluster, from the
  /// cluster's dimensions.
  mlir::AffineMap getMap(mlir::OpOperand &operand) const;
  /// True if one walk over a row is all that its reductions need: nothing
  /// within the row waits for a total.
  bool walksOnce() const;
  /// Dimensions that `op` has a loop for.
  llvm::SmallBitVector getDims(mlir::linalg::GenericOp op) const;
};

/// True if `op` can be an op of a cluster: its reductions, if any, are a single
/// operation that may be done in any order.
bool canCluster(mlir::linalg::GenericOp op);

/// The operation by which result number `index` of a reducing op accumulates;
/// null if its body is of another form.
mlir::Operation *getCombiner(mlir::linalg::GenericOp op, unsigned index);

/// Cuts the linalg.generic ops of a block into clusters, each convex: no value
/// leaves a cluster and comes back.
std::vector<Cluster> formClusters(mlir::Block &block, ExtentClasses &extents);

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_CLUSTER_H
