//===- SdyOps.td - the words of Shardy ------------------------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERCHANGE_SHARDY_SDYOPS_TD
#define DTENSOR_INTERCHANGE_SHARDY_SDYOPS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Sdy_Dialect : Dialect {
  let name = "sdy";
  let cppNamespace = "::dtensor::sdy";
  let summary = "the part of Shardy's dialect that programs are exchanged in";
  let description = [{
    Texts of Shardy, read and written without Shardy: attributes and ops have its
    names and its syntax, and none of its code. Unregistered attributes would
    parse in MLIR, but `sdy.mesh @m = <["x"=2]>` and the other ops would not, and
    a pass over text could not say where an error is. So this is a dialect, with
    a library of its own. Only tools load it, or a host that asks for it by
    `registerShardyInterchange`: a context holds one dialect named `sdy`, and a
    compiler that links Shardy has it already.

    `sdy.sharding` on an argument or a result of a function is a
    `#sdy.sharding`, on any other op a `#sdy.sharding_per_value`.
  }];
  let useDefaultAttributePrinterParser = 1;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

class Sdy_Attr<string name, string attrMnemonic> : AttrDef<Sdy_Dialect, name> {
  let mnemonic = attrMnemonic;
  let hasCustomAssemblyFormat = 1;
}

// Values of lib/Sharding own memory: accessors give references.
class Sdy_ValueParameter<string type>
    : AttrParameter<type, "a value of the sharding library"> {
  let cppAccessorType = "const " # type # " &";
}

def Sdy_MeshAttr : Sdy_Attr<"Mesh", "mesh"> {
  let summary = "named axes of known size";
  let description = [{
    Ranks are numbered row-major, and rank r is device r unless `device_ids` say
    otherwise; ids that are the ranks are left out. Without axes it is a
    placeholder for the mesh of the module, with one id and no axes it is one
    device.

    ```mlir
    #sdy.mesh<["x"=2, "y"=4]>
    ```
  }];
  let parameters = (ins Sdy_ValueParameter<"::dtensor::SdyMesh">:$mesh);
}

def Sdy_ShardingAttr : Sdy_Attr<"Sharding", "sharding"> {
  let summary = "the axes that cut each dimension of a tensor";
  let description = [{
    For each dimension the axes that cut it, major to minor, `?` where more may,
    and a priority; then the axes that must stay replicated, and those of a
    pending sum, `max` or `min`. `"y":(1)2` is a part of an axis: (1) is the size
    of what is major to it, 2 its own.

    ```mlir
    #sdy.sharding<@mesh, [{"x", ?}p1, {"y":(1)2} ], replicated={"z"}, unreduced={"y":(2)2}>
    ```
  }];
  let parameters = (ins Sdy_ValueParameter<"::dtensor::SdySharding">:$sharding);
}

def Sdy_ShardingPerValueAttr : Sdy_Attr<"ShardingPerValue", "sharding_per_value"> {
  let summary = "a sharding for each result of an op";
  let description = [{
    ```mlir
    #sdy.sharding_per_value<[<@mesh, [{"x"} ]>, <@mesh, [{} ]>]>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"::dtensor::sdy::ShardingAttr">:$shardings);
}

def Sdy_ManualAxesAttr : Sdy_Attr<"ManualAxes", "manual_axes"> {
  let summary = "the axes along which a computation is one rank's";
  let description = [{
    ```mlir
    #sdy<manual_axes{"x"}>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"::mlir::StringAttr">:$axes);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

class Sdy_Op<string mnemonic, list<Trait> traits = []>
    : Op<Sdy_Dialect, mnemonic, traits>;

def Sdy_MeshOp : Sdy_Op<"mesh", [Symbol]> {
  let summary = "names a mesh";
  let description = [{
    ```mlir
    sdy.mesh @mesh = <["x"=2, "y"=4]>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Sdy_MeshAttr:$mesh);
  let assemblyFormat = "$sym_name `=` $mesh attr-dict";
}

class Sdy_IdentityOp<string mnemonic, list<Trait> traits = []>
    : Sdy_Op<mnemonic, traits # [AllTypesMatch<["input", "result"]>]> {
  let arguments = (ins AnyRankedTensor:$input, Sdy_ShardingAttr:$sharding);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$input $sharding attr-dict `:` type($result)";
}

def Sdy_ShardingConstraintOp : Sdy_IdentityOp<"sharding_constraint"> {
  let summary = "says how a tensor is sharded in the middle of a program";
  let description = [{
    Of the uses of the result; without any, of the operand itself.

    ```mlir
    %y = sdy.sharding_constraint %x <@mesh, [{"x"}, {?} ]> : tensor<8x8xf32>
    ```
  }];
}

def Sdy_ReshardOp : Sdy_IdentityOp<"reshard", [Pure]> {
  let summary = "the same tensor in another sharding";
  let description = [{
    What propagation leaves where two shardings meet.

    ```mlir
    %y = sdy.reshard %x <@mesh, [{}, {"x"} ]> : tensor<8x8xf32>
    ```
  }];
}

def Sdy_ManualComputationOp : Sdy_Op<"manual_computation", [
    IsolatedFromAbove, RecursiveMemoryEffects,
    SingleBlockImplicitTerminator<"::dtensor::sdy::ReturnOp">]> {
  let summary = "a computation of one rank, along some axes";
  let description = [{
    Operands and results are global and sharded as stated; the block has, along
    the manual axes, what one rank has of them.

    ```mlir
    %y = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"} ]>] out_shardings=[<@mesh, [{"x"} ]>] manual_axes={"x"} (%a: tensor<4xf32>) {
      %0 = math.tanh %a : tensor<4xf32>
      sdy.return %0 : tensor<4xf32>
    } : (tensor<8xf32>) -> tensor<8xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$tensors,
                       Sdy_ShardingPerValueAttr:$in_shardings,
                       Sdy_ShardingPerValueAttr:$out_shardings,
                       Sdy_ManualAxesAttr:$manual_axes);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `(` operands `)` `in_shardings` `` `=` `` custom<Shardings>($in_shardings)
    `out_shardings` `` `=` `` custom<Shardings>($out_shardings)
    `manual_axes` `` `=` `` $manual_axes custom<Body>($body) attr-dict `:`
    functional-type(operands, results)
  }];
  let hasRegionVerifier = 1;
}

def Sdy_ReturnOp : Sdy_Op<"return", [Pure, ReturnLike, Terminator]> {
  let summary = "the results of a manual computation";
  let description = [{
    ```mlir
    %y = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"} ]>] out_shardings=[<@mesh, [{"x"} ]>] manual_axes={"x"} (%a: tensor<4xf32>) {
      sdy.return %a : tensor<4xf32>
    } : (tensor<8xf32>) -> tensor<8xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$results);
  let assemblyFormat = "attr-dict ($results^ `:` type($results))?";
  let builders = [OpBuilder<(ins), [{ }]>];
}

#endif // DTENSOR_INTERCHANGE_SHARDY_SDYOPS_TD
