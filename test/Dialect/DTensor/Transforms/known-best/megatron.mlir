// RUN: dtensor-opt %s --dtensor-plan-pipeline | grep -v '\[\]>' | FileCheck %s
// RUN: sed -e 's/<?x/<2048x/g; s/(T, /(2048, /g' %s | dtensor-opt --dtensor-plan-pipeline | grep -v '\[\]>' | FileCheck %s --check-prefix=STATIC
// One all-reduce of the tokens forward and one backward, 2 (n - 1) / n of 2 bytes
// times T times 4096 each; with tokens sharded in between, a gather and a
// scatter of half of that.

#tp = #dtensor.mesh<"tp" = ? {divides 32}>
#x = #dtensor.layout<#tp, [replicate], (T, 4096)>
#xs = #dtensor.layout<#tp, [shard(0)], (T, 4096)>
#up = #dtensor.layout<#tp, [shard(1)], (4096, 16384)>
#down = #dtensor.layout<#tp, [shard(0)], (16384, 4096)>
#in = #dtensor.layout<#tp, [shard(1)], (4096, 4096)>
#out = #dtensor.layout<#tp, [shard(0)], (4096, 4096)>
!x = tensor<?x4096xbf16>
!h = tensor<?x16384xbf16>
!up = tensor<4096x16384xbf16>
!down = tensor<16384x4096xbf16>
!w = tensor<4096x4096xbf16>
!split = tensor<?x32x128xbf16>
!heads = tensor<32x?x128xbf16>

// CHECK-LABEL: @an_mlp_and_its_gradient
// CHECK-COUNT-2: plan {{.*}} [all_reduce ["tp"] sum to [replicate] bytes 4*size(tp)*((4096*T) floordiv size(tp)) - 4*((4096*T) floordiv size(tp))]>
// CHECK-NOT: plan
// STATIC-LABEL: @an_mlp_and_its_gradient
// STATIC-COUNT-2: plan {{.*}} [all_reduce ["tp"] sum to [replicate] bytes
// STATIC-NOT: plan
func.func @an_mlp_and_its_gradient(%x: !x {dtensor.layout = #x}, %dy: !x {dtensor.layout = #x}, %w1: !up {dtensor.layout = #up}, %w2: !down {dtensor.layout = #down})
   -> (!x {dtensor.layout = #x}, !x {dtensor.layout = #x}, !up {dtensor.layout = #up}, !down {dtensor.layout = #down})
   attributes {dtensor.symbols = {T = {hint = 2048}}} {
  %a = dtensor.matmul %x, %w1 : (!x, !up) -> !h
  %h = dtensor.gelu %a : (!h) -> !h
  %y = dtensor.matmul %h, %w2 : (!h, !down) -> !x
  %dh = dtensor.matmul %dy, %w2 {transpose_b} : (!x, !down) -> !h
  %da = dtensor.gelu_backward %dh, %a : (!h, !h) -> !h
  %dx = dtensor.matmul %da, %w1 {transpose_b} : (!h, !up) -> !x
  %d2 = dtensor.matmul %h, %dy {transpose_a} : (!h, !x) -> !down
  %d1 = dtensor.matmul %x, %da {transpose_a} : (!x, !h) -> !up
  return %y, %dx, %d1, %d2 : !x, !x, !up, !down
}

// CHECK-LABEL: @an_mlp_with_sharded_tokens
// CHECK-COUNT-2: plan {{.*}} [all_gather ["tp"] dim 0 to [replicate] bytes 8192*size(tp)*(T ceildiv size(tp)) - 8192*(T ceildiv size(tp))]>
// CHECK-COUNT-2: plan {{.*}} [reduce_scatter ["tp"] sum dim 0 to [shard(0)] bytes 8192*size(tp)*(T ceildiv size(tp)) - 8192*(T ceildiv size(tp))]>
// CHECK-NOT: plan
// STATIC-LABEL: @an_mlp_with_sharded_tokens
// STATIC-COUNT-2: plan {{.*}} [all_gather ["tp"] dim 0 to [replicate] bytes
// STATIC-COUNT-2: plan {{.*}} [reduce_scatter ["tp"] sum dim 0 to [shard(0)] bytes
// STATIC-NOT: plan
func.func @an_mlp_with_sharded_tokens(%x: !x {dtensor.layout = #xs}, %dy: !x {dtensor.layout = #xs}, %w1: !up {dtensor.layout = #up}, %w2: !down {dtensor.layout = #down})
   -> (!x {dtensor.layout = #xs}, !x {dtensor.layout = #xs}, !up {dtensor.layout = #up}, !down {dtensor.layout = #down})
   attributes {dtensor.symbols = {T = {hint = 2048}}} {
  %a = dtensor.matmul %x, %w1 : (!x, !up) -> !h
  %h = dtensor.gelu %a : (!h) -> !h
  %y = dtensor.matmul %h, %w2 : (!h, !down) -> !x
  %dh = dtensor.matmul %dy, %w2 {transpose_b} : (!x, !down) -> !h
  %da = dtensor.gelu_backward %dh, %a : (!h, !h) -> !h
  %dx = dtensor.matmul %da, %w1 {transpose_b} : (!h, !up) -> !x
  %d2 = dtensor.matmul %h, %dy {transpose_a} : (!h, !x) -> !down
  %d1 = dtensor.matmul %x, %da {transpose_a} : (!x, !h) -> !up
  return %y, %dx, %d1, %d2 : !x, !x, !up, !down
}

// CHECK-LABEL: @attention_and_its_gradient
// CHECK-COUNT-2: plan {{.*}} [all_reduce ["tp"] sum to [replicate] bytes 4*size(tp)*((4096*T) floordiv size(tp)) - 4*((4096*T) floordiv size(tp))]>
// CHECK-NOT: plan
// STATIC-LABEL: @attention_and_its_gradient
// STATIC-COUNT-2: plan {{.*}} [all_reduce ["tp"] sum to [replicate] bytes
// STATIC-NOT: plan
func.func @attention_and_its_gradient(%x: !x {dtensor.layout = #x}, %dy: !x {dtensor.layout = #x}, %wq: !w {dtensor.layout = #in}, %wk: !w {dtensor.layout = #in}, %wv: !w {dtensor.layout = #in}, %wo: !w {dtensor.layout = #out})
   -> (!x {dtensor.layout = #x}, !x {dtensor.layout = #x}, !w {dtensor.layout = #in}, !w {dtensor.layout = #out})
   attributes {dtensor.symbols = {T = {hint = 2048}}} {
  %q0 = dtensor.matmul %x, %wq : (!x, !w) -> !x
  %q1 = dtensor.unflatten %q0 {dim = 1, sizes = [32, 128]} : (!x) -> !split
  %q = dtensor.permute %q1 {permutation = [1, 0, 2]} : (!split) -> !heads
  %k0 = dtensor.matmul %x, %wk : (!x, !w) -> !x
  %k1 = dtensor.unflatten %k0 {dim = 1, sizes = [32, 128]} : (!x) -> !split
  %k = dtensor.permute %k1 {permutation = [1, 0, 2]} : (!split) -> !heads
  %v0 = dtensor.matmul %x, %wv : (!x, !w) -> !x
  %v1 = dtensor.unflatten %v0 {dim = 1, sizes = [32, 128]} : (!x) -> !split
  %v = dtensor.permute %v1 {permutation = [1, 0, 2]} : (!split) -> !heads
  %o0 = dtensor.attention %q, %k, %v {causal} : (!heads, !heads, !heads) -> !heads
  %o1 = dtensor.permute %o0 {permutation = [1, 0, 2]} : (!heads) -> !split
  %o = dtensor.flatten %o1 {start = 1, end = 2} : (!split) -> !x
  %y = dtensor.matmul %o, %wo : (!x, !w) -> !x
  %dwo = dtensor.matmul %o, %dy {transpose_a} : (!x, !x) -> !w
  %do0 = dtensor.matmul %dy, %wo {transpose_b} : (!x, !w) -> !x
  %do1 = dtensor.unflatten %do0 {dim = 1, sizes = [32, 128]} : (!x) -> !split
  %do = dtensor.permute %do1 {permutation = [1, 0, 2]} : (!split) -> !heads
  %dq, %dk, %dv = dtensor.attention_backward %do, %q, %k, %v, %o0 {causal} : (!heads, !heads, !heads, !heads, !heads) -> (!heads, !heads, !heads)
  %dq1 = dtensor.permute %dq {permutation = [1, 0, 2]} : (!heads) -> !split
  %dq0 = dtensor.flatten %dq1 {start = 1, end = 2} : (!split) -> !x
  %dk1 = dtensor.permute %dk {permutation = [1, 0, 2]} : (!heads) -> !split
  %dk0 = dtensor.flatten %dk1 {start = 1, end = 2} : (!split) -> !x
  %dv1 = dtensor.permute %dv {permutation = [1, 0, 2]} : (!heads) -> !split
  %dv0 = dtensor.flatten %dv1 {start = 1, end = 2} : (!split) -> !x
  %dxq = dtensor.matmul %dq0, %wq {transpose_b} : (!x, !w) -> !x
  %dxk = dtensor.matmul %dk0, %wk {transpose_b} : (!x, !w) -> !x
  %dxv = dtensor.matmul %dv0, %wv {transpose_b} : (!x, !w) -> !x
  %dx1 = dtensor.add %dxq, %dxk : (!x, !x) -> !x
  %dx = dtensor.add %dx1, %dxv : (!x, !x) -> !x
  %dwq = dtensor.matmul %x, %dq0 {transpose_a} : (!x, !x) -> !w
  return %y, %dx, %dwq, %dwo : !x, !x, !w, !w
}

// CHECK-LABEL: @attention_with_sharded_tokens
// CHECK-COUNT-2: plan {{.*}} [all_gather ["tp"] dim 0 to [replicate] bytes 8192*size(tp)*(T ceildiv size(tp)) - 8192*(T ceildiv size(tp))]>
// CHECK-COUNT-2: plan {{.*}} [reduce_scatter ["tp"] sum dim 0 to [shard(0)] bytes 8192*size(tp)*(T ceildiv size(tp)) - 8192*(T ceildiv size(tp))]>
// CHECK-NOT: plan
// STATIC-LABEL: @attention_with_sharded_tokens
// STATIC-COUNT-2: plan {{.*}} [all_gather ["tp"] dim 0 to [replicate] bytes
// STATIC-COUNT-2: plan {{.*}} [reduce_scatter ["tp"] sum dim 0 to [shard(0)] bytes
// STATIC-NOT: plan
func.func @attention_with_sharded_tokens(%x: !x {dtensor.layout = #xs}, %dy: !x {dtensor.layout = #xs}, %wq: !w {dtensor.layout = #in}, %wk: !w {dtensor.layout = #in}, %wv: !w {dtensor.layout = #in}, %wo: !w {dtensor.layout = #out})
   -> (!x {dtensor.layout = #xs}, !x {dtensor.layout = #xs}, !w {dtensor.layout = #in}, !w {dtensor.layout = #out})
   attributes {dtensor.symbols = {T = {hint = 2048}}} {
  %q0 = dtensor.matmul %x, %wq : (!x, !w) -> !x
  %q1 = dtensor.unflatten %q0 {dim = 1, sizes = [32, 128]} : (!x) -> !split
  %q = dtensor.permute %q1 {permutation = [1, 0, 2]} : (!split) -> !heads
  %k0 = dtensor.matmul %x, %wk : (!x, !w) -> !x
  %k1 = dtensor.unflatten %k0 {dim = 1, sizes = [32, 128]} : (!x) -> !split
  %k = dtensor.permute %k1 {permutation = [1, 0, 2]} : (!split) -> !heads
  %v0 = dtensor.matmul %x, %wv : (!x, !w) -> !x
  %v1 = dtensor.unflatten %v0 {dim = 1, sizes = [32, 128]} : (!x) -> !split
  %v = dtensor.permute %v1 {permutation = [1, 0, 2]} : (!split) -> !heads
  %o0 = dtensor.attention %q, %k, %v {causal} : (!heads, !heads, !heads) -> !heads
  %o1 = dtensor.permute %o0 {permutation = [1, 0, 2]} : (!heads) -> !split
  %o = dtensor.flatten %o1 {start = 1, end = 2} : (!split) -> !x
  %y = dtensor.matmul %o, %wo : (!x, !w) -> !x
  %dwo = dtensor.matmul %o, %dy {transpose_a} : (!x, !x) -> !w
  %do0 = dtensor.matmul %dy, %wo {transpose_b} : (!x, !w) -> !x
  %do1 = dtensor.unflatten %do0 {dim = 1, sizes = [32, 128]} : (!x) -> !split
  %do = dtensor.permute %do1 {permutation = [1, 0, 2]} : (!split) -> !heads
  %dq, %dk, %dv = dtensor.attention_backward %do, %q, %k, %v, %o0 {causal} : (!heads, !heads, !heads, !heads, !heads) -> (!heads, !heads, !heads)
  %dq1 = dtensor.permute %dq {permutation = [1, 0, 2]} : (!heads) -> !split
  %dq0 = dtensor.flatten %dq1 {start = 1, end = 2} : (!split) -> !x
  %dk1 = dtensor.permute %dk {permutation = [1, 0, 2]} : (!heads) -> !split
  %dk0 = dtensor.flatten %dk1 {start = 1, end = 2} : (!split) -> !x
  %dv1 = dtensor.permute %dv {permutation = [1, 0, 2]} : (!heads) -> !split
  %dv0 = dtensor.flatten %dv1 {start = 1, end = 2} : (!split) -> !x
  %dxq = dtensor.matmul %dq0, %wq {transpose_b} : (!x, !w) -> !x
  %dxk = dtensor.matmul %dk0, %wk {transpose_b} : (!x, !w) -> !x
  %dxv = dtensor.matmul %dv0, %wv {transpose_b} : (!x, !w) -> !x
  %dx1 = dtensor.add %dxq, %dxk : (!x, !x) -> !x
  %dx = dtensor.add %dx1, %dxv : (!x, !x) -> !x
  %dwq = dtensor.matmul %x, %dq0 {transpose_a} : (!x, !x) -> !w
  return %y, %dx, %dwq, %dwo : !x, !x, !w, !w
}
