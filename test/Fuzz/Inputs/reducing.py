"""Makes a failing program smaller as long as it fails in the same way."""

import copy

import checking
import conform
from programs import Argument

TRIES = 120


def same_kind(first, second):
    if not second or first[0] != second[0]:
        return False
    # Numbers and names of values differ.
    reasons = [w[1].split(" error: ")[-1][:40] for w in (first, second)]
    return first[0] != "refused" or reasons[0] == reasons[1]


def smaller(program, run):
    """Programs and runs with one thing less, the largest things first."""
    for n in range(len(program.results)):
        if len(program.results) > 1:
            other = copy.copy(program)
            other.results = [program.results[n]]
            yield other, run
    args, steps = program.live()
    for step in steps:
        yield from cut(program, step, run)
    for n, (value, placements) in enumerate(program.results):
        if placements:
            other = copy.copy(program)
            other.results = list(program.results)
            other.results[n] = (value, None)
            yield other, run
    for arg in args:
        for axis, placement in enumerate(arg.placements):
            if placement != "replicate":
                yield replicated(program, arg, axis), run
    for n, (sizes, mesh, seed) in enumerate(run.points):
        if len(run.points) > 1:
            yield program, with_points(run, [run.points[n]])
        for symbol, size in sizes.items():
            for less in {0, 1, size // 2, size - 1}:
                changed = dict(sizes, **{symbol: less})
                if 0 <= less < size and program.fits(changed):
                    yield program, with_points(run, [(changed, mesh, seed)])
        for axis, size in enumerate(mesh):
            for less in range(1, size):
                changed = mesh[:axis] + (less,) + mesh[axis + 1:]
                yield program, with_points(run, [(sizes, changed, seed)])


def with_points(run, points):
    other = copy.copy(run)
    other.points = points
    return other


def cut(program, step, run):
    """Arguments in place of what a step makes, or its first operand."""
    shapes = [program.values[r] for r in step.results]
    ends = {r for r, _ in program.results} & set(step.results)
    if not ends and all(v.named for v in shapes):
        other = copy.copy(program)
        other.steps = [s for s in program.steps if s is not step]
        other.args = program.args + [
            Argument(r, conform.default(v.dtype),
                     ["replicate"] * program.axes, True)
            for r, v in zip(step.results, shapes)]
        yield other, run
    for operand in step.operands:
        value = program.values[operand]
        if len(step.results) == 1 and value.shape == shapes[0].shape and \
                value.dtype == shapes[0].dtype and value.named:
            yield renamed(program, step, operand), run


def renamed(program, step, operand):
    other = copy.copy(program)
    other.steps = []
    for s in program.steps:
        if s is step:
            continue
        s = copy.copy(s)
        s.operands = [operand if o == step.results[0] else o
                      for o in s.operands]
        other.steps.append(s)
    other.results = [(operand if r == step.results[0] else r, p)
                     for r, p in program.results]
    return other


def replicated(program, arg, axis):
    other = copy.copy(program)
    changed = copy.copy(arg)
    changed.placements = list(arg.placements)
    changed.placements[axis] = "replicate"
    other.args = [changed if a is arg else a for a in program.args]
    return other


def reduce(program, run, wrong, attempt):
    """`attempt(program, run)` gives (kind, message) or None."""
    tries, progress = 0, True
    while progress and tries < TRIES:
        progress = False
        for candidate, its_run in smaller(program, run):
            tries += 1
            if tries > TRIES:
                break
            found = attempt(candidate, its_run)
            if same_kind(wrong, found):
                program, run, wrong = candidate, its_run, found
                progress = True
                break
    return program, run, wrong
