# REQUIRES: python
# RUN: %python %s %obj %t
"""Slices, joins and look-ups on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *


def slice_cases():
    mn = ["M", "N"]
    t = tensor
    return [
        Case("slice_last", [(mn, "f32")], t(["M", 1], "f32"),
             "%r0 = dtensor.slice %a [0, N - 1] [M, 1] [1, 1] : ($A) -> $0",
             lambda x: x[:, -1:], when=lambda N, **_: N >= 1),
        Case("slice_middle", [(mn, "f32")], t(["?", "N"], "f32"),
             "%r0 = dtensor.slice %a [1, 0] [M - 2, N] [1, 1] : ($A) -> $0",
             lambda x: x[1:-1], when=lambda M, **_: M >= 2),
        Case("slice_halves", [([8, "N"], "f32")], [t([4, "N"], "f32")] * 2,
             "%r0 = dtensor.slice %a [0, 0] [4, N] [1, 1] : ($A) -> $0\n"
             "%r1 = dtensor.slice %a [4, 0] [4, N] [1, 1] : ($A) -> $1",
             lambda x: [x[:4], x[4:]]),
        Case("slice_steps", [(["M", 9], "i64")], t(["M", 3], "i64"),
             "%r0 = dtensor.slice %a [0, 1] [M, 3] [1, 3] : ($A) -> $0",
             lambda x: x[:, 1::3]),
        Case("slice_rows", [(mn, "bf16")], t(["?", "N"], "bf16"),
             "%r0 = dtensor.slice %a [0, 0] [M floordiv 2, N] [1, 1] : ($A) -> "
             "$0", lambda x: x[:x.shape[0] // 2]),
    ]


def concat_cases():
    t = tensor
    return [
        Case("concat_rows", [(["M", "N"], "f32"), (["K", "N"], "f32")],
             t(["?", "N"], "f32"),
             "%r0 = dtensor.concat %a, %b {dim = 0} : ($A, $B) -> $0",
             lambda a, b: torch.cat([a, b])),
        Case("concat_columns", [(["M", "N"], "f32"), (["M", 3], "f32"),
                                (["M", "N"], "f32")], t(["M", "?"], "f32"),
             "%r0 = dtensor.concat %a, %b, %c {dim = 1} : ($A, $B, $C) -> $0",
             lambda a, b, c: torch.cat([a, b, c], 1)),
        Case("concat_bools", [(["M", "N"], "i1"), (["M", "N"], "i1")],
             t(["?", "N"], "i1"),
             "%r0 = dtensor.concat %a, %b {dim = 0} : ($A, $B) -> $0",
             lambda a, b: torch.cat([a, b])),
    ]


def looked_up(table, index):
    """Rows of a table; an index outside of it reads zeros."""
    good = (index >= 0) & (index < table.shape[0])
    if not table.shape[0]:
        return torch.zeros(index.shape + table.shape[1:], dtype=table.dtype)
    rows = table[index.long().clamp(0, table.shape[0] - 1)]
    good = good.reshape(good.shape + (1,) * (table.ndim - 1))
    return torch.where(good, rows, torch.zeros((), dtype=table.dtype))


def gathered(x, index, dim):
    if not x.shape[dim]:
        return torch.zeros(index.shape, dtype=x.dtype)
    good = (index >= 0) & (index < x.shape[dim])
    values = torch.gather(x, dim, index.long().clamp(0, x.shape[dim] - 1))
    return torch.where(good, values, torch.zeros((), dtype=x.dtype))


def lookup_cases(margin):
    """With a margin, indices leave the table on both sides."""
    name = "outside" if margin else "inside"
    def full(when):  # without a margin there must be a row to read
        return (lambda **s: True) if margin else when
    cases = []
    for dtype, index in (("f32", "i64"), ("bf16", "i32"), ("i64", "i64"),
                         ("f64", "i32"), ("i1", "i64")):
        cases.append(Case(
            f"embedding_{name}_{dtype}_{index}",
            [(["M", "N"], index, below("K", margin)), (["K", 6], dtype)],
            tensor(["M", "N", 6], dtype),
            "%r0 = dtensor.embedding %a, %b : ($A, $B) -> $0",
            lambda i, t: looked_up(t, i), when=full(lambda K, **_: K)))
    cases += [
        Case(f"embedding_{name}_scalars",
             [(["M"], "i64", below("K", margin)), (["K"], "f32")],
             tensor(["M"], "f32"),
             "%r0 = dtensor.embedding %a, %b : ($A, $B) -> $0",
             lambda i, t: looked_up(t, i), when=full(lambda K, **_: K)),
        Case(f"embedding_{name}_blocks",
             [(["M"], "i64", below("K", margin)), (["K", "N", 2], "f32")],
             tensor(["M", "N", 2], "f32"),
             "%r0 = dtensor.embedding %a, %b : ($A, $B) -> $0",
             lambda i, t: looked_up(t, i), when=full(lambda K, **_: K)),
        Case(f"gather_{name}_columns",
             [(["M", "K"], "f32"), (["M", "N"], "i64", below("K", margin))],
             tensor(["M", "N"], "f32"),
             "%r0 = dtensor.gather %a, %b {dim = 1} : ($A, $B) -> $0",
             lambda x, i: gathered(x, i, 1), when=full(lambda K, **_: K)),
        Case(f"gather_{name}_rows",
             [(["K", "N"], "i32"), (["M", "N"], "i32", below("K", margin))],
             tensor(["M", "N"], "i32"),
             "%r0 = dtensor.gather %a, %b {dim = 0} : ($A, $B) -> $0",
             lambda x, i: gathered(x, i, 0), when=full(lambda K, **_: K)),
    ]
    return cases


def test_slices_and_joins_on_one_axis():
    sweep_1d("movement", slice_cases() + concat_cases(), count=5)


def test_slices_and_joins_on_two_axes():
    sweep_2d("movement", slice_cases() + concat_cases(), count=4)


def test_lookups_on_one_axis():
    sweep_1d("lookups", lookup_cases(0), count=4)


def test_indices_out_of_range_read_zero_on_every_mesh():
    sweep_1d("outside", lookup_cases(4), count=4)


def test_lookups_on_two_axes():
    sweep_2d("lookups", lookup_cases(4), count=4)


harness.main()
