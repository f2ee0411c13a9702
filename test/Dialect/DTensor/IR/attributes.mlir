// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s

// CHECK-DAG: #[[DP_TP:.+]] = #dtensor.mesh<"dp" = 2, "tp" = ? {divides 64, hint 4}>
#mesh = #dtensor.mesh<"dp" = 2, "tp" = ? {hint 4, divides 64}>
// CHECK-DAG: #[[WORLD:.+]] = #dtensor.mesh<"tp" = ?>
#world = #dtensor.mesh<"tp" = ?>
// CHECK-DAG: #dtensor.mesh<"ep" = ? {min 2, max 16, multiple_of 2}>
#facts = #dtensor.mesh<"ep" = ? {multiple_of 2, max 16, min 2}>

// CHECK-LABEL: func private @a_mesh_may_have_facts()
// CHECK-SAME: dtensor.mesh = #{{.+}}
func.func private @a_mesh_may_have_facts() attributes {dtensor.mesh = #facts}

// CHECK-LABEL: func private @a_layout_shards_a_static_dimension(
// CHECK-SAME: tensor<8x256xf32, #dtensor.layout<#[[DP_TP]], [shard(0), replicate], (8, 256)>>
func.func private @a_layout_shards_a_static_dimension(
    tensor<8x256xf32, #dtensor.layout<#mesh, [shard(0), replicate], (8, 256)>>)

// CHECK-LABEL: func private @a_layout_shards_a_dynamic_dimension(
// CHECK-SAME: tensor<?x256xf32, #dtensor.layout<#[[DP_TP]], [shard(0), replicate], (B*S, 256)>>
func.func private @a_layout_shards_a_dynamic_dimension(
    tensor<?x256xf32, #dtensor.layout<#mesh, [shard(0), replicate], (S*B, 256)>>)

// CHECK-LABEL: func private @placements_may_be_open(
// CHECK-SAME: [?, ?], (B)>
func.func private @placements_may_be_open(
    tensor<?xf32, #dtensor.layout<#mesh, [?, ?], (B)>>)

// CHECK-LABEL: func private @every_kind_of_partial(
// CHECK-SAME: [partial(sum)], ()>
// CHECK-SAME: [partial(avg)], (B)>
// CHECK-SAME: [partial(max)], (B)>
// CHECK-SAME: [partial(min)], (B)>
// CHECK-SAME: [partial(product)], (4)>
func.func private @every_kind_of_partial(
    tensor<f32, #dtensor.layout<#world, [partial(sum)], ()>>,
    tensor<?xf32, #dtensor.layout<#world, [partial(avg)], (B)>>,
    tensor<?xf32, #dtensor.layout<#world, [partial(max)], (B)>>,
    tensor<?xf32, #dtensor.layout<#world, [partial(min)], (B)>>,
    tensor<4xf32, #dtensor.layout<#world, [partial(product)], (4)>>)

// CHECK-LABEL: func private @a_unit_may_be_a_symbol(
// CHECK-SAME: [shard(0, unit = D)], (D*H)>
// CHECK-SAME: [shard(0, unit = 64)], (512)>
func.func private @a_unit_may_be_a_symbol(
    tensor<?xf32, #dtensor.layout<#world, [shard(0, unit = D)], (H*D)>>,
    tensor<512xf32, #dtensor.layout<#world, [shard(0, unit = 64)], (512)>>)

// CHECK-LABEL: func private @a_unit_of_one_is_no_unit(
// CHECK-SAME: [shard(0)], (B)>
func.func private @a_unit_of_one_is_no_unit(
    tensor<?xf32, #dtensor.layout<#world, [shard(0, unit = 1)], (B)>>)

// CHECK-LABEL: func private @axes_nest_in_a_stated_order(
// CHECK-SAME: [shard(0), shard(0)] order = ["tp", "dp"], (B)>
func.func private @axes_nest_in_a_stated_order(
    tensor<?xf32, #dtensor.layout<#mesh, [shard(0), shard(0)] order = ["tp", "dp"], (B)>>)

// An order that changes nothing is not kept.
// CHECK-LABEL: func private @mesh_order_is_the_default(
// CHECK-SAME: [shard(0), shard(1)], (B, S)>
func.func private @mesh_order_is_the_default(
    tensor<?x?xf32, #dtensor.layout<#mesh, [shard(0), shard(1)] order = ["tp", "dp"], (B, S)>>)

// CHECK-LABEL: func private @a_static_dimension_may_have_a_symbolic_extent(
// CHECK-SAME: tensor<8xf32, #dtensor.layout<#[[WORLD]], [replicate], (B)>>
func.func private @a_static_dimension_may_have_a_symbolic_extent(
    tensor<8xf32, #dtensor.layout<#world, [replicate], (B)>>)

// CHECK-LABEL: func private @expressions_are_canonical()
// CHECK-SAME: a = #dtensor.expr<2*B*S + 1>
// (B + 1) ceildiv n is B floordiv n + 1: divisions have one spelling.
// CHECK-SAME: b = #dtensor.expr<B floordiv size(tp) + 1>
// CHECK-SAME: c = #dtensor.expr<min(B, S)>
// CHECK-SAME: d = #dtensor.expr<-B + 3>
// CHECK-SAME: e = #dtensor.expr<B>
func.func private @expressions_are_canonical() attributes {
    a = #dtensor.expr<1 + S*B + B*S>, b = #dtensor.expr<(1 + B) ceildiv size(tp)>,
    c = #dtensor.expr<min(S, B)>, d = #dtensor.expr<3 - B>,
    e = #dtensor.expr<"B">}

// CHECK-LABEL: func private @a_plan_lists_its_steps()
// CHECK-SAME: a = #dtensor.plan<#[[DP_TP]], (B, 256), [
// CHECK-SAME: all_to_all ["tp"] dim 1 from 0 to [replicate, shard(1)] bytes 512*B,
// CHECK-SAME: init_partial ["dp"] sum to [partial(sum), shard(1)],
// CHECK-SAME: reduce_scatter ["dp"] sum dim 0 to [shard(0), shard(1)] bytes B,
// CHECK-SAME: all_gather ["dp"] dim 0 to [replicate, shard(1)] bytes 8,
// CHECK-SAME: shard_slice ["dp"] dim 1 to [shard(1), shard(1)] order = ["tp", "dp"],
// CHECK-SAME: regroup ["dp", "tp"] dim 1 to [shard(1), shard(1)] bytes 16]>
// CHECK-SAME: b = #dtensor.plan<#[[WORLD]], (), [all_reduce ["tp"] sum to [replicate] bytes 8]>
// CHECK-SAME: c = #dtensor.plan<#[[WORLD]], (4), []>
func.func private @a_plan_lists_its_steps() attributes {
    a = #dtensor.plan<#mesh, (B, 256), [
      all_to_all ["tp"] dim 1 from 0 to [replicate, shard(1)] bytes 512*B,
      init_partial ["dp"] sum to [partial(sum), shard(1)],
      reduce_scatter ["dp"] sum dim 0 to [shard(0), shard(1)] bytes B,
      all_gather ["dp"] dim 0 to [replicate, shard(1)] bytes 8,
      shard_slice ["dp"] dim 1 to [shard(1), shard(1)] order = ["tp", "dp"] bytes 0,
      regroup ["dp", "tp"] dim 1 to [shard(1), shard(1)] bytes 16]>,
    b = #dtensor.plan<#world, (), [all_reduce ["tp"] sum to [replicate] bytes 8]>,
    c = #dtensor.plan<#world, (4), []>}

// CHECK-LABEL: func private @a_reduction_kind()
// CHECK-SAME: kind = #dtensor.reduce_kind<product>
func.func private @a_reduction_kind() attributes {kind = #dtensor.reduce_kind<product>}
