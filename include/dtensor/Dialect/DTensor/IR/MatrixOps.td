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

#endif // DTENSOR_DIALECT_DTENSOR_IR_MATRIXOPS_TD
