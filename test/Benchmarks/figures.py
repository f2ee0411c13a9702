#!/usr/bin/env python3
"""Prints figures of docs/rationale.md from the results beside this file.

usage: figures.py first-calls COMMIT | per-op

COMMIT chooses the run: results of later ones are added to the same file.
"""

import json
import os
import sys

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results")
GPU = "gpu-2xH200-2026-11-22.jsonl"
COMPILER = "compile-time-2026-11-22.json"


def first_calls(commit):
    """Milliseconds of the first call at each size."""
    sizes = ["16", "128", "1000", "2048", "4097", "8192"]
    with open(os.path.join(RESULTS, GPU)) as file:
        rows = [row for row in map(json.loads, file)
                if row["commit"] == commit]
    first = {(row["workload"], row["how"], str(row["shape"])): row["first_ms"]
             for row in rows}
    once = first["compile_block", "ours", ""]
    print(f"{'T':40}" + "".join(f"{size:>7}" for size in sizes))
    for name, how in (
            (f"ours, compiled before in {once:.0f}", "ours"),
            ("torch.compile, dynamic, over DTensor", "compiled"),
            ("by hand, compiled for each size", "manual_static")):
        print(f"{name:40}" + "".join(
            f"{first['llama_block_tp', how, size]:7.0f}" for size in sizes))


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
    {"first-calls": first_calls, "per-op": per_op}[sys.argv[1]](*sys.argv[2:])
