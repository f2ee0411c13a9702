// RUN: dtensor-opt %s -dtensor-kernels-pipeline | FileCheck %s

#mesh = #dtensor.mesh<"tp" = ?>
#id = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func.func @a_collective_writes_the_result_itself(
// CHECK-SAME: %[[X:[^:]*]]: memref<?xf32>,
// CHECK-SAME: %[[OUT:[^:]*]]: memref<?xf32> {dtensor.result = 0 : i64})
// CHECK-NOT: memref.alloc
// CHECK: dtensor_rt.collective @dtensor_rt_all_reduce {{.*}} ins(%[[X]] : memref<?xf32>) outs(%[[OUT]] : memref<?xf32>)
// CHECK-NOT: memref.copy
// CHECK: return
func.func @a_collective_writes_the_result_itself(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = dtensor.all_reduce sum %x on #mesh axes [0] : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: func.func @a_temporary_is_freed_after_its_last_use(
// CHECK: %[[T:.*]] = memref.alloc
// CHECK: dtensor_rt.collective {{.*}} outs(%[[T]] :
// CHECK: call @kernel{{.*}}(%[[T]],
// CHECK: memref.dealloc %[[T]]
// CHECK: dtensor_rt.collective
func.func @a_temporary_is_freed_after_its_last_use(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %0 = dtensor.all_reduce sum %x on #mesh axes [0] : tensor<8xf32>
  %e = tensor.empty() : tensor<8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%0 : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = math.exp %a : f32
    linalg.yield %t : f32
  } -> tensor<8xf32>
  %2 = dtensor.all_reduce max %1 on #mesh axes [0] : tensor<8xf32>
  return %1, %2 : tensor<8xf32>, tensor<8xf32>
}

// CHECK-LABEL: func.func @results_do_not_share_a_buffer(
// CHECK-SAME: %[[A:[^: ]*]]: memref<f64> {dtensor.result = 0 : i64}, %[[B:[^:]*]]: memref<f64> {dtensor.result = 1 : i64}
// CHECK-DAG: call @kernel{{.*}}(%{{.*}}, %[[A]])
// CHECK-DAG: call @kernel{{.*}}(%{{.*}}, %[[B]])
// CHECK-NOT: memref.copy
// CHECK: return
func.func @results_do_not_share_a_buffer(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<f64>, tensor<f64>) {
  %zero = arith.constant -0.0 : f64
  %e = tensor.empty() : tensor<f64>
  %f = linalg.fill ins(%zero : f64) outs(%e : tensor<f64>) -> tensor<f64>
  %0 = linalg.reduce {arith.addf} ins(%x : tensor<?xf64>) outs(%f : tensor<f64>) dimensions = [0]
  %1 = linalg.reduce {arith.mulf} ins(%y : tensor<?xf64>) outs(%f : tensor<f64>) dimensions = [0]
  return %0, %1 : tensor<f64>, tensor<f64>
}

// CHECK-LABEL: func.func @an_argument_that_was_not_donated_is_copied(
// CHECK-SAME: %[[X:[^:]*]]: memref<?xf32>,
// CHECK-NOT: memref.store {{.*}}, %[[X]]
// CHECK: return
func.func @an_argument_that_was_not_donated_is_copied(%x: tensor<?xf32>, %v: f32) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %0 = tensor.insert %v into %x[%c0] : tensor<?xf32>
  return %0 : tensor<?xf32>
}
