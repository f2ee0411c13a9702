//===- Interfaces.cpp - what an op answers to the passes ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Interfaces/Interfaces.h"

#include "dtensor/Interfaces/CompositeOpInterface.cpp.inc"
#include "dtensor/Interfaces/ExpandOpInterface.cpp.inc"
#include "dtensor/Interfaces/NormalizeOpInterface.cpp.inc"
#include "dtensor/Interfaces/PartitionOpInterface.cpp.inc"
#include "dtensor/Interfaces/ShardingRuleOpInterface.cpp.inc"
