//===- LossBackwardOps.td - gradients of losses --------------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_LOSSBACKWARDOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_LOSSBACKWARDOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

// The gradient of a loss in its `input`: `grad` is that of the loss. Operands
// and attributes behind it are those of the loss.
class DTensor_ElementLossBackwardOp<string loss, string text,
                                    dag parameters = (ins), string attributes = "">
    : DTensor_CompositeOp<loss # "_backward", "ElementLossBackward"> {
  let summary = "the gradient of `" # loss # "`";
  let description = text # [{ Times `grad`, of the shape of the loss, and the
    weight if there is one; divided by the number of elements for `"mean"`.
    Operands have one shape, but the weight may broadcast.

    ```mlir
    %y = dtensor.}] # loss # [{_backward %g, %x, %t {reduction = "sum"}] # attributes # [{} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let arguments = !con((ins DTensor_Tensor:$grad, DTensor_Tensor:$input,
                            DTensor_Tensor:$target,
                            Optional<DTensor_Tensor>:$weight,
                            DefaultValuedStrAttr<StrAttr, "mean">:$reduction),
                       parameters);
}

def DTensor_MseLossBackwardOp : DTensor_ElementLossBackwardOp<"mse_loss", "2 (x - t).">;
def DTensor_L1LossBackwardOp : DTensor_ElementLossBackwardOp<"l1_loss", "The sign of x - t.">;
def DTensor_SmoothL1LossBackwardOp : DTensor_ElementLossBackwardOp<"smooth_l1_loss",
    "(x - t) / beta where |x - t| is below beta, else the sign of x - t.",
    (ins DefaultValuedAttr<F64Attr, "1.0">:$beta), ", beta = 0.5">;
def DTensor_HuberLossBackwardOp : DTensor_ElementLossBackwardOp<"huber_loss",
    "x - t where |x - t| is at most delta, else delta times its sign.",
    (ins DefaultValuedAttr<F64Attr, "1.0">:$delta), ", delta = 0.5">;
def DTensor_BceLossBackwardOp : DTensor_ElementLossBackwardOp<"bce_loss",
    "(x - t) / max(x (1 - x), 1e-12).">;
def DTensor_BceWithLogitsLossBackwardOp : DTensor_ElementLossBackwardOp<"bce_with_logits_loss",
    "(1 - t) - (1 + (w - 1) t) (1 - sigmoid(x)); here the weight w is that of the positive class.">;
def DTensor_KlDivLossBackwardOp : DTensor_ElementLossBackwardOp<"kl_div_loss",
    "-t, or -exp(t) with `log_target`.",
    (ins UnitAttr:$log_target), ", log_target">;

class DTensor_ClassLossBackwardOp<string loss, string text,
                                  dag parameters = (ins), string attributes = "">
    : DTensor_CompositeOp<loss # "_backward", "ClassLossBackward"> {
  let summary = "the gradient of `" # loss # "`";
  let description = text # [{ Times `grad`, of the shape of the loss; divided by
    the sum of the weights of the targets for `"mean"`. 0 where the target is
    `ignore_index`. The classes may be sharded: each rank compares the targets
    with its own.

    ```mlir
    %y = dtensor.}] # loss # [{_backward %g, %x, %t {ignore_index = -1}] # attributes # [{} : (tensor<f32>, tensor<?x?xf32>, tensor<?xi64>) -> tensor<?x?xf32>
    ```
  }];
  let arguments = !con((ins DTensor_Tensor:$grad, DTensor_Tensor:$input,
                            DTensor_Tensor:$target,
                            Optional<DTensor_Tensor>:$weight,
                            DefaultValuedStrAttr<StrAttr, "mean">:$reduction,
                            DefaultValuedAttr<I64Attr, "-100">:$ignore_index),
                       parameters);
}
def DTensor_NllLossBackwardOp : DTensor_ClassLossBackwardOp<"nll_loss",
    "-weight[t] for the class t that is the target, 0 for the others.">;
def DTensor_CrossEntropyBackwardOp : DTensor_ClassLossBackwardOp<"cross_entropy",
    "weight[t] (softmax(x) - [c = t]), of which `smoothing` is spread evenly over all classes.",
    (ins DefaultValuedAttr<F64Attr, "0.0">:$smoothing), ", smoothing = 0.1">;

#endif // DTENSOR_DIALECT_DTENSOR_IR_LOSSBACKWARDOPS_TD
