# REQUIRES: python
# RUN: %python %s %obj %t
"""Ranks that compute the same value get the same bits.

The vector and the scalar form of sin differ by a rounding, and buffers of ranks
lie at different distances: equal bits on all ranks mean that sizes alone choose
the form, never addresses.
"""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

PROGRAM = """
#mesh = #dtensor.mesh<"tp" = ?>
func.func @f(%x: tensor<?xf64> {dtensor.layout =
      #dtensor.layout<#mesh, [replicate], (M)>}) -> tensor<?xf64> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %y = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x)
      -> (tensor<?xf64>) {
    %s = dtensor.add %a, %x : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
    %b = dtensor.sin %s : (tensor<?xf64>) -> tensor<?xf64>
    scf.yield %b : tensor<?xf64>
  }
  %z = dtensor.sin %x : (tensor<?xf64>) -> tensor<?xf64>
  %m = dtensor.minimum %z, %y : (tensor<?xf64>, tensor<?xf64>)
    -> tensor<?xf64>
  return %m : tensor<?xf64>
}
"""
RANKS = 4
ROUNDS = 200


# Sizes alternate, so that buffers lie at other distances in every round.
def test_replicas_have_equal_bits():
    executable = harness.compile_text(PROGRAM, "replicas").executable(
        {"tp": RANKS})
    rng = np.random.default_rng(0)
    cases = harness.Cases()
    for i in range(ROUNDS):
        x = rng.standard_normal(4 + i % 9)
        results = executable.bind(x).run_local([[x]] * RANKS)
        for rank in range(1, RANKS):
            cases.check(f"size {x.size}, rank {rank}", harness.assert_bits,
                        results[rank][0], results[0][0], "replica")
    cases.done()


harness.main()
