# REQUIRES: python
# RUN: %python %s %obj %t
"""Parts, joins and rearrangements on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

functional = torch.nn.functional
MN, MNK = ["M", "N"], ["M", "N", "K"]
some = lambda **s: s["M"] > 0 and s["N"] > 0


def one(name, dims, result, body, function, dtype="f32", **options):
    return Case(f"{name}_{dtype}", [(dims, dtype)], tensor(result, dtype),
                f"%r0 = dtensor.{body} : ($A) -> $0", function, **options)


def part_cases(dtype="f32"):
    t = lambda dims: tensor(dims, dtype)
    return [
        one("select_last", MN, ["M"],
            "select %a {dim = 1, index = #dtensor.expr<N - 1>}",
            lambda x: x[:, -1], dtype, when=lambda N, **_: N > 0),
        one("select_first", MNK, ["N", "K"], "select %a {dim = 0, index = 0}",
            lambda x: x[0], dtype, when=lambda M, **_: M > 0),
        Case(f"split_{dtype}", [(["M", 7], dtype)],
             [t(["M", 3]), t(["M", 0]), t(["M", 4])],
             "%r0, %r1, %r2 = dtensor.split %a {dim = 1, sizes = [3, 0, 4]} : "
             "($A) -> ($0, $1, $2)", lambda x: x.split([3, 0, 4], 1)),
        Case(f"split_symbols_{dtype}", [(MN, dtype)],
             [t(["?", "N"]), t(["?", "N"])],
             "%r0, %r1 = dtensor.split %a {dim = 0, sizes = "
             "[#dtensor.expr<M floordiv 2>, #dtensor.expr<M - M floordiv 2>]} "
             ": ($A) -> ($0, $1)",
             lambda x: x.split([x.shape[0] // 2, x.shape[0] -
                                x.shape[0] // 2])),
        Case(f"chunk_{dtype}", [(["M", 6], dtype)], [t(["M", 2])] * 3,
             "%r0, %r1, %r2 = dtensor.chunk %a {dim = 1} : ($A) -> "
             "($0, $1, $2)", lambda x: x.chunk(3, 1)),
        Case(f"chunk_symbols_{dtype}", [(MN, dtype)], [t(["?", "N"])] * 4,
             "%r0, %r1, %r2, %r3 = dtensor.chunk %a {dim = 0} : ($A) -> "
             "($0, $1, $2, $3)",
             lambda x: [x[-(-x.shape[0] // 4) * i:][:-(-x.shape[0] // 4)]
                        for i in range(4)]),
        Case(f"unbind_{dtype}", [(["M", 3, "N"], dtype)], [t(MN)] * 3,
             "%r0, %r1, %r2 = dtensor.unbind %a {dim = 1} : ($A) -> "
             "($0, $1, $2)", lambda x: x.unbind(1)),
        # Two dimensions of size 1, of which one is dropped.
        one("select_in_one_batch", [1, "M", "N", "K"], [1, "M", "K"],
            "select %a {dim = 2, index = 0}", lambda x: x[:, :, 0], dtype,
            when=lambda N, **_: N > 0),
        Case(f"unbind_in_one_batch_{dtype}", [([1, "M", 3, "N"], dtype)],
             [t([1, "M", "N"])] * 3,
             "%r0, %r1, %r2 = dtensor.unbind %a {dim = 2} : ($A) -> "
             "($0, $1, $2)", lambda x: x.unbind(2)),
    ]


def join_cases(dtype="f32"):
    t = lambda dims: tensor(dims, dtype)
    return [
        Case(f"stack_{dim}_{dtype}", [(MN, dtype)] * 3,
             t(MN[:dim] + [3] + MN[dim:]),
             f"%r0 = dtensor.stack %a, %b, %c {{dim = {dim}}} : ($A, $B, $C) "
             "-> $0", lambda *v, dim=dim: torch.stack(v, dim))
        for dim in range(3)] + [
        Case(f"pad_{dtype}", [(MN, dtype)], t(["M", "?"]),
             f"%v = arith.constant 3.0 : {dtype}\n"
             "%r0 = dtensor.pad %a, %v {low = [0, 2], high = [0, "
             f"#dtensor.expr<M>]}} : ($A, {dtype}) -> $0",
             lambda x: functional.pad(x, (2, x.shape[0]), value=3.0)),
        Case(f"pad_all_{dtype}", [(MN, dtype)], t(["?", "?"]),
             f"%v = arith.constant -1.0 : {dtype}\n"
             "%r0 = dtensor.pad %a, %v {low = [1, 0], high = [2, 3]} : "
             f"($A, {dtype}) -> $0",
             lambda x: functional.pad(x, (0, 3, 1, 2), value=-1.0)),
        one("repeat", MN, [3, "?", "?"], "repeat %a {repeats = [3, 2, 3]}",
            lambda x: x.repeat(3, 2, 3), dtype),
        one("repeat_once", MN, MN, "repeat %a {repeats = [1, 1]}",
            lambda x: x, dtype),
        one("repeat_symbol", MN, ["M", "?"],
            "repeat %a {repeats = [1, #dtensor.expr<M>]}",
            lambda x: x.repeat(1, x.shape[0]), dtype),
        one("interleave", MN, ["?", "N"],
            "repeat_interleave %a {dim = 0, repeats = 3}",
            lambda x: x.repeat_interleave(3, 0), dtype),
    ]


def order_cases(dtype="f32"):
    return [
        one("flip_0", MN, MN, "flip %a {dims = [0]}", lambda x: x.flip(0),
            dtype),
        one("flip_2", MNK, MNK, "flip %a {dims = [0, 2]}",
            lambda x: x.flip(0, 2), dtype),
        one("flip_none", MN, MN, "flip %a {dims = []}", lambda x: x, dtype),
        one("roll", MN, MN, "roll %a {dims = [1], shifts = [2]}",
            lambda x: x.roll(2, 1), dtype),
        one("roll_back", MN, MN, "roll %a {dims = [1, 0], shifts = [-9, "
            "#dtensor.expr<N>]}",
            lambda x: x.roll((-9, x.shape[1]), (1, 0)) if x.numel() else x,
            dtype),
    ] + [
        one(f"{op}_{'m' if d < 0 else 'p'}{abs(d)}", dims, dims,
            f"{op} %a {{diagonal = {d} : i64}}",
            lambda x, op=op, d=d: getattr(torch, op)(x, d), dtype)
        for op in ("tril", "triu") for d in (-2, 0, 1)
        for dims in ([MN] if d else [["K", "M", "N"]])] + [
        one(f"diagonal_{len(dims)}_{'m' if d < 0 else 'p'}{abs(d)}", dims, dims[1:-1] +
            ["?"], f"diagonal %a {{dim1 = 0, dim2 = {len(dims) - 1}, offset = "
            f"{d} : i64}}",
            lambda x, d=d: torch.diagonal(x, d, 0, x.ndim - 1), dtype)
        for d in (-2, 0, 1) for dims in (MN, MNK)]


def other_cases():
    return [
        Case("one_hot", [(["M", "K"], "i64", below("N", 2)), (["N"], "f32")],
             tensor(["M", "K", "N"], "i64"),
             "%r0 = dtensor.one_hot %a {classes = #dtensor.expr<N>} : ($A) -> "
             "$0", lambda x, n: (
                 x[..., None] == torch.arange(n.shape[0])).long()),
        Case("one_hot_i32", [(["M"], "i32", below(9))],
             tensor(["M", 9], "f32"),
             "%r0 = dtensor.one_hot %a {classes = 9} : ($A) -> $0",
             lambda x: functional.one_hot(x.long(), 9).float()),
        Case("glu", [(["M", 6], "f32")], tensor(["M", 3], "f32"),
             "%r0 = dtensor.glu %a {dim = 1} : ($A) -> $0",
             lambda x: functional.glu(x, 1)),
        Case("glu_bf16", [([8, "N"], "bf16")], tensor([4, "N"], "bf16"),
             "%r0 = dtensor.glu %a {dim = 0} : ($A) -> $0",
             lambda x: functional.glu(x.float(), 0).bfloat16()),
    ]


def select_cases():
    def picked(x, i, dim):
        if not x.shape[dim]:
            shape = x.shape[:dim] + i.shape + x.shape[dim + 1:]
            return torch.zeros(shape, dtype=x.dtype)
        good = (i >= 0) & (i < x.shape[dim])
        rows = x.index_select(dim, i.long().clamp(0, x.shape[dim] - 1)
                              .reshape(-1))
        rows = rows.reshape(x.shape[:dim] + i.shape + x.shape[dim + 1:])
        good = good.reshape(i.shape + (1,) * (x.ndim - dim - 1))
        return torch.where(good, rows, torch.zeros((), dtype=x.dtype))
    cases = []
    for dim, result in ((0, ["B", "N", "K"]), (1, ["M", "B", "K"]),
                        (2, ["M", "N", "B"])):
        cases.append(Case(
            f"index_select_{dim}",
            [(MNK, "f32"), (["B"], "i64", below(MNK[dim], 1))],
            tensor(result, "f32"),
            f"%r0 = dtensor.index_select %a, %b {{dim = {dim}}} : ($A, $B) -> "
            "$0", lambda x, i, dim=dim: picked(x, i, dim)))
    cases.append(Case(
        "index_select_blocks",
        [(MNK, "i64"), (["B", 3], "i32", below("N", 1))],
        tensor(["M", "B", 3, "K"], "i64"),
        "%r0 = dtensor.index_select %a, %b {dim = 1} : ($A, $B) -> $0",
        lambda x, i: picked(x, i, 1)))
    cases.append(Case(
        "index_select_one", [(MNK, "f32"), ([], "i64", below("N", 0))],
        tensor(["M", "K"], "f32"),
        "%r0 = dtensor.index_select %a, %b {dim = 1} : ($A, $B) -> $0",
        lambda x, i: picked(x, i, 1)))
    return cases


def test_parts_and_joins_on_one_axis():
    sweep_1d("parts", part_cases() + join_cases(), count=4)


def test_rearrangements_on_one_axis():
    sweep_1d("order", order_cases() + other_cases(), count=3)


def test_index_select_on_one_axis():
    sweep_1d("index-select", select_cases(), count=5)


def test_all_on_two_axes():
    sweep_2d("shaping", part_cases()[::2] + join_cases()[::2] +
             order_cases()[::2] + other_cases()[::2] + select_cases()[::2],
             count=3)


def test_other_types():
    cases = [c for d in ("f64", "bf16") for c in
             part_cases(d)[::2] + join_cases(d)[::2]]
    cases += [c for d in ("i64", "i1") for c in
              part_cases(d)[::3] + order_cases(d)[::3]]
    sweep_1d("shaping-types", cases, count=1)


harness.main()
