//===- PointwiseBase.td - classes of pointwise ops -----------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_POINTWISEBASE_TD
#define DTENSOR_DIALECT_DTENSOR_IR_POINTWISEBASE_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

// Operands broadcast as in NumPy: shapes are aligned at the right, and only an
// extent that is the literal 1 is stretched; a symbol never is. A scalar stands
// for every element. Operands and result have one element type unless the op
// says otherwise. f16 and bf16 are computed in f32 where that matters.
class DTensor_PointwiseOp<string mnemonic, string what, string text,
                          string example>
    : DTensor_CompositeOp<mnemonic, "Pointwise"> {
  let summary = what;
  let description = text # "\n\n```mlir\n" # example # "\n```\n";
}

class DTensor_BinaryOp<string mnemonic, string what, string text>
    : DTensor_PointwiseOp<mnemonic, what, text,
        "%y = dtensor." # mnemonic # " %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>"> {
  let arguments = (ins DTensor_TensorOrScalar:$lhs, DTensor_TensorOrScalar:$rhs);
}

class DTensor_UnaryOp<string mnemonic, string what, string text = "Floats only.">
    : DTensor_PointwiseOp<mnemonic, what, text,
        "%y = dtensor." # mnemonic # " %x : (tensor<?x4xf32>) -> tensor<?x4xf32>"> {
  let arguments = (ins DTensor_Tensor:$input);
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_POINTWISEBASE_TD
