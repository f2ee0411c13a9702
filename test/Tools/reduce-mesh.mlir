// A mesh loses the axes that do not matter, in types, too.
//
// RUN: env WORDS="all_gather .*tp" dtensor-reduce %s --reduction-tree="traversal-mode=0 test=%S/Inputs/plans.sh" | FileCheck %s

#world = #dtensor.mesh<"pp" = 2, "tp" = 4, "dp" = ?>
!cut = tensor<?xf32, #dtensor.layout<#world, [shard(0), shard(0), shard(0)] order = ["tp", "dp", "pp"], (B)>>
!whole = tensor<?xf32, #dtensor.layout<#world, [replicate, replicate, shard(0)], (B)>>

// CHECK: #mesh = #dtensor.mesh<"tp" = 4>
// CHECK: func.func @gather(%arg0: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>
func.func @gather(%x: !cut) -> !whole {
  %0 = dtensor.redistribute %x : !cut to !whole
  return %0 : !whole
}
