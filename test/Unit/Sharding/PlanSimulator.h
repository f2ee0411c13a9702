//===- PlanSimulator.h - Runs plans on arrays --------------------*- C++
//-*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All ranks in one process: each holds a plain array, and a step moves values
// between them as its definition says, knowing nothing of the global tensor.
// What a rank should hold is computed apart from that, by cutting the global
// tensor.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TEST_UNIT_SHARDING_PLANSIMULATOR_H
#define DTENSOR_TEST_UNIT_SHARDING_PLANSIMULATOR_H

#include "Ranks.h"
#include "dtensor/Sharding/Redistribution.h"

namespace dtensor::test {

struct Array {
  Numbers shape;
  Numbers data;

  bool operator==(const Array &other) const {
    return shape == other.shape && data == other.data;
  }
};

Array slice(const Array &array, unsigned dim, int64_t offset, int64_t size);
Array concat(const std::vector<Array> &arrays, unsigned dim);
Array reduce(const std::vector<Array> &arrays, ReduceKind kind);

class PlanSimulator {
public:
  /// `sizes` of the axes; `extents` of the tensor, the values of the symbols
  /// N0, N1, ... that layouts may use.
  PlanSimulator(const Mesh &mesh, Numbers sizes, Numbers extents);

  const Array &global() const { return tensor; }
  /// Fills the ranks so that they hold `tensor` in `layout`.
  void distribute(const Layout &layout, ExprContext &context);
  /// Runs one step. False if a rank's array has not the shape that `result`
  /// says.
  bool run(const Step &step, const Layout &before, ExprContext &context);
  /// Do the ranks hold `tensor` in `layout`?
  bool holds(const Layout &layout, ExprContext &context) const;

private:
  struct Box {
    Numbers offsets, sizes;
  };
  /// The boxes of all ranks.
  const std::vector<Box> &boxesOf(const Layout &layout,
                                  ExprContext &context) const;
  Array cut(const Box &box) const;
  std::vector<unsigned> groupOf(unsigned rank,
                                llvm::ArrayRef<unsigned> axes) const;
  std::vector<Array> gatherGroup(unsigned rank,
                                 llvm::ArrayRef<unsigned> axes) const;
  Array runOn(unsigned rank, const Step &step, const Layout &before,
              ExprContext &context) const;

  const Mesh &mesh;
  Numbers sizes;
  Array tensor;
  std::vector<Numbers> ranks;
  std::vector<Array> held;
  mutable std::map<std::string, std::vector<Box>> boxes;
};

} // namespace dtensor::test

#endif // DTENSOR_TEST_UNIT_SHARDING_PLANSIMULATOR_H
