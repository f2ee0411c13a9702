//===- ShardingRuleOpInterface.td - how an op may be sharded --*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERFACES_SHARDINGRULEOPINTERFACE_TD
#define DTENSOR_INTERFACES_SHARDINGRULEOPINTERFACE_TD

include "mlir/IR/OpBase.td"

def ShardingRuleOpInterface : OpInterface<"ShardingRuleOpInterface"> {
  let cppNamespace = "::dtensor";
  let description = [{
    An op in the global view describes itself as *factors*, as in an einsum:
    a matrix product is `mk, kn -> mn`. Every dimension of every tensor operand
    and result is a list of factors (major to minor); a factor is parallel,
    a reduction, or must stay whole. Propagation, verification and cost read
    nothing else of an op.
  }];
  let methods = [
    InterfaceMethod<[{
        The rule of this op. `operands` and `results` of the rule hold one entry
        per operand and per result of the op, in order; entries of operands
        that are not tensors are empty. Factor sizes are global extents.
        Fails, after an error at the op, when no rule can be given.
      }],
      "::mlir::FailureOr<::dtensor::ShardingRule>", "getShardingRule", (ins)>,
  ];
}

#endif // DTENSOR_INTERFACES_SHARDINGRULEOPINTERFACE_TD
