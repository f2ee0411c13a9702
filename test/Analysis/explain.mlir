// RUN: dtensor-opt %s -split-input-file -dtensor-plan-pipeline -dtensor-explain -verify-diagnostics

#mesh = #dtensor.mesh<"tp" = ? {hint 4}>

// expected-note @below {{argument 0 of @a_result_wants_a_pending_sum_reduced at}}
func.func @a_result_wants_a_pending_sum_reduced(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [partial(sum)], (N)>}) -> (tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (N)>}) {
  // expected-remark @below {{all_reduce sum over "tp": 8*size(tp)*(N ceildiv size(tp)) - 8*(N ceildiv size(tp)) bytes, 768 at tp = 4, N = 128, 10.80 us}}
  // expected-note-re @below {{return at {{.*}} wants [replicate]: result 0 of @a_result_wants_a_pending_sum_reduced}}
  // expected-note @below {{rejected: reduce_scatter sum dim 0 over "tp", then all_gather dim 0 over "tp": 8*size(tp)*(N ceildiv size(tp)) - 8*(N ceildiv size(tp)) bytes, 768 at tp = 4, N = 128, 16.20 us instead of 10.80 us}}
  return %x : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>

// expected-note @below {{gives [partial(sum)]}}
func.func @a_static_twin_has_a_number_of_bytes(%x: tensor<8xf32> {dtensor.layout = #dtensor.layout<#mesh, [partial(sum)], (8)>}) -> (tensor<8xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (8)>}) {
  // expected-remark @below {{all_reduce sum over "tp": 48 bytes, 10.80 us}}
  // expected-note @below {{wants [replicate]: result 0}}
  // expected-note @below {{rejected: reduce_scatter sum dim 0 over "tp", then all_gather dim 0 over "tp": 48 bytes, 16.20 us instead of 10.80 us}}
  return %x : tensor<8xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ? {hint 4}>
#x = #dtensor.layout<#mesh, [shard(1)], (M, 64)>
#w = #dtensor.layout<#mesh, [shard(0)], (32, 64)>

// expected-note @below {{argument 0 of @a_rule_wants_what_its_factor_says}}
func.func @a_rule_wants_what_its_factor_says(%x: tensor<?x64xf32> {dtensor.layout = #x}, %w: tensor<32x64xf32> {dtensor.layout = #w}) -> (tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (M, 32)>}) {
  // expected-remark @below {{all_gather dim 1 over "tp"}}
  // expected-note @below {{wants [replicate] of operand 0: it runs sharded along dimension 1 of its result of extent 32 on "tp"}}
  // expected-note @below {{rejected: all_to_all from dim 1 to dim 0 over "tp", then all_gather dim 0 over "tp"}}
  // expected-note-re @below {{rejected: linear at {{.*}}, sharded along its reduction of extent 64 on "tp": 20.27 us instead of 10.22 us}}
  // expected-note-re @below {{rejected: linear at {{.*}}, replicated on "tp": 20.36 us instead of 10.22 us}}
  // expected-note-re @below {{rejected: linear at {{.*}}, sharded along dimension 0 of its result of extent M on "tp": 28.37 us instead of 10.22 us}}
  %0 = dtensor.linear %x, %w : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#cut = #dtensor.layout<#mesh, [shard(0)], (M, N)>

// expected-note @below {{gives [shard(0)]}}
func.func @a_constraint_is_named_where_it_stands(%x: tensor<?x?xf32> {dtensor.layout = #cut}) -> (tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (M, N)>}) {
  // expected-remark @below {{all_to_all from dim 0 to dim 1 over "tp"}}
  // expected-note @below {{the program states [shard(1)] at}}
  // expected-note @below {{rejected: all_gather dim 0 over "tp", then shard_slice dim 1 over "tp"}}
  %0 = dtensor.constraint %x to #dtensor.layout<#mesh, [shard(1)], (M, N)> : tensor<?x?xf32>
  %1 = dtensor.relu %0 : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ? {divides 8}>
#units = #dtensor.layout<#mesh, [shard(0, unit = 64)], (512)>

// expected-note @below {{gives [shard(0)]}}
func.func @equal_pieces_do_not_move(%x: tensor<512xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (512)>}) -> (tensor<512xf32> {dtensor.layout = #units}) {
  // expected-remark @below {{nothing moves}}
  // expected-note @below {{wants [shard(0, unit = 64)]: result 0}}
  return %x : tensor<512xf32>
}

// -----

#mesh = #dtensor.mesh<"dp" = 2, "tp" = 4>

// expected-note @below {{gives [partial(sum), shard(0)]}}
func.func @steps_of_one_movement_stand_in_order(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [partial(sum), shard(0)], (N)>}) -> (tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), replicate], (N)>}) {
  // expected-remark @below {{all_gather dim 0 over "tp", then reduce_scatter sum dim 0 over "dp": 4*(N ceildiv 2) + 12*(N ceildiv 4) bytes, 640 at N = 128, 14.30 us}}
  // expected-note @below {{wants [shard(0), replicate]: result 0}}
  // expected-note @below {{rejected: all_reduce sum over "dp", then all_gather dim 0 over "tp", then shard_slice dim 0 over "dp": 12*(N ceildiv 4) + 8*(N ceildiv 8) bytes, 512 at N = 128, 17.10 us instead of 14.30 us}}
  return %x : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#cut = #dtensor.layout<#mesh, [shard(0)], (N)>
#whole = #dtensor.layout<#mesh, [replicate], (N)>

func.func private @takes_all(%x: tensor<?xf32> {dtensor.layout = #whole}) -> (tensor<?xf32> {dtensor.layout = #whole}) {
  return %x : tensor<?xf32>
}

// expected-note @below {{gives [shard(0)]}}
func.func @an_argument_of_a_call_sets_a_placement(%x: tensor<?xf32> {dtensor.layout = #cut}) -> (tensor<?xf32> {dtensor.layout = #whole}) {
  // expected-remark @below {{all_gather dim 0 over "tp"}}
  // expected-note @below {{wants [replicate]: argument 0 of @takes_all}}
  %0 = func.call @takes_all(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#cut = #dtensor.layout<#mesh, [shard(0)], (N)>

func.func @a_loop_repeats_what_is_in_it(%x: tensor<?xf32> {dtensor.layout = #cut}, %n: index) -> (tensor<?xf32> {dtensor.layout = #cut}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-note @below {{value 1 in a region of scf.for at}}
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<?xf32> {
    // expected-remark-re @below {{all_gather dim 0 over "tp": {{.*}}, 10.00 us, each time around a loop}}
    // expected-note @below {{wants [replicate] of operand 0: it runs replicated on "tp"}}
    // expected-note-re @below {{rejected: sum at {{.*}}, sharded along its reduction of extent N on "tp": 14.60 us instead of 10.00 us}}
    %0 = dtensor.sum %a {dims = [0]} : (tensor<?xf32>) -> tensor<f32>
    %1 = dtensor.mul %a, %0 : (tensor<?xf32>, tensor<f32>) -> tensor<?xf32>
    scf.yield %1 : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}
