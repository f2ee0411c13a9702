//===- PriorityLevels.h - pins that decide before others --------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_SHARDING_PRIORITYLEVELS_H
#define DTENSOR_LIB_SHARDING_PRIORITYLEVELS_H

#include "dtensor/Sharding/Propagation.h"

namespace dtensor {

/// The priorities of the pins, rising, from 0 on.
llvm::SmallVector<unsigned> priorityLevels(const PropagationProblem &problem);

/// The problem without what the pins above `level` state.
PropagationProblem upToLevel(const PropagationProblem &problem, unsigned level);

/// Fixes what the pins of `level` reach in `solution`: the values that are cut
/// together with a pinned one, without a movement between, up to the next pin.
/// What types state is of level 0.
void settleLevel(PropagationProblem &problem, unsigned level,
                 const PropagationSolution &solution);

} // namespace dtensor

#endif // DTENSOR_LIB_SHARDING_PRIORITYLEVELS_H
