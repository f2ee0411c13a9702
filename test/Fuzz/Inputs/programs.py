"""Programs as data: values, steps that make them, and their text.

A step is some lines of text with places for names and types, and a function on
tensors that means the same. Shapes are lists of numbers and symbols; None is an
extent that has no name.
"""

import re

import torch

SYMBOLS = ["B", "K", "M", "N"]
AXES = ["pp", "dp", "tp"]
OP = re.compile(r"(?<![#\w])(dtensor\.\w+|scf\.(?:for|if|while)|func\.call)\b")


def number(extent, sizes):
    """4, N or N*N at these sizes."""
    product = 1
    for factor in str(extent).split("*"):
        product *= sizes[factor] if factor in sizes else int(factor)
    return product


class Value:
    def __init__(self, shape, dtype):
        self.shape, self.dtype = list(shape), dtype

    @property
    def type(self):
        dims = "".join((str(d) if isinstance(d, int) else "?") + "x"
                       for d in self.shape)
        return f"tensor<{dims}{self.dtype}>"

    @property
    def named(self):
        return None not in self.shape

    @property
    def extents(self):
        return ", ".join(str(d) for d in self.shape)


class Argument:
    """`make(shape, dtype, sizes)` gives its elements."""

    def __init__(self, value, make, placements, plain):
        self.value, self.make = value, make
        self.placements, self.plain = placements, plain


class Step:
    """In `text` $0 $1 ... are operands, $r0 $r1 ... results ($r the first), $T0
    ... and $R0 ... ($T) their types, $B the first result's with i1, and $i makes
    other names unique. `when` says which sizes make sense."""

    def __init__(self, operands, results, text, function, sized=False,
                 when=None, label=None):
        self.operands, self.results, self.text = operands, results, text
        self.function, self.sized = function, sized
        self.when, self.label = when, label
        self.ops = set(OP.findall(text))


class Program:
    def __init__(self, axes):
        self.axes = axes
        self.values, self.args, self.steps = [], [], []
        # (value, placements or None)
        self.results = []

    #===- Building ---------------------------------------------------------===#

    def value(self, shape, dtype="f64"):
        self.values.append(Value(shape, dtype))
        return len(self.values) - 1

    def argument(self, shape, dtype, make, placements, plain=True):
        index = self.value(shape, dtype)
        self.args.append(Argument(index, make, placements, plain))
        return index

    def step(self, operands, shapes, text, function, **options):
        """`shapes`: (shape, dtype) of each result; their numbers."""
        results = [self.value(*s) for s in shapes]
        self.steps.append(Step(list(operands), results, text, function,
                               **options))
        return results

    def maker(self, index):
        """The step that makes a value; None of an argument."""
        return next((s for s in self.steps if index in s.results), None)

    #===- Text -------------------------------------------------------------===#

    def live_steps(self):
        needed = {r for r, _ in self.results}
        kept = []
        for step in reversed(self.steps):
            if needed & set(step.results):
                kept.insert(0, step)
                needed |= set(step.operands)
        return kept, needed

    def live(self):
        """(arguments, steps) that the results need."""
        steps, needed = self.live_steps()
        return [a for a in self.args if a.value in needed], steps

    def layout(self, value, placements):
        return (f"{{dtensor.layout = #dtensor.layout<#mesh, "
                f"[{', '.join(placements)}], ({value.extents})>}}")

    def lines(self, step):
        def put(found):
            kind, at = found.group(1), found.group(2)
            at = int(at) if at else 0
            if kind == "r":
                return f"%v{step.results[at]}"
            if kind == "R" or (kind == "T" and not found.group(2)):
                return self.values[step.results[at]].type
            if kind == "T":
                return self.values[step.operands[at]].type
            if kind == "B":
                return self.values[step.results[0]].type.replace("f64", "i1")
            return str(step.results[0])
        text = re.sub(r"\$([rRTBi])(\d*)", put, step.text)
        return re.sub(r"\$(\d+)", lambda f: f"%v{step.operands[int(f[1])]}",
                      text)

    def unbound(self):
        """Symbols that no live argument binds."""
        bound = {d for a in self.live()[0]
                 for d in self.values[a.value].shape}
        return [s for s in SYMBOLS if s not in bound]

    def text(self):
        args, steps = self.live()
        values = self.values
        mesh = ", ".join(f'"{a}" = ?' for a in AXES[-self.axes:])
        inputs = [f"%v{a.value}: {values[a.value].type} "
                  f"{self.layout(values[a.value], a.placements)}" for a in args]
        inputs += [f'%s{s}: index {{dtensor.symbol = "{s}"}}'
                   for s in self.unbound()]
        types = [values[r].type + (" " + self.layout(values[r], p) if p else "")
                 for r, p in self.results]
        plain = ", ".join(values[r].type for r, _ in self.results)
        names = ", ".join(f"%v{r}" for r, _ in self.results)
        body = "\n".join(self.lines(s) for s in steps).splitlines()
        return (f"#mesh = #dtensor.mesh<{mesh}>\n"
                f"func.func @f({', '.join(inputs)}) -> ({', '.join(types)}) "
                "attributes {dtensor.mesh = #mesh} {\n  "
                + "\n  ".join(body) + f"\n  return {names} : {plain}\n}}\n")

    #===- Meaning ----------------------------------------------------------===#

    def fits(self, sizes):
        return all(s.when is None or s.when(**sizes) for s in self.live()[1])

    def arguments(self, sizes, seed):
        torch.manual_seed(seed)
        values = {}
        for a in self.args:
            value = self.values[a.value]
            shape = tuple(number(d, sizes) for d in value.shape)
            made = a.make(shape, value.dtype, sizes)
            if any("partial" in p for p in a.placements) and \
                    made.is_floating_point():
                # Pieces add up without rounding.
                made = (made * 256).round() / 256
            values[a.value] = made
        return values

    def depending(self, values, starts):
        """`values`, what the steps make that `starts` holds for, and all that
        depends on one of them."""
        found = set(values)
        for step in self.live()[1]:
            if starts(step) or found & set(step.operands):
                found |= set(step.results)
        return found

    def pending(self):
        """Values that depend on a pending sum: an argument that is one, or what
        has not all dimensions of an operand."""
        shape = lambda value: set(self.values[value].shape)
        return self.depending(
            {a.value for a in self.args for p in a.placements
             if p in ("partial(sum)", "partial(avg)")},
            lambda step: any(shape(o) - shape(r) for o in step.operands
                             for r in step.results))

    def ignoring(self):
        """Values that depend on ops which leave elements out: rows that a loss
        ignores, elements that are not the largest. PyTorch multiplies them by
        0, which makes NaN of infinities."""
        leaving = ("nll_loss", "cross_entropy", "amax_backward",
                   "amin_backward")
        return self.depending((), lambda step: any(
            part in op for op in step.ops for part in leaving))

    def evaluate(self, given, sizes, disturb=lambda x, number: x):
        """All values; what a step makes passes through `disturb`, with the
        number of the value."""
        values = dict(given)
        for step in self.live()[1]:
            # Copies: a reference may ask for the gradient of each.
            made = step.function(*[values[o].clone() for o in step.operands],
                                 **(sizes if step.sized else {}))
            if not isinstance(made, (list, tuple)):
                made = [made]
            for result, value in zip(step.results, made):
                values[result] = disturb(value.to(TYPES[
                    self.values[result].dtype]), result)
        return values


TYPES = {"f64": torch.float64, "i64": torch.int64, "i32": torch.int32,
         "i16": torch.int16, "i8": torch.int8, "i1": torch.bool}
