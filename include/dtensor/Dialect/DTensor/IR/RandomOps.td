//===- RandomOps.td - numbers that no mesh changes -----------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_RANDOMOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_RANDOMOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

// Philox4x32-10. The key is the 64 bits of `seed`, the counter the 64 bits of
// the element's row-major position in the global tensor below those of
// `offset`: every mesh and placement draws the same numbers, and two offsets
// have none in common. Both are i64, as scalars or as tensors of rank 0.
class DTensor_RandomOp<string mnemonic, string what, string text,
                       string example, dag operands = (ins), dag rest = (ins)>
    : DTensor_CompositeOp<mnemonic, "Random"> {
  let summary = what;
  let description = text # [{ Element i is drawn by Philox4x32-10 with the key
    `seed` and the counter (i, `offset`), i being its row-major position in the
    global tensor: the same number on every mesh. Programs give each op an
    `offset` of its own.

    ```mlir
    }] # example # "\n```\n";
  let arguments = !con(operands, (ins DTensor_TensorOrScalar:$seed,
                                      DTensor_TensorOrScalar:$offset), rest);
}

def DTensor_RandOp : DTensor_RandomOp<"rand", "uniform numbers in [0, 1)",
    "Floats only: multiples of 2^-p, p being the bits of precision of the type.",
    "%y = dtensor.rand %seed, %offset {sizes = [#dtensor.expr<B>, 4]} : (i64, tensor<i64>) -> tensor<?x4xf32>",
    (ins), (ins OptionalAttr<ArrayAttr>:$sizes)>;

def DTensor_RandnOp : DTensor_RandomOp<"randn", "normally distributed numbers",
    "Mean 0 and variance 1, by the method of Box and Muller. Floats only.",
    "%y = dtensor.randn %seed, %offset {sizes = [#dtensor.expr<B>, 4]} : (i64, tensor<i64>) -> tensor<?x4xf32>",
    (ins), (ins OptionalAttr<ArrayAttr>:$sizes)>;

def DTensor_BernoulliOp : DTensor_RandomOp<"bernoulli", "1 with a given probability",
    "Where the number of `rand` is below the operand's element, 0 elsewhere, in any element type.",
    "%y = dtensor.bernoulli %p, %seed, %offset : (tensor<?x4xf32>, i64, i64) -> tensor<?x4xi1>",
    (ins DTensor_Tensor:$input)>;

def DTensor_DropoutOp : DTensor_RandomOp<"dropout", "zeros with a given probability",
    "x / (1 - p) where the number of `rand` in f32 is not below `p`, else 0. The second result tells where x was kept.",
    "%y, %kept = dtensor.dropout %x, %seed, %offset {p = 0.1} : (tensor<?x4xf32>, i64, i64) -> (tensor<?x4xf32>, tensor<?x4xi1>)",
    (ins DTensor_Tensor:$input), (ins F64Attr:$p)> {
  let results = (outs DTensor_Tensor:$result, DTensor_Tensor:$kept);
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_RANDOMOPS_TD
