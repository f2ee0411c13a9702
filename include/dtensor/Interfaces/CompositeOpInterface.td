//===- CompositeOpInterface.td - ops made of smaller ops ------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERFACES_COMPOSITEOPINTERFACE_TD
#define DTENSOR_INTERFACES_COMPOSITEOPINTERFACE_TD

include "mlir/IR/OpBase.td"

def CompositeOpInterface : OpInterface<"CompositeOpInterface"> {
  let cppNamespace = "::dtensor";
  let description = [{
    An op that is a name for a few core ops: softmax is a maximum, a
    subtraction, an exponential, a sum and a division. `normalize` replaces it,
    so that its sharding rule, its partial signatures and its code come from
    the core ops alone.
  }];
  let methods = [
    InterfaceMethod<[{
        Extents of each tensor result, computed from the extents of the operands
        and the attributes; one list per result. `operands` holds one list per
        operand (empty for scalars). Fails after an error at the op when the
        operands cannot go together (provably different extents, wrong ranks).
      }],
      "::llvm::LogicalResult", "inferExtents",
      (ins "::llvm::ArrayRef<::llvm::SmallVector<::dtensor::Expr>>":$operands,
           "const ::dtensor::Facts &":$facts,
           "::llvm::SmallVectorImpl<::llvm::SmallVector<::dtensor::Expr>> &":$results)>,
    InterfaceMethod<[{
        Builds the replacement on `operands` (values of the same types as the
        op's operands, layouts included) and appends one value per result, of
        the op's result types. Intermediate values get open placements.
      }],
      "::llvm::LogicalResult", "decompose",
      (ins "::mlir::OpBuilder &":$builder,
           "::mlir::ValueRange":$operands,
           "::mlir::TypeRange":$resultTypes,
           "::llvm::SmallVectorImpl<::mlir::Value> &":$results)>,
  ];
}

#endif // DTENSOR_INTERFACES_COMPOSITEOPINTERFACE_TD
