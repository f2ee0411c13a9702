"""Random programs: cases of the tests of ops joined where shapes agree, and ops
that take any shape between them."""

import numpy as np
import torch

import conform
import philox
from programs import SYMBOLS, Program, number

aten = torch.ops.aten
UNARY = [("neg", torch.neg), ("tanh", torch.tanh), ("abs", torch.abs),
         ("relu", torch.relu), ("sin", torch.sin), ("cos", torch.cos),
         ("sigmoid", torch.sigmoid), ("atan", torch.atan), ("erf", torch.erf),
         ("silu", torch.nn.functional.silu), ("square", torch.square)]
BINARY = [("add", torch.add), ("sub", torch.sub), ("mul", torch.mul),
          ("maximum", torch.maximum), ("minimum", torch.minimum),
          ("add", torch.add)]


def size_of(extent):
    return str(extent) if isinstance(extent, int) else \
        f"#dtensor.expr<{extent}>"


class Drawer:
    """Adds one random step after the other to a program."""

    def __init__(self, rng, templates):
        self.rng, self.templates = rng, templates
        self.program = Program(rng.choice([1, 1, 2, 2, 3]))
        self.values = self.program.values

    def draw(self):
        """A program with some steps and results."""
        for _ in range(self.rng.randrange(1, 3)):
            self.fresh([self.rng.choice(SYMBOLS + [4])
                        for _ in range(self.rng.randrange(1, 4))])
        steps = self.rng.randrange(2, 10)
        for _ in range(4 * steps):
            if len(self.program.steps) >= steps:
                break
            if self.rng.random() < 0.45:
                self.case()
            else:
                self.rng.choice(self.GLUE)(self)
        if not self.program.steps:
            self.unary()
        self.choose_results()
        return self.program

    def choose_results(self):
        made = [r for s in self.program.steps for r in s.results]
        used = {o for s in self.program.steps for o in s.operands}
        last = self.program.steps[-1].results[0]
        others = [r for r in made if r not in used and r != last]
        chosen = [last] + self.rng.sample(others, min(len(others), 2))
        self.program.results = [
            (r, self.placements(self.values[r].shape)
             if self.values[r].named and self.rng.random() < 0.5 else None)
            for r in chosen]

    #===- Arguments --------------------------------------------------------===#

    def placements(self, shape, kinds=()):
        """One for each axis; axes that shard one dimension have one unit."""
        units = [self.rng.choice(["", "", ", unit = 2"]) for _ in shape]
        choices = ["replicate"] + [f"shard({d}{units[d]})"
                                   for d in range(len(shape))] * 2
        if kinds:
            choices.append(f"partial({self.rng.choice(kinds)})")
        return [self.rng.choice(choices) for _ in range(self.program.axes)]

    def fresh(self, shape, dtype="f64", make=None):
        plain = make is None or make in (conform.normal, conform.default(dtype))
        kinds = conform.PARTIAL.get(dtype, []) if plain else []
        return self.program.argument(shape, dtype,
                                     make or conform.default(dtype),
                                     self.placements(shape, kinds), plain)

    def operand(self, shape, dtype, make):
        """A value that there is, or a new argument."""
        plain = make in (conform.normal, conform.default(dtype))
        named = None not in shape
        found = [i for i, v in enumerate(self.values)
                 if v.shape == list(shape) and v.dtype == dtype] \
            if plain and named else []
        if found and self.rng.random() < 0.8:
            return self.rng.choice(found[-4:])
        return self.fresh(shape, dtype, make)

    def case(self):
        """Prefers cases that take what there is already."""
        for _ in range(8):
            template = self.rng.choice(self.templates)
            shapes = template.shapes()
            if not shapes:
                continue
            known = any(v.shape == list(dims) and v.dtype == dtype
                        for dims, dtype, _ in template.args
                        for v in self.values if v.named)
            if not known and self.rng.random() < 0.75:
                continue
            operands = [self.operand(*arg) for arg in template.args]
            self.program.step(operands, shapes, template.text,
                              template.reference,
                              sized=template.case.sized,
                              when=template.case.when,
                              label=template.case.name)
            return

    #===- Ops of any shape -------------------------------------------------===#

    def pick(self, rank=0):
        found = [i for i, v in enumerate(self.values)
                 if v.dtype == "f64" and v.named and len(v.shape) >= rank and
                 len(v.shape) <= 5]
        # Recent values, so that programs are deep.
        if not found:
            return self.fresh([self.rng.choice(SYMBOLS)
                               for _ in range(max(rank, 1))])
        return self.rng.choice(found[-4:] if self.rng.random() < 0.7 else found)

    def like(self, i):
        """Another value of this shape, or the same."""
        shape = self.values[i].shape
        return self.rng.choice([j for j, v in enumerate(self.values)
                                if v.shape == shape and v.dtype == "f64"])

    def op(self, shape, operands, name, function, attributes="", **options):
        left = ", ".join(f"${n}" for n in range(len(operands)))
        types = ", ".join(f"$T{n}" for n in range(len(operands)))
        return self.program.step(
            operands, [(shape, "f64")], f"$r = dtensor.{name} {left}"
            f"{' ' + attributes if attributes else ''} : ({types}) -> $T",
            function, **options)[0]

    def lines(self, shape, operands, text, function, **options):
        return self.program.step(operands, [(shape, "f64")], text, function,
                                 **options)[0]

    def unary(self):
        i = self.pick()
        op, function = self.rng.choice(UNARY)
        return self.op(self.values[i].shape, [i], op, function)

    def binary(self):
        i = self.pick()
        op, function = self.rng.choice(BINARY)
        self.op(self.values[i].shape, self.rng.sample([i, self.like(i)], 2), op,
                function)

    def broadcast(self):
        i = self.pick(2)
        shape = self.values[i].shape
        rows = [j for j, v in enumerate(self.values)
                if v.shape == shape[1:] and v.dtype == "f64"]
        if rows:
            op, function = self.rng.choice(BINARY[:3])
            self.op(shape, [i, self.rng.choice(rows)], op, function)

    def reduce(self):
        i = self.pick(1)
        shape = self.values[i].shape
        dim, keep = self.rng.randrange(len(shape)), self.rng.random() < 0.3
        op = self.rng.choice(["sum", "sum", "amax", "mean"])

        def function(x):
            if op != "amax":
                return getattr(x, op)(dim, keepdim=keep)
            if not x.shape[dim]:
                return x.sum(dim, keepdim=keep) - float("inf")
            return x.amax(dim, keepdim=keep)
        self.op(shape[:dim] + ([1] if keep else []) + shape[dim + 1:], [i], op,
                function, f"{{dims = [{dim}]{', keepdim' if keep else ''}}}")

    def product(self):
        floats = [(i, v.shape) for i, v in enumerate(self.values)
                  if v.dtype == "f64" and v.named and len(v.shape) == 2]
        pairs = [(i, j) for i, a in floats for j, b in floats if a[1] == b[0]]
        if pairs:
            i, j = self.rng.choice(pairs)
            self.op([self.values[i].shape[0], self.values[j].shape[1]], [i, j],
                    "matmul", torch.matmul)

    def permute(self):
        i = self.pick(2)
        shape = self.values[i].shape
        order = self.rng.sample(range(len(shape)), len(shape))
        self.op([shape[d] for d in order], [i], "permute",
                lambda x: x.permute(order), f"{{permutation = {order}}}")

    def along(self):
        """One that goes along a dimension and keeps the shape."""
        i = self.pick(1)
        shape = self.values[i].shape
        dim = self.rng.randrange(len(shape))
        op, function = self.rng.choice([
            ("softmax", torch.softmax), ("log_softmax", torch.log_softmax),
            ("cumsum", torch.cumsum)])
        self.op(shape, [i], op, lambda x: function(x, dim), f"{{dim = {dim}}}")

    def flip(self):
        i = self.pick(1)
        shape = self.values[i].shape
        dim = self.rng.randrange(len(shape))
        if self.rng.random() < 0.5:
            self.op(shape, [i], "flip", lambda x: x.flip(dim),
                    f"{{dims = [{dim}]}}")
        else:
            shift = self.rng.randrange(-3, 4)
            self.op(shape, [i], "roll", lambda x: torch.roll(x, shift, dim),
                    f"{{shifts = [{shift}], dims = [{dim}]}}")

    def sort(self):
        """Shards of one axis are merged where they are."""
        i = self.pick(1)
        shape = self.values[i].shape
        dim, down = self.rng.randrange(len(shape)), self.rng.random() < 0.3
        attributes = f"dim = {dim}" + (", descending" if down else "") + \
            (", merges" if self.program.axes == 1 else "")
        self.lines(shape, [i], f"$r, %i$i = dtensor.sort $0 {{{attributes}}} : "
                   f"($T0) -> ($T, {self.values[i].type[:-4]}i64>)",
                   lambda x: torch.sort(x, dim=dim, descending=down,
                                        stable=True).values)

    def concat(self):
        i = self.pick(1)
        shape = self.values[i].shape
        dims = [d for d, s in enumerate(shape) if isinstance(s, int)
                and s < 20]
        if dims:
            dim = self.rng.choice(dims)
            result = list(shape)
            result[dim] = 2 * shape[dim]
            self.op(result, [i, i], "concat",
                    lambda a, b: torch.cat([a, b], dim), f"{{dim = {dim}}}")

    def flatten(self):
        """Joined, changed and split again: the extents are a product."""
        i = self.pick(2)
        shape = self.values[i].shape
        start = self.rng.randrange(len(shape) - 1)
        pair = shape[start:start + 2]
        if not all(d in SYMBOLS for d in pair):
            return
        joined = shape[:start] + ["*".join(sorted(pair))] + shape[start + 2:]
        i = self.op(joined, [i], "flatten", lambda x: x.flatten(start,
                                                                start + 1),
                    f"{{start = {start}, end = {start + 1}}}")
        op, function = self.rng.choice(UNARY)
        i = self.op(joined, [i], op, function)
        if self.rng.random() < 0.7:
            self.op(shape, [i], "unflatten",
                    lambda x, **sizes: x.unflatten(
                        start, [number(d, sizes) for d in pair]),
                    f"{{dim = {start}, sizes = "
                    f"[{', '.join(map(size_of, pair))}]}}", sized=True)

    def slice(self):
        i = self.pick(1)
        shape = self.values[i].shape
        dims = [d for d, s in enumerate(shape) if s in (4, 8)]
        if dims:
            dim, start = self.rng.choice(dims), self.rng.randrange(3)
            result = shape[:dim] + [2] + shape[dim + 1:]
            starts = [start if d == dim else 0 for d in range(len(shape))]
            self.lines(result, [i], f"$r = dtensor.slice $0 {starts} "
                       f"[{', '.join(map(str, result))}] {[1] * len(shape)} : "
                       "($T0) -> $T", lambda x: x.narrow(dim, start, 2))

    def constrain(self):
        i = self.pick()
        value = self.values[i]
        priority = self.rng.choice(["", "", " {priority = 1}",
                                    " {priority = 2}"])
        self.lines(value.shape, [i], "$r = dtensor.constraint $0 to <#mesh, "
                   f"[{', '.join(self.placements(value.shape))}], "
                   f"({value.extents})>{priority} : $T", lambda x: x)

    def agree(self):
        i = self.pick()
        shape = self.values[i].shape
        self.program.step(
            [i, self.like(i)], [(shape, "f64")] * 2, "$r0, $r1 = dtensor.agree "
            "$0, $1 : ($T0, $T1) -> ($R0, $R1)", lambda a, b: [a, b])

    def where(self):
        i = self.pick()
        self.lines(self.values[i].shape, [i, self.like(i)],
                   '%c$i = dtensor.compare $0, $1 {predicate = "lt"} : ($T0, '
                   "$T1) -> $B\n$r = dtensor.where %c$i, $1, $0 : ($B, $T1, "
                   "$T0) -> $T", lambda a, b: torch.where(a < b, b, a))

    def loop(self):
        i = self.pick()

        def function(a, b):
            for _ in range(3):
                a = torch.sin(a + b)
            return a
        self.lines(self.values[i].shape, [i, self.like(i)],
                   "%l$i = arith.constant 0 : index\n"
                   "%s$i = arith.constant 1 : index\n"
                   "%u$i = arith.constant 3 : index\n"
                   "$r = scf.for %k$i = %l$i to %u$i step %s$i "
                   "iter_args(%a$i = $0) -> ($T) {\n"
                   "  %x$i = dtensor.add %a$i, $1 : ($T, $T1) -> $T\n"
                   "  %y$i = dtensor.sin %x$i : ($T) -> $T\n"
                   "  scf.yield %y$i : $T\n}", function)

    def branch(self):
        """On a global size: every rank takes the same side."""
        i = self.pick(1)
        self.lines(self.values[i].shape, [i, self.like(i)],
                   "%l$i = arith.constant 0 : index\n"
                   "%u$i = arith.constant 3 : index\n"
                   "%d$i = tensor.dim $0, %l$i : $T0\n"
                   "%c$i = arith.cmpi sgt, %d$i, %u$i : index\n"
                   "$r = scf.if %c$i -> ($T) {\n"
                   "  %x$i = dtensor.sub $0, $1 : ($T0, $T1) -> $T\n"
                   "  scf.yield %x$i : $T\n} else {\n  scf.yield $1 : $T\n}",
                   lambda a, b: a - b if a.shape[0] > 3 else b)

    def position(self):
        i = self.pick(1)
        shape = self.values[i].shape
        dim = self.rng.randrange(len(shape))

        def function(x):
            index = torch.arange(x.shape[dim], dtype=x.dtype)
            return x * index.reshape([-1] + [1] * (x.ndim - 1 - dim))
        self.lines(shape, [i], f"%n$i = dtensor.iota {{dim = {dim}, sizes = "
                   f"[{', '.join(map(size_of, shape))}]}} : () -> $T\n"
                   "$r = dtensor.mul $0, %n$i : ($T0, $T) -> $T", function)

    def windows(self):
        """The sum of each element, some before it and some behind."""
        i = self.pick(1)
        shape = self.values[i].shape
        if len(shape) > 3:
            return
        dim = self.rng.randrange(len(shape))
        before, step, kernel = self.rng.choice([(1, 1, 3), (2, 2, 2),
                                                (0, 1, 2), (3, 1, 5)])
        extents = "x".join(str(d) if isinstance(d, int) else "?"
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
        self.lines(shape, [i], f"%w$i = dtensor.unfold $0 {{dims = [{dim}], "
                   f"sizes = [{size_of(shape[dim])}], kernel = [{kernel}], "
                   f"stride = [1], dilation = [{step}], offset = [{-before}], "
                   "divisor = [1], value = 0.0 : f64} : ($T0) -> "
                   f"tensor<{extents}xf64>\n$r = dtensor.sum %w$i {{dims = "
                   f"[{len(shape)}]}} : (tensor<{extents}xf64>) -> $T",
                   function)

    def rows(self):
        """Arguments only: they are finite, and so can become integers."""
        args = [a.value for a in self.program.args if a.plain and
                self.values[a.value].dtype == "f64"]
        i, j = self.rng.choice(args), self.pick(1)
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
                   "%m$i = dtensor.mul $0, %f$i : ($T0, f64) -> $T0\n"
                   f"%i$i = dtensor.cast %m$i : ($T0) -> {ids}\n"
                   f"$r = dtensor.embedding %i$i, $1 : ({ids}, $T1) -> $T",
                   function)

    def gradient(self):
        """Of one op with one operand: the first is the result's gradient."""
        i = self.pick(1)
        shape = self.values[i].shape
        dim = self.rng.randrange(len(shape))
        along = f"{{dim = {dim}}}"
        op, attributes, function = self.rng.choice([
            ("tanh", "", aten.tanh_backward),
            ("sigmoid", "", aten.sigmoid_backward),
            ("silu", "", aten.silu_backward),
            ("gelu", "", aten.gelu_backward),
            ("threshold", "{threshold = 0.5}",
             lambda g, x: aten.threshold_backward(g, x, 0.5)),
            ("softmax", along, lambda g, y: aten._softmax_backward_data(
                g, y, dim, y.dtype))])
        self.op(shape, [i, self.like(i)], f"{op}_backward", function,
                attributes)

    def random(self):
        """Dropout, or numbers that are added."""
        i = self.pick()
        shape = self.values[i].shape
        seed, offset = (self.rng.randrange(-2**63, 2**63) for _ in range(2))
        numbers = (f"%s$i = arith.constant {seed} : i64\n"
                   f"%o$i = arith.constant {offset} : i64\n")

        def dropout(x):
            drawn = philox.draw(tuple(x.shape), seed, offset)
            kept = torch.from_numpy(np.asarray(
                philox.uniform(drawn, "f32") >= 0.25))
            return torch.where(kept, x / 0.75, torch.zeros((), dtype=x.dtype))

        def add(x):
            drawn = philox.draw(tuple(x.shape), seed, offset)
            return x + torch.from_numpy(np.asarray(philox.uniform(drawn,
                                                                  "f64")))
        if self.rng.random() < 0.5:
            self.lines(shape, [i], numbers + "$r, %k$i = dtensor.dropout $0, "
                       "%s$i, %o$i {p = 0.25} : ($T0, i64, i64) -> ($T, $B)",
                       dropout)
            return
        sizes = ", ".join(map(size_of, shape))
        self.lines(shape, [i], numbers + "%u$i = dtensor.rand %s$i, %o$i "
                   f"{{sizes = [{sizes}]}} : (i64, i64) -> $T\n"
                   "$r = dtensor.add $0, %u$i : ($T0, $T) -> $T", add)

    def sgd(self):
        i = self.pick()
        self.lines(self.values[i].shape, [i, self.like(i), self.like(i)],
                   "%l$i = arith.constant 0.5 : f64\n"
                   "$r, %m$i = dtensor.sgd_step lr(%l$i) params($0) grads($1) "
                   "momenta($2) {momentum = 0.25, nesterov} : (f64, $T0, $T1, "
                   "$T2) -> ($T, $T)",
                   lambda p, g, m: p - 0.5 * (g + 0.25 * (0.25 * m + g)))

    GLUE = [unary, unary, binary, binary, broadcast, reduce, reduce, product,
            permute, along, sort, flip, concat, flatten, slice, constrain,
            constrain, agree, where, loop, branch, position, windows, rows,
            gradient, random, sgd]
