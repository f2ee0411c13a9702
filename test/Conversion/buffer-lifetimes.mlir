// RUN: dtensor-opt %s -pass-pipeline='builtin.module(func.func(dtensor-begin-buffers))' | FileCheck %s --check-prefix=BEGIN
// RUN: dtensor-opt %s -pass-pipeline='builtin.module(func.func(dtensor-begin-buffers,dtensor-end-buffers))' | FileCheck %s

func.func private @use(memref<?xf32>)

// BEGIN-LABEL: func.func @a_buffer_lives_from_first_to_last_use(
// BEGIN-NEXT: call @use(%arg0)
// BEGIN-NEXT: memref.alloc(%arg1) {bufferization.manual_deallocation}
// BEGIN-NOT: memref.dealloc
// CHECK-LABEL: func.func @a_buffer_lives_from_first_to_last_use(
// CHECK-NEXT: call @use(%arg0)
// CHECK-NEXT: %[[B:.*]] = memref.alloc(%arg1)
// CHECK-NEXT: call @use(%[[B]])
// CHECK-NEXT: memref.dealloc %[[B]]
// CHECK-NEXT: call @use(%arg0)
func.func @a_buffer_lives_from_first_to_last_use(%x: memref<?xf32>, %n: index) {
  %b = memref.alloc(%n) : memref<?xf32>
  call @use(%x) : (memref<?xf32>) -> ()
  call @use(%b) : (memref<?xf32>) -> ()
  call @use(%x) : (memref<?xf32>) -> ()
  return
}

// CHECK-LABEL: func.func @a_view_of_it_is_a_use(
// CHECK: %[[B:.*]] = memref.alloc
// CHECK: %[[V:.*]] = memref.cast %[[B]]
// CHECK-NEXT: call @use(%[[V]])
// CHECK-NEXT: memref.dealloc %[[B]]
func.func @a_view_of_it_is_a_use() {
  %b = memref.alloc() : memref<4xf32>
  %v = memref.cast %b : memref<4xf32> to memref<?xf32>
  call @use(%v) : (memref<?xf32>) -> ()
  return
}

// CHECK-LABEL: func.func @a_use_in_a_loop_lasts_as_long_as_the_loop(
// CHECK: scf.for
// CHECK: call @use
// CHECK-NEXT: }
// CHECK-NEXT: memref.dealloc
func.func @a_use_in_a_loop_lasts_as_long_as_the_loop(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = memref.alloc(%n) : memref<?xf32>
  scf.for %i = %c0 to %n step %c1 {
    func.call @use(%b) : (memref<?xf32>) -> ()
  }
  return
}

// CHECK-LABEL: func.func @what_may_leave_its_block_stays(
// CHECK-NOT: memref.dealloc
// CHECK: return
func.func @what_may_leave_its_block_stays(%c: i1, %x: memref<?xf32>, %n: index) -> memref<?xf32> {
  %b = memref.alloc(%n) : memref<?xf32>
  %d = memref.alloc(%n) : memref<?xf32>
  %e = scf.if %c -> memref<?xf32> {
    %f = memref.alloc(%n) : memref<?xf32>
    scf.yield %f : memref<?xf32>
  } else {
    scf.yield %b : memref<?xf32>
  }
  call @use(%e) : (memref<?xf32>) -> ()
  %s = arith.select %c, %d, %x : memref<?xf32>
  call @use(%s) : (memref<?xf32>) -> ()
  return %d : memref<?xf32>
}
