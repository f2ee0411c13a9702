// RUN: dtensor-opt %s --dtensor-normalize --split-input-file --verify-diagnostics

#mesh = #dtensor.mesh<"tp" = 4>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @unknown_op(%x: tensor<?xf32> {dtensor.layout = #b}) -> f32 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{no sharding rule for 'tensor.extract'; rewrite it with ops that have one, or give it a model of the normalize interface}}
  %0 = tensor.extract %x[%c0] : tensor<?xf32>
  return %0 : f32
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
func.func @different_numbers(%x: tensor<4xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (4)>}, %y: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)>},
    %z: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (2*B + 1)>}) -> tensor<?xf32> {
  %c = tensor.cast %x : tensor<4xf32> to tensor<?xf32>
  // expected-error @+1 {{'arith.addf' op dimension 0 of operand 1 is 2*B + 1, expected 4}}
  %0 = arith.addf %c, %z : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
func.func @different_symbols(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)>}, %y: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B + 1)>}) -> tensor<?xf32> {
  // expected-error @+1 {{'arith.addf' op dimension 0 of operand 1 is B + 1, expected B}}
  %0 = arith.addf %x, %y : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @excluded_by_a_fact(%x: tensor<?xf32> {dtensor.layout = #b}, %y: tensor<7xf32>) -> tensor<?xf32> attributes {dtensor.symbols = {B = {min = 8}}} {
  %c = tensor.cast %y : tensor<7xf32> to tensor<?xf32>
  // expected-error @+1 {{'arith.addf' op dimension 0 of operand 1 is 7, expected B}}
  %0 = arith.addf %x, %c : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
// expected-note @+1 {{declared here}}
func.func @declared_result(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)>}) -> (tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B + 1)>}) {
  // expected-error @+1 {{'func.return' op dimension 0 of result 0 is B, expected B + 1}}
  return %x : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
// expected-error @+2 {{symbol "K" is bound by no argument}}
// expected-note @+1 {{used here}}
func.func @unbound_symbol(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (2*K)>}) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @computed_extent(%x: tensor<?xf32> {dtensor.layout = #b}, %n: index) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{an extent depends on this value, which the program computes}}
  %m = scf.for %i = %c0 to %n step %c1 iter_args(%a = %c0) -> index {
    %b = arith.addi %a, %i : index
    scf.yield %b : index
  }
  // expected-note @+1 {{used here}}
  %e = tensor.empty(%m) : tensor<?xf32>
  return %e : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @growing_loop(%x: tensor<?xf32> {dtensor.layout = #b}, %n: index) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %z = arith.constant dense<0.0> : tensor<1xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<?xf32> {
    %b = tensor.concat dim(0) %a, %z : (tensor<?xf32>, tensor<1xf32>) -> tensor<?xf32>
    // expected-error @+1 {{'scf.yield' op dimension 0 of yielded value 0 is B + 1, expected B}}
    scf.yield %b : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func private @external(tensor<?xf32>) -> tensor<?xf32>
func.func @call_of_unknown(%x: tensor<?xf32> {dtensor.layout = #b}) -> tensor<?xf32> {
  // expected-error @+1 {{no sharding rule for 'func.call' of @external, which has no body here}}
  %0 = call @external(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
// expected-note @+1 {{declared here}}
func.func private @callee(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (N)>}, %y: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (N + 1)>}) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}
func.func @call_with_other_extents(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)>}) -> tensor<?xf32> {
  // expected-error @+1 {{'func.call' op dimension 0 of operand 1 is B, expected B + 1}}
  %0 = call @callee(%x, %x) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
// expected-note @+1 {{declared here}}
func.func private @callee(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (N)>}) -> tensor<?xf32> attributes {dtensor.symbols = {N = {multiple_of = 4}}} {
  return %x : tensor<?xf32>
}
func.func @call_against_a_fact(%x: tensor<7xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (7)>}) -> tensor<?xf32> {
  %c = tensor.cast %x : tensor<7xf32> to tensor<?xf32>
  // expected-error @+1 {{'func.call' op symbol "N" of '@callee' modulo 4 is 3, expected 0}}
  %0 = call @callee(%c) : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#one = #dtensor.mesh<"tp" = 4>
#two = #dtensor.mesh<"x" = 4>
// expected-note @+1 {{callee is here}}
func.func private @callee(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#one, [shard(0)], (N)>}) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}
func.func @call_on_another_mesh(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#two, [shard(0)], (B)>}) -> tensor<?xf32> {
  // expected-error @+1 {{'func.call' op calls '@callee' on mesh #dtensor.mesh<"tp" = 4> from a function on #dtensor.mesh<"x" = 4>}}
  %0 = call @callee(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#one = #dtensor.mesh<"tp" = 4>
#two = #dtensor.mesh<"x" = 4>
func.func private @callee(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}
func.func @first(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#one, [shard(0)], (B)>}) -> tensor<?xf32> {
  // expected-error @+1 {{'@callee' names no mesh and is called on #dtensor.mesh<"tp" = 4> and on #dtensor.mesh<"x" = 4>}}
  %0 = call @callee(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
func.func @second(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#two, [shard(0)], (B)>}) -> tensor<?xf32> {
  // expected-note @+1 {{the other call is here}}
  %0 = call @callee(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#one = #dtensor.mesh<"tp" = 4>
#two = #dtensor.mesh<"x" = 4>
// expected-error @+1 {{argument 1 is on mesh #dtensor.mesh<"x" = 4>, but the function is on #dtensor.mesh<"tp" = 4>}}
func.func @two_meshes(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#one, [shard(0)], (B)>}, %y: tensor<?xf32> {dtensor.layout = #dtensor.layout<#two, [shard(0)], (B)>}) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

func.func @no_mesh(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{'dtensor.exp' op is in a function that names no mesh; give an argument a layout, or the function the attribute 'dtensor.mesh'}}
  %0 = dtensor.exp %x : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
// expected-error @+1 {{argument 1 is a tensor of unknown rank}}
func.func @unranked(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)>}, %y: tensor<*xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
// expected-error @+1 {{has 2 blocks; control flow must be structured (scf)}}
func.func @unstructured(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)>}) -> tensor<?xf32> {
  llvm.br ^bb1
^bb1:
  return %x : tensor<?xf32>
}
