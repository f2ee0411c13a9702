# REQUIRES: python
# RUN: %python %s %obj %t
"""Matrix products on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *


# Pieces of a sum travel in the result's type, so each is rounded once.
SUMS = {"f32": (1e-5, 1e-5), "f16": (2e-3, 2e-2), "bf16": (1.6e-2, 1.2e-1)}


def matrix_cases(dtype):
    def t(*dims):
        return tensor(dims, dtype)

    def wide(function):
        return lambda *v: function(*[x.double() for x in v]).to(v[0].dtype)
    linear = torch.nn.functional.linear
    return [
        Case(f"matmul_{dtype}", [(["M", "K"], dtype), (["K", "N"], dtype)],
             t("M", "N"), "%r0 = dtensor.matmul %a, %b : ($A, $B) -> $0",
             wide(torch.matmul)),
        Case(f"transposed_{dtype}", [(["K", "M"], dtype), (["N", "K"], dtype)],
             t("M", "N"), "%r0 = dtensor.matmul %a, %b {transpose_a, "
             "transpose_b} : ($A, $B) -> $0",
             wide(lambda a, b: a.T @ b.T)),
        Case(f"batched_{dtype}", [(["B", "M", "K"], dtype),
                                  (["B", "K", "N"], dtype)], t("B", "M", "N"),
             "%r0 = dtensor.matmul %a, %b : ($A, $B) -> $0",
             wide(torch.matmul)),
        Case(f"shared_{dtype}", [(["B", "M", "K"], dtype), (["K", "N"], dtype)],
             t("B", "M", "N"), "%r0 = dtensor.matmul %a, %b : ($A, $B) -> $0",
             wide(torch.matmul)),
        Case(f"linear_{dtype}", [(["B", "M", "K"], dtype), (["N", "K"], dtype),
                                 (["N"], dtype)], t("B", "M", "N"),
             "%r0 = dtensor.linear %a, %b, %c : ($A, $B, $C) -> $0",
             wide(linear)),
        Case(f"unbiased_{dtype}", [(["M", "K"], dtype), (["N", "K"], dtype)],
             t("M", "N"), "%r0 = dtensor.linear %a, %b : ($A, $B) -> $0",
             wide(linear)),
    ]


def named_cases(dtype):
    """Contractions by name, and sums with products."""
    def t(*dims):
        return tensor(dims, dtype)

    def case(name, args, result, body, reference):
        letters = "abcd"[:len(args)]
        body = body.format(", ".join("%" + c for c in letters))
        types = ", ".join("$" + c.upper() for c in letters)
        return Case(f"{name}_{dtype}", [(a, dtype) for a in args], t(*result),
                    f"%r0 = dtensor.{body} : ({types}) -> $0",
                    lambda *v: reference(*[x.double() for x in v]),
                    tolerance=SUMS.get(dtype))

    def einsum(name, equation, args):
        return case("einsum_" + name, args,
                    [dict(zip(equation.replace(",", ""), sum(args, [])))[c]
                     for c in equation.split("->")[1]],
                    f'einsum {{}} {{{{equation = "{equation}"}}}}',
                    lambda *v: torch.einsum(equation, *v))
    mk, kn, mn = ["M", "K"], ["K", "N"], ["M", "N"]
    bmk, bkn, bmn = ["B"] + mk, ["B"] + kn, ["B"] + mn
    return [
        case("mv", [mk, ["K"]], ["M"], "mv {}", torch.mv),
        case("dot", [["K"], ["K"]], [], "dot {}", torch.dot),
        case("outer", [["M"], ["N"]], mn, "outer {}", torch.outer),
        case("addmm", [mn, mk, kn], mn, "addmm {}", torch.addmm),
        case("addmm_row", [["N"], mk, kn], mn,
             "addmm {} {{alpha = 0.5, beta = -2.0}}",
             lambda c, a, b: torch.addmm(c, a, b, alpha=0.5, beta=-2)),
        case("addmm_column", [["M", 1], mk, kn], mn, "addmm {}", torch.addmm),
        case("addmm_without", [mn, mk, kn], mn, "addmm {} {{beta = 0.0}}",
             lambda c, a, b: a @ b),
        case("baddbmm", [bmn, bmk, bkn], bmn, "baddbmm {} {{alpha = 3.0}}",
             lambda c, a, b: torch.baddbmm(c, a, b, alpha=3)),
        case("baddbmm_row", [["B", 1, "N"], bmk, bkn], bmn, "baddbmm {}",
             torch.baddbmm),
        einsum("product", "ij,jk->ik", [mk, kn]),
        einsum("batch", "bij,bjk->bki", [bmk, bkn]),
        einsum("sums", "ij->j", [mn]), einsum("all", "ij,ij->", [mn, mn]),
        einsum("transposed", "abc->cab", [bmk]),
        einsum("lonely", "ij,k->k", [mk, ["N"]]),
        einsum("three", "ij,jk,kl->il", [mk, kn, ["N", "B"]]),
        einsum("attention", "bhtd,bhsd->bhts",
               [["B", 2, "M", "K"], ["B", 2, "N", "K"]]),
    ]


def program_cases():
    f = "f32"
    mn = tensor(["M", "N"], f)
    return [
        Case("two_products_added",
             [(["M", "K"], f), (["K", "N"], f), (["M", "K"], f),
              (["K", "N"], f)], mn,
             "%0 = dtensor.matmul %a, %b : ($A, $B) -> $0\n"
             "%1 = dtensor.matmul %c, %d : ($C, $D) -> $0\n"
             "%r0 = dtensor.add %0, %1 : ($0, $0) -> $0",
             lambda a, b, c, d: (a.double() @ b.double() +
                                 c.double() @ d.double())),
        Case("product_of_products",
             [(["M", "K"], f), (["K", "N"], f), (["N", "B"], f)],
             tensor(["M", "B"], f),
             "%0 = dtensor.matmul %a, %b : ($A, $B) -> " + mn + "\n"
             "%1 = dtensor.relu %0 : (" + mn + ") -> " + mn + "\n"
             "%r0 = dtensor.matmul %1, %c : (" + mn + ", $C) -> $0",
             lambda a, b, c: torch.relu(a.double() @ b.double()) @ c.double(),
             tolerance=(1e-5, 1e-5)),
        Case("widened", [(["M", "K"], "bf16"), (["K", "N"], "bf16")], mn,
             "%r0 = dtensor.matmul %a, %b : ($A, $B) -> $0",
             lambda a, b: a.double() @ b.double()),
    ]


def test_f32_on_one_axis():
    sweep_1d("matrix-f32", matrix_cases("f32") + program_cases())


def test_f32_on_two_axes():
    sweep_2d("matrix-f32", matrix_cases("f32") + program_cases()[:2])


def test_named_forms_on_one_axis():
    sweep_1d("named", named_cases("f32"))


def test_named_forms_on_two_axes():
    sweep_2d("named", named_cases("f64"), count=2)


def test_named_forms_of_other_types():
    sweep_1d("named-types", named_cases("bf16")[:8:2] +
             named_cases("f16")[8::3], count=2)


def test_other_types():
    # Pieces of a sum travel in the result's type, so each is rounded once.
    pieces = {"f16": (2e-3, 8e-3), "bf16": (1.6e-2, 6e-2)}
    cases = [c for d in ("f64", "f16", "bf16") for c in matrix_cases(d)]
    for case in cases:
        case.tolerance = pieces.get(case.name.split("_")[-1])
    sweep_1d("matrix-types", cases, count=2)


def test_integer_products():
    cases = [Case(f"matmul_{d}", [(["M", "K"], d), (["K", "N"], d)],
                  tensor(["M", "N"], d),
                  "%r0 = dtensor.matmul %a, %b : ($A, $B) -> $0", torch.matmul)
             for d in ("i64", "i32")]
    sweep_1d("matrix-integers", cases, count=3)


# Sums of 500 products of size 1 are known in f32 to about 500 roundings of 1e-7.
LARGE = [dict(M=130, N=70, K=515, B=3), dict(M=1, N=300, K=257, B=1)]


def test_sizes_beyond_a_cache_block():
    cases = matrix_cases("f32")
    for case in cases:
        case.tolerance = (1e-5, 5e-5)
    sweep_1d("matrix-large", cases, count=2, sizes=LARGE)


harness.main()
