// RUN: dtensor-opt %s --dtensor-plan-pipeline | FileCheck %s
// RUN: sed -e 's/T = {hint = 8192}/T = {hint = 1048576}/' %s | dtensor-opt --dtensor-plan-pipeline | FileCheck %s --check-prefix=LONG
// RUN: sed -e 's/x?x/x8192x/g; s/, T, /, 8192, /g' %s | dtensor-opt --dtensor-plan-pipeline | FileCheck %s --check-prefix=STATIC

#sp = #dtensor.mesh<"sp" = ?>
#many = #dtensor.layout<#sp, [shard(1)], (32, T, 128)>
#one = #dtensor.layout<#sp, [shard(1)], (1, T, 128)>
!many = tensor<32x?x128xbf16>
!one = tensor<1x?x128xbf16>

// Heads take the place of the sequence: an all-to-all of each operand and of
// each result, forward and backward, (n - 1) / n of a piece.
// CHECK-LABEL: @heads_take_the_place_of_the_sequence
// CHECK-COUNT-4: plan {{.*}} [all_to_all ["sp"] dim 0 from 1 to [shard(0)] bytes 256*size(sp)*(31 floordiv size(sp))*(T ceildiv size(sp)) + 256*size(sp)*(T ceildiv size(sp)) - 256*(31 floordiv size(sp))*(T ceildiv size(sp)) - 256*(T ceildiv size(sp))]>
// CHECK-COUNT-4: plan {{.*}} [all_to_all ["sp"] dim 1 from 0 to [shard(1)] bytes 256*size(sp)*(31 floordiv size(sp))*(T ceildiv size(sp)) + 256*size(sp)*(T ceildiv size(sp)) - 256*(31 floordiv size(sp))*(T ceildiv size(sp)) - 256*(T ceildiv size(sp))]>
// CHECK-NOT: plan
// STATIC-LABEL: @heads_take_the_place_of_the_sequence
// STATIC-COUNT-4: plan {{.*}} [all_to_all ["sp"] dim 0 from 1 to [shard(0)] bytes
// STATIC-COUNT-4: plan {{.*}} [all_to_all ["sp"] dim 1 from 0 to [shard(1)] bytes
// STATIC-NOT: plan
func.func @heads_take_the_place_of_the_sequence(%q: !many {dtensor.layout = #many}, %k: !many {dtensor.layout = #many}, %v: !many {dtensor.layout = #many}, %dy: !many {dtensor.layout = #many}) -> (!many {dtensor.layout = #many}, !many {dtensor.layout = #many}, !many {dtensor.layout = #many}, !many {dtensor.layout = #many})
    attributes {dtensor.symbols = {T = {hint = 8192}}} {
  %0 = dtensor.attention %q, %k, %v {causal} : (!many, !many, !many) -> !many
  %dq, %dk, %dv = dtensor.attention_backward %dy, %q, %k, %v, %0 {causal} : (!many, !many, !many, !many, !many) -> (!many, !many, !many)
  return %0, %dq, %dk, %dv : !many, !many, !many, !many
}

// Keys of one head are gathered; of a long sequence they go round, which moves
// as many bytes and holds one piece.
// CHECK-LABEL: @keys_are_gathered_or_go_round
// CHECK-COUNT-2: plan {{.*}} [all_gather ["sp"] dim 1 to [replicate] bytes 256*size(sp)*(T ceildiv size(sp)) - 256*(T ceildiv size(sp))]>
// CHECK-NOT: plan
// CHECK: dtensor.attention {{.*}} {causal} :
// LONG-LABEL: @keys_are_gathered_or_go_round
// LONG-NOT: plan
// LONG: dtensor.attention %arg0, %arg1, %arg2 {causal, ring}
// LONG-NOT: plan
// STATIC-LABEL: @keys_are_gathered_or_go_round
// STATIC-COUNT-2: plan {{.*}} [all_gather ["sp"] dim 1 to [replicate] bytes
// STATIC-NOT: plan
func.func @keys_are_gathered_or_go_round(%q: !one {dtensor.layout = #one}, %k: !one {dtensor.layout = #one}, %v: !one {dtensor.layout = #one}) -> (!one {dtensor.layout = #one})
    attributes {dtensor.symbols = {T = {hint = 8192}}} {
  %0 = dtensor.attention %q, %k, %v {causal} : (!one, !one, !one) -> !one
  return %0 : !one
}

// The gradients of one head are computed where its queries are: keys and values
// are gathered, and their gradients scattered. Nothing is computed twice.
// CHECK-LABEL: @gradients_of_keys_are_scattered
// CHECK-COUNT-2: plan {{.*}} [all_gather ["sp"] dim 1 to [replicate] bytes 256*size(sp)*(T ceildiv size(sp)) - 256*(T ceildiv size(sp))]>
// CHECK-COUNT-2: plan {{.*}} [reduce_scatter ["sp"] sum dim 1 to [shard(1)] bytes 256*size(sp)*(T ceildiv size(sp)) - 256*(T ceildiv size(sp))]>
// CHECK-NOT: plan
// LONG-LABEL: @gradients_of_keys_are_scattered
// STATIC-LABEL: @gradients_of_keys_are_scattered
// STATIC-COUNT-2: plan {{.*}} [all_gather ["sp"] dim 1 to [replicate] bytes
// STATIC-COUNT-2: plan {{.*}} [reduce_scatter ["sp"] sum dim 1 to [shard(1)] bytes
// STATIC-NOT: plan
func.func @gradients_of_keys_are_scattered(%dy: !one {dtensor.layout = #one}, %q: !one {dtensor.layout = #one}, %k: !one {dtensor.layout = #one}, %v: !one {dtensor.layout = #one}, %y: !one {dtensor.layout = #one}) -> (!one {dtensor.layout = #one}, !one {dtensor.layout = #one}, !one {dtensor.layout = #one})
    attributes {dtensor.symbols = {T = {hint = 8192}}} {
  %dq, %dk, %dv = dtensor.attention_backward %dy, %q, %k, %v, %y {causal} : (!one, !one, !one, !one, !one) -> (!one, !one, !one)
  return %dq, %dk, %dv : !one, !one, !one
}
