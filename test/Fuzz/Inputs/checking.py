"""One program against PyTorch, on some sizes and meshes.

A reference is computed three times, the last two with arguments and every value
that a step makes changed by what roundings may do to them. Elements on which
that has an effect, such as the sign of a sum that is zero but for roundings, say
nothing and are left out; they are counted.
"""

import os
import random

import numpy as np
import torch

import harness
import inprocess
import oracle
from programs import AXES, SYMBOLS

MESHES = {1: [(1,), (2,), (3,), (4,), (5,)],
          2: [(2, 2), (2, 3), (3, 1), (1, 4), (4, 2)],
          3: [(2, 2, 2), (2, 1, 3), (3, 2, 1), (1, 2, 2)]}
EXTENTS = [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9]
CLOSE, HUGE = 1e-9, 1e300


class Run:
    """What a program runs on, all drawn from a seed."""

    def __init__(self, program, seed, count=2):
        rng = random.Random(seed)
        self.unoptimized = rng.random() < 0.9
        self.by_pieces = "partial" in str([a.placements for a in program.args]) \
            or rng.random() < 0.3
        self.points = []
        for n in range(count):
            sizes = self.sizes(program, rng)
            if sizes:
                mesh = rng.choice(MESHES[program.axes])
                self.points.append((sizes, mesh, rng.randrange(2**31)))

    @staticmethod
    def sizes(program, rng):
        for _ in range(60):
            sizes = {s: rng.choice(EXTENTS) for s in SYMBOLS}
            if program.fits(sizes):
                return sizes
        return None


class Outcome:
    """`wrong` is None or (kind, message), `at` the point that shows it."""

    def __init__(self):
        self.wrong, self.at = None, None
        self.runs = self.elements = self.left_out = self.unusable = 0


def disturbance(seed, pending, ignoring):
    """The pieces of a pending sum differ in sign, so that an infinity times
    them adds up to NaN: that a sum may wait behind a product holds for numbers
    only. Infinities among values that depend on one say nothing, nor does what
    depends on whether a value is NaN which ignores some."""
    generator = torch.Generator().manual_seed(seed)

    def disturb(x, number):
        if not x.is_floating_point() or not x.numel():
            return x
        if number in pending:
            x = torch.where(x.isinf(), torch.nan, x)
        if number in ignoring:
            x = torch.where(x.isnan(), 0.0, x)
        noise = torch.rand(x.shape, generator=generator, dtype=x.dtype) - 0.5
        finite = x[x.isfinite()]
        scale = finite.abs().max() if finite.numel() else 0.0
        return x + noise * (2e-14 * x.abs().nan_to_num(0, 0, 0) + 1e-15 * scale
                            + 1e-16)
    return disturb


def unround(x, number):
    """An argument that differs by roundings, for a step may round what is zero
    without them: (x - mean) / sqrt(var + eps) of one element. Whole eighths
    stay, and what is equal stays equal: steps that compare and round such are
    compared with the reference as they are."""
    if not x.is_floating_point():
        return x
    changed = x * (1 + 2e-15 * torch.cos(1e6 * number * x))
    return torch.where(((x * 8).frac() == 0) | ~x.isfinite(), x, changed)


def steady(value, others):
    """Where references agree better than a result has to."""
    if not value.is_floating_point():
        return np.all([(value == o).numpy() for o in others], axis=0)
    return np.all([torch.isclose(value, o, 0.1 * CLOSE, 0.1 * CLOSE,
                                 equal_nan=True).numpy() for o in others],
                  axis=0)


def differ(actual, expected):
    """In which order the factors of a product overflow says nothing."""
    if actual.dtype.kind != "f":
        return actual != expected
    actual, expected = (np.where(np.abs(x) > HUGE, np.copysign(np.inf, x), x)
                        for x in (actual, expected))
    return ~np.isclose(actual, expected, CLOSE, CLOSE, equal_nan=True)


def compare(name, actual, alone, value, others, outcome):
    """With the reference, and with the same program on a mesh of one. A NaN
    that follows from an ignored row alone is not there in all references."""
    actual, expected = harness.to_double(actual), harness.to_double(value)
    assert actual.shape == expected.shape, \
        f"{name}: shape {actual.shape}, expected {expected.shape}"
    good = np.asarray(steady(value, others))
    outcome.elements += good.size
    outcome.left_out += good.size - int(np.count_nonzero(good))
    for what, wanted in (("", expected), (" on a mesh of one", alone)):
        wrong = good & differ(actual, wanted)
        if np.any(wrong):
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise AssertionError(
                f"{name}: {np.count_nonzero(wrong)} of {wrong.size} elements "
                f"differ, first at {list(at)}: {actual[at]!r}, expected "
                f"{wanted[at]!r}{what}")


def references(program, sizes, seed):
    """(arguments, values, disturbed values, twice); None where PyTorch
    refuses."""
    given = program.arguments(sizes, seed)
    pending = program.pending()

    def disturbed(number, ignoring):
        changed = {v: unround(x, number) for v, x in given.items()}
        return program.evaluate(changed, sizes, disturbance(
            seed + number, pending, ignoring))

    try:
        return (given, program.evaluate(given, sizes),
                (disturbed(1, ()), disturbed(2, program.ignoring())))
    except (RuntimeError, IndexError, ValueError, ZeroDivisionError):
        return None


def run_point(program, bundle, point, by_pieces, outcome):
    sizes, shape, seed = point
    known = references(program, sizes, seed)
    if known is None:
        outcome.unusable += 1
        return
    given, values, others = known
    mesh = dict(zip(AXES[-program.axes:], shape))
    args = [given[a.value] for a in program.live()[0]] + \
        [np.int64(sizes[s]) for s in program.unbound()]
    alone, _ = bundle.run(dict.fromkeys(mesh, 1), *args)
    if by_pieces:
        launch = bundle.executable(mesh).bind(*args)
        found = oracle.run_pieces(launch, list(shape),
                                  np.random.default_rng(seed))
    else:
        found, _ = bundle.run(mesh, *args)
    outcome.runs += 1
    for (r, _), actual, own in zip(program.results, found, alone):
        compare(f"%v{r}", actual, harness.to_double(own), values[r],
                [o[r] for o in others], outcome)


def check(program, run, name):
    """Compiles once, runs at all points; the first that is wrong counts."""
    outcome, point = Outcome(), None
    path = harness.temp(name + ".so")
    try:
        inprocess.compile_to(harness.BUILD, program.text(), path,
                             run.unoptimized)
        bundle = harness.Bundle(path)
        for point in run.points:
            run_point(program, bundle, point, run.by_pieces, outcome)
    except inprocess.Error as error:
        outcome.wrong = ("refused", str(error))
    except harness.Failure as error:
        outcome.wrong, outcome.at = ("failed", str(error)), point
    except AssertionError as error:
        outcome.wrong, outcome.at = ("different", str(error)), point
    finally:
        if os.path.exists(path):
            os.remove(path)
    return outcome
