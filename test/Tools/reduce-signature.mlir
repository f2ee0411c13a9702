// Results go with the ops that they need, then the arguments that nothing reads.
//
// RUN: env WORDS="all_gather .*tp" dtensor-reduce %s --reduction-tree="traversal-mode=0 test=%S/Inputs/plans.sh" | FileCheck %s

#world = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#world, [shard(0)], (B)>
#whole = #dtensor.layout<#world, [replicate], (B)>

// CHECK: func.func @two(%arg0: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)>}) -> (tensor<?xf32>
// CHECK-NEXT: return %arg0
func.func @two(%x: tensor<?xf32> {dtensor.layout = #rows}, %y: tensor<?xf32>)
    -> (tensor<?xf32>, tensor<?xf32> {dtensor.layout = #whole}) {
  %0 = dtensor.exp %y : (tensor<?xf32>) -> tensor<?xf32>
  %1 = dtensor.add %0, %x : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %1, %x : tensor<?xf32>, tensor<?xf32>
}
