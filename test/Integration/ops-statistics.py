# REQUIRES: python
# RUN: %python %s %obj %t
"""Variances, norms, positions of extrema, truth, on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

MNK = ["M", "N", "K"]
INF = float("inf")
HEX = {INF: "0x7FF0000000000000", -INF: "0xFFF0000000000000"}


def left_of(dims, keepdim):
    return [1 if i in dims else d for i, d in enumerate(MNK)
            if keepdim or i not in dims]


def wide(function):
    def compute(x):
        if x.dtype in (torch.float16, torch.bfloat16):
            return function(x.float()).to(x.dtype)
        return function(x)
    return compute


def variance(kind, dims, keepdim, correction):
    """PyTorch divides by max(count - correction, 0) as well."""
    def compute(x):
        count = 1
        for d in dims:
            count *= x.shape[d]
        mean = x.sum(dims, keepdim=True) / count
        square = ((x - mean) ** 2).sum(dims, keepdim=keepdim)
        result = square / max(count - correction, 0)
        return result.sqrt() if kind == "std" else result
    return compute


def norm(ord, dims, keepdim):
    def compute(x):
        if 0 in [x.shape[d] for d in dims]:
            shape = [1 if i in dims else s for i, s in enumerate(x.shape)
                     if keepdim or i not in dims]
            return torch.full(shape, INF if ord < 0 else 0.0, dtype=x.dtype)
        return torch.linalg.vector_norm(x, ord, dims, keepdim)
    return compute


def statistics(dtype, dims, keepdim):
    keep = ", keepdim" if keepdim else ""
    rows = []
    for kind in ("var", "std"):
        for correction in (1.0, 0.0):
            rows.append((f"{kind} %a {{dims = {dims}, correction = "
                         f"{correction}{keep}}}",
                         variance(kind, dims, keepdim, correction)))
    rows.append((f"logsumexp %a {{dims = {dims}{keep}}}",
                 lambda x: torch.logsumexp(x, dims, keepdim)))
    for ord in (0.0, 1.0, 2.0, 3.5, INF, -INF):
        rows.append((f"norm %a {{dims = {dims}, ord = {HEX.get(ord, ord)} : "
                     f"f64{keep}}}", norm(ord, dims, keepdim)))
    t = tensor(left_of(dims, keepdim), dtype)
    body = "\n".join(f"%r{i} = dtensor.{text} : ($A) -> ${i}"
                     for i, (text, _) in enumerate(rows))
    name = f"over_{''.join(map(str, dims))}_{dtype}" + \
        ("_keep" if keepdim else "")
    return Case(name, [(MNK, dtype)], [(text, t) for text, _ in rows], body,
                lambda x: [wide(f)(x) for _, f in rows],
                tolerance=(1e-4, 1e-5) if dtype == "f32" else None)


def statistics_cases(dtype="f32"):
    return [statistics(dtype, dims, keepdim)
            for dims in ([0], [2], [0, 1], [0, 1, 2])
            for keepdim in (False, True)] + [
        Case(f"var_mean_{dtype}", [(MNK, dtype)],
             [tensor(["M", "K"], dtype)] * 2,
             "%r0, %r1 = dtensor.var_mean %a {dims = [1]} : ($A) -> ($0, $1)",
             lambda x: [wide(variance("var", [1], False, 1))(x),
                        wide(lambda v: v.sum(1) / v.shape[1])(x)],
             tolerance=(1e-4, 1e-5) if dtype == "f32" else None)]


def position(function, dim, keepdim):
    def compute(x):
        if x.dtype == torch.bool:
            x = x.to(torch.int8)
        empty = x.shape[dim] == 0 if dim is not None else x.numel() == 0
        if empty:
            shape = [1 if dim in (None, i) else s for i, s in
                     enumerate(x.shape) if keepdim or dim not in (None, i)]
            return torch.full(shape, 2**63 - 1)
        return function(x, dim, keepdim)
    return compute


def first(largest):
    """The first extremum; NaN is one. PyTorch does not say which it takes."""
    def compute(x, dim, keepdim):
        flat = x.reshape(-1) if dim is None else x
        at = 0 if dim is None else dim
        best = flat.amax(at, True) if largest else flat.amin(at, True)
        hit = (flat == best) | (flat != flat)
        places = torch.arange(flat.shape[at]).reshape(
            [-1 if i == at else 1 for i in range(flat.ndim)])
        index = torch.where(hit, places, 2**63 - 1).amin(
            at, keepdim and dim is not None)
        return index.reshape([1] * x.ndim) if dim is None and keepdim else index
    return compute


def arg_cases(dtype, values):
    cases = []
    for dim in (None, 0, 1, 2):
        for keepdim in (False, True):
            dims = [0, 1, 2] if dim is None else [dim]
            attributes = ", ".join(
                ([f"dim = {dim}"] if dim is not None else []) +
                (["keepdim"] if keepdim else []))
            body = "\n".join(
                f"%r{i} = dtensor.{op} %a {{{attributes}}} : ($A) -> ${i}"
                for i, op in enumerate(("argmax", "argmin")))
            t = tensor(left_of(dims, keepdim), "i64")
            cases.append(Case(
                f"arg_{'all' if dim is None else dim}_{dtype}" +
                ("_keep" if keepdim else ""), [(MNK, dtype, values)], [t, t],
                body, lambda x, dim=dim, keepdim=keepdim: [
                    position(first(True), dim, keepdim)(x),
                    position(first(False), dim, keepdim)(x)]))
    return cases


def truth(dtype):
    few = booleans if dtype == "i1" else integers(0, 2)
    rows = [("any %a {dims = [1]}", ["M", "K"], "i1",
             lambda x: x.bool().any(1)),
            ("all %a {dims = [0, 2]}", ["N"], "i1",
             lambda x: x.bool().all(2).all(0)),
            ("count_nonzero %a {dims = [0, 1]}", ["K"], "i64",
             lambda x: torch.count_nonzero(x, (0, 1))),
            ("any %a {dims = [2], keepdim}", ["M", "N", 1], "i1",
             lambda x: x.bool().any(2, True)),
            ("count_nonzero %a {dims = [0, 1, 2]}", [], "i32",
             torch.count_nonzero)]
    body = "\n".join(f"%r{i} = dtensor.{text} : ($A) -> ${i}"
                     for i, (text, *_) in enumerate(rows))
    return Case(f"truth_{dtype}", [(MNK, dtype, few)],
                [(text, tensor(d, t)) for text, d, t, _ in rows], body,
                lambda x: [f(x) for *_, f in rows])


def some_nan(shape, dtype, _):
    return torch.where(torch.rand(shape) < 0.15, float("nan"),
                       torch.randint(-2, 3, shape).float()).to(TORCH[dtype])


def infinite(shape, dtype, _):
    values = torch.tensor([INF, -INF, 1.0, -2.0])
    return values[torch.randint(0, 4, shape)].to(TORCH[dtype])


def infinite_cases():
    return [Case("logsumexp_infinite", [(["M", "N"], "f32", infinite)],
                 tensor(["M"], "f32"),
                 "%r0 = dtensor.logsumexp %a {dims = [1]} : ($A) -> $0",
                 lambda x: torch.logsumexp(x, 1))]


def test_statistics_on_one_axis():
    sweep_1d("statistics", statistics_cases() + infinite_cases(), count=3)


def test_statistics_of_other_types():
    cases = [c for d in ("f64", "bf16", "f16") for c in statistics_cases(d)[::4]]
    sweep_1d("statistics-types", cases, count=1)


def test_positions_on_one_axis():
    few = integers(-2, 3)
    sweep_1d("positions", arg_cases("f32", some_nan) +
             arg_cases("i32", few)[::3] + arg_cases("bf16", some_nan)[::3] +
             arg_cases("i1", booleans)[::5], count=3)


def test_truth_on_one_axis():
    sweep_1d("truth", [truth(d) for d in ("i1", "i32", "f32")], count=3)


def test_all_on_two_axes():
    sweep_2d("statistics", statistics_cases()[::3] +
             arg_cases("f32", some_nan)[::2] + [truth("i1"), truth("f32")],
             count=2)
    sweep_2d("statistics-rest", statistics_cases()[-3:], count=1,
             sizes=SIZES[:3])


harness.main()
