# REQUIRES: python
# RUN: %python %s %obj %t
"""Less common pointwise ops, truth reductions and selection of rows."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

MN = ["M", "N"]

UNARY = {"exp2": torch.exp2, "tan": torch.tan, "atan": torch.atan,
         "sinh": torch.sinh, "cosh": torch.cosh, "asinh": torch.asinh,
         "erfc": torch.erfc, "trunc": torch.trunc, "frac": torch.frac,
         "deg2rad": torch.deg2rad, "rad2deg": torch.rad2deg,
         "square": torch.square}
INSIDE_ONE = {"asin": torch.asin, "acos": torch.acos, "atanh": torch.atanh}
POSITIVE = {"log2": torch.log2, "log10": torch.log10,
            "acosh": lambda x: torch.acosh(x)}
BINARY = {"fmod": fmod, "floor_divide": torch.floor_divide,
          "fmax": torch.fmax, "fmin": torch.fmin, "copysign": torch.copysign,
          "hypot": torch.hypot, "logaddexp": torch.logaddexp,
          "logaddexp2": torch.logaddexp2, "xlogy": torch.xlogy,
          "heaviside": torch.heaviside}
QUESTIONS = {"isnan": torch.isnan, "isinf": torch.isinf,
             "isfinite": torch.isfinite, "signbit": torch.signbit}


def group(name, table, args, operands, result, **options):
    body = "\n".join(f"%r{i} = dtensor.{op} {operands} -> ${i}"
                     for i, op in enumerate(table))
    return Case(name, args, [(op, result) for op in table], body,
                lambda *v: [f(*v) for f in table.values()], **options)


def special(shape, dtype, _):
    values = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0,
                           -0.0, 1.0, -2.5, 1e30])
    return values[torch.randint(0, 8, shape)].to(TORCH[dtype])


def float_cases(dtype):
    t, i1 = tensor(MN, dtype), tensor(MN, "i1")
    return [
        group(f"unary_{dtype}", UNARY, [(MN, dtype)], "%a : ($A)", t,
              tolerance=(1e-5, 2e-6) if dtype == "f32" else None),
        group(f"inside_{dtype}", INSIDE_ONE, [(MN, dtype, unit)], "%a : ($A)",
              t),
        group(f"above_{dtype}", POSITIVE,
              [(MN, dtype, lambda *a: positive(*a) + 1)], "%a : ($A)", t),
        group(f"binary_{dtype}", BINARY,
              [(MN, dtype), (MN, dtype, positive)], "%a, %b : ($A, $B)", t),
        group(f"questions_{dtype}", QUESTIONS, [(MN, dtype, special)],
              "%a : ($A)", i1),
        Case(f"nan_to_num_{dtype}", [(MN, dtype, special)], [t, t],
             "%r0 = dtensor.nan_to_num %a : ($A) -> $0\n"
             "%r1 = dtensor.nan_to_num %a {nan = 2.0, posinf = 4.0, neginf = "
             "-3.0} : ($A) -> $1",
             lambda x: [torch.nan_to_num(x), torch.nan_to_num(x, 2, 4, -3)]),
    ]


def ternary_cases():
    t = tensor(MN, "f32")
    args = [(MN, "f32"), (MN, "f32"), (["N"], "f32", positive)]
    return [
        group("clamp", {"clamp": lambda x, a, b: torch.minimum(
            torch.maximum(x, a), b)}, args, "%a, %b, %c : ($A, $B, $C)", t),
        group("lerp", {"lerp": torch.lerp}, args, "%a, %b, %c : ($A, $B, $C)",
              t),
        Case("addc", args, [t, t],
             "%r0 = dtensor.addcmul %a, %b, %c {value = 0.5} : ($A, $B, $C) -> "
             "$0\n"
             "%r1 = dtensor.addcdiv %a, %b, %c : ($A, $B, $C) -> $1",
             lambda x, a, b: [torch.addcmul(x, a, b, value=0.5),
                              torch.addcdiv(x, a, b)]),
        Case("masked_fill", [(MN, "f32"), (["M", 1], "i1")], t,
             "%v = arith.constant -7.5 : f32\n"
             "%r0 = dtensor.masked_fill %a, %b, %v : ($A, $B, f32) -> $0",
             lambda x, m: x.masked_fill(m, -7.5)),
    ]


def integer_cases(dtype):
    t = tensor(MN, dtype)
    table = {"bitwise_and": torch.bitwise_and, "bitwise_or": torch.bitwise_or,
             "bitwise_xor": torch.bitwise_xor}
    shifts = {"shift_left": torch.bitwise_left_shift,
              "shift_right": torch.bitwise_right_shift}
    divisions = {"fmod": torch.fmod, "floor_divide": torch.floor_divide}
    cases = [
        group(f"bits_{dtype}", table, [(MN, dtype), (MN, dtype)],
              "%a, %b : ($A, $B)", t),
        group(f"not_{dtype}", {"bitwise_not": torch.bitwise_not},
              [(MN, dtype)], "%a : ($A)", t)]
    if dtype != "i1":
        cases += [
            group(f"shifts_{dtype}", shifts,
                  [(MN, dtype), (MN, dtype, integers(0, 5))],
                  "%a, %b : ($A, $B)", t),
            group(f"divisions_{dtype}", divisions,
                  [(MN, dtype), (MN, dtype, integers(1, 6))],
                  "%a, %b : ($A, $B)", t)]
    return cases


def truth_cases(dtype):
    few = integers(-1, 2) if dtype != "i1" else booleans
    return [Case(f"truth_{dtype}_{dim}", [(MN, dtype, few)],
                 [tensor(rest, "i1"), tensor(rest, "i1"), tensor(rest, "i64")],
                 "\n".join(f"%r{i} = dtensor.{op} %a {{dims = [{dim}]}} : ($A) "
                           f"-> ${i}" for i, op in
                           enumerate(("any", "all", "count_nonzero"))),
                 lambda x, d=dim: [x.ne(0).any(d), x.ne(0).all(d),
                                   x.ne(0).sum(d)])
            for dim, rest in ((0, ["N"]), (1, ["M"]))]


def select_cases():
    def selected(x, index, dim):
        good = (index >= 0) & (index < x.shape[dim])
        if not x.shape[dim]:
            shape = list(x.shape)
            shape[dim] = index.shape[0]
            return torch.zeros(shape, dtype=x.dtype)
        rows = torch.index_select(x, dim, index.clamp(0, x.shape[dim] - 1))
        good = good.reshape([-1] + [1] * (x.ndim - 1 - dim))
        return torch.where(good, rows, torch.zeros((), dtype=x.dtype))
    return [Case(f"select_{dim}_{dtype}",
                 [(["M", "K", 3], dtype), (["N"], "i64", below("K", 2))],
                 tensor(["N" if d == dim else s for d, s in
                         enumerate(["M", "K", 3])], dtype),
                 f"%r0 = dtensor.index_select %a, %b {{dim = {dim}}} : "
                 "($A, $B) -> $0", lambda x, i, d=dim: selected(x, i, d))
            for dim in (0, 1) for dtype in ("f32", "i64")]


def test_floats():
    sweep_1d("special-f32", float_cases("f32") + ternary_cases(), count=3)


def test_doubles():
    sweep_1d("special-f64", float_cases("f64"), count=1)


def test_integers():
    sweep_1d("special-integers", [c for d in ("i64", "i8", "i1")
                                  for c in integer_cases(d)], count=2)


def test_truth_reductions():
    sweep_1d("special-truth", [c for d in ("f32", "i32", "i1")
                               for c in truth_cases(d)], count=3)


def test_selected_rows():
    sweep_1d("special-select", select_cases(), count=4)


def test_two_axes():
    sweep_2d("special", ternary_cases() + truth_cases("f32") + select_cases(),
             count=3)
    sweep_2d("special-rest", float_cases("f32") + integer_cases("i64"), count=1,
             sizes=SIZES[:3])


harness.main()
