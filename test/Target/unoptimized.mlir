// Code that LLVM did not optimize has loops as they were written, and computes
// the same.
// RUN: dtensor-compile %s --emit=llvm --unoptimized -o - | FileCheck %s
// RUN: dtensor-compile %s --emit=llvm -o - | FileCheck %s --check-prefix=FAST
// RUN: dtensor-compile %s --unoptimized -o %t.so
// RUN: dtensor-run %t.so --mesh tp=3 --random --dim N=7 --check | FileCheck %s --check-prefix=SAME

// CHECK-NOT: <4 x float>
// FAST: <{{[48]}} x float>
// SAME: check: out0: f32 7, max error 0

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (N)>
func.func @doubled(%x: tensor<?xf32> {dtensor.layout = #rows}) -> tensor<?xf32> {
  %0 = dtensor.add %x, %x : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
