//===- CoreOps.td - generic compute and layout ops ------------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_COREOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_COREOPS_TD

include "dtensor/Dialect/DTensor/IR/DTensorOpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/CallInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def DTensor_GenericOp : DTensor_Op<"generic", !listconcat(ShardedOp,
    [AttrSizedOperandSegments, SingleBlockImplicitTerminator<"::dtensor::YieldOp">])> {
  let summary = "pointwise, broadcast, reduction and contraction in one op";
  let description = [{
    A perfect loop nest over the iteration space that the indexing maps span.
    The body computes one scalar per result from one scalar per input; over
    `reduction` iterators the scalars are combined by the result's kind in
    `reductions`, starting from its neutral element. There is no init operand.

    Maps are projected permutations, with constant 0 where an operand's extent
    is 1 and broadcast; other affine expressions (a window of a convolution) are
    allowed on inputs and keep their iterators whole. Results use parallel
    iterators only. `captures` are tensors that the body reads anywhere, with
    `tensor.extract` on the block arguments after the scalars; they are
    replicated, and in the body they are whole tensors without a layout. Other values defined
    outside (scalars) may be used in the body freely. `dtensor.index` is the
    global position of an iterator. `label` names what the op stands for.

    ```mlir
    #mk = affine_map<(m, n, k) -> (m, k)>
    #kn = affine_map<(m, n, k) -> (k, n)>
    #mn = affine_map<(m, n, k) -> (m, n)>
    #la = #dtensor.layout<#mesh, [shard(1)], (M, 64)>
    #lb = #dtensor.layout<#mesh, [shard(0)], (64, N)>
    #lc = #dtensor.layout<#mesh, [partial(sum)], (M, N)>
    %y = dtensor.generic "matmul" maps = [#mk, #kn, #mn] iterators = [parallel, parallel, reduction] reduce = [sum]
        ins(%a, %b : tensor<?x64xf32, #la>, tensor<64x?xf32, #lb>) {
    ^bb0(%x: f32, %w: f32):
      %p = arith.mulf %x, %w : f32
      dtensor.yield %p : f32
    } -> tensor<?x?xf32, #lc>
    ```

    **Constraints:**
    - one map per input, then one per result; equal numbers of dimensions
    - maps of results are projected permutations of parallel iterators, or
      constant 0 where the result's extent is 1
    - every iterator's extent is known from an input or a result
    - operands' extents along one iterator are not provably different
    - if an iterator is a reduction there is one reduction kind per result
    - block arguments are the element types of the inputs, then the types of the captures
      without their layouts
  }];
  let arguments = (ins
    Variadic<AnyRankedTensor>:$inputs,
    Variadic<AnyRankedTensor>:$captures,
    AffineMapArrayAttr:$indexing_maps,
    StrArrayAttr:$iterators,
    TypedArrayAttrBase<DTensor_ReduceKindAttr, "reduction kind per result">:$reductions,
    OptionalAttr<StrAttr>:$label);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  // `reduced[i]` tells the kind of iterator i. `body` is called inside the new
  // block with the scalars of the inputs and the captures; it builds the yield.
  let builders = [OpBuilder<(ins
      "::mlir::TypeRange":$results, "::mlir::ValueRange":$inputs,
      "::mlir::ValueRange":$captures,
      "::llvm::ArrayRef<::mlir::AffineMap>":$maps,
      "::llvm::ArrayRef<bool>":$reduced,
      "::llvm::ArrayRef<::dtensor::ReduceKind>":$reductions,
      "::llvm::StringRef":$label,
      "::llvm::function_ref<void(::mlir::OpBuilder &, ::mlir::Location, ::mlir::ValueRange)>":$body)>];
  let extraClassDeclaration = [{
    unsigned getNumIterators() { return getIterators().size(); }
    bool isReduction(unsigned iterator);
    bool hasReduction();
    ::mlir::AffineMap getInputMap(unsigned input);
    ::mlir::AffineMap getResultMap(unsigned result);
    /// Precondition: hasReduction().
    ::dtensor::ReduceKind getReduction(unsigned result);
    /// The first tensor dimension that runs along `iterator` alone, inputs
    /// before results; a null value if there is none.
    std::pair<::mlir::Value, unsigned> getDimOf(unsigned iterator);
    /// Global extent of each iterator; null where a tensor without a layout
    /// has a dynamic size.
    ::llvm::SmallVector<::dtensor::Expr> getIteratorExtents();
    ::dtensor::YieldOp getYield();
  }];
}

def DTensor_YieldOp : DTensor_Op<"yield", [Pure, ReturnLike, Terminator,
    ParentOneOf<["GenericOp"]>]> {
  let summary = "the scalars of one iteration of a generic";
  let description = [{
    One value per result of the enclosing `generic`, of its element type.

    ```mlir
    #id = affine_map<(i) -> (i)>
    %y = dtensor.generic "double" maps = [#id, #id] iterators = [parallel] ins(%x : tensor<?xf32>) {
    ^bb0(%a: f32):
      %sum = arith.addf %a, %a : f32
      dtensor.yield %sum : f32
    } -> tensor<?xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ }]>];
}

def DTensor_IndexOp : DTensor_Op<"index", [Pure, ParentOneOf<["GenericOp"]>]> {
  let summary = "the global position of an iterator of the enclosing generic";
  let description = [{
    ```mlir
    #id = affine_map<(i) -> (i)>
    %y = dtensor.generic maps = [#id, #id] iterators = [parallel] ins(%x : tensor<?xi64>) {
    ^bb0(%a: i64):
      %row = dtensor.index 0
      %i = arith.index_cast %row : index to i64
      dtensor.yield %i : i64
    } -> tensor<?xi64>
    ```
  }];
  let arguments = (ins I64Attr:$iterator);
  let results = (outs Index:$result);
  let assemblyFormat = "$iterator attr-dict";
  let hasVerifier = 1;
}

def DTensor_RedistributeOp : DTensor_Op<"redistribute", [Pure]> {
  let summary = "the same global tensor in another layout";
  let description = [{
    The only op that changes a layout. It is the identity on the global value.
    As in DTensor a shard or a partial value cannot become a partial value of
    (another) kind: `shard -> partial` and `partial(k) -> partial(k')` are
    errors. `replicate -> partial` keeps the value at coordinate 0 and puts the
    neutral element elsewhere.

    ```mlir
    #sharded = #dtensor.layout<#mesh, [shard(0)], (B, 4)>
    #replicated = #dtensor.layout<#mesh, [replicate], (B, 4)>
    %y = dtensor.redistribute %x : tensor<?x4xf32, #sharded> to tensor<?x4xf32, #replicated>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input, OptionalAttr<DTensor_PlanAttr>:$plan);
  let results = (outs AnyRankedTensor:$result);
  // $input (`plan` $plan^)? attr-dict `:` type($input) `to` type($result)
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def DTensor_ConstraintOp : DTensor_Op<"constraint", [Pure,
    AllTypesMatch<["input", "result"]>]> {
  let summary = "pins the placements of a value";
  let description = [{
    The result has exactly the stated layout after propagation (open placements
    stay free). Its extents are those of the operand, or say more about them.

    ```mlir
    %y = dtensor.constraint %x to <#mesh, [shard(0)], (B, 4)> : tensor<?x4xf32>
    ```

    The layout may be written in full, too: `to #dtensor.layout<...> : ...`.

    Every constraint holds for its own value. `priority`, 0 unless stated, says
    which of two yields between them: lower numbers are propagated first, and
    what one of them reaches (the values that are cut together with it, without
    a movement between) is not for a higher number to change. So the movement is
    beside the constraint of the higher number, whatever it costs. What types of
    arguments and results state has priority 0; among equal numbers cost decides.

    ```mlir
    %z = dtensor.constraint %y to <#mesh, [shard(1)], (B, 4)> {priority = 1} : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input, DTensor_LayoutAttr:$layout,
    DefaultValuedOptionalAttr<ConfinedAttr<I64Attr, [IntNonNegative, IntMaxValue<1000>]>, "0">:$priority);
  let results = (outs AnyRankedTensor:$result);
  // $input `to` $layout attr-dict `:` type($input)
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def DTensor_AgreeOp : DTensor_Op<"agree", [Pure]> {
  let summary = "values that have one layout";
  let description = [{
    The results are the inputs; all of them have the same placements after
    propagation, whichever cost least together: the state of an optimizer is
    where its parameter is. Shapes are equal, element types need not be. What is
    pending is reduced.

    ```mlir
    %w1, %m1 = dtensor.agree %w, %m : (tensor<?x4xbf16>, tensor<?x4xf32>) -> (tensor<?x4xbf16>, tensor<?x4xf32>)
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = "$inputs attr-dict `:` functional-type($inputs, $results)";
  let hasVerifier = 1;
}

def DTensor_RefineOp : DTensor_Op<"refine", [Pure]> {
  let summary = "states that two lists of extents are equal";
  let description = [{
    The identity on the value; the result's extents are another way to write the
    operand's. Proved by the compiler, or checked at launch before anything
    runs. Placements are the same on both sides.

    ```mlir
    #n = #dtensor.layout<#mesh, [shard(0)], (N)>
    #two_k = #dtensor.layout<#mesh, [shard(0)], (2*K)>
    %y = dtensor.refine %x : tensor<?xf32, #n> to tensor<?xf32, #two_k>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def DTensor_ExtentOp : DTensor_Op<"extent", [Pure]> {
  let summary = "the value of an expression over global extents";
  let description = [{
    ```mlir
    %n = dtensor.extent <B*S>
    ```
  }];
  let arguments = (ins DTensor_ExprAttr:$expr);
  let results = (outs Index:$result);
  let assemblyFormat = "$expr attr-dict";
  let hasFolder = 1;
}

def DTensor_CallOp : DTensor_Op<"call", [CallOpInterface,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "calls a function in the global view";
  let description = [{
    Symbols belong to one function: `symbols` says what the callee's symbols are
    in the caller. Operand and result types are the callee's with those
    substitutions; extents that differ otherwise go through `refine`.

    ```mlir
    #n = #dtensor.layout<#mesh, [shard(0)], (N)>
    #bs = #dtensor.layout<#mesh, [shard(0)], (B*S)>
    func.func private @layer(tensor<?xf32, #n>) -> tensor<?xf32, #n>
    %y = dtensor.call @layer(%x) {N = #dtensor.expr<B*S>} : (tensor<?xf32, #bs>) -> tensor<?xf32, #bs>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<AnyType>:$operands,
                       DictionaryAttr:$symbols,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$callee `(` $operands `)` $symbols attr-dict `:` functional-type($operands, $results)";
  let extraClassDeclaration = [{
    ::mlir::CallInterfaceCallable getCallableForCallee() { return getCalleeAttr(); }
    void setCalleeFromCallable(::mlir::CallInterfaceCallable callee) {
      setCalleeAttr(::llvm::cast<::mlir::FlatSymbolRefAttr>(::llvm::cast<::mlir::SymbolRefAttr>(callee)));
    }
    ::mlir::Operation::operand_range getArgOperands() { return getOperands(); }
    ::mlir::MutableOperandRange getArgOperandsMutable() { return getOperandsMutable(); }
  }];
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_COREOPS_TD
