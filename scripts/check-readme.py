#!/usr/bin/env python3
"""Checks that our pages show what the tools print.

usage: check-readme.py BUILD [--update] [PAGE...]

The pages are README.md and docs/*.md when none is given. A comment in front of
each block of code says what the block is:

    <!-- file: NAME -->       the block is a file, for the commands after it
    <!-- shows: FILE -->      the lines of the block stand, one after another,
                              in that file of the sources
    <!-- compiles: FILE -->   C++ that compiles as that file of the sources does
    <!-- run: COMMAND -->     what COMMAND prints, both streams; it succeeds
    <!-- fails: COMMAND -->   the same for a command whose exit code is 1
    <!-- type: WHERE -->      what somebody types; nobody checks it

Lines of `shows` may be indented less than in the file. Commands run in an empty
folder that has a link to examples/, with BUILD/bin first on PATH; $DTENSOR_PYTHON
is this interpreter, and finds the Python package; $DTENSOR_SOURCE and
$DTENSOR_BUILD are the folders of the sources and of the build. --update writes what was printed into the page. Exit code 1: a
block differs or has no comment; the differences are printed.
"""

import difflib
import glob
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BLOCK = re.compile(r"(?:<!-- (file|shows|compiles|run|fails|type): ([^\n]*?) -->"
                   r"\n\n?)?^(```[a-z+]*\n)(.*?)^(```)$",
                   re.DOTALL | re.MULTILINE)


def run(command, code, folder, build):
    environment = dict(os.environ)
    environment["DTENSOR_PYTHON"] = sys.executable
    environment["DTENSOR_SOURCE"] = ROOT
    environment["DTENSOR_BUILD"] = build
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


def compiles(text, like, folder, build):
    """Whether `text` compiles with the flags of the source `like`."""
    with open(os.path.join(build, "compile_commands.json")) as file:
        command = next(c for c in json.load(file)
                       if c["file"].endswith("/" + like))
    words = shlex.split(command["command"])
    compiler = next(i for i, word in enumerate(words) if "clang" in word)
    end = words.index("-o")
    source = os.path.join(folder, "block.cpp")
    with open(source, "w") as file:
        file.write(text)
    done = subprocess.run(words[compiler:end] + ["-fsyntax-only", source],
                          cwd=command["directory"], text=True,
                          capture_output=True)
    print(done.stderr, end="")
    return done.returncode == 0


def expected(kind, argument, text, folder, build):
    """What a block must hold; None after a message if there is no saying."""
    if kind == "file":
        with open(os.path.join(folder, argument), "w") as file:
            file.write(text)
        return text
    if kind == "shows":
        with open(os.path.join(ROOT, argument)) as file:
            source = file.read()
        if any(textwrap.indent(text, " " * indent) in source
               for indent in range(0, 13, 2)):
            return text
        print(f"{argument} has no such lines:\n{text}")
        return None
    if kind == "compiles":
        return text if compiles(text, argument, folder, build) else None
    if kind == "type":
        return text
    if kind is None:
        print(f"a block without a comment that says what it is:\n{text}")
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


def check_file(path, build, update):
    """(number of blocks, number of wrong blocks); writes the page anew."""
    with open(path) as file:
        page = file.read()
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.join(ROOT, "examples"),
                   os.path.join(folder, "examples"))
        fresh, count, wrong = check(page, build, folder)
    if update and fresh != page:
        with open(path, "w") as file:
            file.write(fresh)
    print(f"{os.path.basename(path)}: {count} blocks, {wrong} differ")
    return count, wrong


def main(argv):
    arguments = [a for a in argv[1:] if a != "--update"]
    if not arguments:
        sys.exit(__doc__)
    build, pages = os.path.abspath(arguments[0]), arguments[1:]
    if not pages:
        pages = [os.path.join(ROOT, "README.md"),
                 *sorted(glob.glob(os.path.join(ROOT, "docs", "*.md")))]
    results = [check_file(path, build, "--update" in argv) for path in pages]
    counts, wrongs = zip(*results)
    return 1 if any(wrongs) or not any(counts) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
