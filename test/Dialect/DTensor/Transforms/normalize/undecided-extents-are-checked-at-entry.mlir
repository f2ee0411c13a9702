// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Neither proved nor refuted: a check before anything runs; a type that must be
// another is refined.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

// CHECK: @checked
// CHECK: %[[L:.*]] = dtensor.extent <6*K>
// CHECK: %[[R:.*]] = dtensor.extent <B*S>
// CHECK: %[[E:.*]] = arith.cmpi eq, %[[L]], %[[R]] : index
// CHECK: dtensor.check %[[E]], "dimension 0 of operand 1 is 6*K = {0}, expected B*S = {1}"(%[[L]], %[[R]])
// CHECK: dtensor.refine {{.*}}(B*S)>> to {{.*}}[?], (2*K)>>
// CHECK: dtensor.redistribute {{.*}}[?], (2*K)>> to {{.*}}[replicate], (2*K)>>
func.func @checked(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %y: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (6*K)>},
    %k: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (K)>})
    -> (tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (2*K)>}) {
  %0 = tensor.collapse_shape %x [[0, 1]] : tensor<?x?xf32> into tensor<?xf32>
  %1 = arith.addf %0, %y : tensor<?xf32>
  return %1 : tensor<?xf32>
}
