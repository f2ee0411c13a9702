//===- ExpandOpInterface.td - more ops once placements are known -*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERFACES_EXPANDOPINTERFACE_TD
#define DTENSOR_INTERFACES_EXPANDOPINTERFACE_TD

include "mlir/IR/OpBase.td"

def ExpandOpInterface : OpInterface<"ExpandOpInterface"> {
  let cppNamespace = "::dtensor";
  let description = [{
    An op whose pieces depend on where its operands are: a scan along a sharded
    dimension is a scan of every shard, one total per rank, and a correction by
    the totals before. `expand` replaces it once placements are decided, so
    that the movement between the pieces is a visible `redistribute`.
  }];
  let methods = [
    InterfaceMethod<[{
        Builds the replacement at the insertion point and appends one value per
        result, of the result's type; appends nothing where the op runs as it
        is. All placements are decided. Fails after an error at the op.
      }],
      "::llvm::LogicalResult", "expand",
      (ins "::mlir::OpBuilder &":$builder,
           "::llvm::SmallVectorImpl<::mlir::Value> &":$results)>,
  ];
}

#endif // DTENSOR_INTERFACES_EXPANDOPINTERFACE_TD
