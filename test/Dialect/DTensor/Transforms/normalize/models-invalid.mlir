// RUN: dtensor-opt %s --dtensor-normalize --split-input-file --verify-diagnostics

#mesh = #dtensor.mesh<"tp" = ?>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @other_combiner(%x: tensor<?xf32> {dtensor.layout = #b}, %i: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{'linalg.reduce' op combines result 0 over its reduction loops by something other than a sum, product, maximum or minimum of the accumulator and a value}}
  %0 = linalg.reduce { arith.subf } ins(%x : tensor<?xf32>) outs(%i : tensor<f32>) dimensions = [0]
  return %0 : tensor<f32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @whole_tensor_in_a_body(%x: tensor<?xf32> {dtensor.layout = #b}, %e: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{'linalg.generic' op reads a whole tensor in its body through 'math.exp'; only elements may be read}}
  %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%e : tensor<?xf32>) {
  ^bb0(%o: f32):
    %c0 = arith.constant 0 : index
    %y = math.exp %x : tensor<?xf32>
    %v = tensor.extract %y[%c0] : tensor<?xf32>
    linalg.yield %v : f32
  } -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @buffers(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)>}, %m: memref<4xf32>, %z: f32) -> tensor<?xf32> {
  // expected-error @+1 {{'linalg.fill' op works on buffers, expected tensors}}
  linalg.fill ins(%z : f32) outs(%m : memref<4xf32>)
  return %x : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @gather_of_columns(%x: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B, S)>}, %i: tensor<?x1xindex>) -> tensor<?x?x1xf32> {
  // expected-error @+1 {{'tensor.gather' op gathers other dimensions than the first; only gather_dims([0]) with one index per row has a sharding rule}}
  %0 = tensor.gather %x[%i] gather_dims([1]) : (tensor<?x?xf32>, tensor<?x1xindex>) -> tensor<?x?x1xf32>
  return %0 : tensor<?x?x1xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @slice_past_the_end(%x: tensor<?xf32> {dtensor.layout = #b}) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %d = tensor.dim %x, %c0 : tensor<?xf32>
  // expected-error @+1 {{'tensor.extract_slice' op the larger of the extent and the slice's end in dimension 0 is B + 1, expected B}}
  %0 = tensor.extract_slice %x[1] [%d] [1] : tensor<?xf32> to tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @computed_size(%x: tensor<?xf32> {dtensor.layout = #b}, %n: index) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<?xf32> {
    // expected-error @+1 {{'tensor.extract_slice' op has a size or stride that is computed by the program; it must follow from extents}}
    %s = tensor.extract_slice %x[0] [%i] [1] : tensor<?xf32> to tensor<?xf32>
    scf.yield %s : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @computed_insertion(%x: tensor<?xf32> {dtensor.layout = #b}, %y: tensor<1xf32>, %n: index) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<?xf32> {
    // expected-error @+1 {{'tensor.insert_slice' op has an offset or size that is computed by the program; it must follow from extents}}
    %s = tensor.insert_slice %y into %a[%i] [1] [1] : tensor<1xf32> into tensor<?xf32>
    scf.yield %s : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @strided_insertion(%x: tensor<?xf32> {dtensor.layout = #b}, %y: tensor<2xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{'tensor.insert_slice' op has a stride other than 1}}
  %s = tensor.insert_slice %y into %x[0] [2] [2] : tensor<2xf32> into tensor<?xf32>
  return %s : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @varying_padding(%x: tensor<?xindex> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)>}) -> tensor<?xindex> {
  // expected-error @+1 {{'tensor.pad' op pads with values that depend on the position}}
  %0 = tensor.pad %x low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %i : index
  } : tensor<?xindex> to tensor<?xindex>
  return %0 : tensor<?xindex>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @shape_from_elsewhere(%x: tensor<?xf32> {dtensor.layout = #b}, %s: tensor<2xindex>) -> tensor<?x?xf32> {
  // expected-error @+1 {{'tensor.reshape' op has a shape operand that is not a list of extents}}
  %0 = tensor.reshape %x(%s) : (tensor<?xf32>, tensor<2xindex>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#b = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @dimension_of_no_dimension(%x: tensor<?xf32> {dtensor.layout = #b}, %n: index) -> index {
  // expected-error @+1 {{'tensor.dim' op has a dimension number that is not constant}}
  %d = tensor.dim %x, %n : tensor<?xf32>
  return %d : index
}

// -----

#one = #dtensor.mesh<"tp" = ?>
#two = #dtensor.mesh<"x" = ?>
#l2 = #dtensor.layout<#two, [replicate], (B)>
func.func @constraint_on_another_mesh(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#one, [shard(0)], (B)>}) -> tensor<?xf32> {
  // expected-error @+1 {{'dtensor.constraint' op names mesh #dtensor.mesh<"x" = ?>, but the function is on #dtensor.mesh<"tp" = ?>}}
  %0 = dtensor.constraint %x to #l2 : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>
func.func @group_of_a_dimension_that_is_not_there(%x: tensor<?x?xf32> {dtensor.layout = #rows}) -> tensor<?xf32> {
  // expected-error @+1 {{'tensor.collapse_shape' op groups dimension -9223372036854775808 where dimension 0 is next}}
  %0 = tensor.collapse_shape %x [[-9223372036854775808, 1]] : tensor<?x?xf32> into tensor<?xf32>
  return %0 : tensor<?xf32>
}
