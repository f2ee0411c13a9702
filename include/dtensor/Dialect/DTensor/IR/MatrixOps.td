//===- MatrixOps.td - matrix products ------------------------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_MATRIXOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_MATRIXOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

def DTensor_MatmulOp : DTensor_CompositeOp<"matmul", "Matmul"> {
  let summary = "the matrix product of the last two dimensions";
  let description = [{
    `lhs` is [batch..., M, K] ([batch..., K, M] with `transpose_a`), `rhs` is
    [batch..., K, N] or [K, N] ([..., N, K] with `transpose_b`), the result is
    [batch..., M, N]. Batch extents are equal; nothing broadcasts. f16 and bf16
    are accumulated in f32; the result may be f32.

    ```mlir
    %c = dtensor.matmul %a, %b : (tensor<?x?x64xbf16>, tensor<64x?xbf16>) -> tensor<?x?x?xbf16>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$lhs, DTensor_Tensor:$rhs,
                       UnitAttr:$transpose_a, UnitAttr:$transpose_b);
}

def DTensor_LinearOp : DTensor_CompositeOp<"linear", "Linear"> {
  let summary = "x times the transposed weight, plus a bias";
  let description = [{
    `input` is [..., K], `weight` is [N, K], `bias` is [N], the result is
    [..., N]. f16 and bf16 are accumulated, and the bias is added, in f32.

    ```mlir
    %y = dtensor.linear %x, %w, %b : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?xf32>) -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, DTensor_Tensor:$weight,
                       Optional<DTensor_Tensor>:$bias);
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

class DTensor_SumOfProductOp<string mnemonic, string what, string text, string example>
    : DTensor_CompositeOp<mnemonic, "SumOfProduct"> {
  let summary = what;
  let description = text # [{ Dimensions of the first operand are those of the
    result, from the last one on; it may have fewer, and a literal 1 stands for
    any. f16 and bf16 are accumulated, and added, in f32.

    ```mlir
    }] # example # "\n```\n";
  let arguments = (ins DTensor_Tensor:$input, DTensor_Tensor:$lhs, DTensor_Tensor:$rhs,
                       DefaultValuedAttr<F64Attr, "1.0">:$beta,
                       DefaultValuedAttr<F64Attr, "1.0">:$alpha);
}
def DTensor_AddmmOp : DTensor_SumOfProductOp<"addmm", "a matrix product and a sum",
    "beta * `input` + alpha * `lhs` `rhs`, with matrices [M, K] and [K, N].",
    "%y = dtensor.addmm %c, %a, %b {alpha = 0.5} : (tensor<?xf32>, tensor<?x8xf32>, tensor<8x?xf32>) -> tensor<?x?xf32>">;
def DTensor_BaddbmmOp : DTensor_SumOfProductOp<"baddbmm", "`addmm` for each element of a batch",
    "beta * `input` + alpha * `lhs` `rhs`, with matrices [B, M, K] and [B, K, N].",
    "%y = dtensor.baddbmm %c, %a, %b {beta = 2.0} : (tensor<?x1x?xf32>, tensor<?x?x8xf32>, tensor<?x8x?xf32>) -> tensor<?x?x?xf32>">;

class DTensor_ContractionOp<string mnemonic, string what, string text, string example>
    : DTensor_CompositeOp<mnemonic, "Einsum"> {
  let summary = what;
  let description = text # " f16 and bf16 are accumulated in f32.\n\n```mlir\n" #
                    example # "\n```\n";
}

def DTensor_EinsumOp : DTensor_ContractionOp<"einsum", "a sum over products, dimension by name",
    "`equation` names the dimensions of each operand and of the result with a "
    "letter each, as in `bij,bjk->bik`. Dimensions of one name have one extent; "
    "what the result does not name is summed. No operand has a name twice, nor "
    "has the result. Several operands are multiplied from left to right, and a "
    "dimension is summed as soon as no later operand has it.",
    "%y = dtensor.einsum %a, %b {equation = \"bij,bjk->bik\"} : (tensor<?x?x8xf32>, tensor<?x8x?xf32>) -> tensor<?x?x?xf32>"> {
  let arguments = (ins Variadic<DTensor_Tensor>:$inputs, StrAttr:$equation);
}

class DTensor_NamedContractionOp<string mnemonic, string what, string text, string example>
    : DTensor_ContractionOp<mnemonic, what, text, example> {
  let arguments = (ins DTensor_Tensor:$lhs, DTensor_Tensor:$rhs);
}
def DTensor_MvOp : DTensor_NamedContractionOp<"mv", "a matrix times a vector",
    "`lhs` is [M, K], `rhs` [K], the result [M].",
    "%y = dtensor.mv %a, %x : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?xf32>">;
def DTensor_DotOp : DTensor_NamedContractionOp<"dot", "the sum of products of two vectors",
    "Both operands are [K], the result has no dimension.",
    "%y = dtensor.dot %a, %b : (tensor<?xf32>, tensor<?xf32>) -> tensor<f32>">;
def DTensor_OuterOp : DTensor_NamedContractionOp<"outer", "all products of two vectors",
    "`lhs` is [M], `rhs` [N], the result [M, N].",
    "%y = dtensor.outer %a, %b : (tensor<?xf32>, tensor<?xf32>) -> tensor<?x?xf32>">;

#endif // DTENSOR_DIALECT_DTENSOR_IR_MATRIXOPS_TD
