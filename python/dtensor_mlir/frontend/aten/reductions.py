"""Reductions, and what runs along a dimension."""

from __future__ import annotations

import math

import torch

from .common import aten, expand_to, handles, normalize


def reduce(e, node, name, x, dims, keepdim, kind=None, attributes=""):
    shape, result = e.result_type(node)
    value = e.cast(e.value(x), kind or result)
    rank = len(value.shape)
    dims = list(range(rank)) if dims is None or dims == [] else \
        [dims] if isinstance(dims, int) else dims
    dims = sorted(normalize(d, rank) for d in dims)
    if rank == 0:
        return e.cast(value, result)
    flag = ", keepdim" if keepdim else ""
    return e.op(name, [value], shape, result,
                f"dims = {dims}{flag}{attributes}")


@handles(aten.sum.dim_IntList, aten.sum.default, aten.mean.dim,
         aten.mean.default, aten.amax.default, aten.amin.default)
def _reduction(e, node, x, dims=None, keepdim=False, dtype=None):
    name = node.target.__name__.split(".")[0]
    return reduce(e, node, name, x, dims, keepdim)


@handles(aten.max.default, aten.min.default)
def _extremum(e, node, x):
    name = "amax" if node.target is aten.max.default else "amin"
    return reduce(e, node, name, x, None, False)


@handles(aten.prod.default, aten.prod.dim_int)
def _prod(e, node, x, dim=None, keepdim=False, dtype=None):
    return reduce(e, node, "prod", x, dim, keepdim)


@handles(aten.any.default, aten.any.dim, aten.any.dims, aten.all.default,
         aten.all.dim, aten.all.dims)
def _truth(e, node, x, dims=None, keepdim=False):
    name = node.target.__name__.split(".")[0]
    return reduce(e, node, name, x, dims, keepdim, "i1")


@handles(aten.var.correction, aten.std.correction)
def _var(e, node, x, dims=None, correction=1, keepdim=False):
    name = node.target.__name__.split(".")[0]
    correction = 1 if correction is None else correction
    return reduce(e, node, name, x, dims, keepdim,
                  attributes=f", correction = {float(correction)!r} : f64")


@handles(aten.var_mean.correction)
def _var_mean(e, node, x, dims=None, correction=1, keepdim=False):
    value = e.value(x)
    rank = len(value.shape)
    dims = sorted(normalize(d, rank) for d in dims or range(rank))
    shape = tuple(node.meta["val"][0].shape)
    results = [e.new(shape, value.element) for _ in range(2)]
    correction = 1.0 if correction is None else float(correction)
    flag = ", keepdim" if keepdim else ""
    e.many("var_mean", [value], results,
           f"dims = {dims}{flag}, correction = {correction!r} : f64")
    return tuple(results)


@handles(torch.ops.prims.var.default)
def _prims_var(e, node, x, dims, correction=1, **_):
    return _var(e, node, x, dims, correction)


@handles(torch.ops.prims.broadcast_in_dim.default)
def _broadcast_in_dim(e, node, x, sizes, dims):
    value, shape = e.value(x), e.result_type(node)[0]
    wide = [1] * len(shape)
    for d, size in zip(dims, value.shape):
        wide[d] = size
    return expand_to(e, e.reshape(value, wide), shape)


@handles(torch.ops.prims.view_of.default)
def _view_of(e, node, x):
    return e.value(x)


@handles(torch.ops.prims.sum.default)
def _prims_sum(e, node, x, dims, **_):
    return reduce(e, node, "sum", x, dims, False)


@handles(aten.max.dim, aten.min.dim)
def _extremum_along(e, node, x, dim, keepdim=False):
    value = e.value(x)
    if not value.shape:
        return value, e.full(0, (), "i64")
    dim = normalize(dim, len(value.shape))
    name = node.target.__name__.split(".")[0]
    shape = tuple(node.meta["val"][0].shape)
    flag = ", keepdim" if keepdim else ""
    values = e.op("a" + name, [value], shape, value.element,
                  f"dims = [{dim}]{flag}")
    return values, e.op("arg" + name, [value], shape, "i64",
                        f"dim = {dim}{flag}")


@handles(aten.argmax.default, aten.argmin.default)
def _arg(e, node, x, dim=None, keepdim=False):
    name = node.target.__name__.split(".")[0]
    shape, kind = e.result_type(node)
    value = e.value(x)
    if dim is None:
        if len(value.shape) != 1:
            size = math.prod(value.shape)
            value = e.reshape(value, (size,))
        dim = 0
    flag = ", keepdim" if keepdim and len(shape) == len(value.shape) else ""
    return e.op(name, [value], shape, kind,
                f"dim = {normalize(dim, len(value.shape))}{flag}")


@handles(aten.cumsum.default, aten.cumprod.default)
def _cumulative(e, node, x, dim, dtype=None):
    name = node.target.__name__.split(".")[0]
    shape, kind = e.result_type(node)
    value = e.cast(e.value(x), kind)
    if not shape:
        return value
    return e.op(name, [value], shape, kind,
                f"dim = {normalize(dim, len(shape))}")


@handles(aten.cummax.default, aten.cummin.default)
def _running_extremum(e, node, x, dim):
    """The last place of the extremum so far."""
    value = e.value(x)
    shape, kind = value.shape, value.element
    if not shape:
        return value, e.full(0, (), "i64")
    dim = normalize(dim, len(shape))
    name = "max" if node.target is aten.cummax.default else "min"
    best = e.op("scan", [value], shape, kind, f'dim = {dim}, kind = "{name}"')
    here = e.op("compare", [value, best], shape, "i1", 'predicate = "eq"')
    if kind[0] in "fb":  # NaN stays
        nan = e.op("isnan", [value], shape, "i1")
        here = e.op("logical_or", [here, nan], shape, "i1")
    at = e.op("iota", [], shape, "i64",
              f"dim = {dim}, sizes = {e.sizes(shape)}")
    at = e.op("where", [here, at, e.constant(-1, "i64")], shape, "i64")
    return best, e.op("scan", [at], shape, "i64", f'dim = {dim}, kind = "max"')


# Not `_log_softmax`: in parts, one number a row is kept for the backward pass
# instead of them all.
@handles(aten._softmax.default)
def _softmax(e, node, x, dim, half_to_float):
    shape, kind = e.result_type(node)
    if not shape:
        return e.full(1, (), kind)
    return e.op("softmax", [e.cast(e.value(x), kind)], shape, kind,
                f"dim = {normalize(dim, len(shape))}")


@handles(aten.topk.default)
def _topk(e, node, x, k, dim=-1, largest=True, sorted=True):
    value = e.value(x)
    shape = tuple(node.meta["val"][0].shape)
    if not shape:
        return value, e.full(0, (), "i64")
    results = [e.new(shape, value.element), e.new(shape, "i64")]
    flag = "" if largest else ", smallest"
    e.many("topk", [value], results,
           f"dim = {normalize(dim, len(shape))}, k = {k}{flag}")
    return tuple(results)


@handles(aten.sort.default, aten.sort.stable)
def _sort(e, node, x, dim=-1, descending=False, stable=None):
    value = e.value(x)
    if not value.shape:
        return value, e.full(0, (), "i64")
    results = [e.new(value.shape, value.element), e.new(value.shape, "i64")]
    flag = ", descending" if descending else ""
    e.many("sort", [value], results,
           f"dim = {normalize(dim, len(value.shape))}{flag}")
    return tuple(results)
