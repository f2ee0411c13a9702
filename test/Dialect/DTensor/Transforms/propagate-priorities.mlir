// RUN: dtensor-opt %s --dtensor-normalize-pipeline --dtensor-propagate --split-input-file | FileCheck %s
// RUN: sed -e 's/<?x?x/<64x64x/g; s/(M, N)/(64, 64)/g' %s | dtensor-opt --dtensor-normalize-pipeline --dtensor-propagate --split-input-file | FileCheck %s
// The lower number decides what is between two constraints; values that agree
// have one layout.

#mesh = #dtensor.mesh<"x" = ?>

// CHECK-LABEL: @the_first_decides
// CHECK: "tanh" {{.*}}[shard(0)]
// CHECK: "exp" {{.*}}[shard(0)]
// CHECK: dtensor.redistribute {{.*}} to tensor<{{.*}}[shard(1)]
// CHECK-NEXT: return
func.func @the_first_decides(%x: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [?], (M, N)>}) -> tensor<?x?xf32> {
  %0 = dtensor.constraint %x to <#mesh, [shard(0)], (M, N)> : tensor<?x?xf32>
  %1 = dtensor.tanh %0 : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %2 = dtensor.exp %1 : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = dtensor.constraint %2 to <#mesh, [shard(1)], (M, N)> {priority = 1} : tensor<?x?xf32>
  return %3 : tensor<?x?xf32>
}

// -----

#mesh = #dtensor.mesh<"x" = ?>

// The movement is beside the constraint that yields.
// CHECK-LABEL: @the_second_decides
// CHECK: dtensor.redistribute {{.*}} to tensor<{{.*}}[shard(1)]
// CHECK: "tanh" {{.*}}[shard(1)]
// CHECK: "exp" {{.*}}[shard(1)]
// CHECK-NOT: dtensor.redistribute
// CHECK: return
func.func @the_second_decides(%x: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [?], (M, N)>}) -> tensor<?x?xf32> {
  %0 = dtensor.constraint %x to <#mesh, [shard(0)], (M, N)> {priority = 1} : tensor<?x?xf32>
  %1 = dtensor.tanh %0 : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %2 = dtensor.exp %1 : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = dtensor.constraint %2 to <#mesh, [shard(1)], (M, N)> : tensor<?x?xf32>
  return %3 : tensor<?x?xf32>
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (M, N)>

// What the type of an argument states comes before a constraint that yields.
// CHECK-LABEL: @an_argument_decides_first
// CHECK: "tanh" {{.*}}[shard(0)]
// CHECK: dtensor.redistribute {{.*}} to tensor<{{.*}}[shard(1)]
func.func @an_argument_decides_first(%x: tensor<?x?xf32> {dtensor.layout = #rows}) -> tensor<?x?xf32> {
  %1 = dtensor.tanh %x : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = dtensor.constraint %1 to <#mesh, [shard(1)], (M, N)> {priority = 2} : tensor<?x?xf32>
  return %3 : tensor<?x?xf32>
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#columns = #dtensor.layout<#mesh, [shard(1)], (M, N)>

// CHECK-LABEL: @a_state_is_where_its_parameter_is
// CHECK-SAME: %arg1: tensor<{{[^>]*}}xf32, #dtensor.layout<#mesh, [shard(1)]
// CHECK-NOT: dtensor.redistribute
// CHECK-NOT: dtensor.agree
// CHECK: return
func.func @a_state_is_where_its_parameter_is(%w: tensor<?x?xbf16> {dtensor.layout = #columns}, %m: tensor<?x?xf32>) -> (tensor<?x?xbf16>, tensor<?x?xf32>) {
  %0, %1 = dtensor.agree %w, %m : (tensor<?x?xbf16>, tensor<?x?xf32>) -> (tensor<?x?xbf16>, tensor<?x?xf32>)
  %2 = dtensor.neg %1 : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0, %2 : tensor<?x?xbf16>, tensor<?x?xf32>
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (M, N)>
#columns = #dtensor.layout<#mesh, [shard(1)], (M, N)>

// CHECK-LABEL: @one_of_two_moves_to_the_other
// CHECK-COUNT-1: dtensor.redistribute
// CHECK-NOT: dtensor.redistribute
// CHECK: return
func.func @one_of_two_moves_to_the_other(%a: tensor<?x?xf32> {dtensor.layout = #rows}, %b: tensor<?x?xf32> {dtensor.layout = #columns}) -> (tensor<?x?xf32>, tensor<?x?xf32>) {
  %0, %1 = dtensor.agree %a, %b : (tensor<?x?xf32>, tensor<?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xf32>)
  return %0, %1 : tensor<?x?xf32>, tensor<?x?xf32>
}

// -----

#mesh = #dtensor.mesh<"dp" = ?, "tp" = ?>
#pending = #dtensor.layout<#mesh, [replicate, partial(avg)], (M, N)>
#columns = #dtensor.layout<#mesh, [shard(1), shard(1)], (M, N)>

// What the result states does not reach into the constraint.
// CHECK-LABEL: @a_constraint_that_yields_holds_for_its_value
// CHECK: dtensor.redistribute {{.*}} to tensor<{{.*}}[shard(1, unit = 2), shard(1, unit = 2)]
// CHECK: dtensor.redistribute {{.*}} to tensor<{{.*}}[shard(1), shard(1)]
func.func @a_constraint_that_yields_holds_for_its_value(%x: tensor<?x?xf64> {dtensor.layout = #pending}) -> (tensor<?x?xf64> {dtensor.layout = #columns}) {
  %0 = dtensor.constraint %x to <#mesh, [shard(1, unit = 2), shard(1, unit = 2)], (M, N)> {priority = 1} : tensor<?x?xf64>
  return %0 : tensor<?x?xf64>
}

// -----

#mesh = #dtensor.mesh<"dp" = ?, "tp" = ?>
#cut = #dtensor.layout<#mesh, [shard(0), shard(1)], (M, N)>
#both = #dtensor.layout<#mesh, [?, shard(0, unit = 2)], (M, N)>

// One axis is stated, the other takes a placement that goes with it.
// CHECK-LABEL: @units_of_one_dimension_agree
// CHECK-NOT: [shard(0), shard(0, unit = 2)]
// CHECK: return
func.func @units_of_one_dimension_agree(%x: tensor<?x?xf64> {dtensor.layout = #cut}) -> (tensor<?x?xf64> {dtensor.layout = #both}) {
  %0 = dtensor.constraint %x to #both : tensor<?x?xf64>
  %1 = dtensor.tanh %0 : (tensor<?x?xf64>) -> tensor<?x?xf64>
  return %1 : tensor<?x?xf64>
}
