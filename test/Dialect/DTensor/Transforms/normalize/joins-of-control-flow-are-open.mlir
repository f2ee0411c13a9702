// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// What enters a loop or leaves a conditional may be moved by propagation.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

// CHECK-LABEL: @while
// CHECK: %[[X:.*]] = dtensor.redistribute %arg0 : {{.*}}[shard(0)], (B, S)>> to {{.*}}[?], (B, S)>>
// CHECK: scf.while ({{.*}} = %[[X]]) : (i64, tensor<?x?xf32, #dtensor.layout<#mesh, [?], (B, S)>>)
func.func @while(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %n: i64) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %r:2 = scf.while (%i = %c0, %a = %x) : (i64, tensor<?x?xf32>) -> (i64, tensor<?x?xf32>) {
    %p = arith.cmpi slt, %i, %n : i64
    scf.condition(%p) %i, %a : i64, tensor<?x?xf32>
  } do {
  ^bb0(%i: i64, %a: tensor<?x?xf32>):
    %j = arith.addi %i, %c1 : i64
    %b = math.exp %a : tensor<?x?xf32>
    scf.yield %j, %b : i64, tensor<?x?xf32>
  }
  return %r#1 : tensor<?x?xf32>
}
// CHECK-LABEL: @if
// CHECK-SAME: (%arg0: {{.*}}(4, 3)>>, %arg1: {{.*}}(4, 3)>>, %arg2: i1)
// CHECK: scf.if %arg2 -> (tensor<4x3xf32, #dtensor.layout<#mesh, [?], (4, 3)>>)
// CHECK: dtensor.redistribute %arg0
// CHECK: } else {
// CHECK-NOT: dtensor.redistribute
func.func @if(%x: tensor<4x3xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (4, 3)>}, %y: tensor<?x?xf32>, %p: i1) -> tensor<?x?xf32> {
  %c = tensor.cast %x : tensor<4x3xf32> to tensor<?x?xf32>
  %0 = scf.if %p -> tensor<?x?xf32> {
    scf.yield %c : tensor<?x?xf32>
  } else {
    scf.yield %y : tensor<?x?xf32>
  }
  return %0 : tensor<?x?xf32>
}
