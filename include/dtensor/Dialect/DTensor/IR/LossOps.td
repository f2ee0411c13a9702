//===- LossOps.td - how far predictions are off ----------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_LOSSOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_LOSSOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

// `reduction` is "none", "mean" or "sum"; a loss is one number unless it is
// "none". Floats only; f16 and bf16 are computed in f32.
class DTensor_ElementLossOp<string mnemonic, string what, string text,
                            dag parameters = (ins), string attributes = "">
    : DTensor_CompositeOp<mnemonic, "ElementLoss"> {
  let summary = what;
  let description = text # [{ Operands broadcast as in pointwise ops.
    `reduction` is `"none"`, `"mean"` (of all elements) or `"sum"`. Floats only;
    f16 and bf16 are computed in f32.

    ```mlir
    %y = dtensor.}] # mnemonic # [{ %x, %t {reduction = "sum"}] # attributes # [{} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<f32>
    ```
  }];
  let arguments = !con((ins DTensor_Tensor:$input, DTensor_Tensor:$target,
                            Optional<DTensor_Tensor>:$weight,
                            DefaultValuedStrAttr<StrAttr, "mean">:$reduction),
                       parameters);
}

def DTensor_MseLossOp : DTensor_ElementLossOp<"mse_loss", "the squared error",
    "(x - t)^2, times the weight if there is one.">;
def DTensor_L1LossOp : DTensor_ElementLossOp<"l1_loss", "the absolute error",
    "|x - t|, times the weight if there is one.">;
def DTensor_SmoothL1LossOp : DTensor_ElementLossOp<"smooth_l1_loss",
    "the squared error near 0, the absolute error elsewhere",
    "d^2 / (2 beta) where d = |x - t| is below beta, else d - beta / 2; times the weight if there is one.",
    (ins DefaultValuedAttr<F64Attr, "1.0">:$beta), ", beta = 0.5">;
def DTensor_HuberLossOp : DTensor_ElementLossOp<"huber_loss",
    "the squared error near 0, a line elsewhere",
    "d^2 / 2 where d = |x - t| is at most delta, else delta (d - delta / 2); times the weight if there is one.",
    (ins DefaultValuedAttr<F64Attr, "1.0">:$delta), ", delta = 0.5">;
def DTensor_BceLossOp : DTensor_ElementLossOp<"bce_loss", "the cross-entropy of two classes",
    "-(t log(x) + (1 - t) log(1 - x)) with logarithms not below -100; times the weight if there is one.">;
def DTensor_BceWithLogitsLossOp : DTensor_ElementLossOp<"bce_with_logits_loss",
    "the cross-entropy of two classes, of sigmoid(x)",
    "(1 - t) x + (1 + (w - 1) t) log(1 + exp(-x)); the third operand w, 1 without it, weighs the positive class.">;
def DTensor_KlDivLossOp : DTensor_ElementLossOp<"kl_div_loss", "the Kullback-Leibler divergence",
    "t (log(t) - x), 0 where t is 0; x is a logarithm, and so is t with `log_target`. Times the weight if there is one.",
    (ins UnitAttr:$log_target), ", log_target">;

class DTensor_ClassLossOp<string mnemonic, string what, string text,
                          dag parameters = (ins), string attributes = "">
    : DTensor_CompositeOp<mnemonic, "ClassLoss"> {
  let summary = what;
  let description = [{
    `input` is [N, C, rest...] or [C], `target` [N, rest...] or [] of integers,
    the optional `weight` [C]. }] # text # [{ A target equal to `ignore_index`
    has the loss 0 and no part in the mean; one out of range otherwise picks the
    number 0. `reduction` is `"none"`, `"sum"`, or `"mean"`: the sum divided by
    the sum of the weights of the targets. Floats only; f16 and bf16 are computed
    in f32. The classes may be sharded: no rank ever holds all of them.

    ```mlir
    %y = dtensor.}] # mnemonic # [{ %x, %t {ignore_index = -1}] # attributes # [{} : (tensor<?x?xf32>, tensor<?xi64>) -> tensor<f32>
    ```
  }];
  let arguments = !con((ins DTensor_Tensor:$input, DTensor_Tensor:$target,
                            Optional<DTensor_Tensor>:$weight,
                            DefaultValuedStrAttr<StrAttr, "mean">:$reduction,
                            DefaultValuedAttr<I64Attr, "-100">:$ignore_index),
                       parameters);
}
def DTensor_NllLossOp : DTensor_ClassLossOp<"nll_loss", "the negative log-likelihood",
    "`input` holds logarithms of probabilities. The loss is -weight[t] * input[t].">;
def DTensor_CrossEntropyOp : DTensor_ClassLossOp<"cross_entropy",
    "the negative log-likelihood of softmax",
    "The loss is -weight[t] * log_softmax(input)[t], of which `smoothing` is spread evenly over all classes.",
    (ins DefaultValuedAttr<F64Attr, "0.0">:$smoothing), ", smoothing = 0.1">;

#endif // DTENSOR_DIALECT_DTENSOR_IR_LOSSOPS_TD
