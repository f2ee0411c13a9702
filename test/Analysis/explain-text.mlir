// RUN: dtensor-compile --explain %s | FileCheck %s
// RUN: dtensor-compile --explain --emit=planned -o - %s 2>&1 >/dev/null | FileCheck %s
// RUN: dtensor-compile --explain --emit=planned -o %t %s | FileCheck %s
// RUN: not dtensor-compile --explain --from-local %s 2>&1 | FileCheck %s --check-prefix=LOCAL
// LOCAL: error: --explain is for the global view, not for --from-local

#mesh = #dtensor.mesh<"tp" = ? {hint 4}>
#whole = #dtensor.layout<#mesh, [replicate], (B, 8)>

// CHECK: @layer at {{.*}}explain-text.mlir:18:1 on mesh "tp" = ? {hint 4}
// CHECK-NEXT: 1 collective, 8*size(tp)*((8*B) ceildiv size(tp)) - 8*((8*B) ceildiv size(tp)) bytes, 6144 at tp = 4, B = 128 sent by one rank, 10.82 us
// CHECK-NEXT: peak memory of one rank, estimated: {{.*}} at B = 128, tp = 4
// CHECK: explain-text.mlir:20:3: all_reduce sum over "tp"
// CHECK-NEXT: matmul at {{.*}}:19:8 gives [partial(sum)]
// CHECK-NEXT: return at {{.*}}:20:3 wants [replicate]: result 0 of @layer
// CHECK-NEXT: bytes, 6144 at tp = 4, B = 128, 10.82 us
// CHECK: rejected: matmul at {{.*}}:19:8, replicated on "tp": {{[0-9.]+}} us instead of 10.82 us
func.func private @layer(%x: tensor<?x16xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (B, 16)>}, %w: tensor<16x8xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (16, 8)>}) -> (tensor<?x8xf32> {dtensor.layout = #whole}) {
  %0 = dtensor.matmul %x, %w : (tensor<?x16xf32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// What a called function moves counts at every call, in the caller's symbols.
// CHECK: @twice at
// CHECK-NEXT: 2 collectives, 16*size(tp)*((8*M) ceildiv size(tp)) - 16*((8*M) ceildiv size(tp)) bytes
func.func @twice(%x: tensor<?x16xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (M, 16)>}, %w: tensor<16x8xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (16, 8)>}) -> (tensor<?x8xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (M, 8)>}) {
  %0 = func.call @layer(%x, %w) : (tensor<?x16xf32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %1 = func.call @layer(%x, %w) : (tensor<?x16xf32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %2 = dtensor.add %0, %1 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %2 : tensor<?x8xf32>
}
