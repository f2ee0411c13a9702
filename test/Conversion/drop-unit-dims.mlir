// RUN: dtensor-opt %s -dtensor-drop-unit-dims | FileCheck %s
// RUN: dtensor-opt %s -dtensor-drop-unit-dims -canonicalize | FileCheck %s

// CHECK-LABEL: @the_last_one_is_dropped(
// CHECK: %[[V:.*]] = memref.subview %arg0[0, 0, 1, 0] [1, %arg1, 1, %arg2] [1, 1, 1, 1] : memref<1x?x?x?xf32> to memref<1x?x1x?xf32, strided<[?, ?, ?, 1], offset: ?>>
// CHECK: memref.collapse_shape %[[V]] {{\[}}[0], [1, 2], [3]] : {{.*}} into memref<1x?x?xf32, strided<[?, ?, 1], offset: ?>>
func.func @the_last_one_is_dropped(%x: memref<1x?x?x?xf32>, %n: index, %k: index) -> memref<1x?x?xf32, strided<[?, ?, 1], offset: ?>> {
  %y = memref.subview %x[0, 0, 1, 0] [1, %n, 1, %k] [1, 1, 1, 1] : memref<1x?x?x?xf32> to memref<1x?x?xf32, strided<[?, ?, 1], offset: ?>>
  return %y : memref<1x?x?xf32, strided<[?, ?, 1], offset: ?>>
}

// At a static shape, too, if strides do not tell.
// CHECK-LABEL: @so_it_is_at_a_static_shape(
// CHECK: memref.collapse_shape {{.*}} {{\[}}[0], [1, 2], [3]]
func.func @so_it_is_at_a_static_shape(%x: memref<1x4x6x8xf32, strided<[?, ?, ?, 1]>>) -> memref<1x4x8xf32, strided<[?, ?, 1], offset: ?>> {
  %y = memref.subview %x[0, 0, 1, 0] [1, 4, 1, 8] [1, 1, 1, 1] : memref<1x4x6x8xf32, strided<[?, ?, ?, 1]>> to memref<1x4x8xf32, strided<[?, ?, 1], offset: ?>>
  return %y : memref<1x4x8xf32, strided<[?, ?, 1], offset: ?>>
}

// CHECK-LABEL: @strides_that_tell_are_enough(
// CHECK-NOT: collapse_shape
func.func @strides_that_tell_are_enough(%x: memref<1x4x6x8xf32>) -> memref<1x4x8xf32, strided<[192, 48, 1], offset: 8>> {
  %y = memref.subview %x[0, 0, 1, 0] [1, 4, 1, 8] [1, 1, 1, 1] : memref<1x4x6x8xf32> to memref<1x4x8xf32, strided<[192, 48, 1], offset: 8>>
  return %y : memref<1x4x8xf32, strided<[192, 48, 1], offset: 8>>
}

// CHECK-LABEL: @neighbours_may_stand_for_each_other(
// CHECK-NOT: collapse_shape
func.func @neighbours_may_stand_for_each_other(%x: memref<1x?x?xf32>, %k: index) -> memref<1x?xf32, strided<[?, 1], offset: ?>> {
  %y = memref.subview %x[0, 1, 0] [1, 1, %k] [1, 1, 1] : memref<1x?x?xf32> to memref<1x?xf32, strided<[?, 1], offset: ?>>
  return %y : memref<1x?xf32, strided<[?, 1], offset: ?>>
}

// A number that is computed is a size like others.
// CHECK-LABEL: @a_full_view_stays(
// CHECK-NOT: collapse_shape
func.func @a_full_view_stays(%x: memref<?x?xf32>, %k: index) -> memref<?x?xf32, strided<[?, 1], offset: ?>> {
  %c1 = arith.constant 1 : index
  %y = memref.subview %x[1, 0] [%c1, %k] [1, 1] : memref<?x?xf32> to memref<?x?xf32, strided<[?, 1], offset: ?>>
  return %y : memref<?x?xf32, strided<[?, 1], offset: ?>>
}
