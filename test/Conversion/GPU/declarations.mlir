// RUN: dtensor-compile --from-local --target=cuda:sm_90a --emit=kernels %s -o - | FileCheck %s

// A declaration goes through all phases as it is.
// CHECK: func.func private @elsewhere(memref<?xf32{{.*}}>, !llvm.ptr {dtensor.context})
func.func private @elsewhere(tensor<?xf32>)

func.func @here() attributes {dtensor.mesh = #dtensor.mesh<"tp" = ?>, dtensor.global_type = () -> ()} {
  return
}
