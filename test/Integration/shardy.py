# REQUIRES: python
# RUN: %python %s %obj %t
"""Programs in Shardy's words run as NumPy computes them, also where sizes are
dynamic and where axes of one dimension do not nest in the order of the mesh."""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

rng = np.random.default_rng(7)


def imported(text):
    """What dtensor-opt makes of a program of Shardy."""
    code, program, errors = harness.command(
        harness.tool("dtensor-opt"), "--allow-unregistered-dialect",
        "--dtensor-import-shardy", "-", stdin=text)
    assert code == 0, errors
    return program


def check(name, text, meshes, reference, shapes):
    """The program and, exported and imported once more, the same program."""
    first = imported(text)
    code, there, errors = harness.command(
        harness.tool("dtensor-opt"), "--dtensor-export-shardy", "-",
        stdin=first)
    again = [imported(there)] if "tensor<?" not in text else []
    assert code == 0 or not again, errors
    for number, program in enumerate([first] + again):
        bundle = harness.compile_text(program, f"{name}-{number}")
        for mesh in meshes:
            for shape in shapes:
                arguments = [rng.standard_normal(s, np.float32) for s in shape]
                results, _ = bundle.run(mesh, *arguments)
                wanted = reference(*(a.astype(np.float64) for a in arguments))
                harness.assert_close(results[0], wanted, 1e-5, 1e-5,
                                     f"{shape} on {mesh}")


def layer(rows):
    return f"""
sdy.mesh @mesh = <["dp"=2, "tp"=3]>
func.func @f(%x: tensor<{rows}x8xf32> {{sdy.sharding = #sdy.sharding<@mesh, [{{"dp"}}, {{}}]>}},
             %w: tensor<8x12xf32> {{sdy.sharding = #sdy.sharding<@mesh, [{{}}, {{"tp"}}]>}},
             %b: tensor<12xf32>) -> tensor<{rows}xf32> {{
  %zero = "stablehlo.constant"() <{{value = dense<0.0> : tensor<f32>}}> : () -> tensor<f32>
  %0 = "stablehlo.dot_general"(%x, %w) <{{dot_dimension_numbers = #stablehlo.dot<lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [0]>}}> : (tensor<{rows}x8xf32>, tensor<8x12xf32>) -> tensor<{rows}x12xf32>
  %1 = dtensor.add %0, %b : (tensor<{rows}x12xf32>, tensor<12xf32>) -> tensor<{rows}x12xf32>
  %2 = "stablehlo.tanh"(%1) : (tensor<{rows}x12xf32>) -> tensor<{rows}x12xf32>
  %3 = sdy.sharding_constraint %2 <@mesh, [{{"dp"}}, {{"tp"}}]> : tensor<{rows}x12xf32>
  %4 = "stablehlo.reduce"(%3, %zero) <{{dimensions = array<i64: 1>}}> ({{
  ^bb0(%a: tensor<f32>, %c: tensor<f32>):
    %5 = "stablehlo.add"(%a, %c) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%5) : (tensor<f32>) -> ()
  }}) : (tensor<{rows}x12xf32>, tensor<f32>) -> tensor<{rows}xf32>
  return %4 : tensor<{rows}xf32>
}}"""


def test_a_layer_of_static_shape():
    check("static", layer(6), [{"dp": 2, "tp": 3}],
          lambda x, w, b: np.tanh(x @ w + b).sum(1), [[(6, 8), (8, 12), (12,)]])


def test_a_layer_of_dynamic_shape():
    check("dynamic", layer("?"), [{"dp": 2, "tp": 3}],
          lambda x, w, b: np.tanh(x @ w + b).sum(1),
          [[(n, 8), (8, 12), (12,)] for n in (0, 1, 2, 5, 7)])


def test_a_manual_computation():
    check("manual", """
sdy.mesh @mesh = <["x"=2, "y"=2]>
func.func @f(%x: tensor<4x6xf32>, %y: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %0 = sdy.manual_computation(%x, %y) in_shardings=[<@mesh, [{"x"}, {"y"}]>, <@mesh, [{"x"}, {"y"}]>] out_shardings=[<@mesh, [{"x"}, {"y"}]>] manual_axes={"x", "y"} (%a: tensor<2x3xf32>, %b: tensor<2x3xf32>) {
    %two = "stablehlo.constant"() <{value = dense<2.0> : tensor<2x3xf32>}> : () -> tensor<2x3xf32>
    %1 = "stablehlo.multiply"(%a, %two) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %2 = "stablehlo.add"(%1, %b) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    sdy.return %2 : tensor<2x3xf32>
  } : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}""", [{"x": 2, "y": 2}], lambda x, y: 2 * x + y, [[(4, 6), (4, 6)]])


def test_parts_of_an_axis():
    check("parts", """
sdy.mesh @mesh = <["x"=4]>
func.func @f(%x: tensor<4x6xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x":(1)2}, {"x":(2)2}]>}) -> (tensor<6x4xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"x"}]>}) {
  %0 = "stablehlo.transpose"(%x) <{permutation = array<i64: 1, 0>}> : (tensor<4x6xf32>) -> tensor<6x4xf32>
  return %0 : tensor<6x4xf32>
}""", [{"x:(1)2": 2, "x:(2)2": 2}], np.transpose, [[(4, 6)]])


def test_a_nesting_order():
    order = ('{dtensor.layout = #dtensor.layout<#mesh, [shard(0), shard(0)] '
             'order = ["tp", "dp"], (N, 4)>}')
    text = f"""
#mesh = #dtensor.mesh<"dp" = ?, "tp" = ?>
func.func @f(%x: tensor<?x4xf32> {order}, %y: tensor<?x4xf32>, %w: tensor<4x3xf32>) -> tensor<?x3xf32> {{
  %0 = dtensor.mul %x, %y : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = dtensor.matmul %0, %w : (tensor<?x4xf32>, tensor<4x3xf32>) -> tensor<?x3xf32>
  %2 = dtensor.reshape %1 {{sizes = [#dtensor.expr<3*N>]}} : (tensor<?x3xf32>) -> tensor<?xf32>
  %3 = dtensor.reshape %2 {{sizes = [#dtensor.expr<N>, 3]}} : (tensor<?xf32>) -> tensor<?x3xf32>
  return %3 : tensor<?x3xf32>
}}"""
    bundle = harness.compile_text(text, "order")
    for mesh in ({"dp": 2, "tp": 2}, {"dp": 2, "tp": 3}, {"dp": 1, "tp": 4}):
        for n in (0, 1, 4, 7, 13):
            x, y = (rng.standard_normal((n, 4), np.float32) for _ in "xy")
            w = rng.standard_normal((4, 3), np.float32)
            results, _ = bundle.run(mesh, x, y, w)
            harness.assert_close(results[0], (x * y).astype(np.float64) @ w,
                                 1e-5, 1e-5, f"{n} on {mesh}")


harness.main()
