//===- OptimizerOps.td - steps of optimizers -----------------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_OPTIMIZEROPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_OPTIMIZEROPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

// Any number of parameters, each with its gradient and its state. A parameter
// is one loop nest; nothing but its own tensors has to have its placement.
class DTensor_OptimizerOp<string mnemonic>
    : DTensor_CompositeOp<mnemonic, "Optimizer", [AttrSizedOperandSegments]> {
  let results = (outs Variadic<DTensor_Tensor>:$results);
}

def DTensor_SgdStepOp : DTensor_OptimizerOp<"sgd_step"> {
  let summary = "one step of stochastic gradient descent";
  let description = [{
    Per parameter p with gradient g and momentum m,

        g = g + weight_decay * p            (-g at first with `maximize`)
        m = momentum * m + (1 - dampening) * g        (g with `first`)
        g = m                       (g + momentum * m with `nesterov`)
        p = p - lr * g

    The results are the new parameters, then the new momenta. The lists are of
    one length; without momenta there is no momentum. `lr` is a float, or a
    tensor of rank 0. f16 and bf16 are computed in f32.

    ```mlir
    %p, %m = dtensor.sgd_step lr(%lr) params(%p0) grads(%g0) momenta(%m0) {momentum = 0.9} : (f32, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
    ```
  }];
  let arguments = (ins DTensor_TensorOrScalar:$lr,
                       Variadic<DTensor_Tensor>:$params,
                       Variadic<DTensor_Tensor>:$grads,
                       Variadic<DTensor_Tensor>:$momenta,
                       DefaultValuedAttr<F64Attr, "0.0">:$momentum,
                       DefaultValuedAttr<F64Attr, "0.0">:$dampening,
                       DefaultValuedAttr<F64Attr, "0.0">:$weight_decay,
                       UnitAttr:$nesterov, UnitAttr:$first, UnitAttr:$maximize);
  let assemblyFormat = [{
    `lr` `(` $lr `)` `params` `(` $params `)` `grads` `(` $grads `)`
    (`momenta` `(` $momenta^ `)`)? attr-dict `:`
    functional-type(operands, results)
  }];
}

class DTensor_AdamLikeOp<string mnemonic, string what, string decay>
    : DTensor_OptimizerOp<mnemonic> {
  let summary = what;
  let description = [{
    Per parameter p with gradient g (-g with `maximize`), mean m and square v,
    after }] # decay # [{,

        m = m + (1 - beta1) * (g - m)      v = beta2 * v + (1 - beta2) * g^2
        p = p - lr / (1 - beta1^step) * m
                / (sqrt(v / (1 - beta2^step)) + eps)

    `step` counts from 1. With maxima, the largest v so far is in the root. The
    results are the new parameters, means, squares and maxima. The lists are of
    one length. `lr` and `step` are numbers, or tensors of rank 0. f16 and bf16
    are computed in f32.

    ```mlir
    %p, %m, %v = dtensor.}] # mnemonic # [{ lr(%lr) step(%t) params(%p0) grads(%g0) means(%m0) squares(%v0) {weight_decay = 0.01} : (f32, tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
    ```
  }];
  let arguments = (ins DTensor_TensorOrScalar:$lr, DTensor_TensorOrScalar:$step,
                       Variadic<DTensor_Tensor>:$params,
                       Variadic<DTensor_Tensor>:$grads,
                       Variadic<DTensor_Tensor>:$means,
                       Variadic<DTensor_Tensor>:$squares,
                       Variadic<DTensor_Tensor>:$maxima,
                       DefaultValuedAttr<F64Attr, "0.9">:$beta1,
                       DefaultValuedAttr<F64Attr, "0.999">:$beta2,
                       DefaultValuedAttr<F64Attr, "1.0e-8">:$eps,
                       DefaultValuedAttr<F64Attr, "0.0">:$weight_decay,
                       UnitAttr:$maximize);
  let assemblyFormat = [{
    `lr` `(` $lr `)` `step` `(` $step `)` `params` `(` $params `)`
    `grads` `(` $grads `)` `means` `(` $means `)` `squares` `(` $squares `)`
    (`maxima` `(` $maxima^ `)`)? attr-dict `:`
    functional-type(operands, results)
  }];
}
def DTensor_AdamWStepOp : DTensor_AdamLikeOp<"adamw_step",
    "one step of Adam with decoupled weight decay",
    "p = p - lr * weight_decay * p">;
def DTensor_AdamStepOp : DTensor_AdamLikeOp<"adam_step", "one step of Adam",
    "g = g + weight_decay * p">;

#endif // DTENSOR_DIALECT_DTENSOR_IR_OPTIMIZEROPS_TD
