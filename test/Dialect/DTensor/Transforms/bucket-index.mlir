// RUN: dtensor-opt %s --dtensor-partition-pipeline | FileCheck %s

// Reductions of elements that are `index` travel together, too.
#mesh = #dtensor.mesh<"dp" = ?>
#p4 = #dtensor.layout<#mesh, [partial(sum)], (4)>
#r4 = #dtensor.layout<#mesh, [replicate], (4)>
#p = #dtensor.layout<#mesh, [partial(sum)], (B)>
#r = #dtensor.layout<#mesh, [replicate], (B)>

// CHECK-LABEL: func.func @static
// CHECK: dtensor.all_reduce sum {{.*}} : tensor<8xindex>
// CHECK-NOT: all_reduce
func.func @static(%a: tensor<4xindex> {dtensor.layout = #p4},
                  %b: tensor<4xindex> {dtensor.layout = #p4})
    -> (tensor<4xindex> {dtensor.layout = #r4},
        tensor<4xindex> {dtensor.layout = #r4}) {
  return %a, %b : tensor<4xindex>, tensor<4xindex>
}

// CHECK-LABEL: func.func @dynamic
// CHECK: dtensor.all_reduce sum {{.*}} : tensor<?xindex>
// CHECK-NOT: all_reduce
func.func @dynamic(%a: tensor<?xindex> {dtensor.layout = #p},
                   %b: tensor<?xindex> {dtensor.layout = #p})
    -> (tensor<?xindex> {dtensor.layout = #r},
        tensor<?xindex> {dtensor.layout = #r}) {
  return %a, %b : tensor<?xindex>, tensor<?xindex>
}
