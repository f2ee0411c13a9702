//===- ScatterOps.td - writes at indices, and work in an order -*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_SCATTEROPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_SCATTEROPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

// Core ops that a loop nest of independent iterations cannot say. They keep
// their names on the shards of one rank, on tensors without layouts, and become
// loops or kernels in a backend.
class DTensor_OrderedOp<string mnemonic, list<Trait> traits = []>
    : DTensor_Op<mnemonic, !listconcat(MovementTraits, traits)> {
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def DTensor_ScatterOp : DTensor_OrderedOp<"scatter"> {
  let summary = "writes or adds elements at indices along a dimension";
  let description = [{
    The operand, changed for every position of `updates` in row-major order:
    y[i, indices[i, j, k], k] = updates[i, j, k] for `dim` = 1. With `add` it is
    added. With `rows`, `indices` have any shape and one index is for a whole
    row: `updates` is the operand's shape with that of the indices in place of
    `dim`. Indices out of range change nothing. `dim` may be sharded: each rank
    changes the elements that it has. `offset`, where this rank's part of `dim`
    begins, is added by partitioning.

    ```mlir
    #x = #dtensor.layout<#mesh, [shard(0)], (V, 4)>
    #ids = #dtensor.layout<#mesh, [replicate], (N)>
    #u = #dtensor.layout<#mesh, [replicate], (N, 4)>
    %y = dtensor.scatter %x, %ids, %u {dim = 0, rows} : (tensor<?x4xf32, #x>, tensor<?xi64, #ids>, tensor<?x4xf32, #u>) -> tensor<?x4xf32, #x>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, DTensor_Tensor:$indices,
                       DTensor_Tensor:$updates, Optional<Index>:$offset,
                       I64Attr:$dim, UnitAttr:$rows, UnitAttr:$add);
  let results = (outs DTensor_Tensor:$result);
}

def DTensor_ScatterSumOp : DTensor_OrderedOp<"scatter_sum"> {
  let summary = "sums elements by index along a dimension";
  let description = [{
    As `scatter` with `add` into zeros, where `dim` has the extent `size`. The
    indices may be sharded as well: then each rank sums its own, and the results
    are pending sums. Elements that nothing is added to are 0 (-0.0 for floats).

    ```mlir
    #ids = #dtensor.layout<#mesh, [shard(0)], (N)>
    #u = #dtensor.layout<#mesh, [shard(0)], (N, 4)>
    #y = #dtensor.layout<#mesh, [partial(sum)], (V, 4)>
    %y = dtensor.scatter_sum %ids, %u {dim = 0, size = #dtensor.expr<V>, rows} : (tensor<?xi64, #ids>, tensor<?x4xf32, #u>) -> tensor<?x4xf32, #y>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$indices, DTensor_Tensor:$updates,
                       I64Attr:$dim, AnyAttr:$size, UnitAttr:$rows);
  let results = (outs DTensor_Tensor:$result);
}

def DTensor_ScanOp : DTensor_OrderedOp<"scan",
    [DeclareOpInterfaceMethods<ExpandOpInterface>]> {
  let summary = "sums or products of all elements so far";
  let description = [{
    y[i] is x[0] + ... + x[i] along `dim`, the product for `kind` = "product",
    the largest for "max", the smallest for "min". A sharded `dim` stays where
    it is: each rank scans its shard, and one total per rank is gathered.

    ```mlir
    #x = #dtensor.layout<#mesh, [shard(0)], (B, N)>
    %y = dtensor.scan %x {dim = 1, kind = "sum"} : (tensor<?x?xf32, #x>) -> tensor<?x?xf32, #x>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim, StrAttr:$kind);
  let results = (outs DTensor_Tensor:$result);
}

def DTensor_SortOp : DTensor_Op<"sort", [Pure,
    DeclareOpInterfaceMethods<ShardingRuleOpInterface>,
    DeclareOpInterfaceMethods<PartitionOpInterface, ["communicates"]>,
    DeclareOpInterfaceMethods<ExpandOpInterface>,
    DeclareOpInterfaceMethods<NormalizeOpInterface>]> {
  let summary = "the elements along a dimension in order";
  let description = [{
    Ascending, or with `descending` the other way; NaN is larger than all
    numbers; equal elements keep their order. The second result tells where each
    element was.

    With `merges`, `dim` may be sharded along one mesh axis: every rank sorts its
    shard, pairs of ranks merge what they have in a network, and nobody has more
    than two shards. Placements are decided as if `dim` had to be whole; then a
    sort of a gathered shard becomes one that merges where that costs less.

    ```mlir
    #x = #dtensor.layout<#mesh, [shard(0)], (B, N)>
    #cut = #dtensor.layout<#mesh, [shard(0)], (N)>
    %y, %i = dtensor.sort %x {dim = 1, descending} : (tensor<?x?xf32, #x>) -> (tensor<?x?xf32, #x>, tensor<?x?xi64, #x>)
    %z, %j = dtensor.sort %v {dim = 0, merges} : (tensor<?xf32, #cut>) -> (tensor<?xf32, #cut>, tensor<?xi64, #cut>)
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim, UnitAttr:$descending, UnitAttr:$merges);
  let results = (outs DTensor_Tensor:$values, DTensor_Tensor:$indices);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Made of these
//===----------------------------------------------------------------------===//

class DTensor_ScanLikeOp<string mnemonic, string what>
    : DTensor_CompositeOp<mnemonic, "Ordered"> {
  let summary = what;
  let description = [{
    Along `dim`. Integers may be accumulated in a wider result type; f16 and bf16
    are accumulated in f32.

    ```mlir
    %y = dtensor.}] # mnemonic # [{ %x {dim = 1} : (tensor<?x?xf32>) -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim);
}
def DTensor_CumsumOp : DTensor_ScanLikeOp<"cumsum", "sums of all elements so far">;
def DTensor_CumprodOp : DTensor_ScanLikeOp<"cumprod", "products of all elements so far">;

class DTensor_AddAtOp<string mnemonic, string what, string text, string example>
    : DTensor_CompositeOp<mnemonic, "Ordered"> {
  let summary = what;
  let description = text # [{ Indices out of range add nothing. f16 and bf16 are
    summed in f32.

    ```mlir
    }] # example # "\n```\n";
  let arguments = (ins DTensor_Tensor:$input, DTensor_Tensor:$indices,
                       DTensor_Tensor:$updates, I64Attr:$dim);
}
def DTensor_ScatterAddOp : DTensor_AddAtOp<"scatter_add",
    "adds elements at indices along a dimension",
    "As `scatter` with `add`; the indices may be sharded in any way.",
    "%y = dtensor.scatter_add %x, %ids, %u {dim = 1} : (tensor<?x?xf32>, tensor<?x?xi64>, tensor<?x?xf32>) -> tensor<?x?xf32>">;
def DTensor_IndexAddOp : DTensor_AddAtOp<"index_add",
    "adds rows at indices along a dimension",
    "As `scatter` with `rows` and `add`; the indices may be sharded in any way.",
    "%y = dtensor.index_add %x, %ids, %u {dim = 0} : (tensor<?x4xf32>, tensor<?xi64>, tensor<?x4xf32>) -> tensor<?x4xf32>">;

def DTensor_IndexPutOp : DTensor_CompositeOp<"index_put", "Ordered"> {
  let summary = "writes or adds at tuples of indices";
  let description = [{
    Each of the `indices`, all of one shape, indexes one leading dimension of the
    operand; `values` is that shape and the dimensions that are left. Row-major
    order: the last write stays. With `accumulate`, values are added. Tuples out
    of range change nothing.

    ```mlir
    %y = dtensor.index_put %x, %v, %i, %j {accumulate} : (tensor<?x?x4xf32>, tensor<?x4xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?x4xf32>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, DTensor_Tensor:$values,
                       Variadic<DTensor_Tensor>:$indices, UnitAttr:$accumulate);
}

def DTensor_TopkOp : DTensor_Op<"topk",
    [Pure, DeclareOpInterfaceMethods<ShardingRuleOpInterface>,
     DeclareOpInterfaceMethods<NormalizeOpInterface>,
     DeclareOpInterfaceMethods<ExpandOpInterface>]> {
  let summary = "the largest elements along a dimension";
  let description = [{
    The `k` largest along `dim` in descending order, or the smallest in ascending
    order with `smallest`; of equal ones the first; NaN is the largest, and comes
    out as the one quiet NaN. The second result tells where they are. A sharded dimension is not gathered: each rank
    finds its own k, and those candidates are gathered, in one collective, for
    the choice among them. Elements of more than 32 bits are gathered and sorted.

    ```mlir
    %v, %i = dtensor.topk %x {dim = 1, k = 2} : (tensor<?x64xf32>) -> (tensor<?x2xf32>, tensor<?x2xi64>)
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim, I64Attr:$k,
                       UnitAttr:$smallest);
  let results = (outs DTensor_Tensor:$values, DTensor_Tensor:$indices);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// What expansions are made of
//===----------------------------------------------------------------------===//

class DTensor_ShardRowsOp<string mnemonic> : DTensor_Op<mnemonic, ShardedOp> {
  let results = (outs DTensor_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def DTensor_StackShardsOp : DTensor_ShardRowsOp<"stack_shards"> {
  let summary = "the shards of a dimension as rows of equal length";
  let description = [{
    Dimension `dim` becomes two: one row per rank of the axes that shard it, and
    the elements of that rank's shard, filled up to the capacity of a shard with
    `value`. Moves nothing. Exists after placements are decided, for it reads
    them.

    ```mlir
    #by_rows = #dtensor.layout<#mesh, [shard(0)], (N)>
    #one_row_each = #dtensor.layout<#mesh, [shard(0)], (size(tp), N ceildiv size(tp))>
    %y = dtensor.stack_shards %x {dim = 0, value = 0.0 : f32} : (tensor<?xf32, #by_rows>) -> tensor<?x?xf32, #one_row_each>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim, TypedAttrInterface:$value);
}

def DTensor_UnstackShardsOp : DTensor_ShardRowsOp<"unstack_shards"> {
  let summary = "rows of equal length as the shards of a dimension";
  let description = [{
    The inverse of `stack_shards`: dimensions `dim` and `dim` + 1 become one,
    sharded as the result's type says; what fills a row up is dropped.

    ```mlir
    #by_rows = #dtensor.layout<#mesh, [shard(0)], (N)>
    #one_row_each = #dtensor.layout<#mesh, [shard(0)], (size(tp), N ceildiv size(tp))>
    %y = dtensor.unstack_shards %x {dim = 0} : (tensor<?x?xf32, #one_row_each>) -> tensor<?xf32, #by_rows>
    ```
  }];
  let arguments = (ins DTensor_Tensor:$input, I64Attr:$dim);
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_SCATTEROPS_TD
