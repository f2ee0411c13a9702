// RUN: dtensor-opt %s -dtensor-pack | FileCheck %s

#mesh = #dtensor.mesh<"x" = ?>

// CHECK-LABEL: @static_sizes
func.func @static_sizes(%a: tensor<2x2xf32>, %b: tensor<8xf32>, %c: tensor<f32>) -> (tensor<2x2xf32>, tensor<8xf32>, tensor<f32>) {
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<13xf32>
  // CHECK: tensor.insert_slice %{{.*}} into %[[E]][0] [4] [1]
  // CHECK: tensor.insert_slice %arg1 into %{{.*}}[4] [8] [1]
  // CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[12] [1] [1]
  // CHECK: %[[R:.*]] = dtensor.all_reduce sum %{{.*}} on #mesh axes [0] : tensor<13xf32>
  // CHECK-NOT: all_reduce
  // CHECK: tensor.extract_slice %[[R]][0] [4] [1]
  // CHECK: tensor.extract_slice %[[R]][4] [8] [1]
  // CHECK: tensor.extract_slice %[[R]][12] [1] [1]
  %x = dtensor.all_reduce sum %a on #mesh axes [0] {dtensor.bucket = 0 : i64} : tensor<2x2xf32>
  %y = dtensor.all_reduce sum %b on #mesh axes [0] {dtensor.bucket = 0 : i64} : tensor<8xf32>
  %z = dtensor.all_reduce sum %c on #mesh axes [0] {dtensor.bucket = 0 : i64} : tensor<f32>
  return %x, %y, %z : tensor<2x2xf32>, tensor<8xf32>, tensor<f32>
}

// CHECK-LABEL: @sizes_of_launch
func.func @sizes_of_launch(%a: tensor<?x2xf32>, %b: tensor<?xf32>) -> (tensor<?x2xf32>, tensor<?xf32>) {
  // CHECK: %[[N:.*]] = arith.muli
  // CHECK: %[[T:.*]] = arith.addi %[[N]], %[[M:.*]] : index
  // CHECK: tensor.empty(%[[T]]) : tensor<?xf32>
  // CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0] [%[[N]]] [1]
  // CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[%[[N]]] [%[[M]]] [1]
  // CHECK: dtensor.all_reduce
  // CHECK-NOT: dtensor.all_reduce
  // CHECK: tensor.reshape
  %x = dtensor.all_reduce sum %a on #mesh axes [0] {dtensor.bucket = 3 : i64} : tensor<?x2xf32>
  %y = dtensor.all_reduce sum %b on #mesh axes [0] {dtensor.bucket = 3 : i64} : tensor<?xf32>
  return %x, %y : tensor<?x2xf32>, tensor<?xf32>
}

// CHECK-LABEL: @one_alone_stays
func.func @one_alone_stays(%a: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK-NOT: tensor.empty
  // CHECK: dtensor.all_reduce sum %arg0
  %x = dtensor.all_reduce sum %a on #mesh axes [0] {dtensor.bucket = 0 : i64} : tensor<?xf32>
  return %x : tensor<?xf32>
}
