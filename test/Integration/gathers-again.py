# REQUIRES: python
# RUN: %python %s %obj %t
"""Sharded weights that a backward pass gathers again instead of keeping them:
the same numbers, more gathers, less memory."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

X, W = "tensor<?x64xf32>", "tensor<64x64xf32>"
LAYOUT = "{{dtensor.layout = #dtensor.layout<#mesh, [shard(0)], ({}, 64)>}}"
XS, WS = f"{X} {LAYOUT.format('T')}", f"{W} {LAYOUT.format('64')}"
PROGRAM = f"""
#mesh = #dtensor.mesh<"dp" = ?>
func.func @layers(%x: {XS}, %dy: {XS}, %a: {WS}, %b: {WS}, %c: {WS})
    -> ({XS}, {XS}, {WS}, {WS}, {WS})
    attributes {{dtensor.symbols = {{T = {{hint = 16384}}}}}} {{
  %1 = dtensor.matmul %x, %a : ({X}, {W}) -> {X}
  %2 = dtensor.tanh %1 : ({X}) -> {X}
  %3 = dtensor.matmul %2, %b : ({X}, {W}) -> {X}
  %4 = dtensor.tanh %3 : ({X}) -> {X}
  %y = dtensor.matmul %4, %c : ({X}, {W}) -> {X}
  %d4 = dtensor.matmul %dy, %c {{transpose_b}} : ({X}, {W}) -> {X}
  %dc = dtensor.matmul %4, %dy {{transpose_a}} : ({X}, {X}) -> {W}
  %d3 = dtensor.tanh_backward %d4, %4 : ({X}, {X}) -> {X}
  %d2 = dtensor.matmul %d3, %b {{transpose_b}} : ({X}, {W}) -> {X}
  %db = dtensor.matmul %2, %d3 {{transpose_a}} : ({X}, {X}) -> {W}
  %d1 = dtensor.tanh_backward %d2, %2 : ({X}, {X}) -> {X}
  %dx = dtensor.matmul %d1, %a {{transpose_b}} : ({X}, {W}) -> {X}
  %da = dtensor.matmul %x, %d1 {{transpose_a}} : ({X}, {X}) -> {W}
  return %y, %dx, %da, %db, %dc : {X}, {X}, {W}, {W}, {W}
}}
"""


def reference(x, dy, *weights):
    leaves = [v.clone().requires_grad_(True) for v in (x, *weights)]
    with torch.enable_grad():
        y = leaves[0] @ leaves[1]
        for w in leaves[2:]:
            y = y.tanh() @ w
        y.backward(dy)
    return [y.detach()] + [v.grad for v in leaves]


def check(options, gathers):
    """The last weight is still there when the backward pass begins."""
    bundle = harness.compile_text(PROGRAM, "layers" + "".join(options),
                                  *options)
    cases = harness.Cases()

    def run(ranks, count):
        args = [torch.randn(count, 64), torch.randn(count, 64)] + \
            [torch.randn(64, 64) / 8 for _ in range(3)]
        results, found = bundle.run({"dp": ranks}, *args)
        for result, wanted in zip(results, reference(*args)):
            harness.assert_close(result, wanted, 1e-3, 1e-4, "result")
        if ranks > 1:
            assert found == {"all_gather": gathers, "reduce_scatter": 3}, found

    for ranks in sorted({harness.at_most(n) for n in (1, 2, 3, 5)}):
        for count in (1, 7, 50):
            cases.check(f"{ranks} {count}", run, ranks, count)
    cases.done()


def test_all_weights_are_kept():
    check([], 3)


def test_no_weight_is_kept_beside_another():
    check(["--keep-gathered=0"], 5)


def test_two_weights_are_kept():
    check([f"--keep-gathered={2 * 64 * 64 * 4}"], 4)


harness.main()
