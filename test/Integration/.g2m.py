# REQUIRES: python
# RUN: %python %s %obj %t
"""Matrix products on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *


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


def xtest_f32_on_one_axis():
    sweep_1d("matrix-f32", matrix_cases("f32") + program_cases())


def xtest_f32_on_two_axes():
    sweep_2d("matrix-f32", matrix_cases("f32") + program_cases()[:2])


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
