//===- WindowOps.td - convolutions and pooling ----------------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_WINDOWOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_WINDOWOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

def DTensor_UnfoldOp : DTensor_Op<"unfold", [Pure,
    DeclareOpInterfaceMethods<ShardingRuleOpInterface>,
    DeclareOpInterfaceMethods<PartitionOpInterface, ["communicates"]>,
    DeclareOpInterfaceMethods<NormalizeOpInterface>]> {
  let summary = "windows of some dimensions";
  let description = [{
    Each dimension in `dims` gets the extent in `sizes`, the number of windows,
    and its extent in `kernel`, the length of a window, is a new dimension at the
    end. With one dimension in `dims`

        y[i, k] = x[(i * stride + k * dilation + offset) / divisor]

    where that is a whole number inside of x, and `value` elsewhere. Strides and
    divisors are at least 1, dilations and offsets any number: the windows of a
    convolution have divisor 1, those of its input gradient stride 1 and
    dilation < 0.

    A dimension in `dims` may be sharded, and is then sharded in the result as
    well: every rank gets the rows beside its shard from its two neighbours. If
    shards are too short for that, or two axes shard the dimension, the shards
    are gathered instead; the sizes decide, at launch where they are not known.

    ```mlir
    #bh = #dtensor.layout<#mesh, [shard(0)], (B, H)>
    #out = #dtensor.layout<#mesh, [shard(0)], (B, H - 2, 3)>
    %y = dtensor.unfold %x {dims = [1], sizes = [#dtensor.expr<H - 2>], kernel = [3], stride = [1], dilation = [1], offset = [0], divisor = [1], value = 0.0 : f32} : (tensor<?x?xf32, #bh>) -> tensor<?x?x3xf32, #out>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64ArrayAttr:$dims, ArrayAttr:$sizes,
                       ArrayAttr:$kernel, I64ArrayAttr:$stride,
                       I64ArrayAttr:$dilation, I64ArrayAttr:$offset,
                       I64ArrayAttr:$divisor, TypedAttrInterface:$value);
  let results = (outs DTensor_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The entry of `dims` that is dimension `dim`.
    std::optional<unsigned> findDim(unsigned dim);
    int64_t getStrideOf(unsigned i);
    int64_t getDilationOf(unsigned i);
    int64_t getOffsetOf(unsigned i);
    int64_t getDivisorOf(unsigned i);
  }];
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

// Tensors are [batch, channels, space...]. Per dimension of space, an absent
// `stride` is 1, `padding` 0 and `dilation` 1.
defvar WindowParameters = (ins OptionalAttr<I64ArrayAttr>:$stride,
                               OptionalAttr<I64ArrayAttr>:$padding,
                               OptionalAttr<I64ArrayAttr>:$dilation);

class DTensor_ConvolutionLikeOp<string mnemonic, string what, string text,
                                string example, dag operands>
    : DTensor_CompositeOp<mnemonic, "Convolution"> {
  let summary = what;
  let description = text # " f16 and bf16 are summed in f32.\n\n```mlir\n" #
                    example # "\n```\n";
  let arguments = !con(operands, WindowParameters,
                       (ins DefaultValuedAttr<I64Attr, "1">:$groups));
}

def DTensor_ConvolutionOp : DTensor_ConvolutionLikeOp<"convolution",
    "the convolution of one to three dimensions",
    "`input` is [N, C, space...], `weight` is [O, C / groups, kernel...] and the "
    "optional `bias` [O]; the result is [N, O, windows...] with "
    "(H + 2 * padding - dilation * (K - 1) - 1) floordiv stride + 1 windows. "
    "Batch, both channels and space may be sharded.",
    "%y = dtensor.convolution %x, %w {padding = [1, 1], stride = [2, 2]} : (tensor<?x4x?x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x6x?x4xf32>",
    (ins DTensor_Tensor:$input, DTensor_Tensor:$weight, Optional<DTensor_Tensor>:$bias)>;

def DTensor_ConvolutionInputGradOp : DTensor_ConvolutionLikeOp<"convolution_input_grad",
    "the gradient of a convolution by its input",
    "From the gradient of the result; `sizes` are the extents of the input's "
    "space. Also the transposed convolution.",
    "%g = dtensor.convolution_input_grad %gy, %w {sizes = [#dtensor.expr<H>], padding = [1]} : (tensor<?x6x?xf32>, tensor<6x4x3xf32>) -> tensor<?x4x?xf32>",
    (ins DTensor_Tensor:$grad, DTensor_Tensor:$weight, ArrayAttr:$sizes)>;

def DTensor_ConvolutionWeightGradOp : DTensor_ConvolutionLikeOp<"convolution_weight_grad",
    "the gradient of a convolution by its weight",
    "From the input and the gradient of the result; `kernel` are the extents of "
    "the weight's space. The gradient of the bias is a `sum`.",
    "%g = dtensor.convolution_weight_grad %x, %gy {kernel = [3], padding = [1]} : (tensor<?x4x?xf32>, tensor<?x6x?xf32>) -> tensor<6x4x3xf32>",
    (ins DTensor_Tensor:$input, DTensor_Tensor:$grad, ArrayAttr:$kernel)>;

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

class DTensor_PoolOp<string mnemonic, string what, string text, string example,
                     dag operands> : DTensor_CompositeOp<mnemonic, "Pool"> {
  let summary = what;
  let description = text # " The last dimensions, as many as `kernel` has "
                    "entries, are space; strides of 1 where `stride` is absent.\n\n```mlir\n" #
                    example # "\n```\n";
  let arguments = !con(operands, (ins I64ArrayAttr:$kernel), WindowParameters);
}

def DTensor_MaxPoolOp : DTensor_PoolOp<"max_pool", "the maximum of every window",
    "The second result has the position of the first maximum in the operand's "
    "space, row-major. NaN is the maximum.",
    "%y, %i = dtensor.max_pool %x {kernel = [2], stride = [2]} : (tensor<?x4x8xf32>) -> (tensor<?x4x4xf32>, tensor<?x4x4xi64>)",
    (ins DTensor_Tensor:$input)> {
  let results = (outs DTensor_Tensor:$values, DTensor_Tensor:$indices);
}

def DTensor_MaxPoolGradOp : DTensor_PoolOp<"max_pool_grad",
    "the gradient of max_pool",
    "`indices` is the second result of `max_pool`; `sizes` are the extents of its "
    "operand's space.",
    "%g = dtensor.max_pool_grad %gy, %i {sizes = [8], kernel = [2], stride = [2]} : (tensor<?x4x4xf32>, tensor<?x4x4xi64>) -> tensor<?x4x8xf32>",
    (ins DTensor_Tensor:$grad, DTensor_Tensor:$indices, ArrayAttr:$sizes)>;

def DTensor_AvgPoolOp : DTensor_PoolOp<"avg_pool", "the average of every window",
    "What is outside of the operand counts as 0, and not at all with "
    "`exclude_pad`. Floats only; f16 and bf16 are summed in f32.",
    "%y = dtensor.avg_pool %x {kernel = [2], stride = [2]} : (tensor<?x4x8xf32>) -> tensor<?x4x4xf32>",
    (ins DTensor_Tensor:$input, UnitAttr:$exclude_pad)>;

def DTensor_AvgPoolGradOp : DTensor_PoolOp<"avg_pool_grad",
    "the gradient of avg_pool",
    "`sizes` are the extents of its operand's space.",
    "%g = dtensor.avg_pool_grad %gy {sizes = [8], kernel = [2], stride = [2]} : (tensor<?x4x4xf32>) -> tensor<?x4x8xf32>",
    (ins DTensor_Tensor:$grad, ArrayAttr:$sizes, UnitAttr:$exclude_pad)>;

def DTensor_AdaptiveAvgPoolOp : DTensor_CompositeOp<"adaptive_avg_pool", "AdaptivePool"> {
  let summary = "averages of as many windows as wanted";
  let description = [{
    Window i of `sizes` many covers the positions from i * H floordiv size on,
    below (i + 1) * H ceildiv size. Floats only; f16 and bf16 are summed in f32.
    A sharded space gives pending sums.

    ```mlir
    %y = dtensor.adaptive_avg_pool %x {sizes = [2]} : (tensor<?x4x?xf32>) -> tensor<?x4x2xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64ArrayAttr:$sizes);
}

def DTensor_AdaptiveAvgPoolGradOp : DTensor_CompositeOp<"adaptive_avg_pool_grad", "AdaptivePoolGrad"> {
  let summary = "the gradient of adaptive_avg_pool";
  let description = [{
    The sum of what the windows that cover a position have, each divided by its
    length; `sizes` are the extents of the operand's space. Floats only; f16 and
    bf16 are summed in f32.

    ```mlir
    %g = dtensor.adaptive_avg_pool_grad %gy {sizes = [#dtensor.expr<H>]} : (tensor<?x4x2xf32>) -> tensor<?x4x?xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$grad, ArrayAttr:$sizes);
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_WINDOWOPS_TD
