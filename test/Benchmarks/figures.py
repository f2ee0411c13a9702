#!/usr/bin/env python3
"""Prints figures of our pages from the results beside this file.

usage: figures.py block COMMIT | first-calls COMMIT | per-op

COMMIT chooses the run: results of later ones are added to the same file.
"""

import json
import os
import sys

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results")
GPU = "gpu-2xH200-2026-11-23.jsonl"
COMPILER = "compile-time-2026-11-22.json"
SIZES = ["16", "128", "1000", "2048", "4097", "8192"]


def milliseconds(commit, field):
    """{(workload, how, shape): milliseconds} of one run."""
    with open(os.path.join(RESULTS, GPU)) as file:
        rows = [row for row in map(json.loads, file)
                if row["commit"] == commit]
    return {(row["workload"], row["how"], str(row["shape"])): row[field]
            for row in rows}


def print_table(found, lines, digits):
    """A column per size; `lines` are (name, workload, how)."""
    print(f"{'T':40}" + "".join(f"{size:>8}" for size in SIZES))
    for name, workload, how in lines:
        print(f"{name:40}" + "".join(
            f"{found[workload, how, size]:8.{digits}f}" for size in SIZES))


def block(commit):
    """Milliseconds of a call."""
    print_table(milliseconds(commit, "wall_ms"), [
        ("ours", "llama_block_tp", "ours"),
        ("ours, merged weights", "llama_block_tp_merged", "ours"),
        ("expert", "llama_block_tp", "manual_static"),
        ("torch.compile, dynamic, over DTensor", "llama_block_tp", "compiled"),
    ], 3)


def first_calls(commit):
    """Milliseconds of the first call at each size."""
    found = milliseconds(commit, "first_ms")
    once = found["compile_block", "ours", ""]
    print_table(found, [
        (f"ours, compiled before in {once:.0f}", "llama_block_tp", "ours"),
        ("expert", "llama_block_tp", "manual_static"),
        ("torch.compile, dynamic, over DTensor", "llama_block_tp", "compiled"),
    ], 0)


def per_op():
    with open(os.path.join(RESULTS, COMPILER)) as file:
        rows = {row["name"].split("/iterations")[0]: row
                for row in json.load(file)["benchmarks"]}
    for name, key in (("a chain of 1,000 ops", "chain/ours/1000"),
                      ("a chain of 5,000 ops", "chain/ours/5000"),
                      ("a chain of 20,000 ops", "chain/ours/20000"),
                      ("32 layers of a Llama model", "llama/32"),
                      ("a chain for 2 devices", "devices/2"),
                      ("a chain for 1,048,576 devices", "devices/1048576")):
        print(f"{name:32}{rows[key]['us_per_op']:5.1f}")


if __name__ == "__main__":
    {"block": block, "first-calls": first_calls, "per-op": per_op}[sys.argv[1]](*sys.argv[2:])
