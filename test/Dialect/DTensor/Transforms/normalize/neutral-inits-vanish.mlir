// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// An init that is neutral or has no value is dropped, another is combined after.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

// CHECK-LABEL: @neutral
// CHECK: %[[R:.*]] = dtensor.generic "reduce" {{.*}} reduce = [max] ins(%arg0 :
// CHECK-NOT: dtensor.generic
// CHECK: return %[[R]]
func.func @neutral(%x: tensor<4x8xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (4, 8)>}) -> tensor<4xf32> {
  %i = arith.constant dense<0xFF800000> : tensor<4xf32>
  %0 = linalg.reduce { arith.maximumf } ins(%x : tensor<4x8xf32>) outs(%i : tensor<4xf32>) dimensions = [1]
  return %0 : tensor<4xf32>
}
// CHECK-LABEL: @given
// CHECK: %[[R:.*]] = dtensor.generic "reduce" {{.*}} reduce = [max] ins(%arg0 :
// CHECK: dtensor.generic "maximumf" {{.*}} ins(%arg1, %[[R]] : {{.*}}(B)>>, {{.*}}(B)>>)
func.func @given(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %i: tensor<?xf32>) -> tensor<?xf32> {
  %0 = linalg.reduce { arith.maximumf } ins(%x : tensor<?x?xf32>) outs(%i : tensor<?xf32>) dimensions = [1]
  return %0 : tensor<?xf32>
}
