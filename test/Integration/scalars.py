# REQUIRES: python
# RUN: %python %s %obj %t
"""Scalars and tensors of `index` cross the interface of a bundle."""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

PROGRAM = """
#mesh = #dtensor.mesh<"x" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, 4)>
#fixed = #dtensor.layout<#mesh, [shard(0)], (6, 4)>
#cut = #dtensor.layout<#mesh, [shard(0)], (N)>
#whole = #dtensor.layout<#mesh, [replicate], (N)>
#four = #dtensor.layout<#mesh, [shard(0)], (4)>

func.func @size(%x: tensor<?x4xf32> {dtensor.layout = #rows}) -> index {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  return %n : index
}
func.func @static_size(%x: tensor<6x4xf32> {dtensor.layout = #fixed})
    -> index {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<6x4xf32>
  return %n : index
}
func.func @kinds(%x: tensor<6x4xf32> {dtensor.layout = #fixed}, %m: index,
                 %f: f32)
    -> (tensor<6x4xf32>, index, i1, i32, f32) {
  %c5 = arith.constant 5 : index
  %n = arith.addi %m, %m : index
  %b = arith.cmpi sgt, %m, %c5 : index
  %i = arith.index_cast %n : index to i32
  %g = arith.mulf %f, %f : f32
  return %x, %n, %b, %i, %g : tensor<6x4xf32>, index, i1, i32, f32
}
func.func @indices(%i: tensor<?xindex> {dtensor.layout = #cut})
    -> (tensor<?xindex> {dtensor.layout = #whole}) {
  return %i : tensor<?xindex>
}
func.func @static_indices(%i: tensor<4xindex> {dtensor.layout = #four})
    -> tensor<4xindex> {
  return %i : tensor<4xindex>
}
"""
MESHES = (1, 2, 3, 4)
ON_THREE = [f"--backend={harness.BACKEND}",
            f"--mesh=x={harness.at_most(3)}"]


def bundle():
    return harness.compile_text(PROGRAM, "scalars")


def same_on_all_ranks(executable, *args):
    """Results of run_local, each the same on every rank."""
    launch = executable.bind(*args)
    ranks = range(executable.num_ranks)
    pieces = []
    for rank in ranks:
        piece = []
        for i, value in enumerate(args):
            extents, offsets = launch.box(rank, i)
            piece.append(np.array(value[tuple(
                slice(o, o + e) for o, e in zip(offsets, extents))]))
        pieces.append(piece)
    results = launch.run_local(pieces)
    for rank in ranks:
        for first, value in zip(results[0], results[rank]):
            if np.ndim(first) == 0:
                harness.assert_bits(value, first, f"rank {rank}")
    return results[0]


def test_a_size_is_the_same_on_all_ranks():
    program = bundle()
    for size in MESHES:
        for b in (0, 1, 5, 8):
            x = np.zeros((b, 4), np.float32)
            (n,), _ = program.run({"x": size}, x, entry="size")
            harness.assert_bits(n, np.array(b, np.int64), f"{b} on {size}")
            executable = program.executable({"x": size}, "size")
            (n,) = same_on_all_ranks(executable, x)
            harness.assert_bits(n, np.array(b, np.int64), f"{b} on {size}")
        (n,), _ = program.run({"x": size}, np.zeros((6, 4), np.float32),
                              entry="static_size")
        harness.assert_bits(n, np.array(6, np.int64), f"static on {size}")


def test_scalars_of_every_kind_are_results():
    program = bundle()
    x = np.arange(24, dtype=np.float32).reshape(6, 4)
    for size in MESHES:
        for m in (5, 9):
            args = x, np.array(m, np.int64), np.array(1.5, np.float32)
            expected = (x, np.int64(2 * m), np.bool_(m > 5), np.int32(2 * m),
                        np.float32(2.25))
            actual, _ = program.run({"x": size}, *args, entry="kinds")
            for a, e in zip(actual, expected):
                harness.assert_bits(a, e, f"{m} on {size}")
            same_on_all_ranks(program.executable({"x": size}, "kinds"), *args)


def test_a_scalar_is_printed_or_saved():
    run = [harness.tool("dtensor-run"), bundle().path, *ON_THREE, "--random",
           "--dim=B=7", "--entry=size"]
    code, out, errors = harness.command(*run)
    assert code == 0, errors
    assert out == "out0: i64 scalar = 7\n", out
    target = harness.temp("size.npy")
    code, _, errors = harness.command(*run, "--output", f"out0={target}")
    assert code == 0, errors
    harness.assert_bits(np.load(target), np.array(7, np.int64), "saved")


def test_tensors_of_index_are_64_bit_integers():
    program = bundle()
    for size in MESHES:
        for n in (0, 1, 5, 8):
            ids = np.arange(n, dtype=np.int64) * 2**40 - 3
            (out,), _ = program.run({"x": size}, ids, entry="indices")
            harness.assert_bits(out, ids, f"{n} on {size}")
        ids = np.array([-1, 0, 2**62, 7], np.int64)
        (out,), _ = program.run({"x": size}, ids, entry="static_indices")
        harness.assert_bits(out, ids, f"static on {size}")


def test_arrays_of_index_come_and_go_as_npy():
    ids = np.array([3, -1, 2**40, 0, 9], np.int64)
    source, target = harness.temp("ids.npy"), harness.temp("ids-out.npy")
    np.save(source, ids)
    code, _, errors = harness.command(
        harness.tool("dtensor-run"), bundle().path, *ON_THREE,
        "--entry=indices", "--input", f"arg0={source}", "--output",
        f"out0={target}", "--check")
    assert code == 0, errors
    harness.assert_bits(np.load(target), ids, "ids")


harness.main()
