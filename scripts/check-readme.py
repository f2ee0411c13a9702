#!/usr/bin/env python3
"""Checks that a page shows what the tools print.

usage: check-readme.py BUILD [--update] [PAGE]

PAGE is README.md when not given. A comment in front of a block of code says
what the block is:

    <!-- file: NAME -->       the block is a file, for the commands after it
    <!-- shows: FILE -->      the lines of the block stand, one after another,
                              in that file of the sources
    <!-- run: COMMAND -->     what COMMAND prints, both streams; it succeeds
    <!-- fails: COMMAND -->   the same for a command whose exit code is 1

Commands run in an empty folder that has a link to examples/, with BUILD/bin
first on PATH; $DTENSOR_PYTHON is this interpreter, and finds the Python
package. --update writes what was printed into the page. Exit code 1: a
block differs; the differences are printed.
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BLOCK = re.compile(r"<!-- (file|shows|run|fails): (.*?) -->\n\n?"
                   r"(```[a-z]*\n)(.*?)(```)", re.DOTALL)


def run(command, code, folder, build):
    environment = dict(os.environ)
    environment["DTENSOR_PYTHON"] = sys.executable
    environment["DTENSOR_LIBRARY_PATH"] = os.path.join(build, "lib")
    environment["PYTHONPATH"] = os.path.join(ROOT, "python")
    environment["PATH"] = os.pathsep.join(
        [os.path.join(build, "bin"), environment["PATH"]])
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], text=True,
                          cwd=folder, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120)
    if done.returncode != code:
        print(f"{command}: exit code {done.returncode}, expected {code}\n"
              f"{done.stdout}")
        return None
    return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())


def expected(kind, argument, text, folder, build):
    """What a block must hold; None after a message if there is no saying."""
    if kind == "file":
        with open(os.path.join(folder, argument), "w") as file:
            file.write(text)
        return text
    if kind == "shows":
        with open(os.path.join(ROOT, argument)) as file:
            if text in file.read():
                return text
        print(f"{argument} has no such lines:\n{text}")
        return None
    return run(argument, 1 if kind == "fails" else 0, folder, build)


def check(page, build, folder):
    """(the page as it should be, number of blocks, number of wrong blocks)."""
    result, end, count, wrong = "", 0, 0, 0
    for match in BLOCK.finditer(page):
        kind, argument, _, text, _ = match.groups()
        wanted = expected(kind, argument, text, folder, build)
        count += 1
        if wanted != text:
            wrong += 1
        if wanted is not None and wanted != text:
            print(f"{kind}: {argument}")
            sys.stdout.writelines(difflib.unified_diff(
                text.splitlines(True), wanted.splitlines(True), "page",
                "printed"))
        result += page[end:match.start(4)]
        result += text if wanted is None else wanted
        end = match.end(4)
    return result + page[end:], count, wrong


def main(argv):
    arguments = [a for a in argv[1:] if a != "--update"]
    if not 1 <= len(arguments) <= 2:
        sys.exit(__doc__)
    build = os.path.abspath(arguments[0])
    path = (arguments + [os.path.join(ROOT, "README.md")])[1]
    with open(path) as file:
        page = file.read()
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.join(ROOT, "examples"),
                   os.path.join(folder, "examples"))
        fresh, count, wrong = check(page, build, folder)
    if "--update" in argv and fresh != page:
        with open(path, "w") as file:
            file.write(fresh)
    print(f"{os.path.basename(path)}: {count} blocks, {wrong} differ")
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
