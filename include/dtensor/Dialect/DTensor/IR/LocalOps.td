//===- LocalOps.td - what one rank runs -----------------------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_LOCALOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_LOCALOPS_TD

include "dtensor/Dialect/DTensor/IR/DTensorAttrs.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// A collective. Every rank of the group runs it, in the same order; members are
// ordered by their coordinates on `axes` (indices of mesh axes, major first).
// `capacity` is the padded size of a shard, equal on all ranks:
// size <= capacity. With n the extent that the group cuts and `unit` (1 when
// absent), every member's piece follows from n by the formula of LocalShape.h.
// Pure: all ranks drop or keep it together.
class DTensor_CollectiveOp<string mnemonic, list<Trait> traits = []>
    : DTensor_Op<mnemonic, !listconcat([Pure,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                  ["reifyResultShapes"]>], traits)> {
  let hasVerifier = 1;
}

def DTensor_AllGatherOp : DTensor_CollectiveOp<"all_gather"> {
  let summary = "concatenates the shards of the group";
  let description = [{
    `extent` is the size of dimension `dim` of the result; it is the sum of the
    members' sizes, each at most `capacity`.

    ```mlir
    %y = dtensor.all_gather %x dim 0 extent %n capacity %c on #mesh axes [0] : tensor<?x4xf32> -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input, Index:$extent, Index:$capacity,
    Optional<Index>:$unit,
    DTensor_MeshAttr:$mesh, DenseI64ArrayAttr:$axes, I64Attr:$dim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$input `dim` $dim `extent` $extent `capacity` $capacity (`unit` $unit^)? `on` $mesh `axes` $axes attr-dict `:` type($input) `->` type($result)";
}

def DTensor_AllReduceOp : DTensor_CollectiveOp<"all_reduce", [AllTypesMatch<["input", "result"]>]> {
  let summary = "reduces over the group, the result on every member";
  let description = [{
    ```mlir
    %y = dtensor.all_reduce sum %x on #mesh axes [0] : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins DTensor_ReduceKindAttr:$kind, AnyRankedTensor:$input,
    DTensor_MeshAttr:$mesh, DenseI64ArrayAttr:$axes);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "custom<BareReduceKind>($kind) $input `on` $mesh `axes` $axes attr-dict `:` type($input)";
}

def DTensor_ReduceScatterOp : DTensor_CollectiveOp<"reduce_scatter"> {
  let summary = "reduces over the group, each member keeping its shard";
  let description = [{
    The result is the reduction of `input[offset : offset + size]` along `dim`.

    ```mlir
    %y = dtensor.reduce_scatter sum %x dim 0 offset %o size %s capacity %c on #mesh axes [0] : tensor<?x4xf32> -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins DTensor_ReduceKindAttr:$kind, AnyRankedTensor:$input,
    Index:$offset, Index:$size, Index:$capacity, Optional<Index>:$unit,
    DTensor_MeshAttr:$mesh, DenseI64ArrayAttr:$axes, I64Attr:$dim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "custom<BareReduceKind>($kind) $input `dim` $dim `offset` $offset `size` $size `capacity` $capacity (`unit` $unit^)? `on` $mesh `axes` $axes attr-dict `:` type($input) `->` type($result)";
}

def DTensor_AllToAllOp : DTensor_CollectiveOp<"all_to_all", [AttrSizedOperandSegments]> {
  let summary = "gathers one dimension and scatters another";
  let description = [{
    Member q sends `input[offset_r : offset_r + size_r]` along `split_dim` to
    member r; the pieces received are concatenated along `gather_dim`, whose
    size becomes `extent`. `offset`, `size`, `capacity` describe this rank's
    piece of `split_dim`; `gather_capacity` bounds every member's piece of
    `gather_dim`.

    ```mlir
    %y = dtensor.all_to_all %x gather 0 extent %n capacity %gc split 1 offset %o size %s capacity %c on #mesh axes [0] : tensor<?x?xf32> -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input, Index:$extent, Index:$gather_capacity,
    Optional<Index>:$gather_unit,
    Index:$offset, Index:$size, Index:$capacity, Optional<Index>:$unit,
    DTensor_MeshAttr:$mesh, DenseI64ArrayAttr:$axes, I64Attr:$gather_dim, I64Attr:$split_dim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$input `gather` $gather_dim `extent` $extent `capacity` $gather_capacity (`unit` $gather_unit^)? `split` $split_dim `offset` $offset `size` $size `capacity` $capacity (`unit` $unit^)? `on` $mesh `axes` $axes attr-dict `:` type($input) `->` type($result)";
}

def DTensor_CollectivePermuteOp : DTensor_CollectiveOp<"collective_permute"> {
  let summary = "receives the tensor of one other member";
  let description = [{
    The result is the input of the member at position `source` of the group;
    `sizes` are the result's dynamic sizes, those of that member's tensor.

    ```mlir
    %y = dtensor.collective_permute %x source %q sizes(%s) on #mesh axes [0] : tensor<?x4xf32> -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input, Index:$source, Variadic<Index>:$sizes,
    DTensor_MeshAttr:$mesh, DenseI64ArrayAttr:$axes);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$input `source` $source `sizes` `(` $sizes `)` `on` $mesh `axes` $axes attr-dict `:` type($input) `->` type($result)";
}

def DTensor_ShardSliceOp : DTensor_Op<"shard_slice", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                  ["reifyResultShapes"]>]> {
  let summary = "keeps this rank's shard of a replicated tensor";
  let description = [{
    No communication: `input[offset : offset + size]` along `dim`.

    ```mlir
    %y = dtensor.shard_slice %x dim 0 offset %o size %s : tensor<?x4xf32> -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input, Index:$offset, Index:$size, I64Attr:$dim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$input `dim` $dim `offset` $offset `size` $size attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def DTensor_MergeOp : DTensor_Op<"merge", [Pure,
    AllTypesMatch<["values", "other_values", "result"]>,
    AllTypesMatch<["positions", "other_positions", "result_positions"]>]> {
  let summary = "a part of two sorted tensors, merged";
  let description = [{
    Along `dim`, the elements from `begin` on, as many as the first tensor has,
    of the order of all of them and the first `count` of the other tensor. An
    element comes with its position in a whole: of equal elements the one with
    the smaller position is first. A negative position is that of no element;
    those come last.

    ```mlir
    %y, %i = dtensor.merge %a, %p and %b, %q begin %o count %n dim 0 : tensor<?xf32>, tensor<?xi64>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$values, AnyRankedTensor:$positions,
    AnyRankedTensor:$other_values, AnyRankedTensor:$other_positions,
    Index:$begin, Index:$count, I64Attr:$dim, UnitAttr:$descending);
  let results = (outs AnyRankedTensor:$result, AnyRankedTensor:$result_positions);
  let assemblyFormat = "$values `,` $positions `and` $other_values `,` $other_positions `begin` $begin `count` $count `dim` $dim attr-dict `:` type($values) `,` type($positions)";
  let hasVerifier = 1;
}

class DTensor_AxisOp<string mnemonic> : DTensor_Op<mnemonic, [Pure]> {
  let arguments = (ins DTensor_MeshAttr:$mesh, StrAttr:$axis);
  let results = (outs Index:$result);
  let assemblyFormat = "$mesh $axis attr-dict";
  let hasVerifier = 1;
}
def DTensor_AxisIndexOp : DTensor_AxisOp<"axis_index"> {
  let summary = "this rank's coordinate on a mesh axis";
  let description = [{
    ```mlir
    %r = dtensor.axis_index #mesh "tp"
    ```
  }];
}
def DTensor_AxisSizeOp : DTensor_AxisOp<"axis_size"> {
  let summary = "the number of ranks along a mesh axis";
  let description = [{
    ```mlir
    %n = dtensor.axis_size #mesh "tp"
    ```
  }];
}

def DTensor_CheckOp : DTensor_Op<"check"> {
  let summary = "ends the run on every rank unless a uniform condition holds";
  let description = [{
    `{0}` and `{1}` in the message stand for the two values.

    ```mlir
    dtensor.check %ok, "extent of %x is {0}, expected {1}" (%a, %b)
    ```
  }];
  let arguments = (ins I1:$condition, StrAttr:$message, Index:$lhs, Index:$rhs);
  let assemblyFormat = "$condition `,` $message `(` $lhs `,` $rhs `)` attr-dict";
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_LOCALOPS_TD
