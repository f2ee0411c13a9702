#!/usr/bin/env python3
"""Runs clang-tidy on the lines that changed.

usage: check-tidy.py BUILD [--since=COMMIT] [--limit=SECONDS] [FILE...]

What changed is what differs from COMMIT, work that is not committed included;
without COMMIT from where this branch left origin/main, and on that branch from
the commit before. A FILE is looked at as a whole instead. Of a header it is the
source of the same name that is compiled. .clang-tidy says what is looked for.

After SECONDS (240) no further file is begun, and those left out are named; files
with the most changed lines come first. Exit code 1: a warning, or clang-tidy is
missing.
"""

import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time

import ods

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCES = (".cpp", ".c", ".h")


def git(*arguments):
    done = subprocess.run(["git", *arguments], cwd=ROOT, text=True,
                          capture_output=True)
    return done.stdout if done.returncode == 0 else None


def base():
    """The commit that changes are counted from, None outside of a checkout."""
    head = git("rev-parse", "HEAD")
    fork = git("merge-base", "HEAD", "origin/main")
    if fork and fork != head:
        return fork.strip()
    return "HEAD^" if git("rev-parse", "--verify", "HEAD^") else head and "HEAD"


def changed_lines(since):
    """{file: ranges of changed lines} of C and C++ sources."""
    ranges, path = {}, None
    for line in (git("diff", "-U0", "--diff-filter=d", since) or "").splitlines():
        if line.startswith("+++ "):
            path = line[6:] if line.endswith(SOURCES) else None
        match = re.match(r"@@ \S+ \+(\d+)(?:,(\d+))? @@", line)
        if match and path:
            first, count = int(match[1]), int(match[2] or 1)
            if count:
                ranges.setdefault(path, []).append([first, first + count - 1])
    for path in (git("ls-files", "--others", "--exclude-standard") or "").split():
        if path.endswith(SOURCES):
            ranges[path] = None  # all lines
    return ranges


def units(build, ranges):
    """[(source to compile, its line filter, number of lines)]."""
    with open(os.path.join(build, "compile_commands.json")) as file:
        compiled = {os.path.relpath(os.path.join(c["directory"], c["file"]), ROOT)
                    for c in json.load(file)}
    found = {}
    for path, lines in ranges.items():
        stem = os.path.splitext(path.replace("include/", "lib/", 1)
                                if path.endswith(".h") else path)[0]
        source = next((stem + end for end in (".cpp", ".c")
                       if stem + end in compiled), None)
        if source:
            found.setdefault(source, []).append((path, lines))
    for source, parts in found.items():
        names = [{"name": path, **({"lines": lines} if lines else {})}
                 for path, lines in parts]
        count = sum(last - first + 1 if lines else 10**6
                    for _, lines in parts for first, last in lines or [(0, 0)])
        yield source, json.dumps(names), count


def tidy(tool, build, source, lines, deadline):
    """(source, what clang-tidy printed); None for the latter when it is late."""
    if time.monotonic() > deadline:
        return source, None
    done = subprocess.run(
        [tool, "-p", build, "--quiet", "--warnings-as-errors=*",
         "--line-filter=" + lines, source], cwd=ROOT, capture_output=True,
        text=True)
    return source, done.stdout if done.returncode else ""


def main(argv):
    options = dict(a[2:].split("=", 1) for a in argv[1:] if a.startswith("--"))
    names = [a for a in argv[1:] if not a.startswith("--")]
    if not names or set(options) - {"since", "limit"}:
        sys.exit(__doc__)
    build, files = os.path.abspath(names[0]), names[1:]
    tool = os.path.join(ods.llvm_prefix(build), "bin", "clang-tidy")
    if not os.path.exists(tool):
        sys.exit(f"check-tidy: there is no {tool}; scripts/setup.sh installs it")
    since = options.get("since") or base()
    if not files and not since:
        print("tidy: this is no checkout, nothing is known to have changed")
        return 0
    ranges = (dict.fromkeys(os.path.relpath(f, ROOT) for f in files) if files
              else changed_lines(since))
    work = sorted(units(build, ranges), key=lambda unit: -unit[2])
    deadline = time.monotonic() + float(options.get("limit", 240))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(
            lambda unit: tidy(tool, build, *unit[:2], deadline), work))
    late = [source for source, text in results if text is None]
    wrong = [source for source, text in results if text]
    for _, text in results:
        print(text or "", end="")
    if late:
        print(f"tidy: no time was left for {' '.join(late)}")
    print(f"tidy: {len(results) - len(late)} files, {len(wrong)} with warnings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
