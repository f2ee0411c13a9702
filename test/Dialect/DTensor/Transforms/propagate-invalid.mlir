// RUN: dtensor-opt %s -split-input-file -dtensor-propagate -verify-diagnostics

#mesh = #dtensor.mesh<"x" = ?>

func.func @a_plain_tensor_is_not_normalized(%x: tensor<?xf32>) -> tensor<?xf32> attributes {dtensor.mesh = #mesh} {
  // expected-error @below {{'dtensor.constraint' op has a tensor without a layout, 'tensor<?xf32>'; run dtensor-normalize first}}
  %0 = dtensor.constraint %x to <#mesh, [replicate], (N)> : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#n = #dtensor.layout<#mesh, [shard(0)], (N)>

func.func @a_foreign_op_has_no_rule(%x: tensor<?xf32, #n>) -> tensor<?xf32, #n> {
  // expected-error @below {{'math.tanh' op has no sharding rule}}
  %0 = math.tanh %x : tensor<?xf32, #n>
  return %0 : tensor<?xf32, #n>
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#n = #dtensor.layout<#mesh, [shard(0)], (N)>

// expected-error @below {{function 'branches' has 2 blocks; control flow over layouts is structured (scf)}}
func.func @branches(%x: tensor<?xf32, #n>) -> tensor<?xf32, #n> {
  cf.br ^bb1
^bb1:
  return %x : tensor<?xf32, #n>
}
