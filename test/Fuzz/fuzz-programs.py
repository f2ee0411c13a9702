# REQUIRES: python
# RUN: %python %s %obj --programs 1500 --seconds 100 --seed 1
"""Random programs with random placements compute what PyTorch computes.

usage: fuzz-programs.py BUILD [--programs N] [--seconds N] [--seed S]
                        [--jobs N] [--keep DIR] [--only N] [--verbose]

A program joins cases that the tests of ops sweep, gradients among them, where
shapes agree, with ops of any shape between them. Elements are f64, so that a
difference is an error and not a rounding. Each is compiled once and runs on
two choices of sizes and meshes of up to three axes. One that is refused, fails,
crashes, hangs or computes something else is made smaller and kept as a .mlir
file. Prints what was covered. Exit code 1 if a program failed.
"""

import argparse
import collections
import json
import os
import random
import select
import signal
import sys
import tempfile
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(FOLDER, "Inputs"),
                os.path.join(FOLDER, "..", "Integration", "Inputs")]
import harness
import cases
import checking
import draw
import inprocess
import reducing

import torch

BATCH, PATIENCE = 50, 300


#===- One program ----------------------------------------------------------===#

def program_of(seed, number, templates):
    rng = random.Random(f"{seed} {number}")
    program = draw.Drawer(rng, templates).draw()
    return program, checking.Run(program, rng.random())


def covered(program):
    """Ops, pairs of one that makes and one that takes a value, placements."""
    steps = program.live()[1]
    maker = {r: s for s in steps for r in s.results}
    pairs = {(p, c) for s in steps for o in s.operands if o in maker
             for p in maker[o].ops for c in s.ops}
    pairs |= {(a, b) for s in steps for a in s.ops for b in s.ops if a < b}
    placed = {a.value: a.placements for a in program.args}
    lists = [a.placements for a in program.live()[0]] + \
        [p for _, p in program.results if p]
    takes = {(op, placement) for s in steps for o in s.operands
             if o in placed for op in s.ops for placement in placed[o]}
    return {"ops": sorted({o for s in steps for o in s.ops}),
            "pairs": sorted(pairs), "placements": sorted(map(str, lists)),
            "takes": sorted(takes)}


def in_child(function):
    """(what the function returns, None), or (None, how it ended)."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        with os.fdopen(writer, "wb") as answers:
            answers.write(json.dumps(function()).encode())
        os._exit(0)
    os.close(writer)
    answer, end = b"", time.time() + PATIENCE
    while select.select([reader], [], [], max(0, end - time.time()))[0]:
        chunk = os.read(reader, 65536)
        if not chunk:
            break
        answer += chunk
    else:
        os.kill(child, signal.SIGKILL)
    os.close(reader)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        return None, "hangs" if status == -9 else f"exit code {status}"
    return json.loads(answer), None


def attempt(program, run):
    """(kind, message) of what is wrong, in a process of its own."""
    wrong, end = in_child(
        lambda: checking.check(program, run, f"attempt{os.getpid()}").wrong)
    return ("ended", end) if end else wrong


def report(program, run, wrong, path):
    program, run, wrong = reducing.reduce(program, run, tuple(wrong), attempt)
    where = "; ".join(f"sizes {s}, mesh {m}" for s, m, _ in run.points[:1])
    with open(path, "w") as file:
        lines = [f"{wrong[0]}: {wrong[1]}"[:600], where]
        file.write("".join(f"// {l}\n" for t in lines for l in t.splitlines())
                   + program.text())
    print(f"{path}: {wrong[0]}: {wrong[1][:300]}", flush=True)


#===- Many -----------------------------------------------------------------===#

class Lane:
    """Programs start, start + step, ... in batches, each batch a process."""

    def __init__(self, options, templates, start, step, end):
        self.options, self.templates = options, templates
        self.next, self.step, self.end = start, step, end
        self.count = collections.Counter()
        self.seen = {k: set() for k in ("ops", "pairs", "placements", "takes")}
        self.failures = []

    def wants(self):
        return self.next < self.options.programs and time.time() < self.end

    def batch(self, writer):
        """In the child: one line for each beginning and each end."""
        def send(**line):
            os.write(writer, (json.dumps(line) + "\n").encode())
        number = self.next
        for _ in range(BATCH):
            if number >= self.options.programs or time.time() > self.end:
                break
            send(start=number)
            program, run = program_of(self.options.seed, number, self.templates)
            outcome = checking.check(program, run, f"program{os.getpid()}")
            send(end=number, wrong=outcome.wrong, covered=covered(program),
                 counts={k: getattr(outcome, k) for k in (
                     "runs", "elements", "left_out", "unusable")})
            number += self.step

    def run_batch(self):
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            try:
                self.batch(writer)
                os._exit(0)
            finally:
                os._exit(3)
        os.close(writer)
        started = self.listen(reader, child)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if started is not None:
            how = "hangs" if status == -9 else f"exit code {status}"
            self.take({"end": started, "wrong": ("ended", how), "covered": {},
                       "counts": {}})

    def listen(self, reader, child):
        """Takes what the child sends; the program that it did not end."""
        started, rest = None, b""
        while select.select([reader], [], [], PATIENCE)[0]:
            chunk = os.read(reader, 65536)
            if not chunk:
                break
            *lines, rest = (rest + chunk).split(b"\n")
            for message in map(json.loads, lines):
                started = message.get("start")
                if started is None:
                    self.take(message)
        else:
            os.kill(child, signal.SIGKILL)
        os.close(reader)
        return started

    def take(self, message):
        self.next = message["end"] + self.step
        self.count["programs"] += 1
        self.count.update(message["counts"])
        for key, found in message["covered"].items():
            self.seen[key] |= {str(f) for f in found}
        if message["wrong"]:
            self.failed(message["end"], message["wrong"])

    def failed(self, number, wrong):
        self.failures.append(number)
        print(f"program {number}: {wrong[0]}: {wrong[1][:200]}", flush=True)
        if len(self.failures) > self.options.reduce:
            return
        program, run = program_of(self.options.seed, number, self.templates)
        path = harness.temp(f"failure{number}.mlir")
        report(program, run, wrong, path)

    def summary(self):
        return {"count": self.count, "failures": self.failures,
                "seen": {k: sorted(v) for k, v in self.seen.items()}}


def run_lane(lane):
    while lane.wants():
        lane.run_batch()
    return lane.summary()


def run_lanes(options, templates):
    """One process for each job; their summaries added up."""
    end = time.time() + options.seconds
    children = []
    for job in range(options.jobs):
        path = harness.temp(f"lane{job}.json")
        child = os.fork()
        if not child:
            summary = run_lane(Lane(options, templates, job, options.jobs, end))
            with open(path, "w") as file:
                json.dump(summary, file)
            os._exit(0)
        children.append((child, path))
    count, seen, failures = collections.Counter(), {}, []
    for child, path in children:
        os.waitpid(child, 0)
        with open(path) as file:
            summary = json.load(file)
        count.update(summary["count"])
        failures += summary["failures"]
        for key, found in summary["seen"].items():
            seen.setdefault(key, set()).update(found)
    return count, seen, sorted(failures)


def probe(templates):
    found, end = in_child(lambda: [t.shapes() for t in templates])
    assert not end, end
    for template, shapes in zip(templates, found):
        template.known = shapes or False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=1e6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--reduce", type=int, default=20,
                        help="how many failures of a job are made smaller")
    parser.add_argument("--keep", default=None)
    parser.add_argument("--only", type=int, default=None,
                        help="shows and checks one program")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    harness.TEMP = options.keep or tempfile.mkdtemp()
    os.makedirs(harness.TEMP, exist_ok=True)
    torch.set_num_threads(1)
    begin = time.time()
    templates, left_out = cases.templates()
    # Loaded once; nothing is compiled or differentiated here, for threads do
    # not survive a fork.
    probe(templates)
    inprocess.library(harness.BUILD), harness.library()
    if options.only is not None:
        program, run = program_of(options.seed, options.only, templates)
        print(program.text(), run.points, [s.label for s in program.steps])
        print(attempt(program, run))
        return
    count, seen, failures = run_lanes(options, templates)
    known = {op for t in templates if t.shapes() for op in t.ops}
    print(f"{count['programs']} programs, {len(failures)} failures, seed "
          f"{options.seed}, {time.time() - begin:.0f} s")
    print(f"{count['runs']} runs, {count['elements']} elements, "
          f"{count['left_out']} of them left out, {count['unusable']} points "
          "that PyTorch refuses")
    print(f"covered: {len(seen['ops'])} ops of {len(known)} in "
          f"{len(templates)} cases, {len(seen['pairs'])} pairs of ops, "
          f"{len(seen['placements'])} lists of placements, "
          f"{len(seen['takes'])} ops with a placement of an operand")
    if options.verbose:
        print("ops:", " ".join(sorted(seen["ops"])))
        print("cases of no use:", " ".join(sorted(
            [t.case.name for t in templates if not t.shapes()] + left_out)))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
