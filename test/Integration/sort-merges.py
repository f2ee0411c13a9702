# REQUIRES: python
# RUN: %python %s %obj %t
"""A vector is sorted where its shards are: as PyTorch sorts it, stable, on even,
uneven and empty shards and on any number of ranks, without a gather."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import TORCH

SIZES = [0, 1, 2, 3, 5, 8, 13, 16, 31, 64]
RANKS = range(1, 9)
ROUNDS = {1: 0, 2: 1, 3: 3, 4: 3, 5: 6, 6: 6, 7: 6, 8: 6}


def program(name, mesh, placements, extents, dtype="f32", index="i64",
            attributes="merges", dim=0):
    shape = "".join("?x" if not e.strip().isdigit() else e.strip() + "x"
                    for e in extents.split(","))
    x, i = f"tensor<{shape}{dtype}>", f"tensor<{shape}{index}>"
    layout = (f"{{dtensor.layout = #dtensor.layout<#mesh, [{placements}], "
              f"({extents})>}}")
    return harness.compile_text(
        f"#mesh = #dtensor.mesh<{mesh}>\n"
        f"func.func @{name}(%x: {x} {layout}) -> ({x} {layout}, {i} {layout}) "
        f"{{\n  %y, %i = dtensor.sort %x {{dim = {dim}, {attributes}}} : ({x}) "
        f"-> ({x}, {i})\n  return %y, %i : {x}, {i}\n}}\n", name)


def draw(shape, dtype):
    """Many are equal; among floats both zeros, infinities and NaN."""
    x = torch.randint(-4, 5, shape)
    if not TORCH[dtype].is_floating_point:
        return x.to(TORCH[dtype])
    x = x.to(TORCH[dtype]) / 2
    some = torch.rand(shape)
    x[some < 0.1] = float("nan")
    x[(some > 0.1) & (some < 0.2)] = -0.0
    x[some > 0.9] = float("inf")
    x[(some > 0.8) & (some < 0.9)] = -float("inf")
    return x


def check(bundle, mesh, x, descending, rounds, dim=0):
    (values, indices), found = bundle.run(mesh, x)
    wanted = torch.sort(x, dim=dim, descending=descending, stable=True)
    harness.assert_bits(values, wanted.values, "values")
    harness.assert_bits(indices, wanted.indices, "indices")
    moved = {"collective_permute": 2 * rounds} if rounds else {}
    assert found == moved, found


def test_vectors_on_one_axis():
    cases = harness.Cases()
    for attributes in ("merges", "merges, descending"):
        bundle = program("vector", '"tp" = ?', "shard(0)", "N",
                         attributes=attributes)
        for ranks in RANKS:
            for size in SIZES:
                torch.manual_seed(size)
                cases.check(f"{attributes} {size} on {ranks}", check, bundle,
                            {"tp": ranks}, draw((size,), "f32"),
                            "descending" in attributes, ROUNDS[ranks])
    cases.done()


def test_other_types():
    cases = harness.Cases()
    for dtype in ("f64", "i64", "i32", "i8"):
        bundle = program(f"vector_{dtype}", '"tp" = ?', "shard(0)", "N", dtype)
        for ranks in (2, 3, 4):
            for size in (0, 3, 14):
                torch.manual_seed(size)
                cases.check(f"{dtype} {size} on {ranks}", check, bundle,
                            {"tp": ranks}, draw((size,), dtype), False,
                            ROUNDS[ranks])
    cases.done()


def test_every_order_of_zeros_and_ones():
    """A network that sorts these sorts everything (Knuth)."""
    bundle = program("bits", '"tp" = ?', "shard(0)", "N")
    cases = harness.Cases()
    for ranks in (3, 4, 5, 7):
        for bits in range(2 ** ranks):
            x = torch.tensor([float(bits >> i & 1) for i in range(ranks)])
            cases.check(f"{bits:b} on {ranks}", check, bundle, {"tp": ranks}, x,
                        False, ROUNDS[ranks])
    cases.done()


def test_a_static_vector():
    bundle = program("static", '"tp" = ?', "shard(0)", "29")
    cases = harness.Cases()
    for ranks in (1, 2, 3, 4):
        cases.check(f"{ranks}", check, bundle, {"tp": ranks},
                    draw((29,), "f32"), False, ROUNDS[ranks])
    cases.done()


def test_a_unit_is_not_cut():
    bundle = program("unit", '"tp" = ?', "shard(0, unit = 4)", "N")
    cases = harness.Cases()
    for ranks in (2, 3, 4):
        for size in SIZES:
            cases.check(f"{size} on {ranks}", check, bundle, {"tp": ranks},
                        draw((size,), "f32"), False, ROUNDS[ranks])
    cases.done()


def test_the_other_axis_has_copies():
    bundle = program("copies", '"dp" = ?, "tp" = ?', "replicate, shard(0)", "N")
    cases = harness.Cases()
    for size in SIZES:
        cases.check(f"{size}", check, bundle, {"dp": 2, "tp": 2},
                    draw((size,), "f32"), False, 1)
    cases.done()


def test_rows_are_sorted_beside_each_other():
    bundle = program("rows", '"dp" = ?, "tp" = ?', "shard(0), shard(1)",
                     "M, N", dim=1)
    cases = harness.Cases()
    for mesh in ({"dp": 2, "tp": 2}, {"dp": 1, "tp": 3}, {"dp": 3, "tp": 2}):
        for shape in ((2, 2), (3, 7), (1, 5), (4, 0), (0, 3)):
            cases.check(f"{shape} on {mesh}", check, bundle, mesh,
                        draw(shape, "f32"), False, ROUNDS[mesh["tp"]], 1)
    cases.done()


harness.main()
