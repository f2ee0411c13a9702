//===- ViewOps.td - the same elements under another shape ----*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_VIEWOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_VIEWOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

// `sizes` lists extents, as numbers or `#dtensor.expr`. It may be left out
// where the result's type tells them: a layout, or static dimensions.

def DTensor_ReshapeOp : DTensor_Op<"reshape", MovementTraits> {
  let summary = "the same elements, row-major, in another shape";
  let description = [{
    Both shapes hold equally many elements; provably different products are an
    error with both of them, what cannot be proved is checked when the program
    runs. Sharding follows symbolic factors: [T, H*D] to [T, H, D] has the
    factors T, H and D; a dimension of extent 1 has none; dimensions that do not
    factor together must be whole.

    ```mlir
    #in = #dtensor.layout<#mesh, [shard(0)], (B, S, 4)>
    #out = #dtensor.layout<#mesh, [shard(0)], (B*S, 4)>
    %y = dtensor.reshape %x : (tensor<?x?x4xf32, #in>) -> tensor<?x4xf32, #out>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, OptionalAttr<ArrayAttr>:$sizes);
  let results = (outs DTensor_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

class DTensor_ViewOp<string mnemonic, string what>
    : DTensor_CompositeOp<mnemonic, "View"> {
  let summary = what;
}

def DTensor_SqueezeOp : DTensor_ViewOp<"squeeze", "drops dimensions of extent 1"> {
  let description = [{
    `dims` are dimensions of the operand, each of extent 1.

    ```mlir
    %y = dtensor.squeeze %x {dims = [1]} : (tensor<?x1x4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64ArrayAttr:$dims);
}

def DTensor_UnsqueezeOp : DTensor_ViewOp<"unsqueeze", "adds dimensions of extent 1"> {
  let description = [{
    `dims` are the new dimensions, numbered as in the result.

    ```mlir
    %y = dtensor.unsqueeze %x {dims = [1]} : (tensor<?x4xf32>) -> tensor<?x1x4xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64ArrayAttr:$dims);
}

def DTensor_FlattenOp : DTensor_ViewOp<"flatten", "joins adjacent dimensions"> {
  let description = [{
    Dimensions `start` to `end`, both included, become one.

    ```mlir
    %y = dtensor.flatten %x {start = 0, end = 1} : (tensor<?x?x4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$start, I64Attr:$end);
}

def DTensor_UnflattenOp : DTensor_ViewOp<"unflatten", "splits one dimension"> {
  let description = [{
    Dimension `dim` becomes several, of extents `sizes`, whose product is its
    own.

    ```mlir
    %y = dtensor.unflatten %x {dim = 1, sizes = [8, 4]} : (tensor<?x32xf32>) -> tensor<?x8x4xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim,
                       OptionalAttr<ArrayAttr>:$sizes);
}

def DTensor_PermuteOp : DTensor_ViewOp<"permute", "reorders the dimensions"> {
  let description = [{
    Dimension `i` of the result is dimension `permutation[i]` of the operand.

    ```mlir
    %y = dtensor.permute %x {permutation = [1, 0]} : (tensor<?x4xf32>) -> tensor<4x?xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64ArrayAttr:$permutation);
}

def DTensor_ExpandOp : DTensor_ViewOp<"expand", "stretches dimensions of extent 1"> {
  let description = [{
    Shapes are aligned at the right: an extent 1 becomes the result's, other
    extents stay, new dimensions come in front. `sizes` lists all extents of the
    result.

    ```mlir
    %y = dtensor.expand %x {sizes = [#dtensor.expr<B>, 3, 4]} : (tensor<1x4xf32>) -> tensor<?x3x4xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, OptionalAttr<ArrayAttr>:$sizes);
}

def DTensor_FullOp : DTensor_ViewOp<"full", "one scalar in every element"> {
  let description = [{
    ```mlir
    %y = dtensor.full %c {sizes = [#dtensor.expr<B>, 4]} : (f32) -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins DTensor_Scalar:$value, OptionalAttr<ArrayAttr>:$sizes);
}

def DTensor_IotaOp : DTensor_ViewOp<"iota", "the position along one dimension"> {
  let description = [{
    Element [i0, i1, ...] is i`dim`, as an integer or a float.

    ```mlir
    %y = dtensor.iota {dim = 0, sizes = [#dtensor.expr<B>]} : () -> tensor<?xi64>
    ```
  }];
  let arguments = (ins I64Attr:$dim, OptionalAttr<ArrayAttr>:$sizes);
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_VIEWOPS_TD
