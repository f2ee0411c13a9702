# REQUIRES: python
# RUN: %python %s %obj %t
"""All pairs of pairs of placements on 2x2 and 2x3 ranks, in i64."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
import pairs


def test_every_pair_of_pairs_moves():
    pairs.sweep("pairs-2d-i64", pairs.states(2), ["dp", "tp"],
                [(2, 2), (2, 3)], "i64")


harness.main()
