//===- BackwardOps.td - gradients ----------------------------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_BACKWARDOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_BACKWARDOPS_TD

include "dtensor/Dialect/DTensor/IR/PointwiseBase.td"

// The first operand is the gradient of what the forward op computes, the result
// that of its input. Where a gradient may hold a pending sum, so may the result.

//===----------------------------------------------------------------------===//
// One scalar at a time
//===----------------------------------------------------------------------===//

// Floats only; f16 and bf16 are computed in f32.
class DTensor_PointwiseBackwardOp<string forward, string text,
                                  dag parameters = (ins), string attributes = "",
                                  string mask = "f32">
    : DTensor_PointwiseOp<forward # "_backward", "the gradient of `" # forward # "`",
        text # " g is the gradient. Floats only.",
        "%y = dtensor." # forward # "_backward %g, %x" # attributes #
        " : (tensor<?x4xf32>, tensor<?x4x" # mask # ">) -> tensor<?x4xf32>"> {
  let arguments = !con((ins DTensor_Tensor:$grad, DTensor_Tensor:$input), parameters);
}
class DTensor_DefaultNumber<string value> : DefaultValuedAttr<F64Attr, value>;

def DTensor_TanhBackwardOp : DTensor_PointwiseBackwardOp<"tanh",
    "g (1 - y^2), where y is the result of `tanh`.">;
def DTensor_SigmoidBackwardOp : DTensor_PointwiseBackwardOp<"sigmoid",
    "g y (1 - y), where y is the result of `sigmoid`.">;
def DTensor_ThresholdBackwardOp : DTensor_PointwiseBackwardOp<"threshold",
    "0 where x <= `threshold`, else g. At 0 it is the gradient of `relu`.",
    (ins F64Attr:$threshold), " {threshold = 0.0}">;
def DTensor_SiluBackwardOp : DTensor_PointwiseBackwardOp<"silu",
    "g s (1 + x (1 - s)) with s = sigmoid(x).">;
def DTensor_GeluBackwardOp : DTensor_PointwiseBackwardOp<"gelu",
    "g (Phi(x) + x phi(x)), or the derivative of what `tanh` approximates.",
    (ins DefaultValuedStrAttr<StrAttr, "none">:$approximate), " {approximate = \"tanh\"}">;
def DTensor_MishBackwardOp : DTensor_PointwiseBackwardOp<"mish",
    "g (t + x s (1 - t^2)) with s = sigmoid(x), t = tanh(softplus(x)).">;
def DTensor_EluBackwardOp : DTensor_PointwiseBackwardOp<"elu", [{
    g scale above 0, else g scale alpha input_scale exp(x input_scale); with
    `is_result`, x is the result, and the last factors are input_scale (x + alpha scale).
    `scale` and `input_scale` make it the gradient of `selu` and `celu`.}],
    (ins DTensor_DefaultNumber<"1.0">:$alpha, DTensor_DefaultNumber<"1.0">:$scale,
         DTensor_DefaultNumber<"1.0">:$input_scale, UnitAttr:$is_result), " {alpha = 0.5}">;
def DTensor_LeakyReluBackwardOp : DTensor_PointwiseBackwardOp<"leaky_relu",
    "g above 0, else `slope` * g.",
    (ins DTensor_DefaultNumber<"0.01">:$slope), " {slope = 0.2}">;
def DTensor_HardtanhBackwardOp : DTensor_PointwiseBackwardOp<"hardtanh",
    "g where low < x < high, else 0.",
    (ins DTensor_DefaultNumber<"-1.0">:$low, DTensor_DefaultNumber<"1.0">:$high), " {high = 2.0}">;
def DTensor_HardsigmoidBackwardOp : DTensor_PointwiseBackwardOp<"hardsigmoid",
    "g / 6 where -3 < x < 3, else 0.">;
def DTensor_HardswishBackwardOp : DTensor_PointwiseBackwardOp<"hardswish",
    "0 at and below -3, g from 3 on, g (x / 3 + 1/2) between.">;
def DTensor_SoftplusBackwardOp : DTensor_PointwiseBackwardOp<"softplus",
    "g sigmoid(beta x), and g where beta x is above `threshold`.",
    (ins DTensor_DefaultNumber<"1.0">:$beta, DTensor_DefaultNumber<"20.0">:$threshold), " {beta = 2.0}">;
def DTensor_LogSigmoidBackwardOp : DTensor_PointwiseBackwardOp<"log_sigmoid",
    "g sigmoid(-x).">;
def DTensor_HardshrinkBackwardOp : DTensor_PointwiseBackwardOp<"hardshrink",
    "0 where |x| <= `lambda`, else g.",
    (ins DTensor_DefaultNumber<"0.5">:$lambda), " {lambda = 1.0}">;
def DTensor_SoftshrinkBackwardOp : DTensor_PointwiseBackwardOp<"softshrink",
    "0 where |x| <= `lambda`, else g.",
    (ins DTensor_DefaultNumber<"0.5">:$lambda), " {lambda = 1.0}">;
def DTensor_LogitBackwardOp : DTensor_PointwiseBackwardOp<"logit",
    "g / (x (1 - x)); 0 outside of [eps, 1 - eps] with `eps`, NaN outside of [0, 1] without.",
    (ins OptionalAttr<F64Attr>:$eps), " {eps = 1.0e-6}">;
def DTensor_DropoutBackwardOp : DTensor_PointwiseBackwardOp<"dropout",
    "`scale` * g where x, the second result of `dropout`, holds, else 0.",
    (ins F64Attr:$scale), " {scale = 1.25}", "i1">;

//===----------------------------------------------------------------------===//
// Softmax and norms
//===----------------------------------------------------------------------===//

class DTensor_SoftmaxLikeBackwardOp<string forward, string text>
    : DTensor_CompositeOp<forward # "_backward", "SoftmaxBackward"> {
  let summary = "the gradient of `" # forward # "`";
  let description = text # [{ along `dim`, where y is the result of the forward
    op. Floats only; f16 and bf16 are computed in f32.

    ```mlir
    %x = dtensor.}] # forward # [{_backward %g, %y {dim = 1} : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$output, I64Attr:$dim);
}
def DTensor_SoftmaxBackwardOp : DTensor_SoftmaxLikeBackwardOp<"softmax", "y (g - sum(g y))">;
def DTensor_LogSoftmaxBackwardOp : DTensor_SoftmaxLikeBackwardOp<"log_softmax", "g - exp(y) sum(g)">;

def DTensor_LayerNormBackwardOp : DTensor_CompositeOp<"layer_norm_backward", "NormBackward"> {
  let summary = "the gradients of `layer_norm`";
  let description = [{
    With z = (x - mean) rstd and h = g weight, over the last `trailing`
    dimensions: rstd (h - mean(h) - z mean(h z)), and the sums of g z and of g
    over the others, which are the gradients of weight and bias. As many results
    as are wanted. `mean` and `rstd` are those of `native_layer_norm`;
    `parameters` is none or the weight.

    ```mlir
    %dx, %dw, %db = dtensor.layer_norm_backward %g, %x, %mean, %rstd, %w {trailing = 1 : i64} : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>)
    ```
  }];
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$input,
                       DTensor_Tensor:$mean, DTensor_Tensor:$rstd,
                       Variadic<DTensor_Tensor>:$parameters,
                       DefaultValuedAttr<I64Attr, "1">:$trailing);
  let results = (outs Variadic<DTensor_Tensor>:$results);
}

def DTensor_RMSNormBackwardOp : DTensor_CompositeOp<"rms_norm_backward", "NormBackward"> {
  let summary = "the gradients of `rms_norm`";
  let description = [{
    With z = x rstd and h = g weight, over the last `trailing` dimensions:
    rstd (h - z mean(h z)), and if it is wanted the sum of g z over the others,
    the gradient of the weight. `rstd` is that of `native_rms_norm`.

    ```mlir
    %dx, %dw = dtensor.rms_norm_backward %g, %x, %rstd, %w {trailing = 1 : i64} : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x1xf32>, tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?xf32>)
    ```
  }];
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$input,
                       DTensor_Tensor:$rstd, Variadic<DTensor_Tensor>:$parameters,
                       DefaultValuedAttr<I64Attr, "1">:$trailing);
  let results = (outs Variadic<DTensor_Tensor>:$results);
}

def DTensor_GroupNormBackwardOp : DTensor_CompositeOp<"group_norm_backward", "GroupNormBackward"> {
  let summary = "the gradients of a norm over groups of channels";
  let description = [{
    `input` is [N, C, rest...], C = `groups` * K, and the norm is over K and the
    rest; `mean` and `rstd` are [N, groups], the weight is [C]. The results are
    as in `layer_norm_backward`.

    ```mlir
    %dx, %dw, %db = dtensor.group_norm_backward %g, %x, %mean, %rstd, %w {groups = 2} : (tensor<?x6x?xf32>, tensor<?x6x?xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<6xf32>) -> (tensor<?x6x?xf32>, tensor<6xf32>, tensor<6xf32>)
    ```
  }];
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$input,
                       DTensor_Tensor:$mean, DTensor_Tensor:$rstd,
                       Variadic<DTensor_Tensor>:$parameters, I64Attr:$groups);
  let results = (outs Variadic<DTensor_Tensor>:$results);
}

def DTensor_BatchNormBackwardOp : DTensor_CompositeOp<"batch_norm_backward", "BatchNormBackward"> {
  let summary = "the gradients of a norm of channels";
  let description = [{
    `input` is [N, C, rest...], and the norm is over all but C; `mean` and `rstd`
    are those of `native_batch_norm`, the weight is [C]. The results are as in
    `layer_norm_backward`. With `frozen`, `mean` and `rstd` do not depend on the
    input, and its gradient is g weight rstd: that of `batch_norm`.

    ```mlir
    %dx, %dw, %db = dtensor.batch_norm_backward %g, %x, %mean, %rstd, %w : (tensor<?x4x?xf32>, tensor<?x4x?xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<?x4x?xf32>, tensor<4xf32>, tensor<4xf32>)
    ```
  }];
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$input,
                       DTensor_Tensor:$mean, DTensor_Tensor:$rstd,
                       Variadic<DTensor_Tensor>:$parameters, UnitAttr:$frozen);
  let results = (outs Variadic<DTensor_Tensor>:$results);
}

//===----------------------------------------------------------------------===//
// Extrema, lookups and parts
//===----------------------------------------------------------------------===//

class DTensor_ExtremumBackwardOp<string forward>
    : DTensor_CompositeOp<forward # "_backward", "ExtremumBackward"> {
  let summary = "the gradient of `" # forward # "`";
  let description = [{
    The gradient goes in equal parts to all elements of the input that equal the
    output. Gradient and output have the shape of the forward result.

    ```mlir
    %x = dtensor.}] # forward # [{_backward %g, %a, %y {dims = [1], keepdim} : (tensor<?x1xf32>, tensor<?x?xf32>, tensor<?x1xf32>) -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$input,
                       DTensor_Tensor:$output, I64ArrayAttr:$dims, UnitAttr:$keepdim);
}
def DTensor_AmaxBackwardOp : DTensor_ExtremumBackwardOp<"amax">;
def DTensor_AminBackwardOp : DTensor_ExtremumBackwardOp<"amin">;

class DTensor_LookupBackwardOp<string forward, string text, string example>
    : DTensor_CompositeOp<forward # "_backward", "LookupBackward"> {
  let summary = "the gradient of `" # forward # "`";
  let description = text # [{ Indices out of range add nothing. f16 and bf16 are
    summed in f32. A rank that has a part of the result sums what belongs to it;
    if the indices are sharded instead, the results are pending sums.

    ```mlir
    }] # example # "\n```\n";
}
def DTensor_EmbeddingBackwardOp : DTensor_LookupBackwardOp<"embedding",
    "The sum of the gradients of all lookups of a row, for each of `size` rows. Row `padding` gets none.",
    "%dt = dtensor.embedding_backward %g, %ids {size = #dtensor.expr<V>, padding = 0} : (tensor<?x?x8xf32>, tensor<?x?xi64>) -> tensor<?x8xf32>"> {
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$indices,
                       AnyAttr:$size, OptionalAttr<I64Attr>:$padding);
}
def DTensor_IndexSelectBackwardOp : DTensor_LookupBackwardOp<"index_select",
    "The sum of the gradients of all copies of a row, for each of the `size` rows of `dim`.",
    "%dx = dtensor.index_select_backward %g, %ids {dim = 1, size = #dtensor.expr<N>} : (tensor<?x?x4xf32>, tensor<?xi64>) -> tensor<?x?x4xf32>"> {
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$indices,
                       I64Attr:$dim, AnyAttr:$size);
}
def DTensor_GatherBackwardOp : DTensor_LookupBackwardOp<"gather",
    "The sum of the gradients of all copies of an element; `dim` has the extent `size`. Also the gradient of `sort` and `topk`.",
    "%dx = dtensor.gather_backward %g, %ids {dim = 1, size = #dtensor.expr<N>} : (tensor<?x?xf32>, tensor<?x?xi64>) -> tensor<?x?xf32>"> {
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$indices,
                       I64Attr:$dim, AnyAttr:$size);
}

class DTensor_PartBackwardOp<string forward, string text, string example>
    : DTensor_CompositeOp<forward # "_backward", "PartBackward"> {
  let summary = "the gradient of `" # forward # "`";
  let description = text # "\n\n```mlir\n" # example # "\n```\n";
}
def DTensor_SliceBackwardOp : DTensor_PartBackwardOp<"slice",
    "Element start + i * step of `dim`, of extent `size`, is the gradient's element i; others are 0.",
    "%dx = dtensor.slice_backward %g {dim = 1, size = #dtensor.expr<N>, start = 1, step = 2} : (tensor<?x4xf32>) -> tensor<?x?xf32>"> {
  let arguments = (ins DTensor_Tensor:$grad, I64Attr:$dim, AnyAttr:$size,
                       AnyAttr:$start, AnyAttr:$step);
}
def DTensor_SelectBackwardOp : DTensor_PartBackwardOp<"select",
    "A dimension `dim` of extent `size`, which is the gradient at `index` and 0 elsewhere.",
    "%dx = dtensor.select_backward %g {dim = 1, size = #dtensor.expr<N>, index = 2} : (tensor<?x4xf32>) -> tensor<?x?x4xf32>"> {
  let arguments = (ins DTensor_Tensor:$grad, I64Attr:$dim, AnyAttr:$size,
                       AnyAttr:$index);
}
def DTensor_GluBackwardOp : DTensor_PartBackwardOp<"glu",
    "With the halves a and b of the input and s = sigmoid(b): g s, then g a s (1 - s). Floats only; f16 and bf16 are computed in f32.",
    "%dx = dtensor.glu_backward %g, %x {dim = 1} : (tensor<?x4xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>"> {
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$input, I64Attr:$dim);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

def DTensor_AttentionBackwardOp : DTensor_CompositeOp<"attention_backward", "AttentionBackward"> {
  let summary = "the gradients of `attention`";
  let description = [{
    `grad` and `output` have the shape of the result of `attention`; the results
    are the gradients of query, key and value. With the scaled scores x, which
    are computed again, p = exp(x - logsumexp(x)) and d = sum_e(grad output):

        dv = sum_gt(p grad)             ds = p (sum_e(grad value) - d) scale
        dq = sum_s(ds key)              dk = sum_gt(ds query)

    `logsumexp`, of the shape [batch..., H, T] and the accumulator's type, is
    computed again if it is left out. `attention_query_grad` and
    `attention_key_value_grad` compute the gradients: without scores in memory on
    GPUs, with those of one rank on CPUs.
    Batch dimensions and heads may be sharded without any communication, queries
    too with pending sums in dk and dv.

    ```mlir
    %dq, %dk, %dv = dtensor.attention_backward %g, %q, %k, %v, %y {causal} : (tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x8x?x64xf32>) -> (tensor<?x8x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>)
    ```
  }];
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$query,
                       DTensor_Tensor:$key, DTensor_Tensor:$value,
                       DTensor_Tensor:$output, Optional<DTensor_Tensor>:$logsumexp,
                       UnitAttr:$causal, OptionalAttr<F64Attr>:$scale);
  let results = (outs DTensor_Tensor:$grad_query, DTensor_Tensor:$grad_key,
                      DTensor_Tensor:$grad_value);
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_BACKWARDOPS_TD
