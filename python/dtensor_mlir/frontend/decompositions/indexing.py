"""Writes at indices."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from .common import aten, rule


@rule(aten.put.default)
def put(x, index, source, accumulate=False):
    flat = x.reshape(-1).index_put((index.reshape(-1),), source.reshape(-1),
                                   accumulate)
    return flat.view(x.shape)


@rule(aten.take.default)
def take(x, index):
    return x.reshape(-1)[index.reshape(-1)].view(index.shape)


@rule(aten.masked_scatter.default)
def masked_scatter(x, mask, source):
    """The nth element of the source where the mask is true the nth time."""
    x, mask = torch.broadcast_tensors(x, mask)
    which = mask.reshape(-1).to(torch.int64).cumsum(0) - 1
    taken = source.reshape(-1)[which.clamp(min=0)]
    return torch.where(mask, taken.view(x.shape), x)


@rule(aten.masked_scatter_backward.default)
def masked_scatter_backward(grad, mask, sizes):
    mask = mask.expand(grad.shape).reshape(-1)
    which = (mask.to(torch.int64).cumsum(0) - 1).clamp(min=0)
    kept = torch.where(mask, grad.reshape(-1), 0)
    zeros = grad.new_zeros(math.prod(sizes))
    return zeros.index_add(0, which, kept).view(sizes)


@rule(aten.index_fill.int_Scalar, aten.index_fill.int_Tensor)
def index_fill(x, dim, index, value):
    if x.ndim == 0:
        return index_fill(x.view(1), 0, index, value).view(())
    index = torch.where(index < 0, index + x.shape[dim], index).reshape(-1)
    hit = torch.zeros(x.shape[dim], dtype=torch.int64, device=x.device)
    hit = hit.index_add(0, index, torch.ones_like(index)) > 0
    shape = [1] * x.ndim
    shape[dim] = -1
    return torch.where(hit.view(shape), value, x).to(x.dtype)


def _largest(x, dim, index, source, neutral, reduce):
    """For every element along `dim` what `reduce` makes of the sources that
    are meant for it, whose indices are compared with all positions."""
    index, source = index.movedim(dim, -1), source.movedim(dim, -1)
    places = torch.arange(x.shape[dim], device=x.device)
    hits = index.unsqueeze(-2) == places[:, None]
    found = reduce(torch.where(hits, source.unsqueeze(-2), neutral))
    found = found.movedim(-1, dim)
    rest = [0, 0] * x.ndim
    for d in range(x.ndim):
        rest[2 * (x.ndim - 1 - d) + 1] = x.shape[d] - found.shape[d]
    return F.pad(found, rest, value=neutral)


def _lowest(dtype):
    return -math.inf if dtype.is_floating_point else torch.iinfo(dtype).min


def _highest(dtype):
    return math.inf if dtype.is_floating_point else torch.iinfo(dtype).max


@rule(aten.scatter_reduce.two)
def scatter_reduce(x, dim, index, source, reduce, include_self=True):
    if x.ndim == 0:
        return scatter_reduce(x.view(1), 0, index.view(1), source.view(1),
                              reduce, include_self).view(())
    dim = dim % x.ndim
    source = source[tuple(slice(0, n) for n in index.shape)]
    count = torch.zeros(x.shape, dtype=torch.int64, device=x.device) \
        .scatter_add(dim, index, torch.ones_like(index))
    neutral = {"sum": 0, "mean": 0, "prod": 1, "amax": _lowest(x.dtype),
               "amin": _highest(x.dtype)}[reduce]
    start = x if include_self else torch.where(count > 0, neutral, x) \
        .to(x.dtype)
    if reduce in ("sum", "mean"):
        total = start.scatter_add(dim, index, source)
        if reduce == "sum":
            return total
        count = (count + 1 if include_self else count).clamp(min=1)
        return total / count if x.dtype.is_floating_point else total // count
    combine = {"prod": torch.mul, "amax": torch.maximum,
               "amin": torch.minimum}[reduce]
    along = {"prod": lambda v: v.prod(-1), "amax": lambda v: v.amax(-1),
             "amin": lambda v: v.amin(-1)}[reduce]
    return combine(start, _largest(x, dim, index, source, neutral, along))


@rule(aten.index_reduce.default)
def index_reduce(x, dim, index, source, reduce, *, include_self=True):
    if x.ndim == 0:
        return index_reduce(x.view(1), 0, index.view(-1), source.view(-1),
                            reduce, include_self=include_self).view(())
    shape = [1] * x.ndim
    shape[dim] = -1
    wide = index.view(shape).expand(source.shape)
    return scatter_reduce(x, dim, wide, source, reduce, include_self)
