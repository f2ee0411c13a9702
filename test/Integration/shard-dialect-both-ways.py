# REQUIRES: python
# RUN: %python %s %obj %t
"""Programs of MLIR's shard dialect: there and back, and run.

Every program of upstream-shard/ is exported, read and printed by mlir-opt, which
knows nothing of this project, and imported again: the same program comes back,
or the export names the op that the dialects of MLIR do not have. A program that
was never ours is imported and compared with NumPy.
"""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "upstream-shard")
OPT = harness.tool("dtensor-opt")

REFUSED = {"e03b": "'dtensor.embedding' op has no form in MLIR's dialects",
           "e04c": "'dtensor.amax' op has no form in MLIR's dialects"}

TWO_LAYERS = """
shard.grid @grid(shape = ?)
func.func @f(%x: tensor<?x7xf32>, %w1: tensor<7x10xf32>,
             %w2: tensor<10x3xf32>) -> tensor<?x3xf32> {
  %columns = shard.sharding @grid split_axes = [[], [0]] : !shard.sharding
  %rows = shard.sharding @grid split_axes = [[0]] : !shard.sharding
  %whole = shard.sharding @grid split_axes = [[]] : !shard.sharding
  %a = shard.shard %w1 to %columns annotate_for_users : tensor<7x10xf32>
  %b = shard.shard %w2 to %rows annotate_for_users : tensor<10x3xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x7xf32>
  %e = tensor.empty(%m) : tensor<?x10xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<?x10xf32>) -> tensor<?x10xf32>
  %0 = linalg.matmul ins(%x, %a : tensor<?x7xf32>, tensor<7x10xf32>)
    outs(%i : tensor<?x10xf32>) -> tensor<?x10xf32>
  %1 = math.tanh %0 : tensor<?x10xf32>
  %e2 = tensor.empty(%m) : tensor<?x3xf32>
  %i2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<?x3xf32>) -> tensor<?x3xf32>
  %2 = linalg.matmul ins(%1, %b : tensor<?x10xf32>, tensor<10x3xf32>)
    outs(%i2 : tensor<?x3xf32>) -> tensor<?x3xf32>
  %3 = shard.shard %2 to %whole annotate_for_users : tensor<?x3xf32>
  return %3 : tensor<?x3xf32>
}
"""


def run(tool, text, *options):
    return harness.command(tool, "-", *options, stdin=text)


def there_and_back(name):
    with open(os.path.join(FOLDER, name + ".mlir")) as file:
        _, before, _ = run(OPT, file.read())
    code, exported, errors = run(OPT, before, "--dtensor-export-shard")
    if name in REFUSED:
        assert code == 1 and REFUSED[name] in errors, errors
        return "refused"
    assert code == 0 and "#dtensor" not in exported, errors + exported
    code, theirs, errors = run("mlir-opt", exported)
    assert code == 0, errors
    _, after, errors = run(OPT, theirs, "--dtensor-import-shard")
    assert after == before, f"{before}\nbecame\n{after}{errors}"
    return "equal"


def test_programs_come_back():
    names = sorted(f[:-5] for f in os.listdir(FOLDER) if f.endswith(".mlir"))
    found = [there_and_back(name) for name in names]
    assert (found.count("equal"), found.count("refused")) == (29, 2), found


def test_a_program_of_others_runs():
    code, imported, errors = run(OPT, TWO_LAYERS, "--dtensor-import-shard")
    assert code == 0, errors
    bundle = harness.compile_text(imported, "two_layers")
    rng, cases = np.random.default_rng(3), harness.Cases()

    def check(mesh, rows):
        x, w1, w2 = (rng.standard_normal(shape, np.float32)
                     for shape in ((rows, 7), (7, 10), (10, 3)))
        (actual,), counts = bundle.run(mesh, x, w1, w2, entry="f")
        expected = np.tanh(x.astype(np.float64) @ w1) @ w2
        harness.assert_close(actual, expected, 1e-5, 2e-5, "result")
        assert sum(counts.values()) <= 1, counts

    for ranks in (1, 2, 3, 4):
        for rows in (0, 1, 5, 8):
            cases.check(f"{rows} rows on {ranks}", check, {"d0": ranks}, rows)
    cases.done()


harness.main()
