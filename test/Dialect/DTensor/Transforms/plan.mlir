// RUN: dtensor-opt %s -split-input-file -dtensor-plan -dtensor-verify-phase=phase=plan | FileCheck %s

#mesh = #dtensor.mesh<"tp" = ?>

// CHECK-LABEL: @a_pending_sum_is_reduced
func.func @a_pending_sum_is_reduced(%x: tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>> {
  // CHECK: plan <#mesh, (N), [all_reduce ["tp"] sum to [replicate] bytes {{.*}}]>
  %0 = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (N)>> to tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
}

// CHECK-LABEL: @a_static_tensor_has_bytes_in_the_mesh_alone
func.func @a_static_tensor_has_bytes_in_the_mesh_alone(%x: tensor<8xf32, #dtensor.layout<#mesh, [shard(0)], (8)>>) -> tensor<8xf32, #dtensor.layout<#mesh, [replicate], (8)>> {
  // CHECK: plan <#mesh, (8), [all_gather ["tp"] dim 0 to [replicate] bytes 4*size(tp)*(7 floordiv size(tp)) + 4*size(tp) - 4*(7 floordiv size(tp)) - 4]>
  %0 = dtensor.redistribute %x : tensor<8xf32, #dtensor.layout<#mesh, [shard(0)], (8)>> to tensor<8xf32, #dtensor.layout<#mesh, [replicate], (8)>>
  return %0 : tensor<8xf32, #dtensor.layout<#mesh, [replicate], (8)>>
}

// CHECK-LABEL: @rows_to_columns_is_one_all_to_all
func.func @rows_to_columns_is_one_all_to_all(%x: tensor<?x?xf32, #dtensor.layout<#mesh, [shard(0)], (M, N)>>) -> tensor<?x?xf32, #dtensor.layout<#mesh, [shard(1)], (M, N)>> {
  // CHECK: [all_to_all ["tp"] dim 1 from 0 to [shard(1)]
  %0 = dtensor.redistribute %x : tensor<?x?xf32, #dtensor.layout<#mesh, [shard(0)], (M, N)>> to tensor<?x?xf32, #dtensor.layout<#mesh, [shard(1)], (M, N)>>
  return %0 : tensor<?x?xf32, #dtensor.layout<#mesh, [shard(1)], (M, N)>>
}

// -----

#mesh = #dtensor.mesh<"dp" = ?, "tp" = ?>

// CHECK-LABEL: @two_pending_axes_are_reduced_at_once
func.func @two_pending_axes_are_reduced_at_once(%x: tensor<?xf32, #dtensor.layout<#mesh, [partial(sum), partial(sum)], (N)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate, replicate], (N)>> {
  // CHECK: [all_reduce ["dp", "tp"] sum to [replicate, replicate]
  %0 = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [partial(sum), partial(sum)], (N)>> to tensor<?xf32, #dtensor.layout<#mesh, [replicate, replicate], (N)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [replicate, replicate], (N)>>
}

// -----

#mesh = #dtensor.mesh<"tp" = ? {divides 8}>

// CHECK-LABEL: @cuts_that_are_proved_equal_need_no_step
func.func @cuts_that_are_proved_equal_need_no_step(%x: tensor<512xf32, #dtensor.layout<#mesh, [shard(0)], (512)>>) -> tensor<512xf32, #dtensor.layout<#mesh, [shard(0, unit = 64)], (512)>> {
  // CHECK: plan <#mesh, (512), []>
  %0 = dtensor.redistribute %x : tensor<512xf32, #dtensor.layout<#mesh, [shard(0)], (512)>> to tensor<512xf32, #dtensor.layout<#mesh, [shard(0, unit = 64)], (512)>>
  return %0 : tensor<512xf32, #dtensor.layout<#mesh, [shard(0, unit = 64)], (512)>>
}
