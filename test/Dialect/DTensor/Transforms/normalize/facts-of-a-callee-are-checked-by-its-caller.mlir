// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Each fact is an equation: proved, or checked at entry.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

func.func private @by_four(%x: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (N, M)>})
    -> (tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (N, M)>})
    attributes {dtensor.symbols = {N = {multiple_of = 4, max = 64}}} {
  return %x : tensor<?x?xf32>
}
// CHECK-LABEL: @unknown
// CHECK-DAG: dtensor.check {{.*}}symbol \22N\22 of '@by_four' modulo 4 is B mod 4 = {0}, expected 0 = {1}
// CHECK-DAG: dtensor.check {{.*}}symbol \22N\22 of '@by_four' is B = {0}, expected min(B, 64) = {1}
func.func @unknown(%x: tensor<?x?xf32> {dtensor.layout = #rows}) -> tensor<?x?xf32> {
  %0 = func.call @by_four(%x) : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
// CHECK-LABEL: @proved
// CHECK-NOT: dtensor.check
func.func @proved(%x: tensor<?x?xf32> {dtensor.layout = #rows}) -> tensor<?x?xf32>
    attributes {dtensor.symbols = {B = {multiple_of = 8, max = 32}}} {
  %0 = func.call @by_four(%x) : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
