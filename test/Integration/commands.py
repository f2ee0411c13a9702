# REQUIRES: python-tools
# RUN: %python %s %obj %t
"""dtensor-run as a user types it."""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

RUN = harness.tool("dtensor-run")
MLP = harness.example("mlp.mlir")


def ok(*arguments):
    code, out, errors = harness.command(RUN, *arguments)
    assert code == 0, f"exit code {code}: {errors}"
    return out


def test_a_program_is_compiled_first():
    out = ok(MLP, "--entry=megatron", "--mesh=tp=3", "--random", "--dim=B=5",
             "--check")
    assert "check" in out, out


def test_list_names_entries_and_arguments():
    out = ok(harness.compile_file(MLP).path, "--list")
    for word in ("mlp", "megatron", "shard(0)", "f32", "B"):
        assert word in out, f"no {word!r} in:\n{out}"


def test_stats_count_collectives():
    path = harness.compile_file(harness.example("embedding.mlir")).path
    for entry, kind in (("by_word", "all_reduce"),
                        ("by_feature", "all_gather")):
        out = ok(path, f"--entry={entry}", "--mesh=tp=4", "--random",
                 "--dim=B=2,S=5", "--range", "arg0=0:202048", "--stats")
        assert kind in out, out


def test_arrays_come_and_go_as_npy():
    path = harness.compile_file(harness.example("distribute.mlir")).path
    x = np.asfortranarray(np.arange(21, dtype=np.float32).reshape(7, 3))
    source, target = harness.temp("in.npy"), harness.temp("out.npy")
    np.save(source, x)
    ok(path, "--entry=collect", "--mesh=world=4", "--input", f"arg0={source}",
       "--output", f"out0={target}")
    harness.assert_bits(np.load(target), np.ascontiguousarray(x), "rows")


def test_random_values_are_those_of_their_seed():
    path = harness.compile_file(MLP).path
    results = []
    for seed in (1, 1, 2):
        target = harness.temp(f"seed{len(results)}.npy")
        ok(path, "--entry=mlp", "--mesh=tp=2", "--random", f"--seed={seed}",
           "--dim=B=3", "--output", f"out0={target}")
        results.append(np.load(target))
    assert (results[0] == results[1]).all()
    assert (results[0] != results[2]).any()


def test_runs_repeat_their_bits():
    ok(harness.compile_file(harness.example("llama_block.mlir")).path,
       "--entry=tensor_parallel", "--mesh=tp=4", "--random", "--dim=T=33",
       "--repeat=20", "--check")


PAIRS = """
#mesh = #dtensor.mesh<"x" = ? {{{fact}}}>
#rows = #dtensor.layout<#mesh, [shard(0)], (6, 4)>
func.func @twice(%x: tensor<6x4xf32> {{dtensor.layout = #rows}},
                 %m: index {{dtensor.name = "m"}}) -> (tensor<6x4xf32>, index) {{
  %n = arith.addi %m, %m : index
  return %x, %n : tensor<6x4xf32>, index
}}
"""


def pairs(fact):
    return harness.compile_text(PAIRS.format(fact=fact), "pairs").path


def test_an_index_that_no_shape_needs_is_random():
    target = harness.temp("twice.npy")
    path = pairs("hint 2")
    ok(path, "--mesh=x=2", "--random", "--output", f"out1={target}")
    assert int(np.load(target)) in range(0, 16, 2)
    ok(path, "--mesh=x=2", "--random", "--range", "m=5:6", "--output",
       f"out1={target}")
    assert int(np.load(target)) == 10


def test_a_check_runs_on_the_smallest_mesh_that_facts_allow():
    path = pairs("min 2")
    assert "check" in ok(path, "--mesh=x=3", "--random", "--check")
    code, _, errors = harness.command(RUN, path, "--mesh=x=2", "--random",
                                      "--check")
    assert code == 1 and "x=2 is the smallest" in errors, errors


harness.main()
