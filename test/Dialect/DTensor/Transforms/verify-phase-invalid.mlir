// RUN: split-file %s %t
// RUN: not dtensor-opt %t/open.mlir -dtensor-verify-phase=phase=propagate 2>&1 | FileCheck %t/open.mlir
// RUN: not dtensor-opt %t/argument.mlir -dtensor-verify-phase=phase=propagate 2>&1 | FileCheck %t/argument.mlir
// RUN: not dtensor-opt %t/argument.mlir -dtensor-verify-phase=phase=partition 2>&1 | FileCheck %t/argument.mlir --check-prefix=LOCAL
// RUN: not dtensor-opt %t/dropped.mlir -dtensor-verify-phase=phase=propagate 2>&1 | FileCheck %t/dropped.mlir
// RUN: not dtensor-opt %t/foreign.mlir -dtensor-verify-phase=phase=normalize 2>&1 | FileCheck %t/foreign.mlir
// RUN: not dtensor-opt %t/unplanned.mlir -dtensor-verify-phase=phase=plan 2>&1 | FileCheck %t/unplanned.mlir
// RUN: not dtensor-opt %t/global.mlir -dtensor-verify-phase=phase=partition 2>&1 | FileCheck %t/global.mlir
// RUN: not dtensor-opt %t/global.mlir -dtensor-verify-phase=phase=lunch 2>&1 | FileCheck %t/global.mlir --check-prefix=PHASE

//--- open.mlir
#mesh = #dtensor.mesh<"tp" = ?>
func.func @open(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [?], (N)>> {
  // CHECK: open.mlir:[[#@LINE+1]]:{{.*}} error: 'dtensor.redistribute' op breaks what propagate promises: an open placement is left in
  %0 = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>> to tensor<?xf32, #dtensor.layout<#mesh, [?], (N)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [?], (N)>>
}

//--- argument.mlir
#mesh = #dtensor.mesh<"tp" = ?>
// CHECK: argument.mlir:[[#@LINE+2]]:{{.*}} error: 'func.func' op breaks what propagate promises: an open placement is left in
// LOCAL: argument.mlir:[[#@LINE+1]]:{{.*}} error: 'func.func' op breaks what partition promises: a layout is left
func.func @argument(%x: tensor<?xf32, #dtensor.layout<#mesh, [?], (N)>>) {
  return
}

//--- dropped.mlir
#mesh = #dtensor.mesh<"tp" = ?>
#id = affine_map<(d0) -> (d0)>
func.func @dropped(%x: tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>> {
  // CHECK: dropped.mlir:[[#@LINE+1]]:{{.*}} error: 'dtensor.generic' op breaks what propagate promises: its placements are none that its rule accepts
  %0 = dtensor.generic maps = [#id, #id] iterators = [parallel] ins(%x : tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (N)>>) {
  ^bb0(%a: f32):
    dtensor.yield %a : f32
  } -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
}

//--- foreign.mlir
#mesh = #dtensor.mesh<"tp" = ?>
func.func @foreign(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>> {
  // CHECK: foreign.mlir:[[#@LINE+1]]:{{.*}} error: 'math.tanh' op breaks what normalize promises: an op on layouts has no sharding rule
  %0 = math.tanh %x : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>
}

//--- unplanned.mlir
#mesh = #dtensor.mesh<"tp" = ?>
func.func @unplanned(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>> {
  // CHECK: unplanned.mlir:[[#@LINE+1]]:{{.*}} error: 'dtensor.redistribute' op breaks what plan promises: a redistribute without a plan
  %0 = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>> to tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
}

//--- global.mlir
#mesh = #dtensor.mesh<"tp" = ?>
// PHASE: error: unknown phase 'lunch', expected normalize, propagate, plan or partition
func.func @global(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>> {
  // CHECK: global.mlir:[[#@LINE+1]]:{{.*}} error: 'dtensor.redistribute' op breaks what partition promises: a global-view op is left
  %0 = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>> to tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
}
