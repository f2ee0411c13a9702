// RUN: dtensor-compile %s --emit=llvm -o - | FileCheck %s

// Checks at run time whether buffers overlap would make the vector loop depend
// on addresses. An output known to lie apart from the inputs has a vector loop
// without them; one of which this is not known has no vector loop.

// CHECK-NOT: memcheck
// CHECK: define internal {{.*}}@local.kernel(ptr{{.*}}, ptr noalias
// CHECK-NOT: memcheck
// CHECK: fadd <{{[0-9]+}} x double>
// CHECK-NOT: memcheck
// CHECK: define internal {{.*}}@local.kernel_0(
// CHECK-NOT: x double>
// CHECK: define internal {{.*}}@local.kernel_1(ptr{{.*}}, ptr noalias
// CHECK-NOT: memcheck
// CHECK: fadd <{{[0-9]+}} x double>
// CHECK-NOT: memcheck
// CHECK: define internal {{.*}}@local.kernel_2(
// CHECK-NOT: x double>
// CHECK: define void @any_size__run(
// CHECK-NOT: memcheck
#mesh = #dtensor.mesh<"x" = ?>
#any = #dtensor.layout<#mesh, [replicate], (M)>
#known = #dtensor.layout<#mesh, [replicate], (64)>

func.func @any_size(%x: tensor<?xf64> {dtensor.layout = #any}) -> tensor<?xf64> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %y = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x) -> (tensor<?xf64>) {
    %b = dtensor.add %a, %x : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
    scf.yield %b : tensor<?xf64>
  }
  %z = dtensor.sin %y : (tensor<?xf64>) -> tensor<?xf64>
  return %z : tensor<?xf64>
}

func.func @known_size(%x: tensor<64xf64> {dtensor.layout = #known}) -> tensor<64xf64> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %y = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x) -> (tensor<64xf64>) {
    %b = dtensor.add %a, %x : (tensor<64xf64>, tensor<64xf64>) -> tensor<64xf64>
    scf.yield %b : tensor<64xf64>
  }
  %z = dtensor.sin %y : (tensor<64xf64>) -> tensor<64xf64>
  return %z : tensor<64xf64>
}
