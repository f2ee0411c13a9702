//===- Passes.td - MLIR's shard dialect, both ways ------------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERCHANGE_SHARD_PASSES_TD
#define DTENSOR_INTERCHANGE_SHARD_PASSES_TD

include "mlir/Pass/PassBase.td"

def ImportShard : Pass<"dtensor-import-shard", "::mlir::ModuleOp"> {
  let summary = "take over what MLIR's shard dialect says of a program";
  let description = [{
    A grid becomes a mesh; a `shard.shard` becomes the layout of an argument
    that nothing else uses, the layout of a result, or a `constraint`. Tensors
    stay plain. What the dialect has no words for, and an export wrote beside
    it, is read: names of axes, their facts, extents. Without it axes are
    d0, d1, ... and a dynamic dimension is a symbol of its own, which
    `normalize` makes equal to others where ops say so.

    Before:
    ```mlir
    shard.grid @grid(shape = 4x?)
    func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
      %s = shard.sharding @grid split_axes = [[0]] : !shard.sharding
      %0 = shard.shard %x to %s annotate_for_users : tensor<?x8xf32>
      return %0 : tensor<?x8xf32>
    }
    ```
    After:
    ```mlir
    #axes = #dtensor.mesh<"d0" = 4, "d1" = ?>
    func.func @f(%x: tensor<?x8xf32> {dtensor.layout = #dtensor.layout<#axes, [shard(0), replicate], (s0, 8)>}) -> tensor<?x8xf32> ...
      return %x : tensor<?x8xf32>
    ```

    Errors: halos; shards of sizes that no layout has; collectives, and other
    ops of the local view.
  }];
  let dependentDialects = ["::dtensor::DTensorDialect"];
}

def ExportShard : Pass<"dtensor-export-shard", "::mlir::ModuleOp"> {
  let summary = "say with MLIR's shard dialect where tensors are";
  let description = [{
    The inverse of `dtensor-import-shard`: layouts of arguments, of results, of
    types and of constraints become `shard.shard` ops on plain tensors. Uneven
    shards are written as offsets. Names of axes, their facts and extents stay
    beside in attributes, so that an import gives the same layouts.

    A warning tells where shards are written as equal, as the dialect has it,
    and nothing says that they are.

    Before:
    ```mlir
    #axes = #dtensor.mesh<"tp" = 4>
    func.func @f(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#axes, [shard(0)], (B)>}) {
      return
    }
    ```
    After:
    ```mlir
    shard.grid @mesh(shape = 4) {dtensor.axes = ["tp"]}
    func.func @f(%x: tensor<?xf32>) {
      %s = shard.sharding @mesh split_axes = [[0]] : !shard.sharding
      %0 = shard.shard %x to %s {dtensor.extents = ["B"]} : tensor<?xf32>
    ```

    Errors: a pending reduction, an open placement or a unit; uneven shards
    where a size is not known; an op of this project other than `constraint` and
    `redistribute`; a function without a body.
  }];
  let dependentDialects = ["::mlir::shard::ShardDialect"];
}

#endif // DTENSOR_INTERCHANGE_SHARD_PASSES_TD
