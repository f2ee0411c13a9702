// RUN: dtensor-opt %s --allow-unregistered-dialect | FileCheck %s
// RUN: dtensor-opt %s --allow-unregistered-dialect --mlir-print-op-generic | dtensor-opt --allow-unregistered-dialect | FileCheck %s
// What Shardy writes is read and written again, in its form and in MLIR's.

// CHECK: sdy.mesh @mesh = <["x"=2, "y"=4]>
sdy.mesh @mesh = <["x"=2, "y"=4], device_ids=[0, 1, 2, 3, 4, 5, 6, 7]>
// CHECK: sdy.mesh @turned = <["x"=2], device_ids=[1, 0]>
sdy.mesh @turned = <["x"=2], device_ids=[1, 0]>
// CHECK: sdy.mesh @one_device = <[], device_ids=[3]>
sdy.mesh @one_device = <[], device_ids=[3]>
// CHECK: sdy.mesh @placeholder = <[]>
sdy.mesh @placeholder = <[]>

// CHECK-LABEL: func.func @shardings(
// CHECK-SAME{LITERAL}: %arg0: tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x", ?}p1, {"y":(1)2}], replicated={"y":(2)2}>}
// CHECK-SAME{LITERAL}: %arg1: tensor<?x8xf32> {sdy.sharding = #sdy.sharding<mesh<["a"=2]>, [{?}, {"a"}]>}
func.func @shardings(%x: tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x", ?}p1, {"y":(1)2}], replicated={"y":(2)2}>},
                     %y: tensor<?x8xf32> {sdy.sharding = #sdy.sharding<mesh<["a"=2]>, [{?}, {"a"}]>})
    -> (tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}], unreduced=max{"x"}>}) {
  // CHECK: sdy.sharding_constraint %arg0 <@mesh, [{"y", "x"}, {}]> : tensor<8x8xf32>
  %0 = sdy.sharding_constraint %x <@mesh, [{"y", "x"}, {}]> : tensor<8x8xf32>
  // CHECK{LITERAL}: {sdy.sharding = #sdy.sharding_per_value<[<@mesh, [{}, {}], unreduced={"x"}>, <@mesh, []>]>}
  %1:2 = "other.op"(%0) {sdy.sharding = #sdy.sharding_per_value<[<@mesh, [{}, {}], unreduced=sum{"x"}>, <@mesh, []>]>} : (tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<f32>)
  // CHECK: sdy.reshard {{.*}} <@mesh, [{}, {}], unreduced=max{"x"}> : tensor<8x8xf32>
  %2 = sdy.reshard %1#0 <@mesh, [{}, {}], unreduced=max{"x"}> : tensor<8x8xf32>
  return %2 : tensor<8x8xf32>
}

// CHECK-LABEL: func.func @manual(
func.func @manual(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // CHECK{LITERAL}: sdy.manual_computation(%arg0) in_shardings=[<@mesh, [{"x"}, {?}]>] out_shardings=[<@mesh, [{"x"}, {?}]>] manual_axes={"x"} (%arg1: tensor<4x8xf32>) {
  // CHECK: sdy.return {{.*}} : tensor<4x8xf32>
  // CHECK-NEXT: } : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"}, {?}]>] out_shardings=[<@mesh, [{"x"}, {?}]>] manual_axes={"x"} (%a: tensor<4x8xf32>) {
    %1 = math.tanh %a : tensor<4x8xf32>
    sdy.return %1 : tensor<4x8xf32>
  } : (tensor<8x8xf32>) -> tensor<8x8xf32>
  // CHECK: sdy.manual_computation() in_shardings=[] out_shardings=[] manual_axes={} () {
  // CHECK-NEXT: sdy.return
  // CHECK-NEXT: }
  sdy.manual_computation() in_shardings=[] out_shardings=[] manual_axes={} () {
    sdy.return
  } : () -> ()
  return %0 : tensor<8x8xf32>
}
