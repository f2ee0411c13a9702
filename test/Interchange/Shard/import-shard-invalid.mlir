// RUN: dtensor-opt %s --dtensor-import-shard --split-input-file --verify-diagnostics

shard.grid @grid(shape = 4)
func.func @halo(%x: tensor<8xf32>) {
  // expected-error @below {{'shard.sharding' op has halos of 1, 2 elements; layouts have none}}
  %s = shard.sharding @grid split_axes = [[0]] halo_sizes = [1, 2] : !shard.sharding
  %0 = shard.shard %x to %s : tensor<8xf32>
  return
}

// -----

shard.grid @grid(shape = 4)
func.func @sizes(%x: tensor<10xf32>) {
  %s = shard.sharding @grid split_axes = [[0]] sharded_dims_offsets = [0, 2, 5, 8, 10] : !shard.sharding
  // expected-error @below {{'shard.shard' op offset 1 of the shards is 2, a layout cuts at 3}}
  %0 = shard.shard %x to %s : tensor<10xf32>
  return
}

// -----

shard.grid @grid(shape = 2)
func.func @value(%x: tensor<10xf32>, %n: i64) {
  // expected-error @below {{'shard.sharding' op has 1 offsets of shards that are values of the program; layouts say where shards begin}}
  %s = shard.sharding @grid split_axes = [[0]] sharded_dims_offsets = [0, %n, 10] : !shard.sharding
  %0 = shard.shard %x to %s : tensor<10xf32>
  return
}

// -----

shard.grid @grid(shape = 2)
func.func @axis(%x: tensor<10xf32>) {
  %s = shard.sharding @grid split_axes = [[7]] : !shard.sharding
  // expected-error @below {{'shard.shard' op split axis 7 is none of the 1 of the grid}}
  %0 = shard.shard %x to %s : tensor<10xf32>
  return
}

// -----

shard.grid @grid(shape = 2)
func.func @dimension(%x: tensor<10xf32>) {
  %s = shard.sharding @grid split_axes = [[], [0]] : !shard.sharding
  // expected-error @below {{'shard.shard' op dimension 1 is split, the tensor has 1}}
  %0 = shard.shard %x to %s : tensor<10xf32>
  return
}

// -----

shard.grid @a(shape = 2)
shard.grid @b(shape = 4)
func.func @two(%x: tensor<10xf32>, %y: tensor<10xf32>) {
  %s = shard.sharding @a split_axes = [[0]] : !shard.sharding
  %0 = shard.shard %x to %s : tensor<10xf32>
  %t = shard.sharding @b split_axes = [[0]] : !shard.sharding
  // expected-error @below {{'shard.shard' op is on grid #dtensor.mesh<"d0" = 4>, the function began with #dtensor.mesh<"d0" = 2>}}
  %1 = shard.shard %y to %t : tensor<10xf32>
  return
}

// -----

shard.grid @grid(shape = 2)
func.func @local(%x: tensor<10xf32>) -> tensor<10xf32> {
  // expected-error @below {{'shard.all_reduce' op is of the program of one rank; import what was there before shard-partition}}
  %0 = shard.all_reduce %x on @grid grid_axes = [0] : tensor<10xf32> -> tensor<10xf32>
  return %0 : tensor<10xf32>
}

// -----

// expected-error @below {{'shard.grid' op attribute "dtensor.axes" is no list of 2 strings}}
shard.grid @grid(shape = 2x2) {dtensor.axes = ["a"]}

// -----

// expected-error @below {{'shard.grid' op axis 0 of size ?: "divides it" are no facts of it}}
shard.grid @grid(shape = ?) {dtensor.axis_facts = ["divides it"]}

// -----

// expected-error @below {{'shard.grid' op mesh has two axes named "a"}}
shard.grid @grid(shape = 2x2) {dtensor.axes = ["a", "a"]}

// -----

shard.grid @grid(shape = 2)
func.func @extents(%x: tensor<?xf32>) {
  %s = shard.sharding @grid split_axes = [[0]] : !shard.sharding
  // expected-error @below {{'shard.shard' op extent of dimension 0, "B +": }}
  %0 = shard.shard %x to %s {dtensor.extents = ["B +"]} : tensor<?xf32>
  return
}

// -----

shard.grid @grid(shape = 2)
func.func @constant(%x: tensor<8xf32>) {
  %s = shard.sharding @grid split_axes = [[0]] : !shard.sharding
  // expected-error @below {{dimension 0}}
  %0 = shard.shard %x to %s {dtensor.extents = ["9"]} : tensor<8xf32>
  return
}
