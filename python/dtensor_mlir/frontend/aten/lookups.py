"""Look-ups, and sums of what was looked up."""

from __future__ import annotations

import math

import torch
from torch import fx

from ..emit import Value
from ..layouts import UnsupportedError
from .common import aten, expand_to, handles, normalize


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


@handles(aten.index.Tensor, aten._unsafe_index.Tensor)
def _index(e, node, x, indices):
    value = e.value(x)
    dims = [d for d, i in enumerate(indices) if i is not None]
    used = [indices[d] for d in dims]
    if any(i.meta["val"].dtype == torch.bool for i in used):
        raise UnsupportedError("indexing by a mask: the size of the result "
                               "depends on data")
    first, last = dims[0], dims[-1]
    if last - first + 1 != len(dims):
        raise UnsupportedError("indexing by tensors that stand apart")
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
    value = e.value(x)
    return e.op("index_select", [value, e.value(index)], shape, kind,
                f"dim = {normalize(dim, len(value.shape))}")


@handles(aten.gather.default)
def _gather(e, node, x, dim, index, sparse_grad=False):
    shape, kind = e.result_type(node)
    return e.op("gather", [e.value(x), e.value(index)], shape, kind,
                f"dim = {normalize(dim, len(shape))}")


@handles(aten.scatter_add.default)
def _scatter_add(e, node, x, dim, index, source):
    shape, kind = e.result_type(node)
    return e.op("scatter_add", [e.value(x), e.value(index), e.value(source)],
                shape, kind, f"dim = {normalize(dim, len(shape))}")


@handles(aten.scatter.src, aten.scatter.value)
def _scatter(e, node, x, dim, index, source):
    shape, kind = e.result_type(node)
    where = e.value(index)
    if not isinstance(source, fx.Node):
        source = e.full(source, where.shape, kind)
    else:
        source = e.value(source)
    return e.op("scatter", [e.value(x), where, source], shape, kind,
                f"dim = {normalize(dim, len(shape))}")


@handles(aten.index_put.default, aten._unsafe_index_put.default)
def _index_put(e, node, x, indices, values, accumulate=False):
    shape, kind = e.result_type(node)
    value = e.value(x)
    if any(i is None for i in indices):
        raise UnsupportedError("index_put that leaves a dimension out")
    wanted = torch.broadcast_shapes(*[i.meta["val"].shape for i in indices])
    where = [_wrapped(e, expand_to(e, e.value(i), wanted), value.shape[d])
             for d, i in enumerate(indices)]
    rest = (*wanted, *value.shape[len(indices):])
    given = expand_to(e, e.cast(e.value(values), kind), rest)
    return e.op("index_put", [value, given, *where], shape, kind,
                "accumulate" if accumulate else "")
