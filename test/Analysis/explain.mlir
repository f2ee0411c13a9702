// RUN: dtensor-opt %s -split-input-file -dtensor-plan-pipeline -dtensor-explain -verify-diagnostics

#mesh = #dtensor.mesh<"tp" = ? {hint 4}>

func.func @a_result_wants_a_pending_sum_reduced(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [partial(sum)], (N)>}) -> (tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (N)>}) {
  return %x : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>

func.func @a_static_twin_has_a_number_of_bytes(%x: tensor<8xf32> {dtensor.layout = #dtensor.layout<#mesh, [partial(sum)], (8)>}) -> (tensor<8xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (8)>}) {
  return %x : tensor<8xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ? {hint 4}>
#x = #dtensor.layout<#mesh, [shard(1)], (M, 64)>
#w = #dtensor.layout<#mesh, [shard(0)], (32, 64)>

func.func @a_rule_wants_what_its_factor_says(%x: tensor<?x64xf32> {dtensor.layout = #x}, %w: tensor<32x64xf32> {dtensor.layout = #w}) -> (tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (M, 32)>}) {
  %0 = dtensor.linear %x, %w : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#cut = #dtensor.layout<#mesh, [shard(0)], (M, N)>

func.func @a_constraint_is_named_where_it_stands(%x: tensor<?x?xf32> {dtensor.layout = #cut}) -> (tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (M, N)>}) {
  %0 = dtensor.constraint %x to #dtensor.layout<#mesh, [shard(1)], (M, N)> : tensor<?x?xf32>
  %1 = dtensor.relu %0 : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ? {divides 8}>
#units = #dtensor.layout<#mesh, [shard(0, unit = 64)], (512)>

func.func @equal_pieces_do_not_move(%x: tensor<512xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (512)>}) -> (tensor<512xf32> {dtensor.layout = #units}) {
  return %x : tensor<512xf32>
}

// -----

#mesh = #dtensor.mesh<"dp" = 2, "tp" = 4>

func.func @steps_of_one_movement_stand_in_order(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [partial(sum), shard(0)], (N)>}) -> (tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), replicate], (N)>}) {
  return %x : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#cut = #dtensor.layout<#mesh, [shard(0)], (N)>
#whole = #dtensor.layout<#mesh, [replicate], (N)>

func.func private @takes_all(%x: tensor<?xf32> {dtensor.layout = #whole}) -> (tensor<?xf32> {dtensor.layout = #whole}) {
  return %x : tensor<?xf32>
}

func.func @an_argument_of_a_call_sets_a_placement(%x: tensor<?xf32> {dtensor.layout = #cut}) -> (tensor<?xf32> {dtensor.layout = #whole}) {
  %0 = func.call @takes_all(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
