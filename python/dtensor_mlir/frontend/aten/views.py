"""Other shapes of the same elements, and parts of them."""

from __future__ import annotations

import math

import torch

from ..layouts import UnsupportedError
from .common import aten, expand_to, handles, normalize


@handles(aten.view.default, aten.reshape.default, aten._unsafe_view.default,
         aten.view_copy.default)
def _view(e, node, x, shape):
    return e.reshape(e.value(x), e.result_type(node)[0])


@handles(aten.expand.default, aten.expand_copy.default)
def _expand(e, node, x, sizes, **_):
    return expand_to(e, e.value(x), e.result_type(node)[0])


@handles(aten.permute.default)
def _permute(e, node, x, dims):
    shape, kind = e.result_type(node)
    dims = [normalize(d, len(shape)) for d in dims]
    return e.op("permute", [e.value(x)], shape, kind, f"permutation = {dims}")


@handles(aten.t.default, aten.transpose.int)
def _transpose(e, node, x, a=0, b=1):
    rank = len(e.result_type(node)[0])
    if rank < 2:
        return e.value(x)
    dims = list(range(rank))
    a, b = normalize(a, rank), normalize(b, rank)
    dims[a], dims[b] = dims[b], dims[a]
    return _permute(e, node, x, dims)


@handles(aten.diagonal.default, aten.diagonal_copy.default)
def _diagonal(e, node, x, offset=0, dim1=0, dim2=1):
    shape, kind = e.result_type(node)
    value = e.value(x)
    rank = len(value.shape)
    return e.op("diagonal", [value], shape, kind,
                f"offset = {offset}, dim1 = {normalize(dim1, rank)}, "
                f"dim2 = {normalize(dim2, rank)}")


@handles(aten.unfold.default, aten.unfold_copy.default)
def _unfold(e, node, x, dim, size, step):
    shape, kind = e.result_type(node)
    value = e.value(x)
    if not value.shape:
        return e.reshape(value, shape)
    dim = normalize(dim, len(value.shape))
    zero = e.number(0, kind)
    return e.op("unfold", [value], shape, kind,
                f"dims = [{dim}], sizes = {e.sizes([shape[dim]])}, "
                f"kernel = [{size}], stride = [{step}], dilation = [1], "
                f"offset = [0], divisor = [1], value = {zero}")


@handles(aten.as_strided.default, aten.as_strided_copy.default)
def _as_strided(e, node, x, sizes, strides, offset=None):
    shape, kind = e.result_type(node)
    value, where = e.value(x), _positions(e, node, x, sizes, strides, offset)
    flat = e.reshape(value, (math.prod(value.shape),))
    return e.op("index_select", [flat, where], shape, kind, "dim = 0")


@handles(aten.as_strided_scatter.default,
         torch.ops.prims.as_strided_scatter.default)
def _as_strided_scatter(e, node, x, source, sizes, strides, offset=None):
    shape, kind = e.result_type(node)
    value, where = e.value(x), _positions(e, node, x, sizes, strides, offset)
    size, count = math.prod(shape), math.prod(sizes)
    result = e.op("index_put", [
        e.reshape(value, (size,)), e.reshape(e.value(source), (count,)),
        e.reshape(where, (count,))], (size,), kind)
    return e.reshape(result, shape)


def _positions(e, node, x, sizes, strides, offset):
    """Where in the memory of a row-major tensor the elements of a view are."""
    meta = x.meta["val"]
    if not meta.is_contiguous() or meta.storage_offset():
        raise UnsupportedError("as_strided of a tensor that is not row-major")
    shape = tuple(sizes)
    where = e.full(offset or 0, shape, "i64")
    for dim, stride in enumerate(strides):
        at = e.op("iota", [], shape, "i64",
                  f"dim = {dim}, sizes = {e.sizes(shape)}")
        at = e.op("mul", [at, e.constant(stride, "i64")], shape, "i64")
        where = e.op("add", [where, at], shape, "i64")
    return where


@handles(aten.unsqueeze.default)
def _unsqueeze(e, node, x, dim):
    shape, kind = e.result_type(node)
    return e.op("unsqueeze", [e.value(x)], shape, kind,
                f"dims = [{normalize(dim, len(shape))}]")


@handles(aten.squeeze.dim, aten.squeeze.dims, aten.squeeze.default)
def _squeeze(e, node, x, dims=None):
    return e.reshape(e.value(x), e.result_type(node)[0])


@handles(aten.select.int)
def _select(e, node, x, dim, index):
    shape, kind = e.result_type(node)
    value = e.value(x)
    dim = normalize(dim, len(value.shape))
    if _is_negative(index):
        index = value.shape[dim] + index
    return e.op("select", [value], shape, kind,
                f"dim = {dim}, index = {e.symbols.attribute(index)}")


def _is_negative(number):
    return isinstance(number, int) and number < 0


def _slice(e, value, shape, dim, start, step):
    text = e.symbols.text
    starts = ["0"] * len(shape)
    steps = ["1"] * len(shape)
    starts[dim], steps[dim] = text(start), text(step)
    result = e.new(shape, value.element)
    e.write(f"{result.name} = dtensor.slice {value.name} "
            f"[{', '.join(starts)}] [{', '.join(map(text, shape))}] "
            f"[{', '.join(steps)}] : ({e.type(value)}) -> {e.type(result)}")
    return result


def _start_of(value, dim, start):
    start = 0 if start is None else start
    return value.shape[dim] + start if _is_negative(start) else start


@handles(aten.slice.Tensor)
def _slice_tensor(e, node, x, dim=0, start=None, end=None, step=1):
    value = e.value(x)
    dim = normalize(dim, len(value.shape))
    shape = e.result_type(node)[0]
    if e.symbols.text(shape[dim]) == e.symbols.text(value.shape[dim]):
        return value
    return _slice(e, value, shape, dim, _start_of(value, dim, start), step)


def _scatter_steps(e, value, piece, dim, start, step):
    """Every `step`th element is one of the piece."""
    attributes = (f"dim = {dim}, size = {e.symbols.extent(value.shape[dim])}, "
                  f"start = {e.symbols.attribute(start)}, "
                  f"step = {e.symbols.attribute(step)}")
    ones = e.full(1, piece.shape, "i64")
    hit = e.op("slice_backward", [ones], value.shape, "i64", attributes)
    spread = e.op("slice_backward", [piece], value.shape, value.element,
                  attributes)
    return e.op("where", [e.cast(hit, "i1"), spread, value], value.shape,
                value.element)


@handles(aten.slice_scatter.default)
def _slice_scatter(e, node, x, source, dim=0, start=None, end=None, step=1):
    value, piece = e.value(x), e.cast(e.value(source), e.value(x).element)
    dim = normalize(dim, len(value.shape))
    start = _start_of(value, dim, start)
    if step == 1 or e.symbols.text(piece.shape[dim]) == "0":
        return _replace(e, value, piece, dim, start)
    return _scatter_steps(e, value, piece, dim, start, step)


@handles(aten.select_scatter.default)
def _select_scatter(e, node, x, source, dim, index):
    value, piece = e.value(x), e.value(source)
    dim = normalize(dim, len(value.shape))
    shape = list(value.shape)
    shape[dim] = 1
    wide = e.op("unsqueeze", [piece], shape, piece.element, f"dims = [{dim}]")
    if _is_negative(index):
        index = value.shape[dim] + index
    return _replace(e, value, wide, dim, index)


def _replace(e, value, piece, dim, start):
    parts, end = [], start + piece.shape[dim]
    for begin, stop in ((0, start), (None, None), (end, value.shape[dim])):
        if begin is None:
            parts.append(piece)
        elif e.symbols.text(begin) != e.symbols.text(stop):
            shape = list(value.shape)
            shape[dim] = stop - begin
            parts.append(_slice(e, value, shape, dim, begin, 1))
    if len(parts) == 1:
        return parts[0]
    return e.op("concat", parts, value.shape, value.element, f"dim = {dim}")


@handles(aten.cat.default)
def _cat(e, node, tensors, dim=0):
    shape, kind = e.result_type(node)
    values = [e.cast(e.value(t), kind) for t in tensors]
    values = [v for v in values if len(v.shape) == len(shape)]
    if len(values) == 1:
        return values[0]
    return e.op("concat", values, shape, kind,
                f"dim = {normalize(dim, len(shape))}")


@handles(aten.split_with_sizes.default, aten.split.Tensor)
def _split(e, node, x, sizes, dim=0):
    value, start, parts = e.value(x), 0, []
    dim = normalize(dim, len(value.shape))
    for meta in node.meta["val"]:
        parts.append(_slice(e, value, tuple(meta.shape), dim, start, 1))
        start = start + meta.shape[dim]
    return tuple(parts)


@handles(aten.constant_pad_nd.default)
def _pad(e, node, x, pad, value=0):
    shape, kind = e.result_type(node)
    rank = len(shape)
    low, high, source = [0] * rank, [0] * rank, e.value(x)
    for i in range(len(pad) // 2):
        dim, before, after = rank - 1 - i, pad[2 * i], pad[2 * i + 1]
        if _is_negative(before) or _is_negative(after):  # cuts
            kept = list(source.shape)
            kept[dim] = kept[dim] + min(before, 0) + min(after, 0)
            source = _slice(e, source, kept, dim, max(-before, 0), 1)
            before, after = max(before, 0), max(after, 0)
        low[dim], high[dim] = before, after
    return e.op("pad", [source, e.constant(value, kind)], shape, kind,
                f"low = {e.sizes(low)}, high = {e.sizes(high)}")


@handles(aten.flip.default)
def _flip(e, node, x, dims):
    shape, kind = e.result_type(node)
    dims = [normalize(d, len(shape)) for d in dims]
    return e.op("flip", [e.value(x)], shape, kind, f"dims = {dims}")


@handles(aten.repeat.default)
def _repeat(e, node, x, repeats):
    shape, kind = e.result_type(node)
    value = e.value(x)
    if len(value.shape) < len(shape):
        ones = (1,) * (len(shape) - len(value.shape))
        value = e.reshape(value, ones + value.shape)
    return e.op("repeat", [value], shape, kind,
                f"repeats = {e.sizes(repeats)}")
