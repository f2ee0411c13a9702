//===- NestingOrders.h - in which order axes cut a dimension ----*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The solver decides one axis after another and does not see in which order the
// axes of one dimension nest. Where that is stated otherwise than in the mesh,
// ops take over the order of what they read and of what they make, so that
// nothing is moved for the order's sake; where those differ most of them count.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_TRANSFORMS_NESTINGORDERS_H
#define DTENSOR_DIALECT_DTENSOR_TRANSFORMS_NESTINGORDERS_H

#include "dtensor/Sharding/Propagation.h"

namespace dtensor {

class NestingOrders {
public:
  using Order = llvm::SmallVector<unsigned, 2>;

  /// `layout` is what is written for a value.
  void state(unsigned value, const Layout &layout);
  /// Decides all others.
  void decide(const PropagationProblem &problem,
              const PropagationSolution &solution);

  /// Orders as `Layout` takes them: empty is that of the mesh.
  llvm::ArrayRef<unsigned> ofValue(unsigned value) const;
  llvm::ArrayRef<unsigned> ofNode(unsigned node) const { return nodes[node]; }

private:
  struct Value {
    Order order;
    bool isStated = false;
  };

  void visit(unsigned node, const PropagationProblem &problem,
             const PropagationSolution &solution, bool down);

  std::vector<Value> values;
  std::vector<Order> nodes;
  bool isNeeded = false;
};

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_TRANSFORMS_NESTINGORDERS_H
