# REQUIRES: python
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


harness.main()
