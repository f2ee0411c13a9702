//===- PartitionOpInterface.td - global to local, op by op ----*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERFACES_PARTITIONOPINTERFACE_TD
#define DTENSOR_INTERFACES_PARTITIONOPINTERFACE_TD

include "mlir/IR/OpBase.td"

def PartitionOpInterface : OpInterface<"PartitionOpInterface"> {
  let cppNamespace = "::dtensor";
  let description = [{
    An op in the global view rewrites itself on the shards that one rank holds.
    A result that still has to be reduced is a `partial` placement, and
    `redistribute` moves data. Only an op whose shards overlap, such as the
    windows of `unfold`, builds collectives itself, and says so.
  }];
  let methods = [
    InterfaceMethod<[{
        Builds, at the builder's insertion point, the local form of this op.
        `operands` are the local values of the op's operands, in order; local
        sizes and offsets come from `context`. Appends one local value per
        result, each of type `context.getLocalType(result)`. Fails after an
        error at the op.
      }],
      "::llvm::LogicalResult", "partition",
      (ins "::mlir::OpBuilder &":$builder,
           "::mlir::ValueRange":$operands,
           "::dtensor::PartitionContext &":$context,
           "::llvm::SmallVectorImpl<::mlir::Value> &":$results)>,
    InterfaceMethod<[{
        True if `partition` builds a collective, which every rank then has to
        reach.
      }],
      "bool", "communicates", (ins), [{}], [{ return false; }]>,
  ];
}

#endif // DTENSOR_INTERFACES_PARTITIONOPINTERFACE_TD
