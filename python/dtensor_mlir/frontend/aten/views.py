"""Other shapes of the same elements, and parts of them."""

from __future__ import annotations

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


@handles(aten.slice_scatter.default)
def _slice_scatter(e, node, x, source, dim=0, start=None, end=None, step=1):
    if step != 1:
        raise UnsupportedError(f"slice_scatter with step {step}")
    value, piece = e.value(x), e.value(source)
    dim = normalize(dim, len(value.shape))
    total = value.shape[dim]
    start = _start_of(value, dim, start)
    end = start + piece.shape[dim]
    parts = []
    if e.symbols.text(start) != "0":
        head = list(value.shape)
        head[dim] = start
        parts.append(_slice(e, value, head, dim, 0, 1))
    parts.append(piece)
    if e.symbols.text(end) != e.symbols.text(total):
        tail = list(value.shape)
        tail[dim] = total - end
        parts.append(_slice(e, value, tail, dim, end, 1))
    if len(parts) == 1:
        return piece
    return e.op("concat", parts, value.shape, value.element, f"dim = {dim}")


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
