// What need not be cut is whole: arguments and results.
//
// RUN: env WORDS=math.exp dtensor-reduce %s --reduction-tree="traversal-mode=0 test=%S/Inputs/plans.sh" | FileCheck %s

#world = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#world, [shard(0)], (B, 2)>
#columns = #dtensor.layout<#world, [shard(1)], (B, 2)>

// CHECK: func.func @exp(%arg0: tensor<?x1xf32> {{.*}}[replicate], (B, 1)>}) -> (tensor<?x1xf32> {{.*}}[replicate], (B, 1)>})
// CHECK-NEXT: dtensor.exp %arg0
// CHECK-NEXT: return
func.func @exp(%x: tensor<?x2xf32> {dtensor.layout = #rows})
    -> (tensor<?x2xf32> {dtensor.layout = #rows}) {
  %0 = dtensor.constraint %x to #columns : tensor<?x2xf32>
  %1 = dtensor.exp %0 : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %1 : tensor<?x2xf32>
}
