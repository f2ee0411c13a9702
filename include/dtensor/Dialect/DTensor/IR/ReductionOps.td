//===- ReductionOps.td - sums, means and extrema -----------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_REDUCTIONOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_REDUCTIONOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

// Reduces the dimensions `dims`, which the result does not have, or has with
// extent 1 under `keepdim`. f16 and bf16 are accumulated in f32.
class DTensor_ReductionOp<string mnemonic, string what, string text>
    : DTensor_CompositeOp<mnemonic, "Reduction"> {
  let summary = what;
  let description = [{
    Over the dimensions `dims`. They are absent from the result, or 1 there with
    `keepdim`. }] # text # [{

    ```mlir
    %y = dtensor.}] # mnemonic # [{ %x {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64ArrayAttr:$dims,
                       UnitAttr:$keepdim);
}

def DTensor_SumOp : DTensor_ReductionOp<"sum", "the sum over dimensions",
    "Integers may be summed in a wider result type. Nothing sums to 0.">;
def DTensor_MeanOp : DTensor_ReductionOp<"mean", "the mean over dimensions",
    "Floats only. The mean of nothing is NaN.">;
def DTensor_AmaxOp : DTensor_ReductionOp<"amax", "the maximum over dimensions",
    "NaN if an element is NaN. The maximum of nothing is -inf, or the lowest integer.">;
def DTensor_AminOp : DTensor_ReductionOp<"amin", "the minimum over dimensions",
    "NaN if an element is NaN. The minimum of nothing is inf, or the highest integer.">;
def DTensor_ProdOp : DTensor_ReductionOp<"prod", "the product over dimensions",
    "Integers may be multiplied in a wider result type. The product of nothing is 1.">;

class DTensor_TruthReductionOp<string mnemonic, string what, string text, string type>
    : DTensor_CompositeOp<mnemonic, "Reduction"> {
  let summary = what;
  let description = [{
    Over the dimensions `dims`, as `sum`. An element holds if it is not 0; NaN
    holds. }] # text # [{

    ```mlir
    %y = dtensor.}] # mnemonic # [{ %x {dims = [1]} : (tensor<?x?xf32>) -> tensor<?x}] # type # [{>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64ArrayAttr:$dims,
                       UnitAttr:$keepdim);
}
def DTensor_AnyOp : DTensor_TruthReductionOp<"any", "does one element hold?",
    "False for nothing.", "i1">;
def DTensor_AllOp : DTensor_TruthReductionOp<"all", "do all elements hold?",
    "True for nothing.", "i1">;
def DTensor_CountNonzeroOp : DTensor_TruthReductionOp<"count_nonzero",
    "how many elements hold", "The result's elements are integers.", "i64">;

#endif // DTENSOR_DIALECT_DTENSOR_IR_REDUCTIONOPS_TD
