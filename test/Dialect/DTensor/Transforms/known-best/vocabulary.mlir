// RUN: dtensor-opt %s --dtensor-plan-pipeline | FileCheck %s
// RUN: sed -e 's/<?x/<4096x/g; s/(T)/(4096)/g; s/(T, /(4096, /g' %s | dtensor-opt --dtensor-plan-pipeline | FileCheck %s --check-prefix=STATIC
// The vocabulary is sharded: an embedding reduces its rows once and its gradient
// nothing; a loss reduces two numbers per token and one in all, the gradient of
// its logits nothing, and that of the tokens is reduced once.

#tp = #dtensor.mesh<"tp" = ?>
!ids = tensor<?xi64>
#ids = #dtensor.layout<#tp, [replicate], (T)>
!table = tensor<128256x4096xbf16>
!head = tensor<4096x128256xbf16>
#table = #dtensor.layout<#tp, [shard(0)], (128256, 4096)>
#head = #dtensor.layout<#tp, [shard(1)], (4096, 128256)>
!x = tensor<?x4096xbf16>
!z = tensor<?x128256xbf16>
!zf = tensor<?x128256xf32>
#x = #dtensor.layout<#tp, [replicate], (T, 4096)>
#scalar = #dtensor.layout<#tp, [replicate], ()>

// CHECK-LABEL: @an_embedding_and_its_gradient
// CHECK: plan {{.*}} [all_reduce ["tp"] sum to [replicate] bytes 4*size(tp)*((4096*T) ceildiv size(tp)) - 4*((4096*T) ceildiv size(tp))]>
// CHECK-NOT: plan
// STATIC-LABEL: @an_embedding_and_its_gradient
// STATIC: plan {{.*}} [all_reduce ["tp"] sum to [replicate] bytes
// STATIC-NOT: plan
func.func @an_embedding_and_its_gradient(%ids: !ids {dtensor.layout = #ids}, %t: !table {dtensor.layout = #table}, %dx: !x {dtensor.layout = #x}) -> (!x {dtensor.layout = #x}, !table {dtensor.layout = #table})
    attributes {dtensor.symbols = {T = {hint = 4096}}} {
  %0 = dtensor.embedding %ids, %t : (!ids, !table) -> !x
  %1 = dtensor.embedding_backward %dx, %ids {size = 128256} : (!x, !ids) -> !table
  return %0, %1 : !x, !table
}

// CHECK-LABEL: @a_loss_and_its_gradient
// CHECK: plan {{.*}} [all_reduce ["tp"] max to [replicate] bytes 8*size(tp)*(T ceildiv size(tp)) - 8*(T ceildiv size(tp))]>
// CHECK: plan {{.*}} [all_reduce ["tp"] sum to [replicate] bytes 8*size(tp)*(T ceildiv size(tp)) - 8*(T ceildiv size(tp))]>
// CHECK: plan {{.*}} [init_partial ["tp"] sum to [partial(sum)]]>
// CHECK: plan {{.*}} [all_reduce ["tp"] sum to [replicate] bytes 8*size(tp) - 8]>
// CHECK: plan {{.*}} [all_reduce ["tp"] sum to [replicate] bytes 4*size(tp)*((4096*T) ceildiv size(tp)) - 4*((4096*T) ceildiv size(tp))]>
// CHECK-NOT: plan
// STATIC-LABEL: @a_loss_and_its_gradient
// STATIC: plan {{.*}} [all_reduce ["tp"] max to [replicate] bytes
// STATIC: plan {{.*}} [all_reduce ["tp"] sum to [replicate] bytes
// STATIC: plan {{.*}} [init_partial ["tp"] sum to [partial(sum)]]>
// STATIC-COUNT-2: plan {{.*}} [all_reduce ["tp"] sum to [replicate] bytes
// STATIC-NOT: plan
func.func @a_loss_and_its_gradient(%x: !x {dtensor.layout = #x}, %w: !head {dtensor.layout = #head}, %t: !ids {dtensor.layout = #ids}, %dl: tensor<f32> {dtensor.layout = #scalar}) -> (tensor<f32> {dtensor.layout = #scalar}, !x {dtensor.layout = #x}, !head {dtensor.layout = #head})
    attributes {dtensor.symbols = {T = {hint = 4096}}} {
  %z = dtensor.matmul %x, %w : (!x, !head) -> !z
  %zf = dtensor.cast %z : (!z) -> !zf
  %l = dtensor.cross_entropy %zf, %t : (!zf, !ids) -> tensor<f32>
  %dzf = dtensor.cross_entropy_backward %dl, %zf, %t : (tensor<f32>, !zf, !ids) -> !zf
  %dz = dtensor.cast %dzf : (!zf) -> !z
  %dx = dtensor.matmul %dz, %w {transpose_b} : (!z, !head) -> !x
  %dw = dtensor.matmul %x, %dz {transpose_a} : (!x, !z) -> !head
  return %l, %dx, %dw : tensor<f32>, !x, !head
}
