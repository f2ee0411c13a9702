"""Ops against PyTorch: one function per case and choice of placements.

Every case is compiled once for a symbolic mesh and symbolic extents, with
placements drawn at random, and runs on every mesh and every choice of sizes.
Any op must take any placement of its operands.
"""

import random
import zlib

import numpy as np
import torch

import harness
import oracle

TORCH = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16,
         "bf16": torch.bfloat16, "i64": torch.int64, "i32": torch.int32,
         "i16": torch.int16, "i8": torch.int8, "i1": torch.bool}
# One rounding of the type; f32 as stated for whole programs.
TOLERANCE = {"f64": (1e-12, 1e-13), "f32": (1e-5, 1e-6), "f16": (2e-3, 1e-3),
             "bf16": (1.6e-2, 1e-2)}
NAMES = "abcdefgh"
# An average of integers would be rounded.
PARTIAL = {"f64": ["sum", "sum", "avg", "max", "min"],
           "f32": ["sum", "sum", "avg", "max", "min"],
           "i64": ["sum", "max"], "i32": ["sum", "min"]}

# Even, uneven, shards of one element, empty shards, empty tensors.
SIZES = [dict(M=8, N=4, K=12, B=4), dict(M=5, N=7, K=3, B=2),
         dict(M=1, N=2, K=1, B=1), dict(M=3, N=1, K=5, B=3),
         dict(M=0, N=3, K=2, B=2), dict(M=6, N=5, K=0, B=1)]
MESHES_1D = [{"tp": n} for n in (1, 2, 3, 4)]
MESHES_2D = [{"dp": 2, "tp": 2}, {"dp": 2, "tp": 3}, {"dp": 3, "tp": 1}]


#===- Random values --------------------------------------------------------===#

def normal(shape, dtype, _):
    return torch.randn(shape, dtype=torch.float64).to(TORCH[dtype])


def fmod(x, y):
    """PyTorch's vectors of f64 give NaN where x / y is huge, its scalars and
    NumPy the remainder."""
    if x.dtype != torch.float64:
        return torch.fmod(x, y)
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(np.asarray(np.fmod(x.numpy(), y.numpy())))


def exact(value):
    """Multiples of 1/256: their sums have no rounding error."""
    return (value * 256).round() / 256


def positive(shape, dtype, _):
    return (torch.rand(shape, dtype=torch.float64) * 3 + 0.1).to(TORCH[dtype])


def unit(shape, dtype, _):
    return (torch.rand(shape, dtype=torch.float64) * 1.8 - 0.9).to(TORCH[dtype])


def integers(low, high):
    def make(shape, dtype, _):
        return torch.randint(low, high, shape).to(TORCH[dtype])
    return make


def booleans(shape, _dtype, _sizes):
    return torch.randint(0, 2, shape).to(torch.bool)


def below(extent, margin=0):
    """Indices below an extent; with a margin some are out of range."""
    def make(shape, dtype, sizes):
        limit = sizes[extent] if isinstance(extent, str) else extent
        return torch.randint(-margin, max(limit, 1) + margin, shape).to(
            TORCH[dtype])
    return make


def targets(extent, ignored):
    """Classes below an extent; three of ten are ignored ones."""
    def make(shape, dtype, sizes):
        good = torch.randint(0, max(sizes[extent], 1), shape)
        return torch.where(torch.rand(shape) < 0.3, ignored, good).to(
            TORCH[dtype])
    return make


def default(dtype):
    if dtype == "i1":
        return booleans
    return normal if "f" in dtype else integers(-9, 10)


#===- Cases ----------------------------------------------------------------===#

class Case:
    """`args`: (dims, dtype[, values]); `results`: (label, type text) or type
    text; in `body` $A, $B ... are the types of %a, %b ..., $0 that of result 0,
    and the results are %r0, %r1 ...; `reference` takes tensors, and the sizes
    as keywords if `sized`; `when` says which sizes make sense."""

    def __init__(self, name, args, results, body, reference, when=None,
                 sized=False, tolerance=None, scalars=()):
        self.name, self.body, self.reference = name, body, reference
        self.args = [(a[0], a[1], a[2] if len(a) > 2 else default(a[1]))
                     for a in args]
        results = [results] if isinstance(results, (str, tuple)) else results
        self.results = [r if isinstance(r, tuple) else (name, r)
                        for r in results]
        self.when, self.sized = when or (lambda **_: True), sized
        self.tolerance, self.scalars = tolerance, scalars

    def arg_type(self, i):
        dims, dtype, _ = self.args[i]
        return tensor(dims, dtype)

    def function(self, name, placements, symbols=""):
        args = ", ".join(
            f"%{NAMES[i]}: {self.arg_type(i)} {{dtensor.layout = "
            f"#dtensor.layout<#mesh, {layout(placements[i])}, "
            f"({', '.join(str(d) for d in dims)})>}}"
            for i, (dims, _, _) in enumerate(self.args))
        body = self.body
        for i in range(len(self.args)):
            body = body.replace("$" + NAMES[i].upper(), self.arg_type(i))
        for i, (_, text) in reversed(list(enumerate(self.results))):
            body = body.replace(f"${i}", text)
        types = ", ".join(t for _, t in self.results)
        values = ", ".join(f"%r{i}" for i in range(len(self.results)))
        return (f"func.func @{name}({args}) -> ({types}) {{\n  "
                + "\n  ".join(body.strip().splitlines())
                + f"\n  return {values} : {types}\n}}\n")


def layout(placements):
    """A last element "swapped" nests the second axis outside of the first."""
    if placements[-1] != "swapped":
        return f"[{', '.join(placements)}]"
    return f"[{', '.join(placements[:-1])}] order = [\"tp\", \"dp\"]"


def tensor(dims, dtype):
    sizes = "".join(("?" if isinstance(d, str) else str(d)) + "x" for d in dims)
    return f"tensor<{sizes}{dtype}>"


def draw(case, num_axes, rng):
    """Placements for every argument, a partial now and then."""
    chosen = []
    for i, (dims, dtype, values) in enumerate(case.args):
        # Axes that shard one dimension agree in their unit, and the pending
        # reductions of one tensor in their kind.
        units = [rng.choice(["", "", ", unit = 2"]) for _ in dims]
        choices = ["replicate"] + [f"shard({d}{units[d]})"
                                   for d in range(len(dims))] * 2
        if dtype in PARTIAL and values in (normal, default(dtype)):
            choices.append(f"partial({rng.choice(PARTIAL[dtype])})")
        chosen.append([rng.choice(choices) for _ in range(num_axes)])
    return chosen


def variants(case, num_axes, count):
    """`count` different choices, the first ones sharded and not mixed."""
    rng = random.Random(f"{case.name} {num_axes}")
    seen = []
    for d in range(2):
        same = [[f"shard({min(d, len(dims) - 1)})" if dims else "replicate"]
                * num_axes for dims, _, _ in case.args]
        if same not in seen:
            seen.append(same)
    if num_axes == 2 and count > 2:
        seen[1:] = [[p + ["swapped"] for p in seen[0]]]
    for _ in range(50):
        if len(seen) >= count:
            break
        chosen = draw(case, num_axes, rng)
        if chosen not in seen:
            seen.append(chosen)
    return seen[:count]


def module(cases, axes, count):
    lines = ["#mesh = #dtensor.mesh<" +
             ", ".join(f'"{a}" = ?' for a in axes) + ">\n"]
    entries = []
    for case in cases:
        for i, placements in enumerate(variants(case, len(axes), count)):
            entries.append((case, f"{case.name}_{i}", placements))
            lines.append(case.function(entries[-1][1], placements))
    return "".join(lines), entries


def check(bundle, case, entry, placements, mesh, sizes):
    torch.manual_seed(zlib.crc32(f"{entry} {sizes}".encode()))
    args = [make(tuple(sizes[d] if isinstance(d, str) else d for d in dims),
                 dtype, sizes) for dims, dtype, make in case.args]
    partial = any("partial" in p for a in placements for p in a)
    if partial:
        args = [exact(a) if a.is_floating_point() and "partial" in str(p) else a
                for a, p in zip(args, placements)]
    expected = case.reference(*args, **(sizes if case.sized else {}))
    if not isinstance(expected, (list, tuple)):
        expected = [expected]
    if partial:
        launch = bundle.executable(mesh, entry).bind(*args)
        seed = np.random.default_rng(zlib.crc32(entry.encode()))
        results = [torch.from_numpy(r) if r.dtype != np.int16 else
                   torch.from_numpy(r).view(torch.bfloat16) for r in
                   oracle.run_pieces(launch, list(mesh.values()), seed)]
    else:
        results, _ = bundle.run(mesh, *args, entry=entry)
    assert len(results) == len(expected)
    for (label, text), actual, wanted in zip(case.results, results, expected):
        dtype = text[:-1].split("x")[-1].split("<")[-1]
        rtol, atol = case.tolerance or TOLERANCE.get(dtype, (0, 0))
        wanted = wanted.to(TORCH[dtype])
        harness.assert_close(actual, wanted, rtol, atol, label)


def sweep(name, cases, axes, meshes, count=4, sizes=None):
    text, entries = module(cases, axes, count)
    bundle = harness.compile_text(text, name)
    results = harness.Cases()
    for case, entry, placements in entries:
        for size in sizes or SIZES:
            if not case.when(**size):
                continue
            for mesh in meshes:
                results.check(f"{entry} {placements} {size} on {mesh}", check,
                              bundle, case, entry, placements, mesh, size)
    results.done()


def sweep_1d(name, cases, count=4, sizes=None):
    sweep(name + "-1d", cases, ["tp"], MESHES_1D, count, sizes)


def sweep_2d(name, cases, count=3, sizes=None):
    sweep(name + "-2d", cases, ["dp", "tp"], MESHES_2D, count, sizes)
