//===- NormalizeOpInterface.td - foreign ops into ours --------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERFACES_NORMALIZEOPINTERFACE_TD
#define DTENSOR_INTERFACES_NORMALIZEOPINTERFACE_TD

include "mlir/IR/OpBase.td"

def NormalizeOpInterface : OpInterface<"NormalizeOpInterface"> {
  let cppNamespace = "::dtensor";
  let description = [{
    An op of another dialect says, through an external model, what it is in
    core ops of this dialect: `linalg.generic` is `dtensor.generic`,
    `tensor.dim` is an extent. `normalize` knows no op by name.
  }];
  let methods = [
    InterfaceMethod<[{
        Builds the normalized form of this op through `context` and tells it the
        value (or extent) that stands for each result. Fails after an error at
        the op.
      }],
      "::llvm::LogicalResult", "normalize",
      (ins "::dtensor::NormalizeContext &":$context)>,
  ];
}

#endif // DTENSOR_INTERFACES_NORMALIZEOPINTERFACE_TD
