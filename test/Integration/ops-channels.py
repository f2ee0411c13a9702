# REQUIRES: python
# RUN: %python %s %obj %t
"""Norms of batches and of groups of channels, forward and backward."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

aten = torch.ops.aten
SHAPE, CHANNELS = ["M", 6, "N"], [6]
WIDE = {"f64": "f64", "f32": "f32", "f16": "f32", "bf16": "f32"}
LOOSE = {"f64": (1e-10, 1e-10), "f32": (2e-5, 2e-5), "f16": (4e-3, 4e-3),
         "bf16": (3e-2, 3e-2)}


def some(M, N, **_):
    return M * N > 0


def wide(x):
    return x.double()


def group_norm(dtype, parameters, groups=2):
    def reference(x, *p):
        n, c, k = x.shape
        weight, bias = ([wide(q) for q in p] + [None, None])[:2]
        return aten.native_group_norm(wide(x), weight, bias, n, c, k, groups,
                                      1e-5)
    args = [(SHAPE, dtype)] + [(CHANNELS, dtype)] * parameters
    names = ", ".join("%" + c for c in "abc"[:len(args)])
    types = ", ".join("$" + c for c in "ABC"[:len(args)])
    x, stat = tensor(SHAPE, dtype), tensor(["M", groups], WIDE[dtype])
    return Case(f"group_norm_{groups}_{parameters}_{dtype}", args,
                [x, stat, stat, ("group_norm", x)],
                f"%r0, %r1, %r2 = dtensor.native_group_norm {names} {{groups = "
                f"{groups}}} : ({types}) -> ($0, $1, $2)\n"
                f"%r3 = dtensor.group_norm {names} {{groups = {groups}}} : "
                f"({types}) -> $3",
                lambda *a: (lambda y: [y[0], y[1], y[2], y[0]])(reference(*a)),
                when=some, tolerance=LOOSE[dtype])


def batch_norm(dtype, parameters):
    """Training: statistics of the whole batch, and running ones."""
    def reference(x, mean, variance, *p):
        weight, bias = ([wide(q) for q in p] + [None, None])[:2]
        return aten._native_batch_norm_legit_functional(
            wide(x), weight, bias, wide(mean), wide(variance), True, 0.25,
            1e-3)
    stat = (CHANNELS, WIDE[dtype])
    args = [(SHAPE, dtype), stat, stat + (positive,)] + \
        [(CHANNELS, dtype)] * parameters
    names = ", ".join("%" + c for c in "abcde"[:len(args)])
    types = ", ".join("$" + c for c in "ABCDE"[:len(args)])
    x, s = tensor(SHAPE, dtype), tensor(*stat)
    return Case(f"batch_norm_{parameters}_{dtype}", args, [x, s, s, s, s],
                f"%r0, %r1, %r2, %r3, %r4 = dtensor.native_batch_norm {names} "
                f"{{momentum = 0.25, eps = 1.0e-3}} : ({types}) -> "
                "($0, $1, $2, $3, $4)", reference,
                when=lambda M, N, **_: M * N > 1, tolerance=LOOSE[dtype])


def batch_norm_without_running(dtype):
    x, s = tensor(SHAPE, dtype), tensor(CHANNELS, WIDE[dtype])
    return Case(f"batch_norm_alone_{dtype}", [(SHAPE, dtype)], [x, s, s],
                "%r0, %r1, %r2 = dtensor.native_batch_norm %a : ($A) -> "
                "($0, $1, $2)",
                lambda x: aten._native_batch_norm_legit.no_stats(
                    wide(x), None, None, True, 0.0, 1e-5),
                when=some, tolerance=LOOSE[dtype])


def inference(dtype, parameters):
    def reference(x, mean, variance, *p):
        weight, bias = ([wide(q) for q in p] + [None, None])[:2]
        return torch.nn.functional.batch_norm(
            wide(x), wide(mean), wide(variance), weight, bias)
    stat = (CHANNELS, WIDE[dtype])
    args = [(SHAPE, dtype), stat, stat + (positive,)] + \
        [(CHANNELS, dtype)] * parameters
    names = ", ".join("%" + c for c in "abcde"[:len(args)])
    types = ", ".join("$" + c for c in "ABCDE"[:len(args)])
    return Case(f"inference_{parameters}_{dtype}", args, tensor(SHAPE, dtype),
                f"%r0 = dtensor.batch_norm {names} : ({types}) -> $0",
                reference, tolerance=LOOSE[dtype])


def batch_norm_backward(dtype, weighted, frozen=False):
    """Statistics are those of the input, and any where they are frozen."""
    def reference(g, x, *rest):
        given, weight = rest[:2] if frozen else (), rest[2 * frozen:]
        weight = wide(weight[0]) if weight else None
        if frozen:
            mean, rstd = [wide(s) for s in given]
            save = [None, None]
            running = [mean, rstd.pow(-2)]
        else:
            _, mean, rstd = aten._native_batch_norm_legit.no_stats(
                wide(x), None, None, True, 0.0, 1e-5)
            save, running = [mean, rstd], [None, None]
        found = aten.native_batch_norm_backward(
            wide(g), wide(x), weight, *running, *save, not frozen,
            0.0 if frozen else 1e-5, [True, weighted, weighted])
        return [f for f in found if f is not None]
    stat = (CHANNELS, WIDE[dtype])
    args = [(SHAPE, dtype), (SHAPE, dtype)]
    if frozen:
        args += [stat, stat + (positive,)]
    if weighted:
        args.append((CHANNELS, dtype))
    letters = "abcde"[:len(args)]
    mean, rstd = ("%c", "%d") if frozen else ("%m", "%s")
    x, s, p = tensor(SHAPE, dtype), tensor(*stat), tensor(CHANNELS, dtype)
    operands, types = f"%a, %b, {mean}, {rstd}", f"$A, $B, {s}, {s}"
    if weighted:
        operands += ", %" + letters[-1]
        types += ", $" + letters[-1].upper()
    results = [x, p, p] if weighted else [x]
    left = ", ".join(f"%r{i}" for i in range(len(results)))
    right = ", ".join(f"${i}" for i in range(len(results)))
    forward = "" if frozen else \
        f"%y, %m, %s = dtensor.native_batch_norm %b : ($B) -> ($B, {s}, {s})\n"
    name = f"batch_norm_backward_{'frozen_' * frozen}{'w' * weighted}{dtype}"
    return Case(name, args, results,
                forward + f"{left} = dtensor.batch_norm_backward {operands}"
                f"{' {frozen}' * frozen} : ({types}) -> ({right})",
                # Of two elements nothing is left but rounding errors.
                reference, when=lambda M, N, **_: M * N > 2,
                tolerance=LOOSE[dtype])


def forward(dtype):
    return [group_norm(dtype, 0), group_norm(dtype, 1), group_norm(dtype, 2),
            group_norm(dtype, 2, 6), batch_norm(dtype, 0),
            batch_norm(dtype, 1), batch_norm(dtype, 2),
            batch_norm_without_running(dtype), inference(dtype, 0),
            inference(dtype, 2)]


def backward(dtype):
    return [batch_norm_backward(dtype, False), batch_norm_backward(dtype, True),
            batch_norm_backward(dtype, True, True)]


def test_norms_on_one_axis():
    sweep_1d("channels", forward("f32"))


def test_gradients_on_one_axis():
    sweep_1d("channels-backward", backward("f32"))


def test_all_on_two_axes():
    sweep_2d("channels", (forward("f64") + backward("f64"))[1::2])


def test_other_types():
    sweep_1d("channels-types", [c for d in ("f64", "f16", "bf16")
                                for c in forward(d)[2:7:2] + backward(d)[:1]],
             count=1)


def test_a_sharded_batch_adds_up_what_it_knows_of_a_channel():
    """Two sums of one number per channel, whatever else is there."""
    program = """
#mesh = #dtensor.mesh<"dp" = ?>
#x = #dtensor.layout<#mesh, [shard(0)], (B, C, H)>
func.func @f(%x: tensor<?x?x?xf32> {dtensor.layout = #x})
    -> (tensor<?x?x?xf32> {dtensor.layout = #x}) {
  %y, %m, %r = dtensor.native_batch_norm %x : (tensor<?x?x?xf32>) -> (tensor<?x?x?xf32>, tensor<?xf32>, tensor<?xf32>)
  return %y : tensor<?x?x?xf32>
}
"""
    path = harness.temp("sync.mlir")
    with open(path, "w") as file:
        file.write(program)
    text = harness.planned(path)
    steps = harness.planned_steps(text, "f")
    assert steps == {"all_reduce": 2}, steps
    assert "(C), [all_reduce" in harness.resolve_aliases(text, text), text


harness.main()
