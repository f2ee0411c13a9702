# REQUIRES: python
# RUN: %python %s %obj %t
"""What every rank holds of one tensor."""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness


def tensor(rows):
    return np.arange(3 * rows, dtype=np.float32).reshape(rows, 3)


def pieces(bundle, entry, mesh, x, ranks):
    launch = bundle.executable(mesh, entry).bind(x)
    return [r[0] for r in launch.run_local([[x]] * ranks)], launch


def test_shard_gives_every_device_its_three_rows():
    bundle = harness.compile_file(harness.example("distribute.mlir"))
    for n in range(1, 9):
        x = tensor(3 * n)
        held, launch = pieces(bundle, "shard", {"world": n}, x, n)
        assert launch.symbols == {"N": 3 * n}
        for rank in range(n):
            harness.assert_bits(held[rank], x[3 * rank:3 * rank + 3],
                                f"rank {rank} of {n}")
            assert launch.box(rank, 1) == ((3, 3), (3 * rank, 0))
        assert launch.collectives() == {}


def test_shards_may_be_uneven_or_empty():
    bundle = harness.compile_file(harness.example("distribute.mlir"))
    for rows, n, sizes in ((5, 4, [2, 2, 1, 0]), (1, 4, [1, 0, 0, 0]),
                           (10, 4, [3, 3, 3, 1]), (0, 3, [0, 0, 0]),
                           (6, 4, [2, 2, 2, 0])):
        x = tensor(rows)
        held, _ = pieces(bundle, "shard", {"world": n}, x, n)
        assert [len(h) for h in held] == sizes
        harness.assert_bits(np.concatenate(held), x, f"{rows} rows on {n}")


def test_replicate_gives_every_device_everything():
    bundle = harness.compile_file(harness.example("distribute.mlir"))
    for n in range(1, 9):
        x = tensor(3 * n)
        held, launch = pieces(bundle, "replicate", {"world": n}, x, n)
        for rank in range(n):
            harness.assert_bits(held[rank], x, f"rank {rank} of {n}")
        assert launch.collectives() == {}


def test_collect_is_one_all_gather():
    bundle = harness.compile_file(harness.example("distribute.mlir"))
    for n in range(1, 9):
        for rows in (3 * n, 3 * n - 1, 1):
            (y,), counts = bundle.run({"world": n}, tensor(rows),
                                      entry="collect")
            harness.assert_bits(y, tensor(rows), f"{rows} rows on {n}")
            assert counts == ({"all_gather": 1} if n > 1 else {}), counts


def test_hybrid_shard_repeats_on_every_host():
    bundle = harness.compile_file(harness.example("distribute_2d.mlir"))
    for n in (2, 4, 6, 8):
        x, mesh = tensor(3 * n), {"host": 2, "device": n // 2}
        held, launch = pieces(bundle, "hybrid_shard", mesh, x, n)
        for rank in range(n):
            device = rank % (n // 2)
            harness.assert_bits(held[rank], x[6 * device:6 * device + 6],
                                f"rank {rank} of {n}")
        assert launch.collectives() == {}


harness.main()
