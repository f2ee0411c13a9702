# REQUIRES: python
# RUN: %python %s %obj %t
"""All pairs of placements on meshes of 1 to 4 ranks."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
import oracle
import pairs

MESHES = [(1,), (2,), (3,), (4,)]


def test_every_pair_moves_f32():
    pairs.sweep("pairs-1d-f32", pairs.states(1), ["tp"], MESHES, "f32")


def test_every_pair_moves_i64():
    pairs.sweep("pairs-1d-i64", pairs.states(1), ["tp"], MESHES, "i64")


def test_other_reductions_move():
    layouts = [oracle.Layout([p]) for p in
               ("R", "S0", "S1", "P(min)", "P(product)", "P(avg)")]
    pairs.sweep("pairs-1d-kinds", layouts, ["tp"], MESHES, "f64")


def test_forbidden_pairs_are_errors():
    chunks = pairs.forbidden_module(["tp"])
    assert len(chunks) == 6
    pairs.expect_errors(chunks, "forbidden-1d")


harness.main()
