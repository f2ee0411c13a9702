"""Look-ups, and sums of what was looked up."""

from __future__ import annotations

import math

import torch
from torch import fx

from ..emit import Value
from ..layouts import UnsupportedError
from .common import (aten, cut, expand_to, handles, inverse, normalize,
                     permute)


@handles(aten.embedding.default)
def _embedding(e, node, table, ids, padding_idx=-1, *_, **__):
    shape, kind = e.result_type(node)
    return e.op("embedding", [e.value(ids), e.value(table)], shape, kind)


@handles(aten.embedding_dense_backward.default)
def _embedding_backward(e, node, grad, ids, num_weights, padding_idx, scale):
    if scale:
        raise UnsupportedError("embedding with scale_grad_by_freq")
    shape, kind = e.result_type(node)
    attributes = f"size = {e.symbols.extent(shape[0])}"
    if padding_idx >= 0:
        attributes += f", padding = {padding_idx}"
    return e.op("embedding_backward", [e.value(grad), e.value(ids)], shape,
                kind, attributes)


def _wrapped(e, index: Value, extent):
    """Negative indices count from the end."""
    zero = e.constant(0, index.element)
    low = e.op("compare", [index, zero], index.shape, "i1",
               'predicate = "lt"')
    moved = e.op("add", [index, e.constant(extent, index.element)],
                 index.shape, index.element)
    return e.op("where", [low, moved, index], index.shape, index.element)


def _as_rows(e, value):
    """A tensor of rank 0 is a row of one."""
    return value if value.shape else e.reshape(value, (1,))


def _begin(e, value, shape):
    """The leading part of every dimension."""
    if all(e.symbols.text(a) == e.symbols.text(b)
           for a, b in zip(value.shape, shape)):
        return value
    return cut(e, value, shape, [0] * len(shape))


def _parted(indices):
    """The dimensions that are indexed, and whether they stand apart."""
    dims = [d for d, i in enumerate(indices) if i is not None]
    return dims, dims[-1] - dims[0] + 1 != len(dims)


def _bring_forward(e, value, dims):
    """`dims` first; (value, the order of dimensions)"""
    order = dims + [d for d in range(len(value.shape)) if d not in dims]
    return permute(e, value, order), order


def _checked(indices):
    if any(i.meta["val"].dtype == torch.bool for i in indices):
        raise UnsupportedError("indexing by a mask: the size of the result "
                               "depends on data")
    return indices


@handles(aten.index.Tensor, aten._unsafe_index.Tensor)
def _index(e, node, x, indices):
    value = e.value(x)
    dims, apart = _parted(indices)
    used = _checked([indices[d] for d in dims])
    if apart:  # then the indexed dimensions come first
        value, _ = _bring_forward(e, value, dims)
        dims = list(range(len(dims)))
    first, last = dims[0], dims[-1]
    wanted = torch.broadcast_shapes(*[i.meta["val"].shape for i in used])
    where = None  # in the dimensions taken as one, row-major
    for d, index in zip(dims, used):
        part = _wrapped(e, e.cast(e.value(index), "i64"), value.shape[d])
        part = expand_to(e, part, wanted)
        if where is not None:
            extent = e.constant(value.shape[d], "i64")
            where = e.op("mul", [where, extent], wanted, "i64")
            part = e.op("add", [where, part], wanted, "i64")
        where = part
    size = math.prod(value.shape[first:last + 1])
    value = e.reshape(value, (*value.shape[:first], size,
                              *value.shape[last + 1:]))
    shape, kind = e.result_type(node)
    return e.op("index_select", [value, where], shape, kind, f"dim = {first}")


@handles(aten.index_select.default)
def _index_select(e, node, x, dim, index):
    shape, kind = e.result_type(node)
    value, where = _as_rows(e, e.value(x)), _as_rows(e, e.value(index))
    dim = normalize(dim, len(value.shape))
    result = (*value.shape[:dim], where.shape[0], *value.shape[dim + 1:])
    return e.reshape(e.op("index_select", [value, where], result, kind,
                          f"dim = {dim}"), shape)


@handles(aten.index_add.default)
def _index_add(e, node, x, dim, index, source, alpha=1):
    shape, kind = e.result_type(node)
    value, where = _as_rows(e, e.value(x)), _as_rows(e, e.value(index))
    dim = normalize(dim, len(value.shape))
    source = e.cast(_as_rows(e, e.value(source)), kind)
    if alpha != 1:
        source = e.op("mul", [source, e.constant(alpha, kind)], source.shape,
                      kind)
    return e.reshape(e.op("index_add", [value, where, source], value.shape,
                          kind, f"dim = {dim}"), shape)


@handles(aten.index_copy.default)
def _index_copy(e, node, x, dim, index, source):
    shape, kind = e.result_type(node)
    value, where = _as_rows(e, e.value(x)), _as_rows(e, e.value(index))
    dim = normalize(dim, len(value.shape))
    source = _as_rows(e, e.value(source))
    return e.reshape(e.op("scatter", [value, where, source], value.shape, kind,
                          f"dim = {dim}, rows"), shape)


@handles(aten.gather.default)
def _gather(e, node, x, dim, index, sparse_grad=False):
    shape, kind = e.result_type(node)
    value, where = _as_rows(e, e.value(x)), _as_rows(e, e.value(index))
    dim = normalize(dim, len(value.shape))
    part = list(where.shape)
    part[dim] = value.shape[dim]
    return e.reshape(e.op("gather", [_begin(e, value, part), where],
                          where.shape, kind, f"dim = {dim}"), shape)


def _write(e, node, name, x, dim, index, source):
    """`source` at indices, which may be fewer than there are elements."""
    shape, kind = e.result_type(node)
    value, where = _as_rows(e, e.value(x)), _as_rows(e, e.value(index))
    dim = normalize(dim, len(value.shape))
    if isinstance(source, fx.Node) and (source.meta["val"].ndim
                                        or not shape):
        source = _begin(e, _as_rows(e, e.value(source)), where.shape)
    elif isinstance(source, fx.Node):
        source = expand_to(e, e.value(source), where.shape)
    else:
        source = e.full(source, where.shape, kind)
    part = list(where.shape)
    part[dim] = value.shape[dim]
    inner = e.op(name, [_begin(e, value, part), where, e.cast(source, kind)],
                 part, kind, f"dim = {dim}")
    return e.reshape(_put_back(e, value, inner), shape)


def _put_back(e, value, piece):
    """The value with its leading part replaced."""
    for d, (size, whole) in enumerate(zip(piece.shape, value.shape)):
        if e.symbols.text(size) == e.symbols.text(whole):
            continue
        # The rest of this dimension, in the dimensions before it whole.
        shape = [*value.shape[:d], whole - size, *piece.shape[d + 1:]]
        start = [0] * len(shape)
        start[d] = size
        rest = cut(e, value, shape, start)
        shape[d] = whole
        piece = e.op("concat", [piece, rest], shape, value.element,
                     f"dim = {d}")
    return piece


@handles(aten.scatter_add.default)
def _scatter_add(e, node, x, dim, index, source):
    return _write(e, node, "scatter_add", x, dim, index, source)


@handles(aten.scatter.src, aten.scatter.value)
def _scatter(e, node, x, dim, index, source):
    return _write(e, node, "scatter", x, dim, index, source)


@handles(aten.index_put.default, aten._unsafe_index_put.default)
def _index_put(e, node, x, indices, values, accumulate=False):
    shape, kind = e.result_type(node)
    value, given = e.value(x), e.cast(e.value(values), kind)
    if len(indices) == 1 and indices[0] is not None and \
            indices[0].meta["val"].dtype == torch.bool:
        return _put_mask(e, value, indices[0], given, accumulate)
    dims, apart = _parted(indices)
    used = _checked([indices[d] for d in dims])
    wanted = torch.broadcast_shapes(*[i.meta["val"].shape for i in used])
    where = [_wrapped(e, expand_to(e, e.cast(e.value(i), "i64"), wanted),
                      value.shape[d]) for d, i in zip(dims, used)]
    value, order = _bring_forward(e, value, dims)
    rest = value.shape[len(dims):]
    first = 0 if apart else dims[0]  # where the indices are in the values
    given = expand_to(e, given, (*rest[:first], *wanted, *rest[first:]))
    given = permute(e, given, [
        *range(first, first + len(wanted)), *range(first),
        *range(first + len(wanted), len(given.shape))])
    result = e.op("index_put", [value, given, *where], value.shape, kind,
                  "accumulate" if accumulate else "")
    return permute(e, result, inverse(order))


def _nth(e, mask, rows):
    """For every element of a mask the row of the nth that is true."""
    size = math.prod(mask.shape)
    hits = e.cast(e.reshape(mask, (size,)), "i64")
    count = e.op("cumsum", [hits], (size,), "i64", "dim = 0")
    which = e.op("sub", [count, e.constant(1, "i64")], (size,), "i64")
    shape = (size, *rows.shape[1:])
    found = e.op("index_select", [rows, which], shape, rows.element, "dim = 0")
    return e.reshape(found, (*mask.shape, *rows.shape[1:]))


def _put_mask(e, value, mask, given, accumulate):
    """One value, or one for each element where a mask is true."""
    mask = e.value(mask)
    rest = len(value.shape) - len(mask.shape)
    if len(given.shape) == rest + 1 and e.symbols.text(given.shape[0]) != "1":
        given = _nth(e, mask, given)
    elif len(given.shape) == rest + 1:
        given = e.reshape(given, given.shape[1:])
    if accumulate:
        given = e.op("add", [value, given], value.shape, value.element)
    wide = mask.shape + (1,) * rest
    return e.op("where", [e.reshape(mask, wide), given, value], value.shape,
                value.element)
