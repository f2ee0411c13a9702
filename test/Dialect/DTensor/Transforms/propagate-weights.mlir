// RUN: dtensor-opt %s --dtensor-normalize --dtensor-propagate | FileCheck %s
// RUN: dtensor-opt %s --dtensor-normalize --dtensor-propagate=memory=0 | FileCheck %s --check-prefix=FREE
// RUN: dtensor-opt %s --dtensor-normalize --dtensor-propagate=memory=1000 | FileCheck %s --check-prefix=DEAR
// RUN: not dtensor-opt %s --dtensor-normalize --dtensor-propagate=compute=-1 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not dtensor-opt %s --dtensor-normalize --dtensor-propagate=memory=nan 2>&1 | FileCheck %s --check-prefix=NAN

// NEGATIVE: error: propagate: the weight of compute is {{-1.*}}, expected a number that is not negative
// NAN: error: propagate: the weight of memory is {{.*nan.*}}, expected a number that is not negative

#world = #dtensor.mesh<"tp" = ? {hint 4}>
#whole = #dtensor.layout<#world, [replicate], (B, 512)>

// Nothing is said of the weight. All devices multiply the rows that all have, and
// nothing moves, unless memory is dear.
// CHECK-LABEL: func.func @weight
// CHECK-SAME: [replicate], (512, 512)
// FREE-LABEL: func.func @weight
// FREE-SAME: [replicate], (512, 512)
// DEAR-LABEL: func.func @weight
// DEAR-SAME: {{\[shard\([01]\)\]}}, (512, 512)
// DEAR: dtensor.redistribute
func.func @weight(%x: tensor<?x512xf32> {dtensor.layout = #whole},
                  %w: tensor<512x512xf32>)
    -> (tensor<?x512xf32> {dtensor.layout = #whole}) {
  %0 = dtensor.matmul %x, %w : (tensor<?x512xf32>, tensor<512x512xf32>) -> tensor<?x512xf32>
  return %0 : tensor<?x512xf32>
}
