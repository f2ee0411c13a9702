// RUN: dtensor-opt %s -dtensor-partition | FileCheck %s

#mesh = #dtensor.mesh<"tp" = ?>
#four = #dtensor.mesh<"tp" = 4>
#mk = affine_map<(m, k) -> (m, k)>
#k_only = affine_map<(m, k) -> (k)>
#m_only = affine_map<(m, k) -> (m)>
#id = affine_map<(m) -> (m)>

#cols = #dtensor.layout<#mesh, [shard(1)], (M, K)>
#k = #dtensor.layout<#mesh, [shard(0)], (K)>
#m = #dtensor.layout<#mesh, [shard(0)], (M)>
#m_sum = #dtensor.layout<#mesh, [partial(sum)], (M)>
#table = #dtensor.layout<#mesh, [replicate], (V)>

// CHECK-LABEL: func.func @a_sharded_contraction_leaves_a_partial_sum
// CHECK-SAME: (%[[A:[^:]+]]: tensor<?x?xf32>, %[[X:[^:]+]]: tensor<?xf32>, %{{[^:]+}}: index {dtensor.symbol = "K"}, %[[M:[^:]+]]: index {dtensor.symbol = "M"}
// CHECK: %[[EMPTY:.+]] = tensor.empty(%[[M]]) : tensor<?xf32>
// CHECK: %[[ZERO:.+]] = arith.constant -0.000000e+00 : f32
// CHECK: %[[INIT:.+]] = linalg.fill ins(%[[ZERO]] : f32) outs(%[[EMPTY]] : tensor<?xf32>)
// CHECK: linalg.generic {{.+}}iterator_types = ["parallel", "reduction"]} ins(%[[A]], %[[X]] : tensor<?x?xf32>, tensor<?xf32>) outs(%[[INIT]] : tensor<?xf32>) attrs = {{.+}}dtensor.label = "matvec"
// CHECK-NEXT: ^bb0(%[[P:.+]]: f32, %[[Q:.+]]: f32, %[[SUM:.+]]: f32):
// CHECK-NEXT: %[[PQ:.+]] = arith.mulf %[[P]], %[[Q]] : f32
// CHECK-NEXT: %[[NEXT:.+]] = arith.addf %[[SUM]], %[[PQ]] fastmath<reassoc> : f32
// CHECK-NEXT: linalg.yield %[[NEXT]] : f32
func.func @a_sharded_contraction_leaves_a_partial_sum(%a: tensor<?x?xf32, #cols>, %x: tensor<?xf32, #k>) -> tensor<?xf32, #m_sum> {
  %y = dtensor.generic "matvec" maps = [#mk, #k_only, #m_only] iterators = [parallel, reduction] reduce = [sum]
     ins(%a, %x : tensor<?x?xf32, #cols>, tensor<?xf32, #k>) {
  ^bb0(%p: f32, %q: f32):
    %r = arith.mulf %p, %q : f32
    dtensor.yield %r : f32
  } -> tensor<?xf32, #m_sum>
  return %y : tensor<?xf32, #m_sum>
}

#static_cols = #dtensor.layout<#four, [shard(1)], (8, 16)>
#static_max = #dtensor.layout<#four, [partial(max)], (8)>

// CHECK-LABEL: func.func @a_sharded_maximum_of_static_extents
// CHECK-SAME: tensor<8x4xf32>
// CHECK: tensor.empty() : tensor<8xf32>
// CHECK: arith.constant 0xFF800000 : f32
// CHECK: arith.maximumf
// CHECK: -> tensor<8xf32>
func.func @a_sharded_maximum_of_static_extents(%a: tensor<8x16xf32, #static_cols>) -> tensor<8xf32, #static_max> {
  %y = dtensor.generic maps = [#mk, #m_only] iterators = [parallel, reduction] reduce = [max] ins(%a : tensor<8x16xf32, #static_cols>) {
  ^bb0(%p: f32):
    dtensor.yield %p : f32
  } -> tensor<8xf32, #static_max>
  return %y : tensor<8xf32, #static_max>
}

// The position is the local one plus the offset of the shard; what is captured
// is read inside.
// CHECK-LABEL: func.func @positions_are_global
// CHECK-SAME: (%[[AT:[^:]+]]: tensor<?xindex>, %[[TABLE:[^:]+]]: tensor<?xf32>, %[[S:[^:]+]]: f32, %[[M:[^:]+]]: index {{.+}}, %{{[^:]+}}: index {{.+}}, %[[N:[^:]+]]: index {dtensor.axis_size = "tp"}, %[[R:[^:]+]]: index {dtensor.axis_index = "tp"})
// CHECK: %[[C:.+]] = arith.ceildivsi %[[M]], %[[N]] : index
// CHECK: %[[RC:.+]] = arith.muli %[[R]], %[[C]] : index
// CHECK: %[[OFFSET:.+]] = arith.minsi %[[RC]], %[[M]] : index
// CHECK: linalg.generic
// CHECK-NEXT: ^bb0(%[[I:[^:]+]]: index, %{{[^:]+}}: f32, %{{[^:]+}}: index):
// CHECK-NEXT: %[[LOCAL:.+]] = linalg.index 0 : index
// CHECK-NEXT: %[[ROW:.+]] = arith.addi %[[LOCAL]], %[[OFFSET]] : index
// CHECK-NEXT: %[[V:.+]] = tensor.extract %[[TABLE]][%[[I]]] : tensor<?xf32>
// CHECK-NEXT: %[[W:.+]] = arith.mulf %[[V]], %[[S]] : f32
// CHECK-NEXT: linalg.yield %[[W]], %[[ROW]] : f32, index
func.func @positions_are_global(%i: tensor<?xindex, #m>, %t: tensor<?xf32, #table>, %s: f32) -> (tensor<?xf32, #m>, tensor<?xindex, #m>) {
  %y:2 = dtensor.generic maps = [#id, #id, #id] iterators = [parallel] ins(%i : tensor<?xindex, #m>) captures(%t : tensor<?xf32, #table>) {
  ^bb0(%at: index, %table: tensor<?xf32>):
    %row = dtensor.index 0
    %v = tensor.extract %table[%at] : tensor<?xf32>
    %w = arith.mulf %v, %s : f32
    dtensor.yield %w, %row : f32, index
  } -> (tensor<?xf32, #m>, tensor<?xindex, #m>)
  return %y#0, %y#1 : tensor<?xf32, #m>, tensor<?xindex, #m>
}
