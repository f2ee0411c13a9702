# REQUIRES: python
# RUN: %python %s %obj %t
"""Whole functions: calls, loops, constraints, foreign ops, several results."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

MESH = '#mesh = #dtensor.mesh<"tp" = ?>\n'
SIZES_1D = [(0, 3), (1, 2), (3, 4), (4, 4), (5, 3), (8, 2)]


def on(placement, extents="M, N"):
    return (f"{{dtensor.layout = #dtensor.layout<#mesh, [{placement}], "
            f"({extents})>}}")


def check_all(name, text, reference, make, meshes=MESHES_1D, entry=None,
              shapes=SIZES_1D, tolerance=(1e-5, 1e-6)):
    """`make(m, n)` gives the arguments."""
    bundle, cases = harness.compile_text(MESH + text, name), harness.Cases()

    def check(mesh, m, n):
        torch.manual_seed(m * 10 + n)
        args = make(m, n)
        expected = reference(*args)
        if not isinstance(expected, tuple):
            expected = (expected,)
        results, _ = bundle.run(mesh, *args, entry=entry)
        assert len(results) == len(expected)
        for i, (actual, wanted) in enumerate(zip(results, expected)):
            harness.assert_close(actual, wanted, *tolerance, f"result {i}")
    for mesh in meshes:
        for m, n in shapes:
            cases.check(f"{(m, n)} on {mesh}", check, mesh, m, n)
    cases.done()


def matrix(m, n):
    return [torch.randn(m, n)]


def two(m, n):
    return [torch.randn(m, n), torch.randn(m, n)]


T = "tensor<?x?xf32>"


def test_foreign_ops_on_plain_tensors():
    check_all("foreign", f"""
func.func @f(%x: {T} {on("shard(0)")}, %y: {T} {on("shard(1)")}) -> {T} {{
  %0 = arith.addf %x, %y : {T}
  %1 = math.tanh %0 : {T}
  %2 = arith.mulf %1, %x : {T}
  return %2 : {T}
}}""", lambda x, y: torch.tanh(x + y) * x, two)


def test_linalg_with_sizes_that_the_program_computes():
    check_all("linalg", f"""
func.func @f(%a: {T} {on("shard(0)", "M, K")}, %b: {T} {on("shard(0)", "K, N")}) -> {T} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %a, %c0 : {T}
  %n = tensor.dim %b, %c1 : {T}
  %z = arith.constant 0.0 : f32
  %e = tensor.empty(%m, %n) : {T}
  %i = linalg.fill ins(%z : f32) outs(%e : {T}) -> {T}
  %0 = linalg.matmul ins(%a, %b : {T}, {T}) outs(%i : {T}) -> {T}
  return %0 : {T}
}}""", lambda a, b: (a.double() @ b.double()).float(),
              lambda m, n: [torch.randn(m, 5), torch.randn(5, n)])


def test_an_init_that_is_an_argument_is_added():
    check_all("accumulate", f"""
func.func @f(%a: {T} {on("shard(1)", "M, K")}, %b: {T} {on("shard(0)", "K, N")},
             %c: {T} {on("shard(0)")}) -> {T} {{
  %0 = linalg.matmul ins(%a, %b : {T}, {T}) outs(%c : {T}) -> {T}
  return %0 : {T}
}}""", lambda a, b, c: (a.double() @ b.double() + c).float(),
              lambda m, n: [torch.randn(m, 5), torch.randn(5, n),
                            torch.randn(m, n)])


def test_the_size_of_a_shard_is_the_global_one():
    check_all("dim", f"""
func.func @f(%x: {T} {on("shard(0)")}) -> {T} {{
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : {T}
  %i = arith.index_cast %m : index to i64
  %s = arith.sitofp %i : i64 to f32
  %0 = dtensor.mul %x, %s : ({T}, f32) -> {T}
  return %0 : {T}
}}""", lambda x: x * x.shape[0], matrix)


def test_a_loop_carries_a_shard():
    check_all("for", f"""
func.func @f(%x: {T} {on("shard(0)")}, %w: tensor<?x?xf32> {on("shard(1)", "N, N")}) -> {T} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%v = %x) -> ({T}) {{
    %0 = dtensor.matmul %v, %w : ({T}, {T}) -> {T}
    %1 = dtensor.tanh %0 : ({T}) -> {T}
    scf.yield %1 : {T}
  }}
  return %r : {T}
}}""", lambda x, w: torch.tanh(torch.tanh(torch.tanh(x @ w) @ w) @ w),
              lambda m, n: [torch.randn(m, n), torch.randn(n, n)],
              tolerance=(1e-5, 1e-5))


def test_a_count_is_an_argument():
    check_all("count", f"""
func.func @f(%x: {T} {on("shard(0)")}, %n: index) -> {T} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%v = %x) -> ({T}) {{
    %0 = dtensor.add %v, %x : ({T}, {T}) -> {T}
    scf.yield %0 : {T}
  }}
  return %r : {T}
}}""", lambda x, n: x * (int(n) + 1),
              lambda m, n: [torch.randn(m, n).round(),
                            np.array(m, np.int64)])


def test_a_condition_chooses_a_shard():
    check_all("if", f"""
func.func @f(%x: {T} {on("shard(0)")}, %y: {T} {on("shard(1)")}, %n: index) -> {T} {{
  %c2 = arith.constant 2 : index
  %c = arith.cmpi slt, %n, %c2 : index
  %r = scf.if %c -> ({T}) {{
    %0 = dtensor.add %x, %y : ({T}, {T}) -> {T}
    scf.yield %0 : {T}
  }} else {{
    scf.yield %y : {T}
  }}
  return %r : {T}
}}""", lambda x, y, n: x + y if n < 2 else y,
              lambda m, n: two(m, n) + [np.array(m, np.int64)])


def test_a_while_loop_halves_until_small():
    check_all("while", f"""
func.func @f(%x: {T} {on("shard(0)")}, %n: index) -> {T} {{
  %c2 = arith.constant 2 : index
  %half = arith.constant 0.5 : f32
  %r:2 = scf.while (%v = %x, %k = %n) : ({T}, index) -> ({T}, index) {{
    %c = arith.cmpi sge, %k, %c2 : index
    scf.condition(%c) %v, %k : {T}, index
  }} do {{
  ^bb0(%v: {T}, %k: index):
    %0 = dtensor.mul %v, %half : ({T}, f32) -> {T}
    %j = arith.divui %k, %c2 : index
    scf.yield %0, %j : {T}, index
  }}
  return %r#0 : {T}
}}""", lambda x, n: x * 0.5 ** max(int(n).bit_length() - 1, 0),
              lambda m, n: matrix(m, n) + [np.array(m, np.int64)])


def test_calls_pass_symbols():
    check_all("call", f"""
func.func private @scaled(%v: tensor<?xf32>, %w: tensor<?xf32>) -> tensor<?xf32> {{
  %0 = dtensor.mul %v, %w : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}}
func.func @f(%x: {T} {on("shard(0)")}, %y: {T} {on("shard(1)")}) -> tensor<?xf32> {{
  %0 = dtensor.flatten %x {{start = 0, end = 1}} : ({T}) -> tensor<?xf32>
  %1 = dtensor.flatten %y {{start = 0, end = 1}} : ({T}) -> tensor<?xf32>
  %2 = func.call @scaled(%0, %1) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %3 = func.call @scaled(%2, %1) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %3 : tensor<?xf32>
}}""", lambda x, y: (x * y * y).flatten(), two, entry="f")


def test_several_results_and_arguments_returned_as_they_are():
    check_all("results", f"""
func.func @f(%x: {T} {on("shard(0)")}, %unused: {T} {on("shard(1)")})
    -> ({T}, {T} {on("replicate")}, tensor<?xf32>, {T}) {{
  %0 = dtensor.neg %x : ({T}) -> {T}
  %1 = dtensor.sum %x {{dims = [0]}} : ({T}) -> tensor<?xf32>
  return %x, %0, %1, %x : {T}, {T}, tensor<?xf32>, {T}
}}""", lambda x, _: (x, -x, x.sum(0), x), two)


def test_results_of_one_fixed_shape_are_kept_apart():
    check_all("apart", f"""
func.func @f(%x: {T} {on("shard(0)")}) -> (tensor<f32>, tensor<f32>, tensor<f32>) {{
  %0 = dtensor.sum %x {{dims = [0, 1]}} : ({T}) -> tensor<f32>
  %1 = dtensor.sin %x : ({T}) -> {T}
  %2 = dtensor.sum %1 {{dims = [0, 1]}} : ({T}) -> tensor<f32>
  %3 = dtensor.amax %1 {{dims = [0, 1]}} : ({T}) -> tensor<f32>
  return %0, %2, %3 : tensor<f32>, tensor<f32>, tensor<f32>
}}""", lambda x: (x.sum(), x.sin().sum(), x.sin().amax() if x.numel() else
                  torch.tensor(-float("inf"))), matrix, tolerance=(1e-5, 1e-5))


def test_a_condition_yields_what_lives_outside():
    check_all("outside", f"""
func.func @f(%x: {T} {on("partial(sum)")}, %n: index) -> ({T} {on("shard(0)")}, {T} {on("shard(0)")}) {{
  %0 = dtensor.constraint %x to <#mesh, [shard(0)], (M, N)> : {T}
  %1 = dtensor.abs %0 : ({T}) -> {T}
  %c2 = arith.constant 2 : index
  %c = arith.cmpi slt, %n, %c2 : index
  %r = scf.if %c -> ({T}) {{
    %2 = dtensor.sub %1, %0 : ({T}, {T}) -> {T}
    scf.yield %2 : {T}
  }} else {{
    scf.yield %0 : {T}
  }}
  return %1, %r : {T}, {T}
}}""", lambda x, n: (x.abs(), x.abs() - x if n < 2 else x),
              lambda m, n: [torch.randn(m, n), np.array(m, np.int64)])


def test_units_move_on_the_way_to_a_result():
    check_all("units", f"""
func.func @f(%x: {T} {on("shard(0, unit = 2)")}) -> ({T} {on("shard(0)")}, {T} {on("shard(1, unit = 2)")}) {{
  %0 = dtensor.neg %x : ({T}) -> {T}
  %1 = dtensor.exp %x : ({T}) -> {T}
  return %0, %1 : {T}, {T}
}}""", lambda x: (-x, x.exp()), matrix)


def test_a_constraint_is_kept():
    text = f"""
func.func @f(%x: {T} {on("shard(0)")}) -> ({T} {on("replicate")}) {{
  %0 = dtensor.exp %x : ({T}) -> {T}
  %1 = dtensor.constraint %0 to <#mesh, [shard(1)], (M, N)> : {T}
  %2 = dtensor.tanh %1 : ({T}) -> {T}
  return %2 : {T}
}}"""
    check_all("constraint", text, lambda x: torch.tanh(torch.exp(x)), matrix)
    bundle = harness.compile_text(MESH + text, "constraint")
    _, counts = bundle.run({"tp": 4}, torch.randn(8, 8))
    assert counts == {"all_to_all": 1, "all_gather": 1}, counts


def test_of_two_constraints_the_higher_number_yields():
    """What is between them is where the lower number wants it."""
    for first, second, moved in ((0, 1, "%3"), (1, 0, "%0")):
        text = f"""
func.func @f(%x: {T} {on("shard(0)")}) -> ({T} {on("shard(1)")}) {{
  %0 = dtensor.constraint %x to <#mesh, [shard(0)], (M, N)> {{priority = {first}}} : {T}
  %1 = dtensor.exp %0 : ({T}) -> {T}
  %2 = dtensor.tanh %1 : ({T}) -> {T}
  %3 = dtensor.constraint %2 to <#mesh, [shard(1)], (M, N)> {{priority = {second}}} : {T}
  return %3 : {T}
}}"""
        check_all(f"priority{first}", text,
                  lambda x: torch.tanh(torch.exp(x)), matrix)
        bundle = harness.compile_text(MESH + text, f"priority{first}")
        _, counts = bundle.run({"tp": 4}, torch.randn(8, 8))
        assert counts == {"all_to_all": 1}, counts


def test_values_that_agree_have_one_layout():
    """The state of an optimizer, whose use alone would leave it whole."""
    check_all("agree", f"""
func.func @f(%w: {T} {on("shard(1)")}, %m: {T}, %g: {T} {on("partial(sum)")}) -> ({T}, {T}, {T}) {{
  %0, %1, %2 = dtensor.agree %w, %m, %g : ({T}, {T}, {T}) -> ({T}, {T}, {T})
  %3 = dtensor.add %1, %2 : ({T}, {T}) -> {T}
  %4 = dtensor.sub %0, %3 : ({T}, {T}) -> {T}
  return %4, %3, %2 : {T}, {T}, {T}
}}""", lambda w, m, g: (w - (m + g), m + g, g),
              lambda m, n: [torch.randn(m, n) for _ in range(3)])


def test_partials_are_added_before_they_are_reduced():
    k = torch.randn(12, 4), torch.randn(12, 4)
    text = f"""
func.func @f(%a: {T} {on("shard(1)", "M, K")}, %b: {T} {on("shard(0)", "K, N")},
             %c: {T} {on("shard(1)", "M, K")}, %d: {T} {on("shard(0)", "K, N")})
    -> ({T} {on("replicate")}) {{
  %0 = dtensor.matmul %a, %b : ({T}, {T}) -> {T}
  %1 = dtensor.matmul %c, %d : ({T}, {T}) -> {T}
  %2 = dtensor.add %0, %1 : ({T}, {T}) -> {T}
  return %2 : {T}
}}"""
    bundle = harness.compile_text(MESH + text, "added")
    a, c = torch.randn(5, 12), torch.randn(5, 12)
    (result,), counts = bundle.run({"tp": 4}, a, k[0], c, k[1])
    harness.assert_close(result, a @ k[0] + c @ k[1], 1e-5, 1e-5, "result")
    assert counts == {"all_reduce": 1}, counts


def test_a_shard_of_a_sum_is_one_reduce_scatter():
    text = f"""
func.func @f(%a: {T} {on("shard(1)", "M, K")}, %b: {T} {on("shard(0)", "K, N")})
    -> ({T} {on("shard(0)")}) {{
  %0 = dtensor.matmul %a, %b : ({T}, {T}) -> {T}
  return %0 : {T}
}}"""
    bundle = harness.compile_text(MESH + text, "scattered")
    a, b = torch.randn(5, 12), torch.randn(12, 4)
    (result,), counts = bundle.run({"tp": 4}, a, b)
    harness.assert_close(result, a @ b, 1e-5, 1e-5, "result")
    assert counts == {"reduce_scatter": 1}, counts


def test_nothing_moves_where_nothing_must():
    text = f"""
func.func @f(%x: {T} {on("shard(0)")}) -> ({T} {on("shard(0)")}) {{
  %0 = dtensor.constraint %x to <#mesh, [replicate], (M, N)> : {T}
  %1 = dtensor.constraint %0 to <#mesh, [shard(0)], (M, N)> : {T}
  return %1 : {T}
}}"""
    bundle = harness.compile_text(MESH + text, "nothing")
    x = torch.randn(5, 4)
    (result,), counts = bundle.run({"tp": 4}, x)
    harness.assert_close(result, x, 0, 0, "result")
    assert counts == {}, counts


def test_a_sharded_vocabulary_loss():
    check_all("loss", f"""
func.func @f(%x: {T} {on("replicate", "M, K")}, %w: {T} {on("shard(0)", "V, K")},
             %i: tensor<?x1xi64> {on("replicate", "M, 1")}) -> tensor<f32> {{
  %0 = dtensor.linear %x, %w : ({T}, {T}) -> {T}
  %1 = dtensor.log_softmax %0 {{dim = 1}} : ({T}) -> {T}
  %2 = dtensor.gather %1, %i {{dim = 1}} : ({T}, tensor<?x1xi64>) -> tensor<?x1xf32>
  %3 = dtensor.mean %2 {{dims = [0, 1]}} : (tensor<?x1xf32>) -> tensor<f32>
  %4 = dtensor.neg %3 : (tensor<f32>) -> tensor<f32>
  return %4 : tensor<f32>
}}""", lambda x, w, i: torch.nn.functional.cross_entropy(x @ w.T, i[:, 0]),
              lambda m, n: [torch.randn(m, 6), torch.randn(n * 5, 6),
                            torch.randint(0, n * 5, (m, 1))],
              shapes=[(3, 4), (1, 1), (7, 3)])


def test_a_fixed_mesh():
    text = (f'#mesh = #dtensor.mesh<"dp" = 2, "tp" = 3>\n'
            f"func.func @f(%x: {T} {{dtensor.layout = #dtensor.layout<#mesh, "
            "[shard(0), shard(1)], (M, N)>}) -> tensor<?xf32> {\n"
            f"  %0 = dtensor.sum %x {{dims = [1]}} : ({T}) -> tensor<?xf32>\n"
            "  return %0 : tensor<?xf32>\n}\n")
    bundle = harness.compile_text(text, "fixed")
    x = torch.randn(7, 5)
    (result,), _ = bundle.run({"dp": 2, "tp": 3}, x)
    harness.assert_close(result, x.sum(1), 1e-5, 1e-6, "sum")


def test_static_shapes_are_divided_like_symbolic_ones():
    text = (MESH + f"func.func @f(%x: tensor<10x4xf32> {on('shard(0)', '10, 4')}"
            ") -> tensor<10x4xf32> {\n  %0 = dtensor.tanh %x : "
            "(tensor<10x4xf32>) -> tensor<10x4xf32>\n"
            "  return %0 : tensor<10x4xf32>\n}\n")
    bundle = harness.compile_text(text, "static")
    x = torch.randn(10, 4)
    for size in (1, 2, 3, 4, 8, 16):
        (result,), counts = bundle.run({"tp": size}, x)
        harness.assert_close(result, torch.tanh(x), 1e-5, 1e-6, f"on {size}")
        assert counts == {}, counts


harness.main()
