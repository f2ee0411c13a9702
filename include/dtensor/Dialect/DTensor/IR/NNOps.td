//===- NNOps.td - softmax, norms and attention ---------------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_NNOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_NNOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

class DTensor_SoftmaxLikeOp<string mnemonic, string what, string formula>
    : DTensor_CompositeOp<mnemonic, "Softmax"> {
  let summary = what;
  let description = formula # [{ along `dim`, with m the maximum. Floats only; f16 and bf16
    are computed in f32.

    ```mlir
    %y = dtensor.}] # mnemonic # [{ %x {dim = 1} : (tensor<?x?xf32>) -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim);
}
def DTensor_SoftmaxOp : DTensor_SoftmaxLikeOp<"softmax", "exponentials that sum to 1",
    "exp(x - m) / sum(exp(x - m))">;
def DTensor_LogSoftmaxOp : DTensor_SoftmaxLikeOp<"log_softmax", "the logarithm of softmax",
    "(x - m) - log(sum(exp(x - m)))">;

def DTensor_LayerNormOp : DTensor_CompositeOp<"layer_norm", "Norm"> {
  let summary = "zero mean and unit variance over trailing dimensions";
  let description = [{
    (x - mean) / sqrt(variance + eps) * weight + bias over the last `trailing`
    dimensions. `parameters` are none, the weight, or weight and bias; their
    shape is the last `trailing` extents. Floats only; f16 and bf16 are computed
    in f32.

    ```mlir
    %y = dtensor.layer_norm %x, %w, %b {trailing = 1 : i64} : (tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>) -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, Variadic<DTensor_Tensor>:$parameters,
                       DefaultValuedAttr<I64Attr, "1">:$trailing,
                       DefaultValuedAttr<F64Attr, "1.0e-5">:$eps);
}

def DTensor_RMSNormOp : DTensor_CompositeOp<"rms_norm", "Norm"> {
  let summary = "unit mean square over trailing dimensions";
  let description = [{
    x / sqrt(mean(x^2) + eps) * weight over the last `trailing` dimensions.
    `parameters` is none or the weight. Otherwise as `layer_norm`.

    ```mlir
    %y = dtensor.rms_norm %x, %w {eps = 1.0e-6} : (tensor<?x?xbf16>, tensor<?xbf16>) -> tensor<?x?xbf16>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, Variadic<DTensor_Tensor>:$parameters,
                       DefaultValuedAttr<I64Attr, "1">:$trailing,
                       DefaultValuedAttr<F64Attr, "1.0e-5">:$eps);
}

class DTensor_NativeNormOp<string mnemonic, string forward, string extra,
                           dag outputs, string types>
    : DTensor_CompositeOp<mnemonic, "Norm"> {
  let summary = "`" # forward # "` and what its gradient needs";
  let description = "As `" # forward # "`. " # extra # [{ The dimensions that
    are normalized are 1 there, and its elements are f32 for f16 and bf16.

    ```mlir
    }] # types # "\n```\n";
  let arguments = (ins DTensor_Tensor:$input, Variadic<DTensor_Tensor>:$parameters,
                       DefaultValuedAttr<I64Attr, "1">:$trailing,
                       DefaultValuedAttr<F64Attr, "1.0e-5">:$eps);
  let results = outputs;
}
def DTensor_NativeLayerNormOp : DTensor_NativeNormOp<"native_layer_norm", "layer_norm",
    "The further results are the mean and 1 / sqrt(variance + eps).",
    (outs DTensor_Tensor:$result, DTensor_Tensor:$mean, DTensor_Tensor:$rstd),
    "%y, %m, %r = dtensor.native_layer_norm %x, %w {trailing = 1 : i64} : (tensor<?x?xf32>, tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?x1xf32>, tensor<?x1xf32>)">;
def DTensor_NativeRMSNormOp : DTensor_NativeNormOp<"native_rms_norm", "rms_norm",
    "The second result is 1 / sqrt(mean(x^2) + eps).",
    (outs DTensor_Tensor:$result, DTensor_Tensor:$rstd),
    "%y, %r = dtensor.native_rms_norm %x, %w {trailing = 1 : i64} : (tensor<?x?xf32>, tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?x1xf32>)">;

//===----------------------------------------------------------------------===//
// Norms of channels
//===----------------------------------------------------------------------===//

class DTensor_ChannelNormOp<string mnemonic, string what, string text, string example>
    : DTensor_CompositeOp<mnemonic, "ChannelNorm"> {
  let summary = what;
  let description = text # [{ The input is [N, C, rest...], weight and bias are
    [C]. Floats only; f16 and bf16 are computed in f32, which is also the
    element type of their statistics.

    ```mlir
    }] # example # "\n```\n";
}

class DTensor_GroupNormLikeOp<string mnemonic, string what, string text, string example>
    : DTensor_ChannelNormOp<mnemonic, what, text, example> {
  let arguments = (ins DTensor_Tensor:$input, Variadic<DTensor_Tensor>:$parameters,
                       I64Attr:$groups, DefaultValuedAttr<F64Attr, "1.0e-5">:$eps);
}

def DTensor_GroupNormOp : DTensor_GroupNormLikeOp<"group_norm",
    "zero mean and unit variance over groups of channels",
    "(x - mean) / sqrt(variance + eps) * weight + bias, where mean and variance "
    "are those of `groups` equal groups of channels and of the rest. "
    "`parameters` are none, the weight, or weight and bias.",
    "%y = dtensor.group_norm %x, %w, %b {groups = 2} : (tensor<?x6x?xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<?x6x?xf32>">;

def DTensor_NativeGroupNormOp : DTensor_GroupNormLikeOp<"native_group_norm",
    "`group_norm` and what its gradient needs",
    "As `group_norm`. The further results are the mean and "
    "1 / sqrt(variance + eps), both [N, groups].",
    "%y, %m, %r = dtensor.native_group_norm %x {groups = 2} : (tensor<?x6x?xf32>) -> (tensor<?x6x?xf32>, tensor<?x2xf32>, tensor<?x2xf32>)"> {
  let results = (outs DTensor_Tensor:$result, DTensor_Tensor:$mean,
                      DTensor_Tensor:$rstd);
}

def DTensor_BatchNormOp : DTensor_ChannelNormOp<"batch_norm",
    "channels scaled by statistics that are given",
    "(x - mean) / sqrt(variance + eps) * weight + bias: the inference of a "
    "network that was trained with `native_batch_norm`. Mean and variance are "
    "[C]; `parameters` are none, the weight, or weight and bias.",
    "%y = dtensor.batch_norm %x, %m, %v, %w {eps = 1.0e-3} : (tensor<?x4x?xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x?xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, DTensor_Tensor:$mean,
                       DTensor_Tensor:$variance, Variadic<DTensor_Tensor>:$parameters,
                       DefaultValuedAttr<F64Attr, "1.0e-5">:$eps);
}

def DTensor_NativeBatchNormOp : DTensor_ChannelNormOp<"native_batch_norm",
    "zero mean and unit variance of each channel",
    "(x - mean) / sqrt(variance + eps) * weight + bias, where mean and variance "
    "are those of a channel of the whole batch, on all devices. The further "
    "results are the mean and 1 / sqrt(variance + eps), both [C]. With "
    "`momentum` m the first two of `others` are running statistics r, and the "
    "last two results (1 - m) r + m s: s is the mean, and the variance without "
    "bias. The rest of `others` are none, the weight, or weight and bias.",
    "%y, %m, %r, %rm, %rv = dtensor.native_batch_norm %x, %m0, %v0, %w {momentum = 0.1} : (tensor<?x4x?xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<?x4x?xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)"> {
  let arguments = (ins DTensor_Tensor:$input, Variadic<DTensor_Tensor>:$others,
                       OptionalAttr<F64Attr>:$momentum,
                       DefaultValuedAttr<F64Attr, "1.0e-5">:$eps);
  let results = (outs DTensor_Tensor:$result, DTensor_Tensor:$mean,
                      DTensor_Tensor:$rstd, Variadic<DTensor_Tensor>:$running);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

def DTensor_AttentionOp : DTensor_Op<"attention", [Pure,
    DeclareOpInterfaceMethods<ShardingRuleOpInterface>,
    DeclareOpInterfaceMethods<PartitionOpInterface, ["communicates"]>,
    DeclareOpInterfaceMethods<ExpandOpInterface>,
    DeclareOpInterfaceMethods<NormalizeOpInterface>]> {
  let summary = "softmax(q k^T * scale) v, with grouped heads";
  let description = [{
    `query` is [batch..., H, T, D], `key` [batch..., Hkv, S, D], `value`
    [batch..., Hkv, S, E], the result [batch..., H, T, E]. H = Hkv * G: query
    head h reads head h floordiv G. With `causal`, query i sees the keys
    j <= i + `diagonal`; the operand `diagonal` is S - T if it is left out, and
    partitioning adds it, so that queries may be sharded. It may be a tensor of
    rank 0, a number that the device alone knows: then queries stay whole. A row
    that sees no key is 0. `scale` is 1/sqrt(D) if left out. Scores and sums of f16 and bf16 are
    f32. Batch dimensions, heads and queries may be sharded; S, D and E not.
    The op keeps its name on the shards of one rank.

    With `ring`, keys and values are sharded as the queries are, along one mesh
    axis, and go round: every rank sees the pieces of all others in turn. Where
    keys and values would be gathered along the axis that shards the queries, the
    compiler chooses between the two by cost: a ring sends as many bytes in more
    steps, and holds one piece instead of all.

    ```mlir
    #q = #dtensor.layout<#mesh, [shard(1)], (B, 8, T, 64)>
    #kv = #dtensor.layout<#mesh, [shard(1)], (B, 2, S, 64)>
    %y = dtensor.attention %q, %k, %v {causal} : (tensor<?x8x?x64xf32, #q>, tensor<?x2x?x64xf32, #kv>, tensor<?x2x?x64xf32, #kv>) -> tensor<?x8x?x64xf32, #q>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$query, DTensor_Tensor:$key,
                       DTensor_Tensor:$value,
                       Optional<AnyTypeOf<[Index, DTensor_Tensor]>>:$diagonal,
                       UnitAttr:$causal, UnitAttr:$ring,
                       OptionalAttr<F64Attr>:$scale);
  let results = (outs DTensor_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Whether the diagonal is a number that the device alone knows.
    bool hasDeviceDiagonal() {
      return getDiagonal() && !getDiagonal().getType().isIndex();
    }
  }];
}

class DTensor_AttentionGradOp<string mnemonic, string what, string text, string example>
    : DTensor_Op<mnemonic, [Pure,
        DeclareOpInterfaceMethods<ShardingRuleOpInterface>,
        DeclareOpInterfaceMethods<PartitionOpInterface>,
        DeclareOpInterfaceMethods<NormalizeOpInterface>]> {
  let summary = what;
  let description = [{
    `grad` is [batch..., H, T, E], `query`, `key` and `value` are those of
    `attention`. With x the scaled scores, which are computed again, and
    p = exp(x - logsumexp), 0 where a key is not seen:

        ds = p (grad value^T - delta) scale

    where `delta`, [batch..., H, T] in the accumulator's type, is the sum of
    grad times output over E. `causal`, `scale` and `diagonal` are those of
    `attention`.
  }] # text # [{
    On GPUs no scores are in memory, but those of doubles; on CPUs those of one
    rank are. `attention_backward` is made of this op.

    ```mlir
    }] # example # "\n```\n";
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def DTensor_AttentionQueryGradOp : DTensor_AttentionGradOp<"attention_query_grad",
    "the gradient of the query of `attention`, and the logsumexp of its scores", [{
    The results are ds key, and the logarithm of the sum of exp(x) over the keys
    that a query sees, in delta's shape and type. A row that sees no key is 0.
    Batch dimensions, heads and queries may be sharded; S, D and E not. Where
    `grad` and `delta` are pending sums, so is the gradient.
    }],
    "%dq, %l = dtensor.attention_query_grad %g, %q, %k, %v, %delta {causal} : (tensor<?x8x?x64xbf16>, tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x8x?xf32>) -> (tensor<?x8x?x64xbf16>, tensor<?x8x?xf32>)"> {
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$query,
                       DTensor_Tensor:$key, DTensor_Tensor:$value,
                       DTensor_Tensor:$delta, Optional<Index>:$diagonal,
                       UnitAttr:$causal, OptionalAttr<F64Attr>:$scale);
  let results = (outs DTensor_Tensor:$grad_query, DTensor_Tensor:$logsumexp);
}

def DTensor_AttentionKeyValueGradOp : DTensor_AttentionGradOp<"attention_key_value_grad",
    "the gradients of key and value of `attention`", [{
    The results are ds^T query and p^T grad, summed over the queries and over the
    heads of a group. `logsumexp` has delta's shape and type. Batch dimensions,
    heads of keys and keys may be sharded; where groups or queries are, the
    results are pending sums, and where `grad` and `delta` are, too. D and E stay
    whole.
    }],
    "%dk, %dv = dtensor.attention_key_value_grad %g, %q, %k, %v, %l, %delta {causal} : (tensor<?x8x?x64xbf16>, tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x8x?xf32>, tensor<?x8x?xf32>) -> (tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>)"> {
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$query,
                       DTensor_Tensor:$key, DTensor_Tensor:$value,
                       DTensor_Tensor:$logsumexp, DTensor_Tensor:$delta,
                       Optional<Index>:$diagonal, UnitAttr:$causal,
                       OptionalAttr<F64Attr>:$scale);
  let results = (outs DTensor_Tensor:$grad_key, DTensor_Tensor:$grad_value);
}

def DTensor_RingAttentionBackwardOp : DTensor_Op<"ring_attention_backward", [Pure,
    DeclareOpInterfaceMethods<ShardingRuleOpInterface>,
    DeclareOpInterfaceMethods<PartitionOpInterface, ["communicates"]>,
    DeclareOpInterfaceMethods<NormalizeOpInterface>]> {
  let summary = "`attention_backward` whose keys and values go round";
  let description = [{
    Keys and values are sharded as the queries are, along one mesh axis, and go
    round with their gradients: every rank sees the pieces of all others in turn,
    adds what its queries have to do with them, and has one piece and its scores
    in memory. With n ranks, n - 1 pieces of each are handed on; without
    `logsumexp`, which is computed again, those of the keys twice. Gradients
    travel in the accumulator's type. Batch dimensions and heads of keys may be
    sharded beside it.

    ```mlir
    #q = #dtensor.layout<#mesh, [shard(1)], (8, T, 64)>
    #kv = #dtensor.layout<#mesh, [shard(1)], (2, T, 64)>
    %dq, %dk, %dv = dtensor.ring_attention_backward %g, %q, %k, %v, %y {causal} : (tensor<8x?x64xf32, #q>, tensor<8x?x64xf32, #q>, tensor<2x?x64xf32, #kv>, tensor<2x?x64xf32, #kv>, tensor<8x?x64xf32, #q>) -> (tensor<8x?x64xf32, #q>, tensor<2x?x64xf32, #kv>, tensor<2x?x64xf32, #kv>)
    ```
  }];
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$query,
                       DTensor_Tensor:$key, DTensor_Tensor:$value,
                       DTensor_Tensor:$output, Optional<DTensor_Tensor>:$logsumexp,
                       UnitAttr:$causal, OptionalAttr<F64Attr>:$scale);
  let results = (outs DTensor_Tensor:$grad_query, DTensor_Tensor:$grad_key,
                      DTensor_Tensor:$grad_value);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_NNOPS_TD
