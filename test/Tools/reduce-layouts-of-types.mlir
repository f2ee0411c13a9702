// What need not be cut is whole, where types say where it is.
//
// RUN: env WORDS=math.exp dtensor-reduce %s --reduction-tree="traversal-mode=0 test=%S/Inputs/plans.sh" | FileCheck %s

#world = #dtensor.mesh<"tp" = ?>
!rows = tensor<?x2xf32, #dtensor.layout<#world, [shard(0)], (B, 2)>>

// CHECK: func.func @exp(%arg0: [[T:tensor<\?x1xf32, #dtensor.layout<#mesh, \[replicate\], \(B, 1\)>>]]) -> [[T]]
// CHECK-NEXT: dtensor.exp %arg0 : ([[T]]) -> [[T]]
func.func @exp(%x: !rows) -> !rows {
  %0 = dtensor.exp %x : (!rows) -> !rows
  return %0 : !rows
}
