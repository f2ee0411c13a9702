//===- GPUOps.td - work of a device before LLVM ---------------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_CONVERSION_GPU_GPUOPS_TD
#define DTENSOR_CONVERSION_GPU_GPUOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Device_Dialect : Dialect {
  let name = "dtensor_gpu";
  let cppNamespace = "::dtensor::device";
  let summary = "work that the host program hands to a device";
  let description = [{
    Kernels and library calls on tensors and, after bufferization, on buffers.
    All buffers lie in the device's memory; the host never reads or writes one.
  }];
}

class Device_Op<string mnemonic, list<Trait> traits = []>
    : Op<Device_Dialect, mnemonic, traits>;

// Reads its inputs and writes its outputs as a whole; on tensors it is pure.
// `dests` is the C++ expression of the range of operands that it writes.
class Device_DestinationOp<string mnemonic, string dests, list<Trait> traits = []>
    : Device_Op<mnemonic, !listconcat([DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>], traits)> {
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return }] # dests # [{; }
  }];
}

def Device_ComputeOp : Device_DestinationOp<"compute", "getOutputsMutable()",
    [AttrSizedOperandSegments]> {
  let summary = "one run of a generated kernel";
  let description = [{
    `variants` are kernels that compute the same, from the most demanding to
    one that always works; which one runs is decided at launch. What a variant
    is, Variant.h tells. `extents` are the sizes of the dimensions that the
    kernel walks over, `scalars` values of the host that it needs.

    ```mlir
    %r = dtensor_gpu.compute %ctx : !llvm.ptr ins(%x : tensor<?xf32>) outs(%y : tensor<?xf32>)
        extents(%n) scalars() variants [{conditions = array<i64>, kernel = @kernels::@exp, params = array<i64: 3, 1, 0, 0, 0, 0, 0, 1, 0>, shape = array<i64: 0, 0, 1, 1, 256>} ] -> tensor<?xf32>
    ```
  }];
  let arguments = (ins AnyType:$rank_context, Variadic<AnyShaped>:$inputs,
    Variadic<AnyShaped>:$outputs, Variadic<Index>:$extents,
    Variadic<AnyType>:$scalars, ArrayAttr:$variants);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $rank_context `:` type($rank_context) `ins` `(` ($inputs^ `:` type($inputs))? `)`
    `outs` `(` $outputs `:` type($outputs) `)` `extents` `(` $extents `)`
    `scalars` `(` ($scalars^ `:` type($scalars))? `)` `variants` $variants
    attr-dict (`->` type($results)^)?
  }];
}

def Device_MatmulOp : Device_DestinationOp<"matmul", "getDestMutable()",
    [AttrSizedOperandSegments]> {
  let summary = "a product of matrices by the vendor's library";
  let description = [{
    `c[b.., m, n] = sum_k a[b.., m, k] * b[b.., k, n]`, accumulated in f32 (f64
    for f64). `lhs_dims`, `rhs_dims` and `dest_dims` list for each of `b.., m, k`
    and `b.., k, n` and `b.., m, n` the dimensions of the operand that form it,
    outermost first; none stands for an extent of 1. They lie side by side in
    memory. The operand's last dimension belongs to one of the last two.
    `addend` is of the result's type; it is added before the result is rounded,
    on those ranks on which `adds` holds, on all where that is not given.

    ```mlir
    %r = dtensor_gpu.matmul %ctx : !llvm.ptr, %a [[0], [1]] * %b [[1], [0]]
        : tensor<?x64xf32>, tensor<?x64xf32> outs(%c [[0], [1]] : tensor<?x?xf32>) -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins AnyType:$rank_context, AnyShaped:$lhs, AnyShaped:$rhs,
    Optional<AnyShaped>:$bias, Optional<AnyShaped>:$addend, Optional<I1>:$adds,
    AnyShaped:$dest, ArrayAttr:$lhs_dims,
    ArrayAttr:$rhs_dims, ArrayAttr:$dest_dims,
    DefaultValuedAttr<I32Attr, "0">:$epilogue);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    $rank_context `:` type($rank_context) `,` $lhs $lhs_dims `*` $rhs $rhs_dims `:`
    type($lhs) `,` type($rhs) (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`addend` `(` $addend^ `:` type($addend) `)`)? (`if` $adds^)?
    `outs` `(` $dest $dest_dims `:` type($dest) `)` attr-dict (`->` type($result)^)?
  }];
}

def Device_AttentionOp : Device_DestinationOp<"attention", "getDestMutable()"> {
  let summary = "attention by the runtime's prebuilt kernel";
  let description = [{
    Query i sees the keys `j <= i + diagonal` if `causal`; `shift`, a number in
    the memory of the device, is added to the diagonal. The lists say for
    each of `b.., head, token, depth` which dimension of the operand it is; the
    depth is the last one.

    ```mlir
    %r = dtensor_gpu.attention %ctx : !llvm.ptr
        ins(%q [1, 0, 2], %k [0, 1, 2], %v [0, 1, 2] : tensor<?x4x64xf32>, tensor<4x?x64xf32>, tensor<4x?x64xf32>)
        scale(%s) diagonal(%d) outs(%o [1, 0, 2] : tensor<?x4x64xf32>) {causal = true} -> tensor<?x4x64xf32>
    ```
  }];
  let arguments = (ins AnyType:$rank_context, AnyShaped:$query, AnyShaped:$key,
    AnyShaped:$value, F64:$scale, Index:$diagonal, Optional<AnyShaped>:$shift,
    AnyShaped:$dest, DenseI64ArrayAttr:$query_dims, DenseI64ArrayAttr:$key_dims,
    DenseI64ArrayAttr:$value_dims, DenseI64ArrayAttr:$dest_dims,
    BoolAttr:$causal);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    $rank_context `:` type($rank_context) `ins` `(` $query $query_dims `,` $key $key_dims `,` $value $value_dims `:`
    type($query) `,` type($key) `,` type($value) `)` `scale` `(` $scale `)` `diagonal` `(` $diagonal (`+` $shift^ `:` type($shift))? `)`
    `outs` `(` $dest $dest_dims `:` type($dest) `)` attr-dict (`->` type($result)^)?
  }];
}

// Writes two results, its last operands.
class Device_AttentionGradOp<string mnemonic>
    : Device_DestinationOp<mnemonic, "{getOperation(), getNumOperands() - 2, 2}"> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
}

def Device_AttentionQueryGradOp : Device_AttentionGradOp<"attention_query_grad"> {
  let summary = "the gradient of a query by the runtime's prebuilt kernel";
  let description = [{
    As `dtensor.attention_query_grad`, with `diagonal` and the lists of
    `attention`. `delta` and the second destination have the dimensions of the
    query without the depth, in order, and are f32.

    ```mlir
    %r:2 = dtensor_gpu.attention_query_grad %ctx : !llvm.ptr
        ins(%g [1, 0, 2], %q [1, 0, 2], %k [0, 1, 2], %v [0, 1, 2], %delta : tensor<?x4x64xbf16>, tensor<?x4x64xbf16>, tensor<4x?x64xbf16>, tensor<4x?x64xbf16>, tensor<4x?xf32>)
        scale(%s) diagonal(%d) outs(%dq [1, 0, 2], %l : tensor<?x4x64xbf16>, tensor<4x?xf32>) {causal = true} -> tensor<?x4x64xbf16>, tensor<4x?xf32>
    ```
  }];
  let arguments = (ins AnyType:$rank_context, AnyShaped:$grad, AnyShaped:$query,
    AnyShaped:$key, AnyShaped:$value, AnyShaped:$delta, F64:$scale,
    Index:$diagonal, AnyShaped:$grad_query, AnyShaped:$logsumexp,
    DenseI64ArrayAttr:$grad_dims, DenseI64ArrayAttr:$query_dims,
    DenseI64ArrayAttr:$key_dims, DenseI64ArrayAttr:$value_dims,
    DenseI64ArrayAttr:$grad_query_dims, BoolAttr:$causal);
  let assemblyFormat = [{
    $rank_context `:` type($rank_context) `ins` `(` $grad $grad_dims `,` $query $query_dims `,` $key $key_dims `,` $value $value_dims `,` $delta `:`
    type($grad) `,` type($query) `,` type($key) `,` type($value) `,` type($delta) `)` `scale` `(` $scale `)` `diagonal` `(` $diagonal `)`
    `outs` `(` $grad_query $grad_query_dims `,` $logsumexp `:` type($grad_query) `,` type($logsumexp) `)` attr-dict (`->` type($results)^)?
  }];
}

def Device_AttentionKeyValueGradOp : Device_AttentionGradOp<"attention_key_value_grad"> {
  let summary = "the gradients of key and value by the runtime's prebuilt kernel";
  let description = [{
    As `dtensor.attention_key_value_grad`, with `diagonal` and the lists of
    `attention`. `logsumexp` and `delta` have the dimensions of the query in
    order without the depth, and are f32.

    ```mlir
    %r:2 = dtensor_gpu.attention_key_value_grad %ctx : !llvm.ptr
        ins(%g [1, 0, 2], %q [1, 0, 2], %k [0, 1, 2], %v [0, 1, 2], %l, %delta : tensor<?x4x64xbf16>, tensor<?x4x64xbf16>, tensor<4x?x64xbf16>, tensor<4x?x64xbf16>, tensor<4x?xf32>, tensor<4x?xf32>)
        scale(%s) diagonal(%d) outs(%dk [0, 1, 2], %dv [0, 1, 2] : tensor<4x?x64xbf16>, tensor<4x?x64xbf16>) {causal = true} -> tensor<4x?x64xbf16>, tensor<4x?x64xbf16>
    ```
  }];
  let arguments = (ins AnyType:$rank_context, AnyShaped:$grad, AnyShaped:$query,
    AnyShaped:$key, AnyShaped:$value, AnyShaped:$logsumexp, AnyShaped:$delta,
    F64:$scale, Index:$diagonal, AnyShaped:$grad_key, AnyShaped:$grad_value,
    DenseI64ArrayAttr:$grad_dims, DenseI64ArrayAttr:$query_dims,
    DenseI64ArrayAttr:$key_dims, DenseI64ArrayAttr:$value_dims,
    DenseI64ArrayAttr:$grad_key_dims, DenseI64ArrayAttr:$grad_value_dims,
    BoolAttr:$causal);
  let assemblyFormat = [{
    $rank_context `:` type($rank_context) `ins` `(` $grad $grad_dims `,` $query $query_dims `,` $key $key_dims `,` $value $value_dims `,` $logsumexp `,` $delta `:`
    type($grad) `,` type($query) `,` type($key) `,` type($value) `,` type($logsumexp) `,` type($delta) `)` `scale` `(` $scale `)` `diagonal` `(` $diagonal `)`
    `outs` `(` $grad_key $grad_key_dims `,` $grad_value $grad_value_dims `:` type($grad_key) `,` type($grad_value) `)` attr-dict (`->` type($results)^)?
  }];
}

def Device_CopyOp : Device_Op<"copy", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "copies one buffer of the device to another";
  let description = [{
    ```mlir
    dtensor_gpu.copy %ctx : !llvm.ptr, %x, %y : memref<?xf32>, memref<?xf32>
    ```
  }];
  let arguments = (ins AnyType:$rank_context, AnyMemRef:$source, AnyMemRef:$dest);
  let assemblyFormat = [{
    $rank_context `:` type($rank_context) `,` $source `,` $dest `:` type($source) `,`
    type($dest) attr-dict
  }];
}

def Device_FillOp : Device_Op<"fill", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "sets every element of a buffer of the device";
  let description = [{
    ```mlir
    dtensor_gpu.fill %ctx : !llvm.ptr, %c, %y : f32, memref<?xf32>
    ```
  }];
  let arguments = (ins AnyType:$rank_context, AnyType:$value, AnyMemRef:$dest);
  let assemblyFormat = [{
    $rank_context `:` type($rank_context) `,` $value `,` $dest `:` type($value) `,`
    type($dest) attr-dict
  }];
}

def Device_LaunchOp : Device_Op<"launch", [AttrSizedOperandSegments,
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "starts one kernel";
  let description = [{
    `params` are the values of the kernel's parameters; buffers come as pointers.
    `index` is the kernel's number in the bundle. Nothing is started if the
    grid is 0. With `cluster`, that many blocks form a cluster and the kernel
    walks over its work in steps of the grid: no more clusters are started than
    the device holds at once.

    ```mlir
    dtensor_gpu.launch %ctx : !llvm.ptr, @kernels::@row_0 grid %g block %b (%p, %n) : !llvm.ptr, i64
    dtensor_gpu.launch %ctx : !llvm.ptr, @kernels::@row_1 grid %g block %b cluster %c (%p, %n) : !llvm.ptr, i64
    ```
  }];
  let arguments = (ins AnyType:$rank_context, SymbolRefAttr:$kernel, I64:$grid,
    I64:$block, Optional<I64>:$cluster, Variadic<AnyType>:$params,
    OptionalAttr<I32Attr>:$index);
  let assemblyFormat = [{
    $rank_context `:` type($rank_context) `,` $kernel `grid` $grid `block` $block
    (`cluster` $cluster^)? `(` ($params^ `)` `:` type($params)):(`)`)? attr-dict
  }];
}

#endif // DTENSOR_CONVERSION_GPU_GPUOPS_TD
