# REQUIRES: python
# RUN: %python %s %obj/bin/dtensor-opt
"""The table of Shardy's examples is what the compiler gives today."""

import os
import re
import subprocess
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(FOLDER, "..", "..")
PROGRAMS = "test/Interchange/Shardy/propagation.mlir"
REFUSED = "test/Interchange/Shardy/propagation-invalid.mlir"
ROWS, SAME = 45, 29
SHARDING = re.compile(r"#sdy\.sharding<@mesh, (\[.*?\])(?:, \w+=\w*\{.*?\})*>")


def read(path):
    with open(os.path.join(ROOT, path)) as file:
        return file.read()


def propagated(tool):
    """Of each program the shardings of its arguments -> those of its results."""
    pipeline = re.search(r'--pass-pipeline="(.*?)"', read(PROGRAMS)).group(1)
    done = subprocess.run(
        [tool, os.path.join(ROOT, PROGRAMS), "--split-input-file",
         "--allow-unregistered-dialect", f"--pass-pipeline={pipeline}"],
        capture_output=True, text=True, check=True)
    found = {}
    for name, signature in re.findall(r"^ *func\.func @(\w+)\((.*)\{$",
                                      done.stdout, re.M):
        arguments, _, results = signature.partition(" -> ")
        found[name] = " -> ".join(", ".join(SHARDING.findall(side))
                                  for side in (arguments, results))
    return found


def wrong_with(row, found):
    name, shardy, here, place = row
    if place == f"`{REFUSED}::{name}`":
        error = re.match(r"error `(.*?)`: .{20,}", here)
        case = re.search(r"expected-error @below \{\{(.*)\}\}\n.*@%s\(" % name,
                         read(REFUSED))
        return None if error and case and error[1] == case[1] else "error"
    if place != f"`{PROGRAMS}::{name}`" or name not in found:
        return "test"
    if here == "same":
        return None if shardy == f"`{found[name]}`" else found[name]
    other = re.match(r"`(.*?)`: .{20,}", here)
    return None if other and other[1] == found[name] and \
        shardy != f"`{other[1]}`" else found[name]


def main():
    rows = [line.strip("| \n").split(" | ") for line in
            read("test/Coverage/shardy-examples.md").split("\n")
            if line.count(" | ") == 3][1:]
    found = propagated(sys.argv[1])
    problems = [f"{row[0]}: {w}" for row in rows
                if (w := wrong_with(row, found))]
    same = sum(row[2] == "same" for row in rows)
    missing = set(found) - {row[0] for row in rows}
    if (len(rows), same) != (ROWS, SAME) or missing:
        problems.append(f"{len(rows)} rows, {same} the same, without a row: "
                        f"{sorted(missing)}")
    print("\n".join(problems + [f"{len(rows)} programs, {same} the same, "
                                f"{len(problems)} wrong"]))
    sys.exit(1 if problems else 0)


main()
