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
func.func @f(%x: tensor<{M}xf64> {{dtensor.layout =
      #dtensor.layout<#mesh, [replicate], ({S})>}}) -> tensor<{M}xf64> {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %y = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x)
      -> (tensor<{M}xf64>) {{
    %s = dtensor.add %a, %x : (tensor<{M}xf64>, tensor<{M}xf64>)
      -> tensor<{M}xf64>
    %b = dtensor.sin %s : (tensor<{M}xf64>) -> tensor<{M}xf64>
    scf.yield %b : tensor<{M}xf64>
  }}
  %z = dtensor.sin %x : (tensor<{M}xf64>) -> tensor<{M}xf64>
  %m = dtensor.minimum %z, %y : (tensor<{M}xf64>, tensor<{M}xf64>)
    -> tensor<{M}xf64>
  return %m : tensor<{M}xf64>
}}
"""
RANKS = 4
REPEATS = 40


def sweep(extent, symbol, sizes):
    text = PROGRAM.format(M=extent, S=symbol)
    bundle = harness.compile_text(text, f"replicas_{symbol}")
    executable = bundle.executable({"tp": RANKS})
    rng = np.random.default_rng(0)
    cases = harness.Cases()
    for size in sizes:
        for _ in range(REPEATS):
            x = rng.standard_normal(size)
            results = executable.bind(x).run_local([[x]] * RANKS)
            for rank in range(1, RANKS):
                cases.check(f"size {size}, rank {rank}", harness.assert_bits,
                            results[rank][0], results[0][0], "replica")
    cases.done()


def test_replicas_of_any_size_have_equal_bits():
    sweep("?", "M", range(4, 13))


def test_replicas_of_a_known_size_have_equal_bits():
    sweep("7", "7", [7])


harness.main()
