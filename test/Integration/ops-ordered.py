# REQUIRES: python
# RUN: %python %s %obj %t
"""Scatters, scans, sorting and topk on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

MN, MNK = ["M", "N"], ["M", "N", "K"]


def write(x, index, updates, dim, rows, add):
    """One write after the other."""
    y = x.clone()
    front = x.shape[:dim]
    if rows:
        updates = updates.reshape(front + (index.numel(),) +
                                  x.shape[dim + 1:])
        for k, i in enumerate(index.reshape(-1).tolist()):
            if 0 <= i < x.shape[dim]:
                target = y.select(dim, i)
                value = updates.select(dim, k)
                target.copy_(target + value if add else value)
        return y
    for at in torch.cartesian_prod(*[torch.arange(s) for s in index.shape]) \
            .reshape(-1, x.ndim).tolist():
        i = int(index[tuple(at)])
        if 0 <= i < x.shape[dim]:
            to = tuple(at[:dim] + [i] + at[dim + 1:])
            y[to] = y[to] + updates[tuple(at)] if add else updates[tuple(at)]
    return y


def elements(op, dim, add, dtype="f32", index="i64", attributes=""):
    """x [M, N], updates [M, K] or [K, N]: the other extents are equal."""
    dims = ["K", "N"] if dim == 0 else ["M", "K"]
    def reference(x, i, u):
        wide = x.float() if dtype == "bf16" else x
        return write(wide, i, u.to(wide.dtype), dim, False, add).to(x.dtype)
    return Case(f"{op}_{dim}_{dtype}_{index}" + attributes.strip(", "),
                [(MN, dtype), (dims, index, below(MN[dim], 1)),
                 (dims, dtype)], tensor(MN, dtype),
                f"%r0 = dtensor.{op} %a, %b, %c {{dim = {dim}{attributes}}} : "
                "($A, $B, $C) -> $0", reference)


def rows(op, dim, add, dtype="f32", attributes=""):
    updates = MNK[:dim] + ["B"] + MNK[dim + 1:]
    def reference(x, i, u):
        wide = x.float() if dtype == "bf16" else x
        return write(wide, i, u.to(wide.dtype), dim, True, add).to(x.dtype)
    return Case(f"{op}_rows_{dim}_{dtype}" + ("_add" if add else ""),
                [(MNK, dtype), (["B"], "i64", below(MNK[dim], 1)),
                 (updates, dtype)], tensor(MNK, dtype),
                f"%r0 = dtensor.{op} %a, %b, %c {{dim = {dim}{attributes}}} : "
                "($A, $B, $C) -> $0", reference)


def put(accumulate):
    """Two indices of shape [B, K] into [M, N, 3]."""
    def reference(x, v, i, j):
        y = x.clone()
        for at in torch.cartesian_prod(*[torch.arange(s) for s in i.shape]) \
                .reshape(-1, 2).tolist():
            a, b = int(i[tuple(at)]), int(j[tuple(at)])
            if 0 <= a < x.shape[0] and 0 <= b < x.shape[1]:
                value = v[tuple(at)]
                y[a, b] = y[a, b] + value if accumulate else value
        return y
    return Case("index_put" + ("_accumulate" if accumulate else ""),
                [(MN + [3], "f32"), (["B", "K", 3], "f32"),
                 (["B", "K"], "i64", below("M", 1)),
                 (["B", "K"], "i32", below("N", 1))], tensor(MN + [3], "f32"),
                "%r0 = dtensor.index_put %a, %b, %c, %d" +
                (" {accumulate}" if accumulate else "") +
                " : ($A, $B, $C, $D) -> $0", reference)


def scatter_cases():
    return [
        elements("scatter", 0, False), elements("scatter", 1, False),
        elements("scatter", 1, False, "i64", "i32"),
        elements("scatter", 0, True, attributes=", add"),
        elements("scatter_add", 0, True), elements("scatter_add", 1, True),
        elements("scatter_add", 0, True, "bf16"),
        elements("scatter_add", 1, True, "i32", "i32"),
        rows("scatter", 0, False, attributes=", rows"),
        rows("scatter", 1, False, attributes=", rows"),
        rows("scatter", 2, True, attributes=", rows, add"),
        rows("index_add", 0, True), rows("index_add", 1, True),
        rows("index_add", 2, True, "i64"), put(False), put(True),
        Case("scatter_sum", [(["B"], "i64", below("M", 1)),
                             (["B", "N"], "f32"), (["M"], "f32")],
             tensor(MN, "f32"),
             "%r0 = dtensor.scatter_sum %a, %b {dim = 0, size = "
             "#dtensor.expr<M>, rows} : ($A, $B) -> $0",
             lambda i, u, m: write(u.new_zeros(m.shape[0], u.shape[1]), i, u, 0,
                                   True, True)),
        Case("index_put_rows", [(MN, "f32"), (["B", "N"], "f32"),
                                (["B"], "i64", below("M"))], tensor(MN, "f32"),
             "%r0 = dtensor.index_put %a, %b, %c : ($A, $B, $C) -> $0",
             lambda x, v, i: write(x, i, v, 0, True, False)),
    ]


def scan_cases(dtype):
    def wide(function, dim):
        def compute(x):
            if "16" in dtype:
                return function(x.float(), dim).to(x.dtype)
            return function(x, dim).to(x.dtype)
        return compute
    cases = []
    for dim in range(3):
        cases.append(Case(
            f"cum_{dim}_{dtype}", [(MNK, dtype, integers(-2, 3) if dtype[0] ==
                                    "i" else unit)], [tensor(MNK, dtype)] * 2,
            f"%r0 = dtensor.cumsum %a {{dim = {dim}}} : ($A) -> $0\n"
            f"%r1 = dtensor.cumprod %a {{dim = {dim}}} : ($A) -> $1",
            lambda x, dim=dim: [wide(torch.cumsum, dim)(x),
                                wide(torch.cumprod, dim)(x)]))
    cases.append(Case(
        f"cum_in_one_batch_{dtype}", [([1, "M", "N"], dtype,
                                       integers(-2, 3) if dtype[0] == "i"
                                       else unit)],
        [tensor([1, "M", "N"], dtype)],
        "%r0 = dtensor.cumsum %a {dim = 2} : ($A) -> $0",
        wide(torch.cumsum, 2)))
    return cases


def extremum_scans():
    return [Case("scan_extrema", [(MN, "f32")], [tensor(MN, "f32")] * 2,
                 '%r0 = dtensor.scan %a {dim = 1, kind = "max"} : ($A) -> $0\n'
                 '%r1 = dtensor.scan %a {dim = 1, kind = "min"} : ($A) -> $1',
                 lambda x: [torch.cummax(x, 1)[0], torch.cummin(x, 1)[0]]),
            Case("cumsum_wider", [(MN, "i32")], tensor(MN, "i64"),
                 "%r0 = dtensor.cumsum %a {dim = 0} : ($A) -> $0",
                 lambda x: torch.cumsum(x, 0))]


def ties(shape, dtype, _):
    """Few values, so that some are equal; NaN in floats."""
    values = torch.randint(-2, 3, shape).to(TORCH[dtype])
    if not values.is_floating_point():
        return values
    return torch.where(torch.rand(shape) < 0.2, float("nan"), values).to(
        TORCH[dtype])


def sort_cases(dtype, values=None):
    cases = []
    for dim, down in ((0, False), (1, True), (2, False), (2, True)):
        attributes = f"{{dim = {dim}{', descending' if down else ''}}}"
        cases.append(Case(
            f"sort_{dim}_{dtype}" + ("_down" if down else ""),
            [(MNK, dtype, values or ties)],
            [tensor(MNK, dtype), tensor(MNK, "i64")],
            f"%r0, %r1 = dtensor.sort %a {attributes} : ($A) -> ($0, $1)",
            lambda x, dim=dim, down=down: list(torch.sort(
                x, dim=dim, descending=down, stable=True))))
    return cases


def topk_cases(dtype, ks=(1, 3), values=ties):
    cases = []
    for k in ks:
        for dim, small in ((0, False), (1, True), (2, False)):
            extent = MNK[dim]
            result = [k if i == dim else d for i, d in enumerate(MNK)]
            def reference(x, dim=dim, small=small, k=k):
                v, i = torch.sort(x, dim=dim, descending=not small,
                                  stable=True)
                return [v.narrow(dim, 0, k), i.narrow(dim, 0, k)]
            cases.append(Case(
                f"topk_{k}_{dim}_{dtype}" + ("_small" if small else ""),
                [(MNK, dtype, values)],
                [tensor(result, dtype), tensor(result, "i64")],
                f"%r0, %r1 = dtensor.topk %a {{dim = {dim}, k = {k}"
                f"{', smallest' if small else ''}}} : ($A) -> ($0, $1)",
                reference, when=lambda extent=extent, k=k, **s:
                s[extent] >= k))
    return cases


def test_scatters_on_one_axis():
    sweep_1d("scatters", scatter_cases(), count=5)


def test_scans_on_one_axis():
    sweep_1d("scans", scan_cases("f32") + scan_cases("i64") +
             scan_cases("bf16")[1:2] + extremum_scans(), count=3)


def test_sorts_on_one_axis():
    sweep_1d("sorts", sort_cases("f32") + sort_cases("i64") +
             sort_cases("bf16")[1:2], count=2)


def test_topk_on_one_axis():
    sweep_1d("topk", topk_cases("f32") + topk_cases("i32") +
             topk_cases("bf16", (2,)) + topk_cases("f64", (2,)) +
             topk_cases("i8", (2,)), count=3)


LONG = [dict(M=37, N=1000, K=3, B=40), dict(M=2, N=129, K=64, B=7)]


def test_longer_rows():
    sweep_1d("ordered-long", sort_cases("f32", normal)[1:2] +
             topk_cases("f32", (20,), normal)[1:2] +
             topk_cases("f32", (5,), normal)[1:2] + scan_cases("f64")[1:2] +
             [rows("index_add", 0, True), elements("scatter_add", 0, True)],
             count=3, sizes=LONG)


def test_all_on_two_axes():
    sweep_2d("ordered", scatter_cases()[::2] + scan_cases("f32")[::2] +
             sort_cases("f32")[::2] + topk_cases("f32"), count=3)
    sweep_2d("ordered-rest", extremum_scans(), count=1,
             sizes=SIZES[:3])


harness.main()
