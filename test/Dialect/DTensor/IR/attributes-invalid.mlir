// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

#mesh = #dtensor.mesh<"dp" = 2, "tp" = ?>
// expected-error @+1 {{layout has 1 placements but mesh has 2 axes}}
func.func private @too_few_placements(tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{shard(2) on axis "tp" names dimension 2 of a tensor of rank 2}}
func.func private @shard_of_a_missing_dim(tensor<?x4xf32, #dtensor.layout<#mesh, [shard(2)], (B, 4)>>)

// -----

#mesh = #dtensor.mesh<"dp" = 2, "tp" = ?>
// expected-error @+1 {{partial}}
func.func private @mixed_partial_kinds(tensor<?xf32, #dtensor.layout<#mesh, [partial(sum), partial(max)], (B)>>)

// -----

#mesh = #dtensor.mesh<"dp" = 2, "tp" = ?>
// expected-error @+1 {{unit}}
func.func private @units_of_one_dim_differ(tensor<?xf32, #dtensor.layout<#mesh, [shard(0, unit = 2), shard(0, unit = 4)], (B)>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{unit}}
func.func private @unit_of_zero(tensor<?xf32, #dtensor.layout<#mesh, [shard(0, unit = 0)], (B)>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{shard names dimension -1}}
func.func private @shard_of_a_negative_dim(tensor<?xf32, #dtensor.layout<#mesh, [shard(-1)], (B)>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{extent of dimension 0 is B*size(dp), but "dp" is not an axis of the mesh}}
func.func private @extent_of_a_missing_axis(tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B*size(dp))>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{extent of dimension 0 is index(tp), which differs from rank to rank}}
func.func private @extent_of_one_rank(tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (index(tp))>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{unit of dimension 0 is size(dp), but "dp" is not an axis of the mesh}}
func.func private @unit_of_a_missing_axis(tensor<?xf32, #dtensor.layout<#mesh, [shard(0, unit = size(dp))], (B)>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{layout has 1 extents but the tensor has rank 2}}
func.func private @too_few_extents(tensor<?x4xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{dimension 1 is dynamic but its extent is the constant 4}}
func.func private @constant_extent_of_a_dynamic_dim(tensor<4x?xf32, #dtensor.layout<#mesh, [replicate], (4, 4)>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{dimension 0 has size 8 but extent 4}}
func.func private @constant_extent_of_another_size(tensor<8xf32, #dtensor.layout<#mesh, [replicate], (4)>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{dimension 0 has size 8 but extent B + 9}}
func.func private @extent_that_cannot_be_the_size(tensor<8xf32, #dtensor.layout<#mesh, [replicate], (B + 9)>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{expression leaves the 64-bit range}}
func.func private @extent_overflows(tensor<?xf32, #dtensor.layout<#mesh, [replicate], (9223372036854775807*2*B)>>)

// -----

#mesh = #dtensor.mesh<"dp" = 2, "tp" = ?>
// expected-error @+1 {{"ep" is not an axis of the mesh}}
func.func private @order_names_an_unknown_axis(tensor<?xf32, #dtensor.layout<#mesh, [shard(0), shard(0)] order = ["ep", "dp"], (B)>>)

// -----

#mesh = #dtensor.mesh<"dp" = 2, "tp" = ?>
// expected-error @+1 {{axis "dp" appears twice}}
func.func private @order_names_an_axis_twice(tensor<?xf32, #dtensor.layout<#mesh, [shard(0), shard(0)] order = ["dp", "dp"], (B)>>)

// -----

#mesh = #dtensor.mesh<"dp" = 2, "tp" = ?>
// expected-error @+1 {{order names 1 axes but mesh has 2}}
func.func private @order_leaves_an_axis_out(tensor<?xf32, #dtensor.layout<#mesh, [shard(0), shard(0)] order = ["tp"], (B)>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{expected replicate, shard, partial or ?}}
func.func private @unknown_placement(tensor<?xf32, #dtensor.layout<#mesh, [split(0)], (B)>>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{expected sum, avg, max, min or product, not "median"}}
func.func private @unknown_partial_kind(tensor<?xf32, #dtensor.layout<#mesh, [partial(median)], (B)>>)

// -----

// expected-error @+1 {{"tp"}}
#mesh = #dtensor.mesh<"tp" = 2, "tp" = ?>

// -----

// expected-error @+1 {{0}}
#mesh = #dtensor.mesh<"tp" = 0>

// -----

// expected-error @+1 {{axes}}
#mesh = #dtensor.mesh<>

// -----

// expected-error @+1 {{unknown fact "about", expected min, max, divides, multiple_of or hint}}
#mesh = #dtensor.mesh<"tp" = ? {about 4}>

// -----

// expected-error @+1 {{min}}
#mesh = #dtensor.mesh<"tp" = ? {min 4, max 2}>

// -----

// expected-error @+1 {{divides by a constant below 1}}
#expr = #dtensor.expr<B floordiv 0>

// -----

// expected-error @+1 {{expected}}
#expr = #dtensor.expr<B +>

// -----

// expected-error @+1 {{expected sum, avg, max, min or product}}
#kind = #dtensor.reduce_kind<4>

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{unknown step "gather"}}
#plan = #dtensor.plan<#mesh, (B), [gather ["tp"] dim 0 to [replicate]]>

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{"dp" is not an axis of the mesh}}
#plan = #dtensor.plan<#mesh, (B), [all_gather ["dp"] dim 0 to [replicate]]>

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{all_gather names axis "tp" twice}}
#plan = #dtensor.plan<#mesh, (B), [all_gather ["tp", "tp"] dim 0 to [replicate]]>

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{all_reduce names no axis}}
#plan = #dtensor.plan<#mesh, (B), [all_reduce [] sum to [replicate]]>

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{all_to_all dim 3 is out of range for rank 1}}
#plan = #dtensor.plan<#mesh, (B), [all_to_all ["tp"] dim 0 from 3 to [shard(0)]]>

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{layout has 2 placements but mesh has 1 axes}}
#plan = #dtensor.plan<#mesh, (B), [all_gather ["tp"] dim 0 to [replicate, replicate]]>
