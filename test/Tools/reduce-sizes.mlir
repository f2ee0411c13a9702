// Sizes become small, in types as in layouts.
//
// RUN: env WORDS="all_gather .*tp" dtensor-reduce %s --reduction-tree="traversal-mode=0 test=%S/Inputs/plans.sh" | FileCheck %s

#world = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#world, [shard(0)], (4096, B, 96)>
#whole = #dtensor.layout<#world, [replicate], (4096, B, 96)>

// CHECK: func.func @gather(%arg0: tensor<1x?x1xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (1, B, 1)>})
func.func @gather(%x: tensor<4096x?x96xf32> {dtensor.layout = #rows})
    -> (tensor<4096x?x96xf32> {dtensor.layout = #whole}) {
  return %x : tensor<4096x?x96xf32>
}
