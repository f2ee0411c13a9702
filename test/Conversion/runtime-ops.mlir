// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s

// CHECK-LABEL: func.func @a_collective_on_tensors(
// CHECK: dtensor_rt.collective @dtensor_rt_all_reduce %{{.*}} : !llvm.ptr ins(%{{.*}} : tensor<?xf32>) outs(%{{.*}} : tensor<?xf32>) scalars(%{{.*}} : i64) -> tensor<?xf32>
func.func @a_collective_on_tensors(%c: !llvm.ptr, %x: tensor<?xf32>, %y: tensor<?xf32>, %axes: i64) -> tensor<?xf32> {
  %0 = dtensor_rt.collective @dtensor_rt_all_reduce %c : !llvm.ptr ins(%x : tensor<?xf32>) outs(%y : tensor<?xf32>) scalars(%axes : i64) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: func.func @a_collective_on_buffers(
// CHECK: dtensor_rt.collective @f %{{.*}} : !llvm.ptr ins(%{{.*}} : memref<4xf32>) outs(%{{.*}} : memref<4xf32>){{$}}
func.func @a_collective_on_buffers(%c: !llvm.ptr, %x: memref<4xf32>, %y: memref<4xf32>) {
  dtensor_rt.collective @f %c : !llvm.ptr ins(%x : memref<4xf32>) outs(%y : memref<4xf32>)
  return
}

// CHECK-LABEL: func.func @a_failure(
// CHECK: dtensor_rt.fail %{{.*}} : !llvm.ptr, "{0} > {1}"(%{{.*}}, %{{.*}})
func.func @a_failure(%c: !llvm.ptr, %a: index, %b: index) {
  dtensor_rt.fail %c : !llvm.ptr, "{0} > {1}" (%a, %b)
  return
}
