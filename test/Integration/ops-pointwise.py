# REQUIRES: python
# RUN: %python %s %obj %t
"""Pointwise ops on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

UNARY = {
    "neg": torch.neg, "abs": torch.abs, "sign": torch.sign, "relu": torch.relu,
    "exp": torch.exp, "expm1": torch.expm1, "sin": torch.sin, "cos": torch.cos,
    "tanh": torch.tanh, "erf": torch.erf, "sigmoid": torch.sigmoid,
    "silu": torch.nn.functional.silu, "floor": torch.floor, "ceil": torch.ceil,
    "round": torch.round,
}
POSITIVE = {
    "log": torch.log, "log1p": torch.log1p, "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal,
}
BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div,
    "maximum": torch.maximum, "minimum": torch.minimum, "atan2": torch.atan2,
    "remainder": torch.remainder,
}
COMPARE = {"eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le,
           "gt": torch.gt, "ge": torch.ge}
MN = ["M", "N"]


def wide(function):
    """Halves are computed in f32, as PyTorch's own kernels do."""
    def compute(*args):
        dtype = args[0].dtype
        if dtype in (torch.float16, torch.bfloat16):
            return function(*[a.float() for a in args]).to(dtype)
        return function(*args)
    return compute


def joined(name, table, args, operands, result, **options):
    """One function that returns the result of every op in the table."""
    body = "\n".join(f"%r{i} = dtensor.{op} {operands} -> ${i}"
                     for i, op in enumerate(table))
    functions = [wide(f) for f in table.values()]
    return Case(name, args, [(op, result) for op in table], body,
                lambda *v: [f(*v) for f in functions], **options)


def float_cases(dtype):
    t = tensor(MN, dtype)
    gelu = torch.nn.functional.gelu
    return [
        joined(f"unary_{dtype}", UNARY, [(MN, dtype)], "%a : ($A)", t),
        joined(f"positive_{dtype}", POSITIVE, [(MN, dtype, positive)],
               "%a : ($A)", t),
        joined(f"binary_{dtype}", BINARY, [(MN, dtype), (MN, dtype, positive)],
               "%a, %b : ($A, $B)", t),
        Case(f"gelu_{dtype}", [(MN, dtype)], [t, t],
             '%r0 = dtensor.gelu %a : ($A) -> $0\n'
             '%r1 = dtensor.gelu %a {approximate = "tanh"} : ($A) -> $1',
             lambda x: [wide(gelu)(x),
                        wide(lambda v: gelu(v, approximate="tanh"))(x)]),
        Case(f"pow_{dtype}", [(MN, dtype, positive), (MN, dtype)], t,
             "%r0 = dtensor.pow %a, %b : ($A, $B) -> $0", wide(torch.pow)),
    ]


def broadcast_cases():
    t = tensor(MN, "f32")
    return [
        Case("row", [(MN, "f32"), (["N"], "f32")], t,
             "%r0 = dtensor.add %a, %b : ($A, $B) -> $0", torch.add),
        Case("column", [(MN, "f32"), (["M", 1], "f32")], t,
             "%r0 = dtensor.mul %a, %b : ($A, $B) -> $0", torch.mul),
        Case("outer", [(["M", 1], "f32"), ([1, "N"], "f32")], t,
             "%r0 = dtensor.sub %a, %b : ($A, $B) -> $0", torch.sub),
        Case("rank_0", [(MN, "f32"), ([], "f32")], t,
             "%r0 = dtensor.mul %a, %b : ($A, $B) -> $0", torch.mul),
        Case("scalar", [(MN, "f32")], t,
             "%c = arith.constant 2.5 : f32\n"
             "%r0 = dtensor.mul %a, %c : ($A, f32) -> $0", lambda x: x * 2.5),
        Case("chain", [(MN, "f32"), (MN, "f32"), (["N"], "f32")], t,
             "%0 = dtensor.add %a, %b : ($A, $B) -> $0\n"
             "%1 = dtensor.tanh %0 : ($0) -> $0\n"
             "%2 = dtensor.mul %1, %c : ($0, $C) -> $0\n"
             "%r0 = dtensor.sub %2, %a : ($0, $A) -> $0",
             lambda a, b, c: torch.tanh(a + b) * c - a),
    ]


def integer_cases(dtype):
    t = tensor(MN, dtype)
    table = {"add": torch.add, "sub": torch.sub, "mul": torch.mul,
             "maximum": torch.maximum, "minimum": torch.minimum,
             "div": lambda a, b: torch.div(a, b, rounding_mode="trunc"),
             "remainder": torch.remainder}
    unary = {"neg": torch.neg, "abs": torch.abs, "sign": torch.sign,
             "relu": torch.relu}
    nonzero = integers(1, 7)
    return [
        joined(f"binary_{dtype}", table, [(MN, dtype), (MN, dtype, nonzero)],
               "%a, %b : ($A, $B)", t),
        joined(f"unary_{dtype}", unary, [(MN, dtype)], "%a : ($A)", t),
        Case(f"by_zero_{dtype}", [(MN, dtype)], [t, t],
             "%0 = dtensor.sub %a, %a : ($A, $A) -> $0\n"
             "%r0 = dtensor.div %a, %0 : ($A, $0) -> $0\n"
             "%r1 = dtensor.remainder %a, %0 : ($A, $0) -> $1",
             lambda x: [torch.zeros_like(x)] * 2),
        Case(f"pow_{dtype}", [(MN, dtype, integers(-3, 4)),
                              (MN, dtype, integers(0, 5))], t,
             "%r0 = dtensor.pow %a, %b : ($A, $B) -> $0", torch.pow),
    ]


def logic_cases():
    t = tensor(MN, "i1")
    table = {"logical_and": torch.logical_and, "logical_or": torch.logical_or,
             "logical_xor": torch.logical_xor, "maximum": torch.logical_or,
             "minimum": torch.logical_and}
    cases = [joined("logic", table, [(MN, "i1"), (MN, "i1")],
                    "%a, %b : ($A, $B)", t),
             Case("logical_not", [(MN, "i1")], t,
                  "%r0 = dtensor.logical_not %a : ($A) -> $0",
                  torch.logical_not),
             Case("where", [(MN, "i1"), (MN, "f32"), (["N"], "f32")],
                  tensor(MN, "f32"),
                  "%r0 = dtensor.where %a, %b, %c : ($A, $B, $C) -> $0",
                  torch.where)]
    for dtype in ("f32", "i64", "i8"):
        body = "\n".join(
            f'%r{i} = dtensor.compare %a, %b {{predicate = "{p}"}} : ($A, $B) '
            f"-> ${i}" for i, p in enumerate(COMPARE))
        # Few values, so that some are equal.
        few = integers(-2, 3)
        cases.append(Case(f"compare_{dtype}",
                          [(MN, dtype, few), (MN, dtype, few)],
                          [(p, t) for p in COMPARE], body,
                          lambda a, b: [f(a, b) for f in COMPARE.values()]))
    return cases


def cast_cases():
    cases = []
    for source in ("f64", "f32", "f16", "bf16", "i64", "i32", "i8", "i1"):
        targets = [d for d in ("f64", "f32", "f16", "bf16", "i64", "i32", "i8",
                               "i1") if d != source]
        body = "\n".join(f"%r{i} = dtensor.cast %a : ($A) -> ${i}"
                         for i in range(len(targets)))
        cases.append(Case(
            f"cast_{source}", [(MN, source)],
            [(f"to {d}", tensor(MN, d)) for d in targets], body,
            lambda x, targets=targets: [x.to(TORCH[d]) for d in targets]))
    return cases


def special_cases():
    """NaN, infinities, signed zeros."""
    def special(shape, dtype, _):
        values = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0,
                               -0.0, 1.0, -2.5, 1e30])
        return values[torch.randint(0, 8, shape)].to(TORCH[dtype])
    t = tensor(MN, "f32")
    table = {"maximum": torch.maximum, "minimum": torch.minimum,
             "add": torch.add, "mul": torch.mul}
    return [joined("special", table,
                   [(MN, "f32", special), (MN, "f32", special)],
                   "%a, %b : ($A, $B)", t),
            joined("special_unary",
                   {"relu": torch.relu, "abs": torch.abs, "neg": torch.neg,
                    "exp": torch.exp, "tanh": torch.tanh,
                    "sigmoid": torch.sigmoid},
                   [(MN, "f32", special)], "%a : ($A)", t)]


def test_floats_on_one_axis():
    sweep_1d("pointwise-f32", float_cases("f32") + broadcast_cases())


def test_floats_on_two_axes():
    sweep_2d("pointwise-f32", float_cases("f32")[:1] + broadcast_cases())
    sweep_2d("pointwise-rest", float_cases("f32")[1:] + integer_cases("i64") +
             logic_cases() + cast_cases()[:2], count=1,
             sizes=SIZES[:3])


def test_other_floats():
    cases = [c for d in ("f64", "f16", "bf16") for c in float_cases(d)]
    sweep_1d("pointwise-floats", cases, count=1)


def test_integers():
    cases = [c for d in ("i64", "i32", "i8") for c in integer_cases(d)]
    sweep_1d("pointwise-integers", cases, count=2)


def test_logic():
    sweep_1d("pointwise-logic", logic_cases(), count=2)


def test_casts():
    sweep_1d("pointwise-casts", cast_cases(), count=1)


def test_special_values():
    sweep_1d("pointwise-special", special_cases(), count=2)


harness.main()
