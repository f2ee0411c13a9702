//===- RuntimeOps.td - calls of the runtime before LLVM -------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_CONVERSION_RUNTIMEOPS_TD
#define DTENSOR_CONVERSION_RUNTIMEOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Runtime_Dialect : Dialect {
  let name = "dtensor_rt";
  let cppNamespace = "::dtensor::runtime";
  let summary = "calls of the runtime's C functions on tensors and on buffers";
  let description = [{
    What a collective is after its counts are known and before there are
    pointers. Every op exists on tensors and, after bufferization, on memrefs;
    the last step makes it a call of one function of ABI.def.
  }];
}

class Runtime_Op<string mnemonic, list<Trait> traits = []>
    : Op<Runtime_Dialect, mnemonic, traits>;

def Runtime_CollectiveOp : Runtime_Op<"collective", [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "one collective of the runtime, into a given destination";
  let description = [{
    `callee` is a function of ABI.def with the parameters context, rank, source,
    destination, then `scalars`. The destination is written as a whole; its
    contents before do not matter. Source and destination do not overlap.

    ```mlir
    %r = dtensor_rt.collective @dtensor_rt_all_reduce %ctx : !llvm.ptr ins(%x : tensor<?xf32>)
        outs(%y : tensor<?xf32>) scalars(%axes, %sum, %f32 : i64, i32, i32) -> tensor<?xf32>
    ```

    **Constraints:**
    - source and destination have the same rank and element type
    - the result is the destination's type on tensors and absent on memrefs
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, AnyType:$context,
    AnyShaped:$source, AnyShaped:$dest, Variadic<AnySignlessInteger>:$scalars);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    $callee $context `:` type($context) `ins` `(` $source `:` type($source) `)`
    `outs` `(` $dest `:` type($dest) `)`
    (`scalars` `(` $scalars^ `:` type($scalars) `)`)? attr-dict
    (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getDestMutable(); }
  }];
}

def Runtime_FailOp : Runtime_Op<"fail", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "ends this rank's run with an error";
  let description = [{
    `{0}` and `{1}` in the message stand for the two values. Control does not
    come back.

    ```mlir
    dtensor_rt.fail %ctx : !llvm.ptr, "extent is {0}, expected {1}" (%a, %b)
    ```
  }];
  let arguments = (ins AnyType:$context, StrAttr:$message, Index:$lhs, Index:$rhs);
  let assemblyFormat = [{
    $context `:` type($context) `,` $message `(` $lhs `,` $rhs `)` attr-dict
  }];
}

#endif // DTENSOR_CONVERSION_RUNTIMEOPS_TD
