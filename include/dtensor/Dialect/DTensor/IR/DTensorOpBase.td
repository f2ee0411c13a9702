//===- DTensorOpBase.td - traits of global-view ops --------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_DTENSOROPBASE_TD
#define DTENSOR_DIALECT_DTENSOR_IR_DTENSOROPBASE_TD

include "dtensor/Dialect/DTensor/IR/DTensorAttrs.td"
include "dtensor/Interfaces/CompositeOpInterface.td"
include "dtensor/Interfaces/ExpandOpInterface.td"
include "dtensor/Interfaces/PartitionOpInterface.td"
include "dtensor/Interfaces/ShardingRuleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// A core op: survives normalization, has a sharding rule, partitions itself.
defvar ShardedOp = [Pure, DeclareOpInterfaceMethods<ShardingRuleOpInterface>,
                    DeclareOpInterfaceMethods<PartitionOpInterface>];

// A composite op: normalization replaces it with core ops.
defvar CompositeOp = [Pure, DeclareOpInterfaceMethods<CompositeOpInterface>];

#endif // DTENSOR_DIALECT_DTENSOR_IR_DTENSOROPBASE_TD
