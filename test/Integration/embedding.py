# REQUIRES: python
# RUN: %python %s %obj %t
"""One bundle looks rows up for every shape and every mesh."""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

SHAPES = [(2, 512), (3, 511), (8, 1024), (1, 77), (0, 5), (1, 1)]
MESHES = [1, 2, 3, 4, 8]
WORDS, FEATURES = 202048, 256
COLLECTIVES = {"replicated": {}, "by_word": {"all_reduce": 1},
               "by_feature": {"all_gather": 1}}

PATH = harness.example("embedding.mlir")


def text_ids(shape):
    """Token ids made of the bytes of a real text, three to an id."""
    with open(os.path.join(harness.SOURCE, "LICENSE"), "rb") as file:
        text = np.frombuffer(file.read(), np.uint8).astype(np.int64)
    ids = (text[:-2] * 65536 + text[1:-1] * 256 + text[2:]) * 31 % WORDS
    return ids[:np.prod(shape, dtype=int)].reshape(shape)


def table():
    rng = np.random.default_rng(7)
    return rng.standard_normal((WORDS, FEATURES), np.float32)


def check(bundle, entry, size, shape, rows):
    ids = text_ids(shape)
    (result,), counts = bundle.run({"tp": size}, ids, rows, entry=entry)
    harness.assert_bits(result, rows[ids], "rows")
    expected = COLLECTIVES[entry] if size > 1 and ids.size else {}
    if ids.size:
        assert counts == expected, f"ran {counts}, expected {expected}"


def test_one_bundle_serves_every_shape_and_mesh():
    assert np.unique(text_ids((8, 1024)) // (WORDS // 8)).size == 8
    bundle, rows, cases = harness.compile_file(PATH), table(), harness.Cases()
    for entry in COLLECTIVES:
        for size in MESHES:
            for shape in SHAPES:
                cases.check(f"{entry} {shape} on {size}", check, bundle, entry,
                            size, shape, rows)
    cases.done()


def test_two_tables_are_added_before_they_are_reduced():
    """Two masks live at a time, in uneven shards, and one collective."""
    program = """
#mesh = #dtensor.mesh<"tp" = ?>
#words = #dtensor.layout<#mesh, [shard(0)], (V, D)>
#places = #dtensor.layout<#mesh, [shard(0)], (P, D)>
#ids = #dtensor.layout<#mesh, [replicate], (S)>
func.func @f(%words: tensor<?x?xf32> {dtensor.layout = #words},
             %places: tensor<?x?xf32> {dtensor.layout = #places},
             %ids: tensor<?xi64> {dtensor.layout = #ids},
             %at: tensor<?xi64> {dtensor.layout = #ids})
    -> (tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (S, D)>})
    attributes {dtensor.symbols = {V = {hint = 50000}, P = {hint = 4096}}} {
  %0 = dtensor.embedding %ids, %words : (tensor<?xi64>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %1 = dtensor.embedding %at, %places : (tensor<?xi64>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %2 = dtensor.add %0, %1 : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %2 : tensor<?x?xf32>
}
"""
    bundle, rng = harness.compile_text(program, "two"), np.random.default_rng(3)
    for v, p, s in ((13, 22, 8), (5, 3, 7), (1, 2, 4)):
        words, places = (rng.standard_normal((n, 6), np.float32)
                         for n in (v, p))
        ids, at = rng.integers(0, v, s), rng.integers(0, p, s)
        for size in MESHES:
            (result,), counts = bundle.run({"tp": size}, words, places, ids, at)
            harness.assert_close(result, words[ids] + places[at], 1e-6, 1e-6,
                                 f"{v} and {p} rows on {size}")
            assert counts == ({"all_reduce": 1} if size > 1 else {}), counts


def test_the_plan_holds_the_same_collectives():
    text = harness.planned(PATH)
    for entry, expected in COLLECTIVES.items():
        steps = harness.planned_steps(text, entry)
        assert steps == expected, f"{entry} plans {steps}"


def test_rows_keep_every_bit():
    rows = np.full((WORDS, FEATURES), -0.0, np.float32)
    rows[::2] = np.frombuffer(b"\x01\x00\xc0\x7f", np.float32)
    ids = np.array([[0, 1, 2, WORDS - 1, WORDS // 3]], np.int64)
    bundle = harness.compile_file(PATH)
    for entry in ("replicated", "by_feature"):
        for size in MESHES:
            (result,), _ = bundle.run({"tp": size}, ids, rows, entry=entry)
            harness.assert_bits(result, rows[ids], f"{entry} on {size}")
    (result,), _ = bundle.run({"tp": 3}, ids, rows, entry="by_word")
    # A sum may change which NaN it is, not that it is one, and not -0.0.
    same = np.where(np.isnan(rows[ids]), np.isnan(result),
                    result.view(np.int32) == rows[ids].view(np.int32))
    assert same.all()


def test_indices_out_of_range_read_zero():
    rows = table()
    ids = np.array([[-1, WORDS, 5, -2**62, 2**62, WORDS - 1]], np.int64)
    expected = np.where(((ids >= 0) & (ids < WORDS))[..., None],
                        rows[np.clip(ids, 0, WORDS - 1)], np.float32(0))
    bundle = harness.compile_file(PATH)
    for entry in COLLECTIVES:
        for size in MESHES:
            (result,), _ = bundle.run({"tp": size}, ids, rows, entry=entry)
            harness.assert_bits(result, expected, f"{entry} on {size}")


harness.main()
