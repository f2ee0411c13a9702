// RUN: dtensor-opt %s -split-input-file -dtensor-partition -verify-diagnostics

#mesh = #dtensor.mesh<"tp" = ?>

func.func @no_plan(%x: tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>> {
  // expected-error @below {{'dtensor.redistribute' op has no plan; run dtensor-plan first}}
  %0 = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (N)>> to tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>

func.func @collective_that_only_some_ranks_join(%x: tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (N)>>, %y: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>> {
  %c0 = arith.constant 0 : index
  %rank = dtensor.axis_index #mesh "tp"
  // expected-note @below {{the condition is computed here}}
  %first = arith.cmpi eq, %rank, %c0 : index
  %r = scf.if %first -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>> {
    // expected-error @below {{is a collective under a non-uniform condition: it must be the same on every rank}}
    %0 = dtensor.redistribute %x plan <#mesh, (N), [all_reduce ["tp"] sum to [replicate] bytes 8*N]> : tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (N)>> to tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
    scf.yield %0 : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
  } else {
    scf.yield %y : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
  }
  return %r : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>

func.func @loop_whose_length_differs_between_ranks(%x: tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (N)>>, %y: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-note @below {{the condition is computed here}}
  %rank = dtensor.axis_index #mesh "tp"
  %r = scf.for %i = %c0 to %rank step %c1 iter_args(%v = %y) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>> {
    // expected-error @below {{is a collective under a non-uniform condition: it must be the same on every rank}}
    %0 = dtensor.redistribute %x plan <#mesh, (N), [all_reduce ["tp"] sum to [replicate] bytes 8*N]> : tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (N)>> to tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
    scf.yield %0 : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
  }
  return %r : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>

// expected-error @below {{symbol 'K' is used in an extent but bound by no argument}}
func.func @extent_of_an_unknown_symbol(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>) -> index {
  %0 = dtensor.extent <K>
  return %0 : index
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>

func.func @calls_itself(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>> {
  // expected-error @below {{'dtensor.call' op calls 'calls_itself' recursively}}
  %0 = dtensor.call @calls_itself(%x) {N = #dtensor.expr<N>} : (tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>
}

// -----

#mesh = #dtensor.mesh<"dp" = ?, "tp" = ?>
#cut = #dtensor.layout<#mesh, [shard(0), shard(0)], (N)>

func.func @shards_of_two_axes_are_not_merged(%x: tensor<?xf32, #cut>) -> tensor<?xf32, #cut> {
  // expected-error @below {{'dtensor.sort' op merges along one mesh axis, but its operand has layout #dtensor.layout}}
  %0, %1 = dtensor.sort %x {dim = 0, merges} : (tensor<?xf32, #cut>) -> (tensor<?xf32, #cut>, tensor<?xi64, #cut>)
  return %0 : tensor<?xf32, #cut>
}

// -----

#mesh = #dtensor.mesh<"dp" = ?, "tp" = ?>
#q = #dtensor.layout<#mesh, [shard(1), shard(1)], (2, T, 4)>

func.func @a_ring_is_along_one_axis(%x: tensor<2x?x4xf32, #q>) -> tensor<2x?x4xf32, #q> {
  // expected-error @below {{'dtensor.ring_attention_backward' op goes round one mesh axis, but its keys have layout #dtensor.layout}}
  %0:3 = dtensor.ring_attention_backward %x, %x, %x, %x, %x : (tensor<2x?x4xf32, #q>, tensor<2x?x4xf32, #q>, tensor<2x?x4xf32, #q>, tensor<2x?x4xf32, #q>, tensor<2x?x4xf32, #q>) -> (tensor<2x?x4xf32, #q>, tensor<2x?x4xf32, #q>, tensor<2x?x4xf32, #q>)
  return %0#0 : tensor<2x?x4xf32, #q>
}
