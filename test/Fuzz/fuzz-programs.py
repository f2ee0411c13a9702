# REQUIRES: python
# RUN: %python %s %obj --seconds 20 --seed 1
"""Random programs with random placements compute what PyTorch computes.

usage: fuzz-programs.py BUILD [--minutes N | --seconds N] [--seed S] [--keep DIR]

Every program is compiled once and runs on several meshes and sizes. Elements
are f64, so that a difference is an error and not a rounding. A failing program
is cut down to the ancestors of the first wrong value and kept as a .mlir file
that shows it. Prints how many programs there were. Exit code 1 if one failed.
"""

import argparse
import os
import random
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1])
SEARCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                      "Integration", "Inputs")
sys.path.insert(0, SEARCH)
import harness
import oracle
import philox

import numpy as np
import torch

MESHES = {1: [{"tp": n} for n in (1, 2, 3, 4)],
          2: [{"dp": a, "tp": b} for a, b in ((2, 2), (2, 3), (3, 1))]}
SIZES = [dict(M=4, N=8, K=2), dict(M=5, N=3, K=7), dict(M=1, N=2, K=1),
         dict(M=0, N=3, K=2)]
SYMBOLS = ["M", "N", "K"]


def number(extent, sizes):
    """4, N or N*N at these sizes."""
    product = 1
    for factor in str(extent).split("*"):
        product *= sizes[factor] if factor in sizes else int(factor)
    return product


class Value:
    """One op: its text with {0} {1} ... for operands, what PyTorch does."""

    def __init__(self, shape, operands, text, function, constraint=None):
        self.shape, self.operands = shape, operands
        self.text, self.function = text, function
        self.constraint = constraint

    @property
    def type(self):
        dims = "".join(("?" if isinstance(d, str) else str(d)) + "x"
                       for d in self.shape)
        return f"tensor<{dims}f64>"


class Program:
    def __init__(self, rng):
        self.rng, self.values, self.placements = rng, [], []
        self.axes = rng.choice([1, 1, 2])
        for _ in range(rng.randrange(1, 4)):
            shape = [rng.choice(SYMBOLS + ["N", 4])
                     for _ in range(rng.randrange(1, 4))]
            self.values.append(Value(shape, None, None, None))
            self.placements.append(self.draw(shape, True))
        self.num_args = len(self.values)
        while len(self.values) < self.num_args + rng.randrange(2, 12):
            self.step()
        last = len(self.values) - 1
        self.results = sorted({last, rng.randrange(self.num_args, last + 1)})
        self.result_placements = [
            self.draw(self.values[r].shape, False) if rng.random() < 0.5 else
            None for r in self.results]

    def draw(self, shape, partial):
        units = [self.rng.choice(["", "", ", unit = 2"]) for _ in shape]
        choices = ["replicate"] + [f"shard({d}{units[d]})"
                                   for d in range(len(shape))] * 2
        if partial:
            choices.append("partial(" + self.rng.choice(
                ["sum", "sum", "avg", "max", "min"]) + ")")
        return [self.rng.choice(choices) for _ in range(self.axes)]

    #===- Ops --------------------------------------------------------------===#

    def add(self, shape, operands, text, function, constraint=None):
        self.values.append(Value(shape, operands, text, function, constraint))

    def pick(self, rank=None):
        found = [i for i, v in enumerate(self.values)
                 if rank is None or len(v.shape) >= rank]
        # Recent values, so that programs are deep.
        return self.rng.choice(found[-4:] if found and self.rng.random() < 0.7
                               else found) if found else None

    def step(self):
        self.rng.choice([self.unary, self.unary, self.binary, self.binary,
                         self.reduce, self.product, self.permute, self.softmax,
                         self.concat, self.constrain, self.broadcast,
                         self.flatten, self.slice, self.where, self.loop,
                         self.branch, self.position, self.rows, self.gradient,
                         self.gradient, self.lookup_gradient, self.random,
                         self.step_of_optimizer, self.scan,
                         self.windows])()

    def unary(self):
        i = self.pick()
        op, function = self.rng.choice([
            ("neg", torch.neg), ("tanh", torch.tanh), ("abs", torch.abs),
            ("relu", torch.relu), ("sin", torch.sin),
            ("sigmoid", torch.sigmoid)])
        self.add(self.values[i].shape, [i], f"dtensor.{op}", function)

    def binary(self):
        i = self.pick()
        same = [j for j, v in enumerate(self.values)
                if v.shape == self.values[i].shape]
        op, function = self.rng.choice([
            ("add", torch.add), ("sub", torch.sub), ("mul", torch.mul),
            ("maximum", torch.maximum), ("minimum", torch.minimum)])
        j = self.rng.choice(same)
        self.add(self.values[i].shape, self.rng.sample([i, j], 2),
                 f"dtensor.{op}", function)

    def broadcast(self):
        i = self.pick(2)
        if i is None:
            return
        rows = [j for j, v in enumerate(self.values)
                if v.shape == self.values[i].shape[1:]]
        if rows:
            op, function = self.rng.choice([("add", torch.add),
                                            ("mul", torch.mul)])
            self.add(self.values[i].shape, [i, self.rng.choice(rows)],
                     f"dtensor.{op}", function)

    def reduce(self):
        i = self.pick(1)
        if i is None:
            return
        shape = self.values[i].shape
        dim, keep = self.rng.randrange(len(shape)), self.rng.random() < 0.3
        op = self.rng.choice(["sum", "sum", "amax", "mean"])

        def function(x):
            if op != "amax":
                return getattr(x, op)(dim, keepdim=keep)
            if not x.shape[dim]:
                # Of nothing; finite, so that what follows stays so.
                return x.sum(dim, keepdim=keep) - float("inf")
            return x.amax(dim, keepdim=keep)
        result = shape[:dim] + ([1] if keep else []) + shape[dim + 1:]
        self.add(result, [i], f"dtensor.{op}", function,
                 f"{{dims = [{dim}]{', keepdim' if keep else ''}}}")

    def product(self):
        pairs = [(i, j) for i, a in enumerate(self.values)
                 for j, b in enumerate(self.values)
                 if len(a.shape) == len(b.shape) == 2 and
                 a.shape[1] == b.shape[0]]
        if pairs:
            i, j = self.rng.choice(pairs)
            self.add([self.values[i].shape[0], self.values[j].shape[1]], [i, j],
                     "dtensor.matmul", torch.matmul)

    def permute(self):
        i = self.pick(2)
        if i is None:
            return
        shape = self.values[i].shape
        order = self.rng.sample(range(len(shape)), len(shape))
        self.add([shape[d] for d in order], [i], "dtensor.permute",
                 lambda x: x.permute(order), f"{{permutation = {order}}}")

    def softmax(self):
        i = self.pick(1)
        if i is None:
            return
        dim = self.rng.randrange(len(self.values[i].shape))
        self.add(self.values[i].shape, [i], "dtensor.softmax",
                 lambda x: torch.softmax(x, dim), f"{{dim = {dim}}}")

    def scan(self):
        i = self.pick(1)
        if i is None:
            return
        dim = self.rng.randrange(len(self.values[i].shape))
        self.add(self.values[i].shape, [i], "dtensor.cumsum",
                 lambda x: torch.cumsum(x, dim), f"{{dim = {dim}}}")

    def windows(self):
        """The sum of each element, some before it and some behind."""
        i = self.pick(1)
        if i is None or len(self.values[i].shape) > 3:
            return
        shape = self.values[i].shape
        dim = self.rng.randrange(len(shape))
        before, step, kernel = self.rng.choice([(1, 1, 3), (2, 2, 2),
                                                (0, 1, 2), (3, 1, 5)])
        size = shape[dim] if isinstance(shape[dim], int) else \
            f"#dtensor.expr<{shape[dim]}>"
        extents = "x".join("?" if isinstance(d, str) else str(d)
                           for d in shape + [kernel])

        def function(x):
            y = torch.zeros_like(x)
            for k in range(kernel):
                shift, n = k * step - before, x.shape[dim]
                lo, hi = max(0, -shift), min(n, n - shift)
                if lo < hi:
                    y.narrow(dim, lo, hi - lo).add_(
                        x.narrow(dim, lo + shift, hi - lo))
            return y
        self.lines(shape, [i],
                   f"%w$i = dtensor.unfold $0 {{dims = [{dim}], sizes = "
                   f"[{size}], kernel = [{kernel}], stride = [1], dilation = "
                   f"[{step}], offset = [{-before}], divisor = [1], value = "
                   f"0.0 : f64}} : ($T0) -> tensor<{extents}xf64>\n"
                   f"  $r = dtensor.sum %w$i {{dims = [{len(shape)}]}} : "
                   f"(tensor<{extents}xf64>) -> $T", function)

    def concat(self):
        i = self.pick(1)
        if i is None:
            return
        shape = self.values[i].shape
        dims = [d for d, s in enumerate(shape) if isinstance(s, int)]
        if dims:
            dim = self.rng.choice(dims)
            result = list(shape)
            result[dim] = 2 * shape[dim]
            self.add(result, [i, i], "dtensor.concat",
                     lambda a, b: torch.cat([a, b], dim), f"{{dim = {dim}}}")

    def flatten(self):
        """Joined, changed and split again: the extents are a product."""
        i = self.pick(2)
        if i is None:
            return
        shape = self.values[i].shape
        start = self.rng.randrange(len(shape) - 1)
        if not all(isinstance(d, str) for d in shape[start:start + 2]):
            return
        joined = shape[:start] + [f"{shape[start]}*{shape[start + 1]}"] + \
            shape[start + 2:]
        self.add(joined, [i], "dtensor.flatten",
                 lambda x: x.flatten(start, start + 1),
                 f"{{start = {start}, end = {start + 1}}}")
        self.unary()
        last = self.values[-1]
        if last.shape == joined and last.operands == [len(self.values) - 2]:
            sizes = ", ".join(f"#dtensor.expr<{d}>"
                              for d in shape[start:start + 2])

            def split(x, sizes=None):
                return x.unflatten(start, [number(d, sizes)
                                           for d in shape[start:start + 2]])
            split.sized = True
            self.add(shape, [len(self.values) - 1], "dtensor.unflatten", split,
                     f"{{dim = {start}, sizes = [{sizes}]}}")

    def slice(self):
        i = self.pick(1)
        if i is None:
            return
        shape = self.values[i].shape
        dims = [d for d, s in enumerate(shape) if s == 4 or s == 8]
        if dims:
            dim = self.rng.choice(dims)
            start, size = self.rng.randrange(3), 2
            result = shape[:dim] + [size] + shape[dim + 1:]
            starts = [start if d == dim else 0 for d in range(len(shape))]
            self.add(result, [i], "dtensor.slice",
                     lambda x: x.narrow(dim, start, size),
                     ("slice", f"{starts} [{', '.join(map(str, result))}] "
                      f"{[1] * len(shape)}"))

    def constrain(self):
        i = self.pick()
        shape = self.values[i].shape
        placements = ", ".join(self.draw(shape, False))
        extents = ", ".join(str(d) for d in shape)
        self.add(shape, [i], "dtensor.constraint", lambda x: x,
                 ("to", f"<#mesh, [{placements}], ({extents})>"))

    def lines(self, shape, operands, template, function):
        """An op of several lines: $r is the result, $0 $1 ... the operands, $T
        and $T0 $T1 ... their types, and $i makes other names unique."""
        self.add(shape, operands, template, function)

    def where(self):
        i = self.pick()
        shape = self.values[i].shape
        j = self.rng.choice([j for j, v in enumerate(self.values)
                             if v.shape == shape])
        self.lines(shape, [i, j],
                   '%c$i = dtensor.compare $0, $1 {predicate = "lt"} : ($T0, '
                   "$T1) -> $B\n"
                   "  $r = dtensor.where %c$i, $1, $0 : ($B, $T1, $T0) -> $T",
                   lambda a, b: torch.where(a < b, b, a))

    def loop(self):
        i = self.pick()
        shape = self.values[i].shape
        j = self.rng.choice([j for j, v in enumerate(self.values)
                             if v.shape == shape])

        def function(a, b):
            for _ in range(3):
                a = torch.sin(a + b)
            return a
        self.lines(shape, [i, j],
                   "%l$i = arith.constant 0 : index\n"
                   "  %s$i = arith.constant 1 : index\n"
                   "  %u$i = arith.constant 3 : index\n"
                   "  $r = scf.for %k$i = %l$i to %u$i step %s$i "
                   "iter_args(%a$i = $0) -> ($T) {\n"
                   "    %x$i = dtensor.add %a$i, $1 : ($T, $T1) -> $T\n"
                   "    %y$i = dtensor.sin %x$i : ($T) -> $T\n"
                   "    scf.yield %y$i : $T\n  }", function)

    def branch(self):
        """On a global size: every rank takes the same side."""
        i = self.pick(1)
        if i is None:
            return
        shape = self.values[i].shape
        j = self.rng.choice([j for j, v in enumerate(self.values)
                             if v.shape == shape])
        self.lines(shape, [i, j],
                   "%l$i = arith.constant 0 : index\n"
                   "  %u$i = arith.constant 3 : index\n"
                   "  %d$i = tensor.dim $0, %l$i : $T0\n"
                   "  %c$i = arith.cmpi sgt, %d$i, %u$i : index\n"
                   "  $r = scf.if %c$i -> ($T) {\n"
                   "    %x$i = dtensor.sub $0, $1 : ($T0, $T1) -> $T\n"
                   "    scf.yield %x$i : $T\n  } else {\n"
                   "    scf.yield $1 : $T\n  }",
                   lambda a, b: a - b if a.shape[0] > 3 else b)

    def position(self):
        i = self.pick(1)
        if i is None:
            return
        shape = self.values[i].shape
        dim = self.rng.randrange(len(shape))
        sizes = ", ".join(str(d) if isinstance(d, int) else
                          f"#dtensor.expr<{d}>" for d in shape)

        def function(x):
            index = torch.arange(x.shape[dim], dtype=x.dtype)
            return x * index.reshape([-1] + [1] * (x.ndim - 1 - dim))
        self.lines(shape, [i],
                   f"%n$i = dtensor.iota {{dim = {dim}, sizes = [{sizes}]}} : "
                   "() -> $T\n"
                   "  $r = dtensor.mul $0, %n$i : ($T0, $T) -> $T", function)

    def rows(self):
        """Arguments only: they are finite, and so can become integers."""
        i = self.rng.randrange(self.num_args)
        tables = [j for j, v in enumerate(self.values) if v.shape]
        if not tables:
            return
        j = self.rng.choice(tables)
        shape, rest = self.values[i].shape, self.values[j].shape[1:]
        if len(shape) + len(rest) > 4:
            return
        ids = self.values[i].type.replace("f64", "i64")

        def function(x, table):
            index = (x * 4).long()
            good = (index >= 0) & (index < table.shape[0])
            if not table.shape[0]:
                return torch.zeros(index.shape + table.shape[1:],
                                   dtype=table.dtype)
            found = table[index.clamp(0, table.shape[0] - 1)]
            good = good.reshape(good.shape + (1,) * (table.ndim - 1))
            return torch.where(good, found, torch.zeros((), dtype=x.dtype))
        self.lines(shape + rest, [i, j],
                   "%f$i = arith.constant 4.0 : f64\n"
                   "  %m$i = dtensor.mul $0, %f$i : ($T0, f64) -> $T0\n"
                   f"  %i$i = dtensor.cast %m$i : ($T0) -> {ids}\n"
                   f"  $r = dtensor.embedding %i$i, $1 : ({ids}, $T1) -> $T",
                   function)

    def same_shape(self, i):
        return self.rng.choice([j for j, v in enumerate(self.values)
                                if v.shape == self.values[i].shape])

    def gradient(self):
        """Of one op with one operand: the first is the result's gradient."""
        i = self.pick(1)
        if i is None:
            return
        dim = self.rng.randrange(len(self.values[i].shape))
        aten, along = torch.ops.aten, f"{{dim = {dim}}}"
        op, attributes, function = self.rng.choice([
            ("tanh", "", aten.tanh_backward),
            ("sigmoid", "", aten.sigmoid_backward),
            ("silu", "", aten.silu_backward),
            ("gelu", "", aten.gelu_backward),
            ("threshold", "{threshold = 0.5}",
             lambda g, x: aten.threshold_backward(g, x, 0.5)),
            ("softmax", along, lambda g, y: aten._softmax_backward_data(
                g, y, dim, y.dtype)),
            ("log_softmax", along, lambda g, y:
             aten._log_softmax_backward_data(g, y.sin(), dim, y.dtype))])
        other = self.same_shape(i)
        if op == "log_softmax":
            # exp of what was drawn may be anything.
            self.lines(self.values[i].shape, [i, other],
                       "%s$i = dtensor.sin $1 : ($T1) -> $T1\n"
                       f"  $r = dtensor.log_softmax_backward $0, %s$i {along} :"
                       " ($T0, $T1) -> $T", function)
            return
        self.add(self.values[i].shape, [i, other], f"dtensor.{op}_backward",
                 function, attributes or None)

    def lookup_gradient(self):
        """Rows summed at indices made of an argument, as in `rows`."""
        i = self.rng.randrange(self.num_args)
        shape = self.values[i].shape
        found = [j for j, v in enumerate(self.values)
                 if v.shape[:len(shape)] == shape]
        if not shape or not found:
            return
        j, size = self.rng.choice(found), self.rng.randrange(1, 6)
        rest = self.values[j].shape[len(shape):]
        ids = self.values[i].type.replace("f64", "i64")

        def function(x, g):
            index = (x * 4).long().reshape(-1)
            index = torch.where((index < 0) | (index >= size), size, index)
            rows = g.reshape([index.numel()] + list(g.shape[x.ndim:]))
            zeros = torch.zeros([size + 1] + list(rows.shape[1:]),
                                dtype=g.dtype)
            return zeros.index_add(0, index, rows)[:size]
        self.lines([size] + rest, [i, j],
                   "%f$i = arith.constant 4.0 : f64\n"
                   "  %m$i = dtensor.mul $0, %f$i : ($T0, f64) -> $T0\n"
                   f"  %i$i = dtensor.cast %m$i : ($T0) -> {ids}\n"
                   f"  $r = dtensor.embedding_backward $1, %i$i {{size = {size}"
                   f"}} : ($T1, {ids}) -> $T", function)

    def random(self):
        """Dropout, or numbers that are added."""
        i = self.pick()
        shape = self.values[i].shape
        seed, offset = (self.rng.randrange(-2**63, 2**63) for _ in range(2))
        numbers = (f"%s$i = arith.constant {seed} : i64\n"
                   f"  %o$i = arith.constant {offset} : i64\n")
        if self.rng.random() < 0.5:
            def dropout(x):
                drawn = philox.draw(tuple(x.shape), seed, offset)
                kept = torch.from_numpy(np.asarray(
                    philox.uniform(drawn, "f32") >= 0.25))
                return torch.where(kept, x / 0.75, torch.zeros((),
                                                               dtype=x.dtype))
            self.lines(shape, [i], numbers +
                       "  $r, %k$i = dtensor.dropout $0, %s$i, %o$i {p = 0.25} "
                       ": ($T0, i64, i64) -> ($T, $B)", dropout)
            return
        sizes = ", ".join(str(d) if isinstance(d, int) else
                          f"#dtensor.expr<{d}>" for d in shape)

        def add(x):
            drawn = philox.draw(tuple(x.shape), seed, offset)
            return x + torch.from_numpy(np.asarray(philox.uniform(drawn,
                                                                  "f64")))
        self.lines(shape, [i], numbers +
                   f"  %u$i = dtensor.rand %s$i, %o$i {{sizes = [{sizes}]}} : "
                   "(i64, i64) -> $T\n"
                   "  $r = dtensor.add $0, %u$i : ($T0, $T) -> $T", add)

    def step_of_optimizer(self):
        i = self.pick()
        g, m = self.same_shape(i), self.same_shape(i)
        self.lines(self.values[i].shape, [i, g, m],
                   "%l$i = arith.constant 0.5 : f64\n"
                   "  $r, %m$i = dtensor.sgd_step lr(%l$i) params($0) grads($1)"
                   " momenta($2) {momentum = 0.25, nesterov} : (f64, $T0, $T1, "
                   "$T2) -> ($T, $T)",
                   lambda p, g, m: p - 0.5 * (g + 0.25 * (0.25 * m + g)))

    #===- Text and meaning -------------------------------------------------===#

    def layout(self, value, placements):
        return (f"{{dtensor.layout = #dtensor.layout<#mesh, "
                f"[{', '.join(placements)}], "
                f"({', '.join(str(d) for d in value.shape)})>}}")

    def line(self, i):
        v = self.values[i]
        if "$r" in v.text:
            return self.expand(v, i)
        operands = ", ".join(f"%v{o}" for o in v.operands)
        types = ", ".join(self.values[o].type for o in v.operands)
        if v.text == "dtensor.constraint":
            return f"%v{i} = {v.text} {operands} to {v.constraint[1]} : {v.type}"
        if v.text == "dtensor.slice":
            return (f"%v{i} = {v.text} {operands} {v.constraint[1]} : ({types})"
                    f" -> {v.type}")
        attributes = " " + v.constraint if v.constraint else ""
        return f"%v{i} = {v.text} {operands}{attributes} : ({types}) -> {v.type}"

    def expand(self, v, i):
        text = v.text
        for n, o in enumerate(v.operands):
            text = text.replace(f"$T{n}", self.values[o].type)
            text = text.replace(f"${n}", f"%v{o}")
        return text.replace("$T", v.type).replace("$r", f"%v{i}").replace(
            "$B", v.type.replace("f64", "i1")).replace("$i", str(i))

    def ancestors(self, roots):
        kept, todo = set(range(self.num_args)), list(roots)
        while todo:
            i = todo.pop()
            if i not in kept:
                kept.add(i)
                todo += self.values[i].operands
        return sorted(kept)

    def text(self, results=None, placed=True):
        """A program that returns `results`, or what was drawn."""
        placed = dict(zip(self.results, self.result_placements)) \
            if placed else {}
        results = self.results if results is None else results
        axes = ['"tp" = ?'] if self.axes == 1 else ['"dp" = ?', '"tp" = ?']
        args = ", ".join(f"%v{i}: {self.values[i].type} "
                         f"{self.layout(self.values[i], self.placements[i])}"
                         for i in range(self.num_args))
        types = ", ".join(
            self.values[r].type + (" " + self.layout(self.values[r], placed[r])
                                   if placed.get(r) else "") for r in results)
        lines = [self.line(i) for i in self.ancestors(results)
                 if i >= self.num_args]
        names = ", ".join(f"%v{r}" for r in results)
        plain = ", ".join(self.values[r].type for r in results)
        return (f"#mesh = #dtensor.mesh<{', '.join(axes)}>\n"
                f"func.func @f({args}) -> ({types}) {{\n  "
                + "\n  ".join(lines) + f"\n  return {names} : {plain}\n}}\n")

    def evaluate(self, args, sizes):
        values = list(args)
        for v in self.values[self.num_args:]:
            operands = [values[o] for o in v.operands]
            values.append(v.function(*operands, sizes=sizes)
                          if hasattr(v.function, "sized") else
                          v.function(*operands))
        return values

    def arguments(self, sizes):
        return [torch.randn([number(d, sizes) for d in self.values[i].shape],
                            dtype=torch.float64)
                for i in range(self.num_args)]


def run(program, bundle, mesh, args):
    """Pending reductions are split at random among the ranks."""
    if "partial" not in str(program.placements):
        return bundle.run(mesh, *args)[0]
    launch = bundle.executable(mesh).bind(*args)
    return oracle.run_pieces(launch, list(mesh.values()),
                             np.random.default_rng(5))


def try_program(program, results, name, placed=True):
    """None, or what is wrong."""
    shown = program.results if results is None else results
    try:
        bundle = harness.compile_text(program.text(results, placed), name)
        for sizes in SIZES:
            torch.manual_seed(1)
            args = program.arguments(sizes)
            expected = program.evaluate(args, sizes)
            for mesh in MESHES[program.axes]:
                values = run(program, bundle, mesh, args)
                for r, value in zip(shown, values):
                    harness.assert_close(value, expected[r], 1e-9, 1e-9,
                                         f"%v{r}, sizes {sizes} on {mesh}")
    except (AssertionError, harness.Failure) as error:
        return str(error)
    return None


def in_child(function):
    """The result of a function that may crash."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        answer = function()
        os.write(writer, (answer or "").encode()[:4000])
        os._exit(0)
    os.close(writer)
    answer = b""
    while chunk := os.read(reader, 4096):
        answer += chunk
    os.close(reader)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return f"exit code {status}" if status else answer.decode()


def reduced(program):
    """The first value that is wrong by itself, and why."""
    alone = [(i, False) for i in range(program.num_args, len(program.values))]
    for i, placed in alone + [(r, True) for r in program.results]:
        wrong = in_child(lambda: try_program(program, [i], "reduced", placed))
        if wrong:
            return program.text([i], placed), wrong
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
    harness.TEMP = options.keep or tempfile.mkdtemp()
    os.makedirs(harness.TEMP, exist_ok=True)
    torch.set_num_threads(1)
    count, failures = 0, 0
    while time.time() < end or count == 0:
        program = Program(random.Random(f"{options.seed} {count}"))
        wrong = in_child(lambda: try_program(program, None, "program"))
        count += 1
        if wrong:
            text, why = reduced(program) or (program.text(), wrong)
            path = harness.temp(f"failure{failures}.mlir")
            with open(path, "w") as file:
                file.write("".join(f"// {l}\n" for l in
                                   why.splitlines()[:3]) + text)
            failures += 1
            print(f"{path}: {why[:300]}", flush=True)
    print(f"{count} programs, {failures} failures, seed {options.seed}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
