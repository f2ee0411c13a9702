// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @a_seed_is_one_integer(%s: tensor<?xi64>) {
  // expected-error @+1 {{seed has type 'tensor<?xi64>', expected i64 or tensor<i64>}}
  %0 = dtensor.rand %s, %s {sizes = [4]} : (tensor<?xi64>, tensor<?xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @an_offset_has_64_bits(%s: i64, %o: i32) {
  // expected-error @+1 {{offset has type 'i32', expected i64 or tensor<i64>}}
  %0 = dtensor.rand %s, %o {sizes = [4]} : (i64, i32) -> tensor<4xf32>
  return
}

// -----

func.func @random_numbers_are_floats(%s: i64) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.randn %s, %s {sizes = [4]} : (i64, i64) -> tensor<4xi32>
  return
}

// -----

func.func @sizes_are_known(%s: i64) {
  // expected-error @+1 {{needs `sizes`: result type 'tensor<?xf32>' has dynamic dimensions and no layout}}
  %0 = dtensor.rand %s, %s : (i64, i64) -> tensor<?xf32>
  return
}

// -----

func.func @a_probability_is_a_float(%p: tensor<?xi32>, %s: i64) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.bernoulli %p, %s, %s : (tensor<?xi32>, i64, i64) -> tensor<?xi1>
  return
}

// -----

func.func @dropout_is_with_a_probability(%x: tensor<?xf32>, %s: i64) {
  // expected-error @+1 {{p is 1.500000e+00, expected 0 to 1}}
  %0, %1 = dtensor.dropout %x, %s, %s {p = 1.5} : (tensor<?xf32>, i64, i64) -> (tensor<?xf32>, tensor<?xi1>)
  return
}

// -----

func.func @dropout_keeps_the_type(%x: tensor<?xf32>, %s: i64) {
  // expected-error @+1 {{operand has element type 'f32' and result 'f64'}}
  %0, %1 = dtensor.dropout %x, %s, %s {p = 0.5} : (tensor<?xf32>, i64, i64) -> (tensor<?xf64>, tensor<?xi1>)
  return
}

// -----

func.func @what_was_kept_is_a_truth(%x: tensor<?xf32>, %s: i64) {
  // expected-error @+1 {{the second result has element type 'f32', expected i1}}
  %0, %1 = dtensor.dropout %x, %s, %s {p = 0.5} : (tensor<?xf32>, i64, i64) -> (tensor<?xf32>, tensor<?xf32>)
  return
}
