//===- ShapingOps.td - parts, joins and rearrangements ---*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_SHAPINGOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_SHAPINGOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

class DTensor_ShapingOp<string mnemonic, string what, string text, string example>
    : DTensor_CompositeOp<mnemonic, "Shaping"> {
  let summary = what;
  let description = text # "\n\n```mlir\n" # example # "\n```\n";
}
// Starts, sizes and the like are numbers or `#dtensor.expr`.

def DTensor_SelectOp : DTensor_ShapingOp<"select", "one position of a dimension",
    "The dimension `dim` is gone.",
    "%y = dtensor.select %x {dim = 1, index = #dtensor.expr<S - 1>} : (tensor<?x?x4xf32>) -> tensor<?x4xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim, AnyAttr:$index);
}

def DTensor_StackOp : DTensor_ShapingOp<"stack", "joins tensors along a new dimension",
    "All operands have one shape; `dim` is numbered as in the result.",
    "%y = dtensor.stack %a, %b {dim = 1} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x2x4xf32>"> {
  let arguments = (ins Variadic<DTensor_Tensor>:$inputs, I64Attr:$dim);
}

def DTensor_SplitOp : DTensor_ShapingOp<"split", "consecutive parts of a dimension",
    "One result per entry of `sizes`, which sum to the extent of `dim`.",
    "%a, %b = dtensor.split %x {dim = 1, sizes = [1, #dtensor.expr<S - 1>]} : (tensor<?x?xf32>) -> (tensor<?x1xf32>, tensor<?x?xf32>)"> {
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim, ArrayAttr:$sizes);
  let results = (outs Variadic<DTensor_Tensor>:$results);
}

def DTensor_ChunkOp : DTensor_ShapingOp<"chunk", "equal parts of a dimension",
    "As many parts as there are results, of extent / parts rounded up; the last ones may be smaller or empty.",
    "%a, %b = dtensor.chunk %x {dim = 1} : (tensor<?x6xf32>) -> (tensor<?x3xf32>, tensor<?x3xf32>)"> {
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim);
  let results = (outs Variadic<DTensor_Tensor>:$results);
}

def DTensor_UnbindOp : DTensor_ShapingOp<"unbind", "every position of a dimension",
    "One result per position; the dimension `dim` is gone.",
    "%a, %b = dtensor.unbind %x {dim = 1} : (tensor<?x2xf32>) -> (tensor<?xf32>, tensor<?xf32>)"> {
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim);
  let results = (outs Variadic<DTensor_Tensor>:$results);
}

def DTensor_PadOp : DTensor_ShapingOp<"pad", "a border of one value",
    "`low` elements before and `high` elements behind each dimension, none of them negative. Dimensions that get a border must be whole.",
    "%y = dtensor.pad %x, %v {low = [0, 1], high = [0, #dtensor.expr<P>]} : (tensor<?x?xf32>, f32) -> tensor<?x?xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, DTensor_Scalar:$value,
                       ArrayAttr:$low, ArrayAttr:$high);
}

def DTensor_FlipOp : DTensor_ShapingOp<"flip", "the reverse of dimensions",
    "Element i of a dimension in `dims` is the operand's extent - 1 - i.",
    "%y = dtensor.flip %x {dims = [0, 1]} : (tensor<?x?xf32>) -> tensor<?x?xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, I64ArrayAttr:$dims);
}

def DTensor_RollOp : DTensor_ShapingOp<"roll", "rotates dimensions",
    "Element i moves to (i + shift) mod extent in each of `dims`.",
    "%y = dtensor.roll %x {dims = [1], shifts = [-2]} : (tensor<?x?xf32>) -> tensor<?x?xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, I64ArrayAttr:$dims, ArrayAttr:$shifts);
}

def DTensor_RepeatOp : DTensor_ShapingOp<"repeat", "copies one behind the other",
    "Each dimension is repeated as often as `repeats` says; further entries of `repeats` are new dimensions in front.",
    "%y = dtensor.repeat %x {repeats = [3, 1, 2]} : (tensor<?x4xf32>) -> tensor<3x?x8xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, ArrayAttr:$repeats);
}

def DTensor_RepeatInterleaveOp : DTensor_ShapingOp<"repeat_interleave",
    "copies of each element side by side",
    "Element i of `dim` is the operand's i floordiv `repeats`.",
    "%y = dtensor.repeat_interleave %x {dim = 0, repeats = 2} : (tensor<?x4xf32>) -> tensor<?x4xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim, AnyAttr:$repeats);
}

class DTensor_TriangleOp<string mnemonic, string what, string text>
    : DTensor_ShapingOp<mnemonic, what, text,
        "%y = dtensor." # mnemonic # " %x {diagonal = 1 : i64} : (tensor<?x?xf32>) -> tensor<?x?xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, DefaultValuedAttr<I64Attr, "0">:$diagonal);
}
def DTensor_TrilOp : DTensor_TriangleOp<"tril", "the lower triangle",
    "0 where column - row > `diagonal`, in the last two dimensions.">;
def DTensor_TriuOp : DTensor_TriangleOp<"triu", "the upper triangle",
    "0 where column - row < `diagonal`, in the last two dimensions.">;

def DTensor_DiagonalOp : DTensor_ShapingOp<"diagonal", "the elements on a diagonal",
    "x[i, i + `offset`] of the dimensions `dim1` and `dim2`, as a new last dimension. Both must be whole.",
    "%y = dtensor.diagonal %x {dim1 = 0, dim2 = 1} : (tensor<?x?xf32>) -> tensor<?xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, DefaultValuedAttr<I64Attr, "0">:$offset,
                       I64Attr:$dim1, I64Attr:$dim2);
}

def DTensor_OneHotOp : DTensor_ShapingOp<"one_hot", "1 at the index, 0 elsewhere",
    "A new last dimension of extent `classes`; indices out of range have no 1.",
    "%y = dtensor.one_hot %ids {classes = 10} : (tensor<?xi64>) -> tensor<?x10xi64>"> {
  let arguments = (ins DTensor_Tensor:$input, AnyAttr:$classes);
}

def DTensor_GluOp : DTensor_ShapingOp<"glu", "one half times the sigmoid of the other",
    "The extent of `dim` is even; the result has half of it. Floats only; f16 and bf16 are computed in f32.",
    "%y = dtensor.glu %x {dim = 1} : (tensor<?x8xf32>) -> tensor<?x4xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim);
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_SHAPINGOPS_TD
