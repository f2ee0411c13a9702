// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Fills, lists and generated tensors are loops over their result.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

// CHECK-LABEL: @splat
// CHECK: dtensor.generic "full"
// CHECK-NEXT: dtensor.yield %arg1 : f32
// CHECK: } -> tensor<?xf32, {{.*}}(S)>>
func.func @splat(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %a: f32) -> tensor<?xf32> {
  %c1 = arith.constant 1 : index
  %d = tensor.dim %x, %c1 : tensor<?x?xf32>
  %0 = tensor.splat %a[%d] : tensor<?xf32>
  return %0 : tensor<?xf32>
}
// CHECK-LABEL: @list
// CHECK: dtensor.generic "from_elements"
// CHECK: arith.select %{{.*}}, %arg1, %arg2 : f32
func.func @list(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %a: f32, %b: f32) -> tensor<2xf32> {
  %0 = tensor.from_elements %a, %b : tensor<2xf32>
  return %0 : tensor<2xf32>
}
// CHECK-LABEL: @generated
// CHECK-SAME: index {dtensor.symbol = "n0"}
// CHECK: dtensor.generic "generate" {{.*}} captures(%arg0 :
// CHECK: %[[I:.*]] = dtensor.index 0
// CHECK: tensor.extract %{{.*}}[%[[I]], %{{.*}}]
// CHECK: -> tensor<?xf32, {{.*}}(n0)>>
func.func @generated(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %n: index) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %g = tensor.generate %n {
  ^bb0(%i: index):
    %v = tensor.extract %x[%i, %c0] : tensor<?x?xf32>
    tensor.yield %v : f32
  } : tensor<?xf32>
  return %g : tensor<?xf32>
}
// CHECK-LABEL: @capture_of_a_known_size
// CHECK: ^bb0(%{{.*}}: tensor<4xf32>):
func.func @capture_of_a_known_size(%t: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (N)>}, %u: tensor<4xf32>, %n: index) -> (tensor<?xf32>, tensor<?xf32>) {
  %g = tensor.generate %n {
  ^bb0(%i: index):
    %v = tensor.extract %t[%i] : tensor<?xf32>
    tensor.yield %v : f32
  } : tensor<?xf32>
  %c = tensor.cast %u : tensor<4xf32> to tensor<?xf32>
  %s = arith.addf %t, %c : tensor<?xf32>
  return %g, %s : tensor<?xf32>, tensor<?xf32>
}
