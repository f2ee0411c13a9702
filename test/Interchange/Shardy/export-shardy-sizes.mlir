// RUN: dtensor-opt %s --dtensor-export-shardy="mesh=tp=4 symbols=B=8,S=2" | FileCheck %s
// Sizes that are symbols get numbers by option, everywhere.

// CHECK: sdy.mesh @mesh = <["dp"=2, "tp"=4]>
#mesh = #dtensor.mesh<"dp" = 2, "tp" = ? {divides 64}>
#in = #dtensor.layout<#mesh, [shard(0), replicate], (B, S)>
#out = #dtensor.layout<#mesh, [shard(0), replicate], (B*S)>

// CHECK-LABEL: func.func @symbolic(
// CHECK-SAME: %arg0: tensor<8x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"dp"}, {}]>}) -> (tensor<16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"dp"}]>}) {
func.func @symbolic(%x: tensor<?x?xf32, #in>) -> tensor<?xf32, #out> attributes {dtensor.symbols = {B = {min = 1}}} {
  // CHECK: dtensor.extent <16>
  %n = dtensor.extent <B*S>
  // CHECK: dtensor.reshape %arg0 {sdy.sharding = {{.*}}} : (tensor<8x2xf32>) -> tensor<16xf32>
  %0 = dtensor.reshape %x : (tensor<?x?xf32, #in>) -> tensor<?xf32, #out>
  return %0 : tensor<?xf32, #out>
}
