#!/usr/bin/env python3
"""Runs the lit suites of a build folder and counts.

usage: run-tests.py BUILD [lit option or path...]

Last line of output: `N passed, N failed`. Tests that cannot run on this machine
(say, without a GPU) are named in the line before and count in neither number.
Exit code: 0 if no test failed and at least one passed.
"""

import json
import os
import subprocess
import sys
import tempfile

PASSED = {"PASS", "FLAKYPASS", "XFAIL"}
NOT_RUN = {"UNSUPPORTED", "EXCLUDED", "SKIPPED"}


def cache_value(build, name):
    with open(os.path.join(build, "CMakeCache.txt")) as cache:
        for line in cache:
            if line.startswith(name + ":"):
                return line.split("=", 1)[1].strip()
    return None


def main(argv):
    build, extra = argv[1], argv[2:]
    suites = [os.path.join(build, "test", part)
              for part in ("", "Roundtrip", "Unit")]
    python = cache_value(build, "DTENSOR_PYTHON")
    if not python or not os.path.exists(python):
        python = sys.executable
    lit = cache_value(build, "LLVM_EXTERNAL_LIT")
    with tempfile.TemporaryDirectory() as folder:
        results = os.path.join(folder, "results.json")
        command = [python, lit, "-sv", "-j", str(os.cpu_count()), "--output",
                   results] + extra + suites
        code = subprocess.run(command).returncode
        if not os.path.exists(results):
            print("0 passed, 1 failed")
            return code or 1
        with open(results) as file:
            codes = [test["code"] for test in json.load(file)["tests"]]
    passed = sum(code in PASSED for code in codes)
    not_run = sum(code in NOT_RUN for code in codes)
    failed = len(codes) - passed - not_run
    print(f"not run on this machine: {not_run}")
    print(f"{passed} passed, {failed} failed")
    return code or (0 if passed and not failed else 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
