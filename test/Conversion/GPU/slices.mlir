// RUN: dtensor-compile %s --target=cuda --emit=kernels -o - | FileCheck %s

// Halves of rows lie apart, but each is read 16 bytes at a time: the strides of
// a slice are no reason to read single elements.

#world = #dtensor.mesh<"dp" = ?>
#x = #dtensor.layout<#world, [shard(0)], (M, 4096)>

// CHECK-LABEL: func.func @halves_of_rows_are_read_wide
// CHECK: gpu.func @[[KERNEL:[a-z_0-9]*wide[a-z_0-9]*]](
// CHECK-COUNT-4: llvm.load {{.*}} -> vector<8xbf16>
// CHECK: llvm.store {{.*}} : vector<8xbf16>
// CHECK: dtensor_gpu.launch {{.*}} @kernels::@[[KERNEL]] grid
func.func @halves_of_rows_are_read_wide(%x: tensor<?x4096xbf16> {dtensor.layout = #x}) -> tensor<?x2048xbf16> {
  %0 = dtensor.slice %x [0, 0] [M, 2048] [1, 1] : (tensor<?x4096xbf16>) -> tensor<?x2048xbf16>
  %1 = dtensor.slice %x [0, 2048] [M, 2048] [1, 1] : (tensor<?x4096xbf16>) -> tensor<?x2048xbf16>
  %2 = dtensor.silu %0 : (tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %3 = dtensor.mul %2, %1 : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  return %3 : tensor<?x2048xbf16>
}
