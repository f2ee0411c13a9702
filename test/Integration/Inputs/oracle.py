"""Layouts in NumPy, written from the formulas and not from the compiler.

With N elements, n ranks, unit U and rank r:

    c = U * ceildiv(ceildiv(N, U), n)
    size(r) = clamp(N - r*c, 0, c)        offset(r) = min(N, r*c)

Several axes that shard one dimension cut it one after another.
"""

import itertools
import re

import numpy as np

# Roundings by which ranks that compute the same value may differ: none, because
# which code runs depends on sizes and never on addresses.
REPLICAS = 0

REDUCE = {"sum": np.add, "avg": np.add, "max": np.maximum, "min": np.minimum,
          "product": np.multiply}


class Layout:
    """`placements`: one per axis of "R", "S0", "P(sum)", or ("S", dim, unit)
    with a number as unit; `order`: axes, major first."""

    def __init__(self, placements, order=None):
        self.placements = [self._parse(p) for p in placements]
        self.order = list(order or range(len(placements)))

    @staticmethod
    def _parse(placement):
        if isinstance(placement, tuple):
            return placement
        if placement[0] == "S":
            return ("S", int(placement[1:]), 1)
        if placement[0] == "P":
            return ("P", placement[2:-1])
        return ("R",)

    def text(self, mesh, axes, extents, units=None):
        """As in the program; `units` maps a number to what is written."""
        def one(placement):
            if placement[0] == "R":
                return "replicate"
            if placement[0] == "P":
                return f"partial({placement[1]})"
            _, dim, unit = placement
            if unit == 1:
                return f"shard({dim})"
            return f"shard({dim}, unit = {(units or {}).get(unit, unit)})"
        placements = ", ".join(one(p) for p in self.placements)
        order = ""
        if self.order != list(range(len(self.order))):
            order = " order = [" + ", ".join(f'"{axes[a]}"'
                                             for a in self.order) + "]"
        extents = ", ".join(str(e) for e in extents)
        return f"#dtensor.layout<{mesh}, [{placements}]{order}, ({extents})>"

    def is_valid(self):
        kinds = {p[1] for p in self.placements if p[0] == "P"}
        return len(kinds) < 2

    def axes_of(self, dim):
        return [a for a in self.order
                if self.placements[a][0] == "S" and
                self.placements[a][1] == dim]

    def outer(self, axis):
        placement = self.placements[axis]
        if placement[0] != "S":
            return []
        axes = self.axes_of(placement[1])
        return axes[:axes.index(axis)]

    def box(self, extents, sizes, coords):
        """(extents, offsets) of the piece at these coordinates."""
        shape, offsets = list(extents), [0] * len(extents)
        for dim in range(len(extents)):
            for axis in self.axes_of(dim):
                unit, n = self.placements[axis][2], sizes[axis]
                total = shape[dim]
                chunk = unit * -(-(-(-total // unit)) // n)
                offsets[dim] += min(total, coords[axis] * chunk)
                shape[dim] = min(max(total - coords[axis] * chunk, 0), chunk)
            if shape[dim] == 0:
                # Where an empty piece lies does not matter.
                offsets[dim] = min(offsets[dim], extents[dim])
        return tuple(shape), tuple(offsets)

    def partial_axes(self):
        return [a for a, p in enumerate(self.placements) if p[0] == "P"]

    def kind(self):
        return next((p[1] for p in self.placements if p[0] == "P"), None)


def coordinates(sizes):
    """Of all ranks, row-major."""
    return list(itertools.product(*[range(n) for n in sizes]))


def group_size(layout, sizes):
    return int(np.prod([sizes[a] for a in layout.partial_axes()], dtype=int))


def split(value, kind, count, rng):
    """`count` arrays that reduce to `value`, exactly for small integers."""
    parts = [value.copy() for _ in range(count)]
    if count == 1:
        return parts
    if kind in ("sum", "avg"):
        # An average is the sum divided once, so the parts sum to count times
        # the value.
        total = value * value.dtype.type(count if kind == "avg" else 1)
        for i in range(1, count):
            parts[i] = rng.integers(-8, 9, value.shape).astype(value.dtype)
            total = total - parts[i]
        parts[0] = total
    elif kind in ("max", "min"):
        holder = rng.integers(0, count, value.shape)
        for i in range(count):
            less = rng.integers(0, 9, value.shape).astype(value.dtype)
            less[holder == i] = 0
            parts[i] = value - less if kind == "max" else value + less
    else:
        # Signs multiply to a sign.
        sign = np.ones(value.shape, value.dtype)
        for i in range(1, count):
            parts[i] = rng.choice(np.array([-1, 1], value.dtype), value.shape)
            sign = sign * parts[i]
        parts[0] = value * sign
    return parts


def distribute(value, layout, sizes, rng):
    """The local array of every rank."""
    axes = layout.partial_axes()
    parts = split(value, layout.kind(), group_size(layout, sizes), rng)
    locals_ = []
    for coords in coordinates(sizes):
        index = 0
        for a in axes:
            index = index * sizes[a] + coords[a]
        shape, offsets = layout.box(value.shape, sizes, coords)
        at = tuple(slice(o, o + s) for o, s in zip(offsets, shape))
        locals_.append(np.ascontiguousarray(parts[index][at]).reshape(shape))
    return locals_


def collect(locals_, extents, layout, sizes, dtype, roundings=0):
    """The global array; raises where replicas differ by more roundings or a
    piece has another shape than the formula says."""
    partial = layout.partial_axes()
    replicas = [a for a, p in enumerate(layout.placements) if p[0] == "R"]
    sums = {}
    for coords, local in zip(coordinates(sizes), locals_):
        shape, offsets = layout.box(extents, sizes, coords)
        assert local.shape == shape, \
            f"rank at {coords} holds {local.shape}, expected {shape}"
        key = tuple(coords[a] for a in replicas)
        group = tuple(coords[a] for a in partial)
        whole = sums.setdefault(key, {}).setdefault(
            group, np.zeros(extents, dtype))
        whole[tuple(slice(o, o + s) for o, s in zip(offsets, shape))] = local
    values = []
    for groups in sums.values():
        parts = [groups[g] for g in sorted(groups)]
        value = parts[0]
        if layout.kind():
            for part in parts[1:]:
                value = REDUCE[layout.kind()](value, part)
            if layout.kind() == "avg":
                value = (value / len(parts)).astype(dtype)
        values.append(value)
    for value in values[1:]:
        if np.issubdtype(dtype, np.floating):
            limit = roundings * np.finfo(dtype).eps
            same = np.isclose(value, values[0], rtol=limit, atol=limit,
                              equal_nan=True)
        else:
            same = value == values[0]
        assert np.all(same), "replicas differ"
    return values[0]


def parse_placements(text):
    """"replicate, shard(0, unit = 2)" -> [("R",), ("S", 0)]."""
    result = []
    for word, inside in re.findall(r"(replicate|shard|partial)(?:\(([^)]*)\))?",
                                   text):
        if word == "shard":
            result.append(("S", int(inside.split(",")[0])))
        else:
            result.append(("P", inside) if word == "partial" else ("R",))
    return result


def run_pieces(launch, sizes, rng):
    """Runs a launch rank by rank on pieces of its arguments, with pending
    reductions split at random, and collects the results from all ranks.
    Boxes are those of the launch; values whose sums are exact are up to the
    caller."""
    executable = launch.executable
    coords = coordinates(sizes)
    args = [[None] * len(executable.args) for _ in coords]
    for i, (info, value) in enumerate(zip(executable.args, launch.args)):
        layout = Layout(parse_placements(info.placements) or
                        ["R"] * len(sizes))
        parts = split(value, layout.kind(), group_size(layout, sizes), rng)
        for rank, at in enumerate(coords):
            index = 0
            for a in layout.partial_axes():
                index = index * sizes[a] + at[a]
            args[rank][i] = parts[index][_slices(launch.box(rank, i))]
    results = launch.run_local(args)
    return [_collect(launch, [r[i] for r in results], i, info, sizes)
            for i, info in enumerate(executable.results)]


def _slices(box):
    return tuple(slice(o, o + s) for s, o in zip(*box))


def _collect(launch, pieces, i, info, sizes):
    ordinal = len(launch.executable.args) + i
    boxes = [launch.box(rank, ordinal) for rank in range(len(pieces))]
    layout = Layout(parse_placements(info.placements))
    layout.box = lambda extents, sizes, coords: boxes[
        int(np.ravel_multi_index(coords, sizes))]
    pieces = [p if isinstance(p, np.ndarray) else p.view(int16()).numpy()
              for p in pieces]
    return collect(pieces, launch.extents(ordinal), layout, sizes,
                   pieces[0].dtype, REPLICAS)


def int16():
    import torch
    return torch.int16


def forbidden(source, target):
    """Shard to partial, and partial to another partial, as in DTensor."""
    for s, t in zip(source.placements, target.placements):
        if t[0] == "P" and (s[0] == "S" or (s[0] == "P" and s != t)):
            return True
    return False


def changed_axes(source, target, sizes):
    """Axes of more than one rank whose placement changes, or the list of axes
    that cut the same dimension before them."""
    return [a for a in range(len(sizes)) if sizes[a] > 1 and
            (source.placements[a] != target.placements[a] or
             source.outer(a) != target.outer(a))]
