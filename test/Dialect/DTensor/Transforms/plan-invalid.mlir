// RUN: dtensor-opt %s -split-input-file -dtensor-plan -verify-diagnostics

#mesh = #dtensor.mesh<"tp" = ?>

func.func @an_open_placement_cannot_be_planned(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [?], (N)>> {
  // expected-error @below {{'dtensor.redistribute' op}}
  %0 = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>> to tensor<?xf32, #dtensor.layout<#mesh, [?], (N)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [?], (N)>>
}
