# REQUIRES: python
# RUN: %python %s %obj %t
"""Arithmetic and activations on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

functional = torch.nn.functional
MN = ["M", "N"]
UNARY = {
    "exp2": torch.exp2, "sinh": torch.sinh, "cosh": torch.cosh,
    "asinh": torch.asinh, "atan": torch.atan, "erfc": torch.erfc,
    "trunc": torch.trunc, "frac": torch.frac, "deg2rad": torch.deg2rad,
    "rad2deg": torch.rad2deg, "square": torch.square,
    "nan_to_num": torch.nan_to_num,
}
POSITIVE = {"log2": torch.log2, "log10": torch.log10}
# Between -0.9 and 0.9.
UNIT = {"asin": torch.asin, "acos": torch.acos, "atanh": torch.atanh,
        "tan": torch.tan}
QUESTIONS = {"isnan": torch.isnan, "isinf": torch.isinf,
             "isfinite": torch.isfinite, "signbit": torch.signbit}
ACTIVATIONS = {
    "elu": functional.elu, "selu": functional.selu, "celu": functional.celu,
    "leaky_relu": functional.leaky_relu, "relu6": functional.relu6,
    "hardtanh": functional.hardtanh, "hardsigmoid": functional.hardsigmoid,
    "hardswish": functional.hardswish, "softplus": functional.softplus,
    "mish": functional.mish, "log_sigmoid": functional.logsigmoid,
    "softsign": functional.softsign, "tanhshrink": functional.tanhshrink,
    "hardshrink": functional.hardshrink, "softshrink": functional.softshrink,
}
WITH_NUMBERS = [
    ("elu", "{alpha = 0.5}", lambda x: functional.elu(x, 0.5)),
    ("celu", "{alpha = 0.5}", lambda x: functional.celu(x, 0.5)),
    ("leaky_relu", "{slope = 0.2}", lambda x: functional.leaky_relu(x, 0.2)),
    ("hardtanh", "{low = -0.5, high = 2.0}",
     lambda x: functional.hardtanh(x, -0.5, 2.0)),
    ("softplus", "{beta = 2.0, threshold = 1.0}",
     lambda x: functional.softplus(x, 2.0, 1.0)),
    ("hardshrink", "{lambda = 1.0}", lambda x: functional.hardshrink(x, 1.0)),
    ("softshrink", "{lambda = 1.0}", lambda x: functional.softshrink(x, 1.0)),
    ("threshold", "{threshold = 0.1, value = 20.0}",
     lambda x: functional.threshold(x, 0.1, 20.0)),
    ("logit", "{eps = 0.3}", lambda x: torch.logit(x, 0.3)),
    ("nan_to_num", "{nan = 1.0, posinf = 2.0, neginf = 3.0}",
     lambda x: torch.nan_to_num(x, 1.0, 2.0, 3.0)),
]
BINARY = {
    "fmod": fmod, "floor_divide": torch.floor_divide,
    "fmax": torch.fmax, "fmin": torch.fmin, "copysign": torch.copysign,
    "hypot": torch.hypot, "logaddexp": torch.logaddexp,
    "logaddexp2": torch.logaddexp2, "xlogy": torch.xlogy,
    "heaviside": torch.heaviside,
    "prelu": lambda a, b: torch.where(a > 0, a, a * b),
}


def wide(function):
    """Halves are computed in f32, as PyTorch's own kernels do."""
    def compute(*args):
        dtype = args[0].dtype
        if dtype not in (torch.float16, torch.bfloat16):
            return function(*args)
        result = function(*[a.float() if a.is_floating_point() else a
                            for a in args])
        return result if result.dtype == torch.bool else result.to(dtype)
    return compute


def joined(name, table, args, operands, result, **options):
    """One function that returns the result of every op in the table."""
    rows = [(op, "", f) for op, f in table.items()] \
        if isinstance(table, dict) else table
    body = "\n".join(f"%r{i} = dtensor.{op} {operands.replace(' :', ' ' + a + ' :')}"
                     f" -> ${i}" for i, (op, a, _) in enumerate(rows))
    functions = [wide(f) for _, _, f in rows]
    return Case(name, args, [(op, result) for op, _, _ in rows], body,
                lambda *v: [f(*v) for f in functions], **options)


def float_cases(dtype):
    t = tensor(MN, dtype)
    x, above = (MN, dtype), (MN, dtype, positive)
    # nan_to_num of halves: the largest number of the half itself.
    unary = {k: v for k, v in UNARY.items()
             if k != "nan_to_num" or "16" not in dtype}
    return [
        joined(f"unary_{dtype}", unary, [x], "%a : ($A)", t),
        joined(f"positive_{dtype}", POSITIVE, [above], "%a : ($A)", t),
        joined(f"unit_{dtype}", UNIT, [(MN, dtype, unit)], "%a : ($A)", t),
        Case(f"acosh_{dtype}", [above], t,
             "%0 = dtensor.cosh %a : ($A) -> $0\n"
             "%r0 = dtensor.acosh %0 : ($0) -> $0",
             wide(lambda v: v), tolerance=(2e-2, 2e-2) if "16" in dtype
             else (1e-4, 1e-4)),
        joined(f"activations_{dtype}", ACTIVATIONS, [x], "%a : ($A)", t),
        joined(f"numbers_{dtype}", WITH_NUMBERS, [x], "%a : ($A)", t),
        joined(f"binary_{dtype}", BINARY, [x, above], "%a, %b : ($A, $B)", t),
        Case(f"three_{dtype}", [x, x, above], [t] * 5,
             "%r0 = dtensor.clamp %a, %b, %c : ($A, $B, $C) -> $0\n"
             "%r1 = dtensor.lerp %a, %b, %c : ($A, $B, $C) -> $0\n"
             "%r2 = dtensor.addcmul %a, %b, %c {value = 0.5} : ($A, $B, $C) -> $0\n"
             "%r3 = dtensor.addcdiv %a, %b, %c {value = -2.0} : ($A, $B, $C) -> $0\n"
             "%r4 = dtensor.addcmul %a, %b, %c : ($A, $B, $C) -> $0",
             lambda a, b, c: [wide(f)(a, b, c) for f in (
                 torch.clamp, torch.lerp,
                 lambda *v: torch.addcmul(*v, value=0.5),
                 lambda *v: torch.addcdiv(*v, value=-2.0), torch.addcmul)]),
    ]


def other_cases():
    t = tensor(MN, "f32")
    return [
        Case("masked_fill", [(MN, "f32"), (["M", 1], "i1")], t,
             "%c = arith.constant -7.0 : f32\n"
             "%r0 = dtensor.masked_fill %a, %b, %c : ($A, $B, f32) -> $0",
             lambda x, m: x.masked_fill(m, -7.0)),
        Case("clamp_scalars", [(MN, "i32")], tensor(MN, "i32"),
             "%l = arith.constant -3 : i32\n%h = arith.constant 4 : i32\n"
             "%r0 = dtensor.clamp %a, %l, %h : ($A, i32, i32) -> $0",
             lambda x: x.clamp(-3, 4)),
        Case("prelu_slopes", [(MN, "f32"), (["N"], "f32")], t,
             "%r0 = dtensor.prelu %a, %b : ($A, $B) -> $0",
             lambda x, w: torch.where(x > 0, x, x * w)),
    ]


def special_cases():
    """NaN, infinities, signed zeros, ties."""
    def special(shape, dtype, _):
        values = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0,
                               -0.0, 1.0, -2.5, 0.5, -1.0])
        return values[torch.randint(0, 9, shape)].to(TORCH[dtype])
    t = tensor(MN, "f32")
    x = (MN, "f32", special)
    same = ["exp2", "trunc", "atan", "sinh", "asinh", "erfc", "nan_to_num"]
    return [
        joined("questions", QUESTIONS, [x], "%a : ($A)", tensor(MN, "i1")),
        joined("questions_bf16", QUESTIONS, [(MN, "bf16", special)],
               "%a : ($A)", tensor(MN, "i1")),
        joined("special_unary", {k: UNARY[k] for k in same}, [x], "%a : ($A)",
               t),
        joined("special_activations",
               {k: v for k, v in ACTIVATIONS.items()
                if k not in ("mish", "hardswish", "tanhshrink", "softsign")},
               [x], "%a : ($A)", t),
        joined("special_binary",
               {k: v for k, v in BINARY.items()
                if k not in ("prelu", "logaddexp2")}, [x, x],
               "%a, %b : ($A, $B)", t),
    ]


def integer_cases(dtype):
    t = tensor(MN, dtype)
    table = {"fmod": torch.fmod, "floor_divide": torch.floor_divide,
             "bitwise_and": torch.bitwise_and, "bitwise_or": torch.bitwise_or,
             "bitwise_xor": torch.bitwise_xor, "heaviside": torch.heaviside}
    width = TORCH[dtype].itemsize * 8
    def either(shape, dtype, _):
        sign = torch.randint(0, 2, shape) * 2 - 1
        return (torch.randint(1, 7, shape) * sign).to(TORCH[dtype])
    return [
        joined(f"binary_{dtype}", table, [(MN, dtype), (MN, dtype, either)],
               "%a, %b : ($A, $B)", t),
        joined(f"unary_{dtype}", {"bitwise_not": torch.bitwise_not,
                                  "square": torch.square}, [(MN, dtype)],
               "%a : ($A)", t),
        joined(f"shifts_{dtype}", {"shift_left": torch.bitwise_left_shift,
                                   "shift_right": torch.bitwise_right_shift},
               [(MN, dtype), (MN, dtype, integers(0, width))],
               "%a, %b : ($A, $B)", t),
        Case(f"wild_shifts_{dtype}", [(MN, dtype)], [t, t],
             "%w = arith.constant 100 : " + dtype + "\n"
             f"%r0 = dtensor.shift_left %a, %w : ($A, {dtype}) -> $0\n"
             f"%r1 = dtensor.shift_right %a, %w : ($A, {dtype}) -> $1",
             lambda x: [torch.zeros_like(x), -(x < 0).to(x.dtype)]),
    ]


def test_floats_on_one_axis():
    sweep_1d("math-f32", float_cases("f32") + other_cases(), count=3)


def test_floats_on_two_axes():
    sweep_2d("math-f32", float_cases("f32")[::3] + other_cases(), count=2)
    sweep_2d("math-rest", float_cases("f32") + integer_cases("i64"), count=1,
             sizes=SIZES[:3])


def test_other_floats():
    cases = [c for d in ("f64", "f16", "bf16") for c in float_cases(d)]
    sweep_1d("math-floats", cases, count=1)


def test_special_values():
    sweep_1d("math-special", special_cases(), count=2)


def test_integers():
    cases = [c for d in ("i64", "i32", "i8") for c in integer_cases(d)]
    sweep_1d("math-integers", cases, count=2)


harness.main()
