// RUN: dtensor-opt %s --dtensor-export-shard --split-input-file --verify-diagnostics

#mesh = #dtensor.mesh<"tp" = 4>
// expected-error @below {{MLIR's shard dialect has no words for partial(sum) on axis "tp"}}
func.func @pending(%x: tensor<8xf32> {dtensor.layout = #dtensor.layout<#mesh, [partial(sum)], (8)>}) {
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
// expected-error @below {{MLIR's shard dialect has no words for shard(0, unit = D) on axis "tp"}}
func.func @unit(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0, unit = D)], (H*D)>}) {
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
func.func @open(%x: tensor<8xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (8)>}) {
  // expected-error @below {{MLIR's shard dialect has no words for ? on axis "tp"}}
  %0 = dtensor.constraint %x to <#mesh, [?], (8)> : tensor<8xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"dp" = ?, "tp" = 4>
// expected-error @below {{dimension 0 of 10 elements has uneven shards on 4 ranks, which MLIR's shard dialect says by numbers, but the size of axis "dp" is not known}}
func.func @uneven(%x: tensor<10xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate, shard(0)], (10)>}) {
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
func.func @an_op(%x: tensor<8xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (8)>}) -> tensor<8xf32> {
  // expected-error @below {{'dtensor.relu' op has no form in MLIR's dialects}}
  %0 = dtensor.relu %x : (tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
// expected-error @below {{'func.func' op has no body in which MLIR's shard dialect could say where its arguments are}}
func.func private @elsewhere(%x: tensor<8xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (8)>})

// -----

#mesh = #dtensor.mesh<"tp" = 4>
// A promise makes the second one silent.
// expected-warning @below {{MLIR's shard dialect cuts dimension 0 of B elements into 4 equal shards; nothing says that they are equal}}
func.func @not_said(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)>}) {
  return
}
func.func @said(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)>})
    attributes {dtensor.symbols = {B = {multiple_of = 8}}} {
  return
}
