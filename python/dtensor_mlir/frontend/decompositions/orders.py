"""What has to do with the order of elements."""

from __future__ import annotations

import math

import torch

from .common import aten, rule


def _first(values, indices, dim, which, keepdim):
    values = values.narrow(dim, which, 1)
    indices = indices.narrow(dim, which, 1)
    return (values, indices) if keepdim else (values.squeeze(dim),
                                              indices.squeeze(dim))


@rule(aten.kthvalue.default)
def kthvalue(x, k, dim=-1, keepdim=False):
    if x.ndim == 0:
        return x.clone(), torch.zeros_like(x, dtype=torch.int64)
    return _first(*torch.sort(x, dim), dim, k - 1, keepdim)


@rule(aten.median.dim)
def median_along(x, dim, keepdim=False):
    """The first NaN, if there is one."""
    if x.ndim == 0:
        return x.clone(), torch.zeros_like(x, dtype=torch.int64)
    values, indices = _first(*torch.sort(x, dim), dim, (x.shape[dim] - 1) // 2,
                             keepdim)
    if not x.is_floating_point():
        return values, indices
    nans = x.isnan()
    any_nan = nans.any(dim, keepdim)
    first = nans.to(torch.int64).argmax(dim, keepdim)
    return (torch.where(any_nan, math.nan, values),
            torch.where(any_nan, first, indices))


@rule(aten.median.default)
def median(x):
    return median_along(x.reshape(-1), 0)[0]


@rule(aten.nanmedian.dim)
def nanmedian_along(x, dim, keepdim=False):
    if x.ndim == 0:
        return x.clone(), torch.zeros_like(x, dtype=torch.int64)
    values, indices = torch.sort(x, dim)
    count = (~x.isnan()).to(torch.int64).sum(dim, keepdim=True)
    which = torch.div(count - 1, 2, rounding_mode="floor").clamp(min=0)
    values, indices = values.gather(dim, which), indices.gather(dim, which)
    return (values, indices) if keepdim else (values.squeeze(dim),
                                              indices.squeeze(dim))


@rule(aten.nanmedian.default)
def nanmedian(x):
    return nanmedian_along(x.reshape(-1), 0)[0]


@rule(aten.mode.default)
def mode(x, dim=-1, keepdim=False):
    """The smallest of the values that occur most often, and its last place."""
    if x.ndim == 0:
        return x.clone(), torch.zeros_like(x, dtype=torch.int64)
    rows = x.movedim(dim, -1)
    counts = (rows.unsqueeze(-1) == rows.unsqueeze(-2)).to(torch.int64).sum(-1)
    most = counts == counts.amax(-1, keepdim=True)
    high = math.inf if x.is_floating_point() else torch.iinfo(x.dtype).max
    value = torch.where(most, rows, high).amin(-1, keepdim=True)
    places = torch.arange(rows.shape[-1], device=x.device)
    index = torch.where(rows == value, places, -1).amax(-1, keepdim=True)
    value, index = value.movedim(-1, dim), index.movedim(-1, dim)
    return (value, index) if keepdim else (value.squeeze(dim),
                                           index.squeeze(dim))
