# REQUIRES: python
# RUN: %python %s %obj %t
"""Reductions on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

MNK = ["M", "N", "K"]
LOWEST = {"f32": -float("inf"), "i32": -2**31}
HIGHEST = {"f32": float("inf"), "i32": 2**31 - 1}


def over(function, dims, keepdim, empty):
    """PyTorch refuses the maximum of nothing; ours is the neutral element."""
    def compute(x):
        if 0 in [x.shape[d] for d in dims]:
            shape = [1 if i in dims else s for i, s in enumerate(x.shape)
                     if keepdim or i not in dims]
            return torch.full(shape, empty, dtype=x.dtype)
        return function(x, dims, keepdim=keepdim)
    return compute


def product(x, dims, keepdim):
    for d in sorted(dims, reverse=True):
        x = torch.prod(x, d, keepdim=keepdim)
    return x


def cases(dtype):
    result = []
    for dims in ([0], [2], [0, 1], [1, 2], [0, 1, 2]):
        for keepdim in (False, True):
            left = [1 if i in dims else d for i, d in enumerate(MNK)
                    if keepdim or i not in dims]
            table = {"sum": over(torch.sum, dims, keepdim, 0),
                     "amax": over(torch.amax, dims, keepdim, LOWEST[dtype]),
                     "amin": over(torch.amin, dims, keepdim, HIGHEST[dtype])}
            if dtype == "f32":
                table["mean"] = over(torch.mean, dims, keepdim, float("nan"))
            if not keepdim:
                table["prod"] = over(product, dims, keepdim, 1)
            attributes = f"{{dims = {dims}{', keepdim' if keepdim else ''}}}"
            body = "\n".join(f"%r{i} = dtensor.{op} %a {attributes} : ($A) -> "
                             f"${i}" for i, op in enumerate(table))
            name = f"over_{''.join(map(str, dims))}_{dtype}" + \
                ("_keep" if keepdim else "")
            values = unit if dtype == "f32" else integers(-3, 4)
            result.append(Case(
                name, [(MNK, dtype, values)],
                [(op, tensor(left, dtype)) for op in table], body,
                lambda x, t=table: [f(x) for f in t.values()]))
    return result


def half_cases():
    """f16 and bf16 accumulate in f32: 5000 ones sum to 5000, not 2048."""
    def ones(shape, dtype, _):
        return torch.ones(shape, dtype=TORCH[dtype])
    return [Case(f"many_{dtype}", [(["M", 5000], dtype, ones)],
                 tensor(["M"], dtype),
                 "%r0 = dtensor.sum %a {dims = [1]} : ($A) -> $0",
                 lambda x: x.float().sum(1).to(x.dtype))
            for dtype in ("f16", "bf16")] + [
        Case(f"mean_{dtype}", [(["M", "N"], dtype)], tensor(["M"], dtype),
             "%r0 = dtensor.mean %a {dims = [1]} : ($A) -> $0",
             lambda x: x.float().mean(1).to(x.dtype))
        for dtype in ("f16", "bf16")]


def other_cases():
    return [
        Case("wider", [(["M", "N"], "i32")], tensor(["N"], "i64"),
             "%r0 = dtensor.sum %a {dims = [0]} : ($A) -> $0",
             lambda x: x.sum(0)),
        Case("any_and_all", [(["M", "N"], "i1")], [tensor(["N"], "i1")] * 2,
             "%r0 = dtensor.amax %a {dims = [0]} : ($A) -> $0\n"
             "%r1 = dtensor.amin %a {dims = [0]} : ($A) -> $1",
             lambda x: [x.any(0), x.all(0)]),
        Case("nan_wins", [(["M", "N"], "f32",
                           lambda s, d, _: torch.where(
                               torch.rand(s) < 0.1, float("nan"),
                               torch.randn(s)))],
             [tensor(["M"], "f32")] * 2,
             "%r0 = dtensor.amax %a {dims = [1]} : ($A) -> $0\n"
             "%r1 = dtensor.amin %a {dims = [1]} : ($A) -> $1",
             lambda x: [x.amax(1), x.amin(1)]),
        Case("f64", [(["M", "N"], "f64")], [tensor([], "f64")] * 2,
             "%r0 = dtensor.sum %a {dims = [0, 1]} : ($A) -> $0\n"
             "%r1 = dtensor.mean %a {dims = [0, 1]} : ($A) -> $1",
             lambda x: [x.sum(), x.mean()]),
        Case("twice", [(["M", "N"], "f32")], tensor(["M", "N"], "f32"),
             "%0 = dtensor.sum %a {dims = [1], keepdim} : ($A) -> tensor<?x1xf32>\n"
             "%1 = dtensor.sub %a, %0 : ($A, tensor<?x1xf32>) -> $A\n"
             "%2 = dtensor.amax %1 {dims = [0]} : ($A) -> tensor<?xf32>\n"
             "%r0 = dtensor.sub %1, %2 : ($A, tensor<?xf32>) -> $0",
             lambda x: (lambda y: y - over(torch.amax, [0], False, 0)(y))(
                 x - x.sum(1, keepdim=True)), when=lambda M, **_: M),
    ]


def test_every_set_of_dimensions_in_f32():
    sweep_1d("reductions-f32", cases("f32"), count=3)


def test_every_set_of_dimensions_in_i32():
    sweep_1d("reductions-i32", cases("i32"), count=2)


def test_two_axes():
    sweep_2d("reductions", cases("f32")[::3] + other_cases(), count=3)


def test_halves_accumulate_in_f32():
    sweep_1d("reductions-half", half_cases(), count=2)


def test_other_types():
    sweep_1d("reductions-other", other_cases(), count=3)


harness.main()
