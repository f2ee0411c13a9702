//===- StatisticsOps.td - spread, norms and positions of extrema -*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_STATISTICSOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_STATISTICSOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

// Reduces the dimensions `dims`, which the result does not have, or has with
// extent 1 under `keepdim`. Floats only; f16 and bf16 are computed in f32.
class DTensor_StatisticsOp<string mnemonic, string what, string text,
                           dag parameters = (ins), string attributes = "">
    : DTensor_CompositeOp<mnemonic, "Statistics"> {
  let summary = what;
  let description = [{
    Over the dimensions `dims`. They are absent from the result, or 1 there with
    `keepdim`. Floats only; f16 and bf16 are computed in f32. }] # text # [{

    ```mlir
    %y = dtensor.}] # mnemonic # [{ %x {dims = [1], keepdim}] # attributes # [{} : (tensor<?x?xf32>) -> tensor<?x1xf32>
    ```
  }];
  let arguments = !con((ins DTensor_Tensor:$input, I64ArrayAttr:$dims,
                            UnitAttr:$keepdim), parameters);
}

def DTensor_VarOp : DTensor_StatisticsOp<"var", "the variance over dimensions",
    "The sum of (x - mean)^2 divided by max(count - `correction`, 0).",
    (ins DefaultValuedAttr<F64Attr, "1.0">:$correction), ", correction = 0.0">;
def DTensor_StdOp : DTensor_StatisticsOp<"std", "the standard deviation over dimensions",
    "The square root of `var`.",
    (ins DefaultValuedAttr<F64Attr, "1.0">:$correction), ", correction = 0.0">;
def DTensor_LogSumExpOp : DTensor_StatisticsOp<"logsumexp",
    "the logarithm of the sum of exponentials",
    "Computed as m + log(sum(exp(x - m))) with m the maximum; -inf for nothing.">;
def DTensor_NormOp : DTensor_StatisticsOp<"norm", "the p-norm of vectors",
    "(sum |x|^p)^(1/p) with p = `ord`; the number of elements that are not 0 for "
    "0, the largest |x| for inf, the smallest for -inf. The largest of nothing "
    "is 0, the smallest inf.",
    (ins DefaultValuedAttr<F64Attr, "2.0">:$ord), ", ord = 1.0">;

def DTensor_VarMeanOp : DTensor_CompositeOp<"var_mean", "Statistics"> {
  let summary = "variance and mean over dimensions";
  let description = [{
    As `var`; the mean that it needs is the second result.

    ```mlir
    %v, %m = dtensor.var_mean %x {dims = [1]} : (tensor<?x?xf32>) -> (tensor<?xf32>, tensor<?xf32>)
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64ArrayAttr:$dims, UnitAttr:$keepdim,
                       DefaultValuedAttr<F64Attr, "1.0">:$correction);
  let results = (outs DTensor_Tensor:$variance, DTensor_Tensor:$mean);
}

class DTensor_ArgExtremumOp<string mnemonic, string what>
    : DTensor_CompositeOp<mnemonic, "ArgExtremum"> {
  let summary = what;
  let description = [{
    The smallest position along `dim`, or in the whole tensor, row-major, without
    it; NaN counts as the extremum. The result's elements are integers; the
    position in nothing is the highest one. A sharded dimension is reduced where
    it is: the extremum first, then the positions that hold it.

    ```mlir
    %y = dtensor.}] # mnemonic # [{ %x {dim = 1, keepdim} : (tensor<?x?xf32>) -> tensor<?x1xi64>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, OptionalAttr<I64Attr>:$dim,
                       UnitAttr:$keepdim);
}
def DTensor_ArgmaxOp : DTensor_ArgExtremumOp<"argmax", "where the maximum is">;
def DTensor_ArgminOp : DTensor_ArgExtremumOp<"argmin", "where the minimum is">;

#endif // DTENSOR_DIALECT_DTENSOR_IR_STATISTICSOPS_TD
