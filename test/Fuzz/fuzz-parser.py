# REQUIRES: python-tools
# RUN: %python %s %obj --seconds 20 --seed 1
"""Broken programs never break the tools.

usage: fuzz-parser.py BUILD [--minutes N | --seconds N] [--seed S] [--keep DIR]

Gives random bytes and mutated test programs to dtensor-opt, to its pipelines
and to dtensor-compile. The exit code must be 0, or 1 with a diagnostic; a
signal, another code, or more than 20 seconds is a failure, and the input is
kept. Prints how many inputs there were. Exit code 1 if one failed.

Ops of MLIR itself have parsers that crash (linalg.transpose without its list,
in release 22). Such a crash, inside of the parser with no function of ours on
its stack, is counted apart and is no failure.
"""

import argparse
import glob
import os
import random
import re
import subprocess
import sys
import tempfile
import time

LIMIT = 20
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
TOKENS = re.compile(rb"[A-Za-z_][\w.]*|[%#@!^]\w[\w.]*|-?\d+|\"[^\"\n]*\"|->|"
                    rb"\s+|.", re.S)
SPICE = [b"?", b"0", b"1", b"-1", b"9223372036854775807", b"-9223372036854775808",
         b"99999999999999999999", b"shard(0)", b"shard(4294967296)",
         b"shard(0, unit = 0)", b"replicate", b"partial(sum)", b"partial(avg)",
         b"<", b">", b"(", b")", b"[", b"]", b"{", b"}", b",", b"tensor<?xf32>",
         b"tensor<0x?xf32>", b"#mesh", b"B", b"size(tp)", b"B floordiv 0",
         b"B*B*B*B*B*B*B*B*B", b"9223372036854775807*B", b"mod", b"\x00",
         b"\xff\xfe", b"i1", b"index", b"f16", b"tensor<*xf32>", b"none",
         b"dtensor.redistribute", b"dtensor.constraint", b"dense<>", b"loc(\"x\")"]
PIPELINES = [["--dtensor-normalize"], ["--dtensor-propagate"],
             ["--dtensor-normalize", "--dtensor-propagate"],
             ["--dtensor-elide", "--dtensor-plan"], ["--dtensor-partition"],
             ["--canonicalize", "--cse"], []]


def seeds():
    """Every program of the test suite and of the examples."""
    programs = []
    for pattern in ("test/**/*.mlir", "examples/*.mlir"):
        for path in sorted(glob.glob(os.path.join(SOURCE, pattern),
                                     recursive=True)):
            with open(path, "rb") as file:
                # A file may hold several programs; short ones mutate best.
                programs += [p for p in file.read().split(b"// -----")
                             if p.strip()]
    return programs


def random_bytes(rng, _):
    alphabet = rng.choice([bytes(range(256)), b"<>()[]{}#%@!?,:=->*+ \n0a",
                           b"dtensor.layout<mesh[shard(0)],?B*2>{}\"=# "])
    return bytes(rng.choice(alphabet) for _ in range(rng.randrange(1, 400)))


def mutate(rng, programs):
    tokens = TOKENS.findall(rng.choice(programs))
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        if not tokens:
            break
        at = rng.randrange(len(tokens))
        end = min(len(tokens), at + rng.randrange(1, 12))
        kind = rng.randrange(7)
        if kind == 0:
            del tokens[at:end]
        elif kind == 1:
            tokens[at:at] = tokens[at:end] * rng.randrange(1, 4)
        elif kind == 2:
            tokens[at] = rng.choice(SPICE)
        elif kind == 3:
            tokens[at:at] = [rng.choice(SPICE)]
        elif kind == 4:
            # A token of the same kind from elsewhere: types, names, numbers.
            same = [t for t in tokens if t[:1] == tokens[at][:1]]
            tokens[at] = rng.choice(same)
        elif kind == 5:
            numbers = [i for i, t in enumerate(tokens) if t.isdigit()]
            if numbers:
                tokens[rng.choice(numbers)] = rng.choice(
                    [b"0", b"1", b"2", b"3", b"7", b"255", b"4294967296"])
        else:
            other = TOKENS.findall(rng.choice(programs))
            start = rng.randrange(len(other))
            tokens[at:end] = other[start:start + rng.randrange(1, 20)]
    return b"".join(tokens)


def flip(rng, programs):
    data = bytearray(rng.choice(programs))
    for _ in range(rng.randrange(1, 5)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def nested(rng, _):
    depth = rng.choice([300, 5000, 100000])
    return rng.choice([
        b"func.func @f() attributes {a = " + b"[" * depth,
        b"func.func private @f(" + b"tuple<" * depth,
        b"func.func @f() {\n" + b'"a.b"() ({\n' * depth,
        b'"a.b"() ({\n' * depth + b"}) : () -> ()\n" * depth,
        b"#m = #dtensor.mesh<\"tp\" = ?>\n#l = #dtensor.layout<#m, [replicate]"
        b", (" + b"(" * depth,
        b"#m = #dtensor.mesh<\"tp\" = ?>\n#l = #dtensor.layout<#m, [replicate]"
        b", (" + b"min(B, " * depth,
        b"#e = #dtensor.expr<" + b"-" * depth + b"B>",
        b"module {" * depth])


def commands(rng, build, path, target):
    opt = os.path.join(build, "bin", "dtensor-opt")
    compiler = os.path.join(build, "bin", "dtensor-compile")
    if rng.random() < 0.5:
        return [opt, "--split-input-file", path, "-o", target,
                *rng.choice(PIPELINES)]
    if rng.random() < 0.5:
        stage = rng.choice(["normalized", "placed", "planned", "local"])
        return [compiler, path, f"--emit={stage}", "-o", target]
    return [compiler, path, "-o", target]


def is_upstream(stack):
    """Did the parser of an op that is not ours crash?"""
    frames = [l for l in stack.splitlines() if re.match(rb"\s*#\d+ 0x", l)]
    for i, frame in enumerate(frames):
        if b"parseAsmSourceFile" in frame:
            return not any(b"dtensor::" in f for f in frames[:i])
    return False


def run_one(command):
    """What went wrong, or None; "upstream" if it is not our fault."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return f"no end after {LIMIT} s"
    if done.returncode == 0:
        return None
    if done.returncode < 0 and is_upstream(done.stderr):
        return "upstream"
    if done.returncode != 1:
        return f"exit code {done.returncode}"
    if b"error" not in done.stderr:
        return "exit code 1 without a diagnostic"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", default=None)
    options = parser.parse_args()
    end = time.time() + options.minutes * 60 + options.seconds
    rng, programs = random.Random(options.seed), seeds()
    makers = [mutate] * 40 + [flip] * 10 + [random_bytes] * 5 + [nested]
    folder = options.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    count, upstream, failures = 0, 0, []
    while time.time() < end or count == 0:
        data = rng.choice(makers)(rng, programs)
        path = os.path.join(folder, "input.mlir")
        with open(path, "wb") as file:
            file.write(data)
        command = commands(rng, options.build, path,
                           os.path.join(folder, "output"))
        wrong = run_one(command)
        count += 1
        if wrong == "upstream":
            upstream += 1
        elif wrong:
            kept = os.path.join(folder, f"failure{len(failures)}.mlir")
            os.rename(path, kept)
            command = [kept if a == path else a for a in command]
            failures.append(f"{wrong}: {' '.join(command)}")
            print(failures[-1], flush=True)
    print(f"{count} inputs, {len(failures)} failures, {upstream} crashes in "
          f"parsers of MLIR's own ops, seed {options.seed}")
    sys.exit(1 if failures else 0)


main()
