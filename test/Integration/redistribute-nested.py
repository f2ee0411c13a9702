# REQUIRES: python
# RUN: %python %s %obj %t
"""Nesting orders, units, three axes, and pairs that must not compile."""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
import pairs
from oracle import Layout

AXES = ["dp", "tp"]
MESHES = [(2, 2), (2, 3), (3, 2), (1, 3), (4, 1)]


def test_nested_shards_move_in_either_order():
    layouts = [Layout(["S0", "S0"]), Layout(["S0", "S0"], order=[1, 0]),
               Layout(["R", "S0"]), Layout(["S0", "R"]), Layout(["R", "R"]),
               Layout(["S1", "S0"]), Layout(["S1", "S1"]),
               Layout(["S1", "S1"], order=[1, 0]), Layout(["P(sum)", "S0"])]
    pairs.sweep("pairs-nested", layouts, AXES, MESHES, "f32",
                shapes=pairs.SHAPES + [(24, 2), (13, 7)])


def test_shards_move_between_units():
    layouts = [Layout(["R"]), Layout(["S0"]), Layout([("S", 0, 2)]),
               Layout([("S", 0, 3)]), Layout(["S1"]), Layout([("S", 1, 2)]),
               Layout(["P(sum)"])]
    pairs.sweep("pairs-units", layouts, ["tp"], [(1,), (2,), (3,), (4,)],
                "f32", shapes=pairs.SHAPES + [(12, 6), (17, 4)])


def test_units_may_be_symbols():
    layouts = [Layout(["R", "S0"]), Layout(["S1", "S0"]),
               Layout(["S1", ("S", 0, 3)]), Layout(["R", ("S", 0, 3)]),
               Layout([("S", 0, 3), ("S", 0, 3)])]
    pairs.sweep("pairs-symbolic-units", layouts, AXES, MESHES, "f32",
                shapes=[(10, 5), (12, 4), (3, 1), (0, 4)],
                arguments=', %u: index {dtensor.symbol = "U"}',
                units={3: "U"}, scalars=(np.array(3, np.int64),))


def test_three_axes_move():
    layouts = [Layout(p) for p in (
        ["R", "R", "R"], ["S0", "S0", "S0"], ["S0", "S1", "R"],
        ["P(sum)", "S0", "S1"], ["S1", "R", "S0"], ["P(sum)", "P(sum)", "R"],
        ["P(max)", "S0", "S0"])] + [Layout(["S0", "S0", "S0"], [2, 0, 1])]
    pairs.sweep("pairs-3d", layouts, ["pp", "dp", "tp"],
                [(2, 2, 2), (2, 1, 3)], "f32",
                shapes=[(10, 5), (3, 5), (0, 4)])


def test_forbidden_pairs_of_pairs_are_errors():
    pairs.expect_errors(pairs.forbidden_module(AXES), "forbidden-2d")


def test_mixed_pending_reductions_are_errors():
    chunks = pairs.mixed_module(AXES)
    assert len(chunks) == 2
    pairs.expect_errors(chunks, "mixed-2d")


harness.main()
