//===- IndexingOps.td - slices, joins and lookups ------------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_INDEXINGOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_INDEXINGOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

class DTensor_MovementOp<string mnemonic> : DTensor_Op<mnemonic, MovementTraits> {
  let results = (outs DTensor_Tensor:$result);
  let hasVerifier = 1;
}

def DTensor_SliceOp : DTensor_MovementOp<"slice"> {
  let summary = "a part of every dimension";
  let description = [{
    Element i of a result dimension is element start + i * step of the operand's.
    Starts, sizes and steps are expressions, one per dimension; steps are at
    least 1. A dimension taken whole (start 0, size the extent, step 1) is
    sharded freely, any other must be whole on every rank.

    ```mlir
    #bs = #dtensor.layout<#mesh, [shard(0)], (B, S)>
    #b1 = #dtensor.layout<#mesh, [shard(0)], (B, 1)>
    %y = dtensor.slice %x [0, S - 1] [B, 1] [1, 1] : (tensor<?x?xf32, #bs>) -> tensor<?x1xf32, #b1>
    ```

    **Constraints:**
    - one start, size and step per dimension; sizes are the result's extents
    - 0 <= start, and start + (size - 1) * step < extent where that is provable
  }];
  let arguments = (ins DTensor_Tensor:$input, ArrayAttr:$starts,
                       ArrayAttr:$sizes, ArrayAttr:$steps);
  let assemblyFormat = [{
    $input custom<ExprList>($starts) custom<ExprList>($sizes)
    custom<ExprList>($steps) attr-dict `:` functional-type($input, $result)
  }];
  let extraClassDeclaration = [{
    ::dtensor::Expr getStart(unsigned dim);
    ::dtensor::Expr getSize(unsigned dim);
    ::dtensor::Expr getStep(unsigned dim);
    /// Start 0, the operand's extent, step 1.
    bool isWhole(unsigned dim);
  }];
}

def DTensor_ConcatOp : DTensor_MovementOp<"concat"> {
  let summary = "joins tensors along one dimension";
  let description = [{
    The other dimensions have equal extents; those of `dim` add up.

    ```mlir
    #b4 = #dtensor.layout<#mesh, [shard(0)], (B, 4)>
    #bs = #dtensor.layout<#mesh, [shard(0)], (B, S)>
    #out = #dtensor.layout<#mesh, [shard(0)], (B, S + 4)>
    %y = dtensor.concat %a, %b {dim = 1} : (tensor<?x4xf32, #b4>, tensor<?x?xf32, #bs>) -> tensor<?x?xf32, #out>
    ```
  }];
  let arguments = (ins Variadic<DTensor_Tensor>:$inputs, I64Attr:$dim);
  let assemblyFormat = "$inputs attr-dict `:` functional-type($inputs, $result)";
}

def DTensor_EmbeddingOp : DTensor_MovementOp<"embedding"> {
  let summary = "rows of a table";
  let description = [{
    `indices` is [...] of integers, `table` is [V, rest...], the result is
    [..., rest...]. Rows keep their bits. An index that is negative or at least V
    reads zeros. The table may be sharded along V: a rank contributes -0.0 (0 for
    integers) for the rows that others hold, so that the sum is exact.

    ```mlir
    #ids = #dtensor.layout<#mesh, [replicate], (B, S)>
    #table = #dtensor.layout<#mesh, [shard(0)], (V, 8)>
    #out = #dtensor.layout<#mesh, [partial(sum)], (B, S, 8)>
    %y = dtensor.embedding %ids, %table : (tensor<?x?xi64, #ids>, tensor<?x8xf32, #table>) -> tensor<?x?x8xf32, #out>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$indices, DTensor_Tensor:$table);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def DTensor_GatherOp : DTensor_MovementOp<"gather"> {
  let summary = "one element per index along a dimension";
  let description = [{
    y[i, j, k] = x[i, indices[i, j, k], k] for `dim` = 1. Other dimensions have
    equal extents. Indices out of range read zero, as in `embedding`.

    ```mlir
    #x = #dtensor.layout<#mesh, [shard(1)], (B, V)>
    #ids = #dtensor.layout<#mesh, [replicate], (B, 1)>
    #out = #dtensor.layout<#mesh, [partial(sum)], (B, 1)>
    %y = dtensor.gather %x, %ids {dim = 1} : (tensor<?x?xf32, #x>, tensor<?x1xi64, #ids>) -> tensor<?x1xf32, #out>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, DTensor_Tensor:$indices,
                       I64Attr:$dim);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def DTensor_IndexSelectOp : DTensor_MovementOp<"index_select"> {
  let summary = "one row per index along a dimension";
  let description = [{
    y[i, j, k] = x[i, indices[j], k] for `dim` = 1; the indices may have any
    rank. Rows keep their bits. Indices out of range read zeros, as in
    `embedding`; `dim` may be sharded as its table may be.

    ```mlir
    #x = #dtensor.layout<#mesh, [shard(0)], (B, V, 4)>
    #ids = #dtensor.layout<#mesh, [replicate], (N)>
    #out = #dtensor.layout<#mesh, [shard(0)], (B, N, 4)>
    %y = dtensor.index_select %x, %ids {dim = 1} : (tensor<?x?x4xf32, #x>, tensor<?xi64, #ids>) -> tensor<?x?x4xf32, #out>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, DTensor_Tensor:$indices,
                       I64Attr:$dim);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def DTensor_ConstantOp : DTensor_MovementOp<"constant"> {
  let summary = "a tensor of literal elements";
  let description = [{
    `value` has the global static shape; every rank keeps its part.

    ```mlir
    #l = #dtensor.layout<#mesh, [replicate], (2)>
    %c = dtensor.constant dense<[1.0, 2.0]> : tensor<2xf32> to tensor<2xf32, #l>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let assemblyFormat = "$value `to` type($result) attr-dict";
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_INDEXINGOPS_TD
