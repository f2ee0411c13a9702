# REQUIRES: python
# RUN: %python %s %obj %t
"""Views, fills and positions on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *


def view(name, dims, result, body, function, dtype="f32", **options):
    return Case(name, [(dims, dtype)], tensor(result, dtype),
                f"%r0 = dtensor.{body} : ($A) -> $0", function, **options)


def view_cases(dtype="f32"):
    heads = dict(sized=True)
    return [
        view("permute_2", ["M", "N"], ["N", "M"],
             "permute %a {permutation = [1, 0]}", lambda x: x.T, dtype),
        view("permute_3", ["M", "N", "K"], ["K", "M", "N"],
             "permute %a {permutation = [2, 0, 1]}",
             lambda x: x.permute(2, 0, 1), dtype),
        view("unsqueeze", ["M", "N"], ["M", 1, "N", 1],
             "unsqueeze %a {dims = [1, 3]}", lambda x: x[:, None, :, None],
             dtype),
        view("squeeze", ["M", 1, "N", 1], ["M", "N"],
             "squeeze %a {dims = [1, 3]}", lambda x: x[:, 0, :, 0], dtype),
        view("flatten_front", ["M", "N", "K"], ["?", "K"],
             "flatten %a {start = 0, end = 1}", lambda x: x.flatten(0, 1),
             dtype),
        view("flatten_back", ["M", "N", 4], ["M", "?"],
             "flatten %a {start = 1, end = 2}", lambda x: x.flatten(1, 2),
             dtype),
        view("flatten_all", ["M", "N", 4], ["?"],
             "flatten %a {start = 0, end = 2}", lambda x: x.flatten(), dtype),
        view("unflatten_literals", ["M", 24], ["M", 6, 4],
             "unflatten %a {dim = 1, sizes = [6, 4]}",
             lambda x: x.unflatten(1, (6, 4)), dtype),
        Case("unflatten_symbols", [(["M", "N", "K"], dtype)],
             tensor(["M", "N", "K"], dtype),
             f"%0 = dtensor.flatten %a {{start = 0, end = 1}} : ($A) -> "
             f"{tensor(['?', 'K'], dtype)}\n"
             "%r0 = dtensor.unflatten %0 {dim = 0, sizes = "
             "[#dtensor.expr<M>, #dtensor.expr<N>]} : "
             f"({tensor(['?', 'K'], dtype)}) -> $0", lambda x: x),
        view("expand", ["M", 1], ["M", "M", 5],
             "expand %a {sizes = [#dtensor.expr<M>, #dtensor.expr<M>, 5]}",
             lambda x: x.expand(x.shape[0], x.shape[0], 5), dtype),
        view("reshape", [8, 6], [4, 3, 4], "reshape %a",
             lambda x: x.reshape(4, 3, 4), dtype),
        Case("reshape_across", [([6, "N", 4], dtype)], tensor([4, "N", 6], dtype),
             "%0 = dtensor.permute %a {permutation = [1, 0, 2]} : ($A) -> "
             f"{tensor(['N', 6, 4], dtype)}\n"
             f"%1 = dtensor.flatten %0 {{start = 1, end = 2}} : "
             f"({tensor(['N', 6, 4], dtype)}) -> {tensor(['N', 24], dtype)}\n"
             f"%2 = dtensor.unflatten %1 {{dim = 1, sizes = [4, 6]}} : "
             f"({tensor(['N', 24], dtype)}) -> {tensor(['N', 4, 6], dtype)}\n"
             "%r0 = dtensor.permute %2 {permutation = [1, 0, 2]} : "
             f"({tensor(['N', 4, 6], dtype)}) -> $0",
             lambda x: x.permute(1, 0, 2).flatten(1).unflatten(1, (4, 6))
             .permute(1, 0, 2)),
    ]


def made_cases():
    """Tensors that come from no argument."""
    mn = ["M", "N"]
    sizes = "sizes = [#dtensor.expr<M>, #dtensor.expr<N>]"
    cases = [
        Case("full", [(mn, "f32")], tensor(mn, "f32"),
             "%s = arith.constant 2.5 : f32\n"
             f"%0 = dtensor.full %s {{{sizes}}} : (f32) -> $0\n"
             "%r0 = dtensor.add %a, %0 : ($A, $0) -> $0", lambda x: x + 2.5),
        Case("full_alone", [(mn, "f32")], tensor(mn, "i64"),
             "%s = arith.constant -7 : i64\n"
             f"%r0 = dtensor.full %s {{{sizes}}} : (i64) -> $0",
             lambda x: torch.full(x.shape, -7)),
    ]
    for dtype in ("i64", "i32", "f32"):
        cases.append(Case(
            f"iota_{dtype}", [(mn, "f32")], [tensor(mn, dtype)] * 2,
            f"%r0 = dtensor.iota {{dim = 0, {sizes}}} : () -> $0\n"
            f"%r1 = dtensor.iota {{dim = 1, {sizes}}} : () -> $1",
            lambda x: [torch.arange(x.shape[0])[:, None].expand(x.shape),
                       torch.arange(x.shape[1]).expand(x.shape)]))
    cases.append(Case(
        "triangle", [(mn, "f32")], tensor(mn, "f32"),
        f"%0 = dtensor.iota {{dim = 0, {sizes}}} : () -> tensor<?x?xi32>\n"
        f"%1 = dtensor.iota {{dim = 1, {sizes}}} : () -> tensor<?x?xi32>\n"
        '%2 = dtensor.compare %0, %1 {predicate = "ge"} : (tensor<?x?xi32>, '
        "tensor<?x?xi32>) -> tensor<?x?xi1>\n"
        "%z = arith.constant 0.0 : f32\n"
        "%r0 = dtensor.where %2, %a, %z : (tensor<?x?xi1>, $A, f32) -> $0",
        torch.tril))
    values = torch.arange(15, dtype=torch.float32).reshape(5, 3) / 4
    cases.append(Case(
        "constant", [(["M", 5, 3], "f32")], tensor(["M", 5, 3], "f32"),
        f"%0 = dtensor.constant dense<{values.tolist()}> : tensor<5x3xf32> to "
        "tensor<5x3xf32>\n"
        "%r0 = dtensor.add %a, %0 : ($A, tensor<5x3xf32>) -> $0",
        lambda x: x + values))
    return cases


def test_views_on_one_axis():
    sweep_1d("views", view_cases(), count=5)


def test_views_on_two_axes():
    sweep_2d("views", view_cases(), count=4)


def test_views_of_other_types():
    for dtype in ("bf16", "i1", "i64"):
        sweep_1d(f"views-{dtype}", view_cases(dtype)[:8], count=2)


def test_made_on_one_axis():
    sweep_1d("made", made_cases())


def test_made_on_two_axes():
    sweep_2d("made", made_cases())


harness.main()
