//===- Passes.td - programs of Shardy -------------------------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERCHANGE_SHARDY_PASSES_TD
#define DTENSOR_INTERCHANGE_SHARDY_PASSES_TD

include "mlir/Pass/PassBase.td"

def ImportShardy : Pass<"dtensor-import-shardy", "::mlir::ModuleOp"> {
  let summary = "a program with Shardy's shardings becomes one with layouts";
  let description = [{
    Meshes and shardings become layouts on arguments and results; a sharding on
    another op, `sdy.sharding_constraint` and `sdy.reshard` become
    `dtensor.constraint`. What has no sharding is for `dtensor-propagate` to
    decide, as it is for Shardy. An axis of which parts are used becomes several
    axes. A dynamic size becomes a symbol.

    Ops may be those that `dtensor-normalize` takes, and these of StableHLO in
    MLIR's generic form, with `--allow-unregistered-dialect`: pointwise ones,
    `constant`, `convert`, `select`, `compare`, `clamp`, `dot`, `dot_general`,
    `transpose`, `reshape`, `broadcast_in_dim` and `reduce`. A
    `sdy.manual_computation` goes into the program around it if every op in it is
    pointwise along the manual axes.

    Before:
    ```mlir
    sdy.mesh @mesh = <["x"=2]>
    func.func @f(%a: tensor<8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x"} ]>}) -> tensor<8xf32> {
      %0 = "stablehlo.tanh"(%a) : (tensor<8xf32>) -> tensor<8xf32>
      return %0 : tensor<8xf32>
    }
    ```
    After:
    ```mlir
    #axes = #dtensor.mesh<"x" = 2>
    func.func @f(%a: tensor<8xf32> {dtensor.layout = #dtensor.layout<#axes, [shard(0)], (8)>}) -> tensor<8xf32> ...
      %0 = dtensor.tanh %a : (tensor<8xf32>) -> tensor<8xf32>
      return %0 : tensor<8xf32>
    ```

    Errors: shardings that no layout says (see `drop`); two meshes in one module,
    or one with `device_ids`; an op that is not in the list.
  }];
  let dependentDialects = ["::dtensor::DTensorDialect", "::dtensor::sdy::SdyDialect",
                           "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect"];
  let options = [
    Option<"drop", "drop", "bool", /*default=*/"false",
           "where a layout has no words for it, take tensors with open and closed dimensions as closed, leave priorities out, and let axes that are added to a dimension cut in the order of the mesh">
  ];
}

def ExportShardy : Pass<"dtensor-export-shardy", "::mlir::ModuleOp"> {
  let summary = "a program with layouts becomes one with Shardy's shardings";
  let description = [{
    Runs at any point from the input up to `dtensor-plan`, best after
    `dtensor-propagate`. Every layout becomes a sharding: of an argument, a
    result, or the results of an op; `dtensor.redistribute` becomes
    `sdy.reshard` and `dtensor.constraint` `sdy.sharding_constraint`. A pending
    sum, maximum or minimum is `unreduced`, an open placement an open dimension.
    Ops stay what they are.

    Before:
    ```mlir
    #axes = #dtensor.mesh<"x" = 2>
    #rows = #dtensor.layout<#axes, [shard(0)], (8)>
    #whole = #dtensor.layout<#axes, [replicate], (8)>
    func.func @f(%a: tensor<8xf32, #rows>) -> tensor<8xf32, #whole> {
      %0 = dtensor.redistribute %a : tensor<8xf32, #rows> to tensor<8xf32, #whole>
      return %0 : tensor<8xf32, #whole>
    }
    ```
    After:
    ```mlir
    sdy.mesh @mesh = <["x"=2]>
    func.func @f(%a: tensor<8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x"} ]>}) -> (tensor<8xf32> ...
      %0 = sdy.reshard %a <@mesh, [{} ]> : tensor<8xf32>
    ```

    Errors, for Shardy has no words for them: a unit, a pending average or
    product, a size of the mesh or of a tensor that is no number (see `mesh` and
    `symbols`), pieces of several axes that are not equal.
  }];
  let dependentDialects = ["::dtensor::DTensorDialect", "::dtensor::sdy::SdyDialect"];
  let options = [
    Option<"mesh", "mesh", "std::string", /*default=*/"",
           "sizes of mesh axes that have none, as in tp=4,dp=2">,
    Option<"symbols", "symbols", "std::string", /*default=*/"",
           "values of symbols, as in B=8,S=512">
  ];
}

#endif // DTENSOR_INTERCHANGE_SHARDY_PASSES_TD
