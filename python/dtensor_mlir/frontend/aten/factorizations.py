"""Factorizations of matrices, the last two dimensions, as loops over columns.

A row or a column whose number is known in a loop only is read as a sum of what
a mask leaves of the matrix, and written by the same mask.
"""

from __future__ import annotations

import torch

from .common import handles

ours = torch.ops.dtensor_mlir


def _broadcast(*shapes):
    """Matrices of [batch, rows, columns]; 1 is stretched."""
    longest = max(shapes, key=len)
    result = []
    for i in range(1, len(longest) + 1):
        sizes = [s[-i] for s in shapes if len(s) >= i]
        wide = [s for s in sizes if not (isinstance(s, int) and s == 1)]
        result.append(wide[0] if wide else 1)
    return tuple(reversed(result))


class _Matrix:
    """Ops on matrices, written down for one emitter."""

    def __init__(self, e, shape, kind):
        self.e, self.kind = e, kind
        self.batch, (self.rows, self.columns) = shape[:-2], shape[-2:]
        self.row = self.count(self.rows, 0)  # numbers of rows, as a column
        self.column = self.count(self.columns, 1)

    def count(self, size, dim):
        shape = (size, 1) if dim == 0 else (1, size)
        return self.e.op("iota", [], shape, "i64",
                         f"dim = {dim}, sizes = {self.e.sizes(shape)}")

    def op(self, name, *values, kind=None):
        shape = _broadcast(*[v.shape for v in values if v.shape is not None])
        return self.e.op(name, list(values), shape, kind or values[0].element)

    def compare(self, predicate, a, b):
        shape = _broadcast(*[v.shape for v in (a, b) if v.shape is not None])
        return self.e.op("compare", [a, b], shape, "i1",
                         f'predicate = "{predicate}"')

    def where(self, mask, a, b):
        shape = _broadcast(*[v.shape for v in (mask, a, b)
                             if v.shape is not None])
        kind = (a if a.shape is not None else b).element
        return self.e.op("where", [mask, a, b], shape, kind)

    def number(self, value, kind=None):
        return self.e.constant(value, kind or self.kind)

    def sum(self, x, dim):
        """`dim` is -1 for rows that become numbers, -2 for columns."""
        shape = list(x.shape)
        shape[dim] = 1
        return self.e.op("sum", [x], tuple(shape), x.element,
                         f"dims = [{len(shape) + dim}], keepdim")

    def pick(self, mask, x, dim):
        """The element along `dim` where the mask holds."""
        zero = self.number(0, x.element)
        return self.sum(self.where(mask, x, zero), dim)

    def full(self, value, shape, kind):
        return self.e.full(value, shape, kind)


@handles(ours.lu.default)
def _lu(e, node, a, pivot):
    a = e.value(a)
    shapes = [tuple(v.shape) for v in node.meta["val"]]
    m = _Matrix(e, a.shape, a.element)
    one = (*m.batch, 1, 1)
    count = shapes[1][-1]
    steps = m.count(count, 0)
    where_from = m.op("add", m.full(0, (*m.batch, m.rows, 1), "i64"), m.row)

    def step(k, values):
        a, swaps, where_from, info = values
        here = m.compare("eq", m.row, k)
        size = e.op("abs", [m.pick(m.compare("eq", m.column, k), a, -1)],
                    (*m.batch, m.rows, 1), m.kind)
        size = m.where(m.compare("ge", m.row, k), size, m.number(-1))
        other = e.op("argmax", [size], one, "i64",
                     f"dim = {len(m.batch)}, keepdim") if pivot else \
            m.op("add", m.full(0, one, "i64"), k)
        there = m.compare("eq", m.row, other)
        best = m.pick(there, a, -2)
        a = m.where(here, best, m.where(there, m.pick(here, a, -2), a))
        was = m.pick(there, where_from, -2)
        where_from = m.where(here, was, m.where(
            there, m.pick(here, where_from, -2), where_from))
        swaps = m.where(m.compare("eq", steps, k), other, swaps)
        value = m.pick(m.compare("eq", m.column, k), best, -1)
        zero = m.compare("eq", value, m.number(0))
        first = m.op("logical_and", zero,
                     m.compare("eq", info, m.number(0, "i64")))
        info = m.where(first, m.op("add", m.full(1, one, "i64"), k), info)
        below, right = (m.compare("gt", n, k) for n in (m.row, m.column))
        column = m.op("div", m.pick(m.compare("eq", m.column, k), a, -1),
                      m.where(zero, m.number(1), value))
        less = m.op("sub", a, m.op("mul", column, best))
        changed = m.where(right, less, m.where(
            m.compare("eq", m.column, k), column, a))
        return m.where(below, changed, a), swaps, where_from, info

    a, swaps, where_from, info = e.loop(count, [
        a, m.full(0, (*m.batch, count, 1), "i64"), where_from,
        m.full(0, one, "i64")], step)
    return (a, e.reshape(swaps, shapes[1]), e.reshape(where_from, shapes[2]),
            e.reshape(info, shapes[3]))


@handles(ours.rows_of_swaps.default)
def _rows_of_swaps(e, node, swaps, rows):
    swaps, shape = e.value(swaps), e.result_type(node)[0]
    count = swaps.shape[-1]
    swaps = e.reshape(swaps, (*swaps.shape, 1))
    m = _Matrix(e, (*shape, 1), "i64")
    steps = m.count(count, 0)
    start = m.op("add", m.full(0, (*shape, 1), "i64"), m.row)

    def step(k, values):
        (where_from,) = values
        here = m.compare("eq", m.row, k)
        other = m.pick(m.compare("eq", steps, k), swaps, -2)
        there = m.compare("eq", m.row, other)
        was = [m.pick(at, where_from, -2) for at in (here, there)]
        return [m.where(here, was[1], m.where(there, was[0], where_from))]

    return e.reshape(e.loop(count, [start], step)[0], shape)


@handles(ours.cholesky.default)
def _cholesky(e, node, a):
    a = e.value(a)
    m = _Matrix(e, a.shape, a.element)

    def step(k, values):
        (a,) = values
        at = m.compare("eq", m.column, k)
        column = m.pick(at, a, -1)
        root = m.pick(m.compare("eq", m.row, k), column, -2)
        root = e.op("sqrt", [root], root.shape, m.kind)
        scaled = m.where(m.compare("eq", m.row, k), root,
                         m.op("div", column, root))
        scaled = m.where(m.compare("ge", m.row, k), scaled, m.number(0))
        order = list(range(len(a.shape)))
        order[-2:] = order[:-3:-1]
        across = e.op("permute", [scaled], (*m.batch, 1, m.rows), m.kind,
                      f"permutation = {order}")
        less = m.op("sub", a, m.op("mul", scaled, across))
        return [m.where(at, scaled, m.where(
            m.compare("gt", m.column, k), less, a))]

    (result,) = e.loop(m.rows, [a], step)
    return e.op("tril", [result], a.shape, a.element, "diagonal = 0 : i64")


@handles(ours.substitute.default)
def _substitute(e, node, a, b, upper, unit):
    a, b = e.value(a), e.value(b)
    m = _Matrix(e, a.shape, a.element)
    last = e.constant(m.rows - 1, "i64")

    def step(i, values):
        (x,) = values
        k = i
        if upper:  # from the last row on
            k = m.op("sub", m.full(0, (1, 1), "i64"), i)
            k = m.op("add", k, last)
        here = m.compare("eq", m.row, k)
        column = m.pick(m.compare("eq", m.column, k), a, -1)
        solved = m.pick(here, x, -2)
        if not unit:
            solved = m.op("div", solved, m.pick(here, column, -2))
        less = m.op("sub", x, m.op("mul", column, solved))
        rest = m.compare("lt" if upper else "gt", m.row, k)
        return [m.where(here, solved, m.where(rest, less, x))]

    return e.loop(m.rows, [b], step)[0]


@handles(ours.reflections.default)
def _reflections(e, node, a):
    a = e.value(a)
    m = _Matrix(e, a.shape, a.element)
    square = (*m.batch, m.rows, m.rows)
    across = m.count(m.rows, 1)
    unit = m.where(m.compare("eq", m.row, across), m.full(1, square, m.kind),
                   m.number(0))
    order = list(range(len(a.shape)))
    order[-2:] = order[:-3:-1]

    def turned(v):
        return e.op("permute", [v], (*v.shape[:-2], v.shape[-1], v.shape[-2]),
                    v.element, f"permutation = {order}")

    def step(k, values):
        q, r = values
        here = m.compare("eq", m.row, k)
        column = m.pick(m.compare("eq", m.column, k), r, -1)
        below = m.where(m.compare("gt", m.row, k), column, m.number(0))
        rest = m.sum(m.op("mul", below, below), -2)
        first = m.pick(here, column, -2)
        size = m.op("add", rest, m.op("mul", first, first))
        size = e.op("sqrt", [size], size.shape, m.kind)
        low = m.compare("lt", first, m.number(0))
        head = m.where(low, m.op("sub", first, size), m.op("add", first, size))
        v = m.where(here, head, below)
        # Nothing to reflect: the column has its form.
        done = m.compare("eq", rest, m.number(0))
        length = m.op("add", rest, m.op("mul", head, head))
        factor = m.where(done, m.full(0, length.shape, m.kind), m.op(
            "div", m.full(2, length.shape, m.kind),
            m.where(done, m.number(1), length)))
        scaled = m.op("mul", v, factor)
        r = m.op("sub", r, m.op("mul", scaled, m.sum(m.op("mul", v, r), -2)))
        q = m.op("sub", q, m.op("mul", m.sum(m.op("mul", q, turned(v)), -1),
                                turned(scaled)))
        return q, r

    steps = min(m.rows, m.columns) if isinstance(m.rows, int) and isinstance(
        m.columns, int) else torch.sym_min(m.rows, m.columns)
    q, r = e.loop(steps, [unit, a], step)
    return q, e.op("triu", [r], a.shape, m.kind, "diagonal = 0 : i64")
