// A program in which something is reduced over devices becomes the smallest one
// in which that is so. The script says by its exit code what is of interest.
//
// RUN: dtensor-reduce %s --reduction-tree="traversal-mode=0 test=%S/Inputs/has-all-reduce.sh" | FileCheck %s

#world = #dtensor.mesh<"tp" = ? {hint 4}>
#rows = #dtensor.layout<#world, [shard(0)], (B, 64)>
#w1 = #dtensor.layout<#world, [shard(0)], (256, 64)>
#w2 = #dtensor.layout<#world, [shard(1)], (64, 256)>
#x = #dtensor.layout<#world, [replicate], (B, 64)>

// CHECK-LABEL: func.func @mlp(
// CHECK-NOT: sigmoid
// CHECK: dtensor.linear
// CHECK: return
// CHECK-NOT: func.func @other
func.func @mlp(%x: tensor<?x64xf32> {dtensor.layout = #x},
               %w1: tensor<256x64xf32> {dtensor.layout = #w1},
               %w2: tensor<64x256xf32> {dtensor.layout = #w2})
    -> (tensor<?x64xf32> {dtensor.layout = #x}) {
  %0 = dtensor.linear %x, %w1 : (tensor<?x64xf32>, tensor<256x64xf32>) -> tensor<?x256xf32>
  %1 = dtensor.sigmoid %0 : (tensor<?x256xf32>) -> tensor<?x256xf32>
  %2 = dtensor.linear %1, %w2 : (tensor<?x256xf32>, tensor<64x256xf32>) -> tensor<?x64xf32>
  %3 = dtensor.sigmoid %2 : (tensor<?x64xf32>) -> tensor<?x64xf32>
  return %3 : tensor<?x64xf32>
}

func.func @other(%x: tensor<?x64xf32> {dtensor.layout = #rows})
    -> (tensor<?x64xf32> {dtensor.layout = #rows}) {
  return %x : tensor<?x64xf32>
}
