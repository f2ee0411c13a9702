"""Operators along dimensions, and rows by their numbers."""

from __future__ import annotations

from torch.utils import _pytree as pytree

from ..pieces import Piece, is_cut, is_cut_alike, uncut
from .common import (Found, aten, check_whole, dims_of, handles,
                     refuse_different)


def _dims_argument(call, index, name):
    """Those that the call names, or all."""
    rank = len(call.args[0].dims)
    given = call.argument(index, name)
    if given is None or given == []:
        return list(range(rank))
    return [d % rank for d in
            (given if isinstance(given, (list, tuple)) else [given])]


@handles(aten._softmax.default, aten._log_softmax.default,
          aten.cumsum.default, aten.cumprod.default, aten.flip.default,
          aten.softmax.int, aten.log_softmax.int)
def _keeps_shape(call):
    x = call.args[0]
    check_whole(x, *_dims_argument(call, 1, "dim"))
    return Found(call.args, call.kwargs, [x.dims])


@handles(aten.tril.default, aten.triu.default)
def _triangle(call):
    x = call.args[0]
    check_whole(x, -1, -2)
    return Found(call.args, call.kwargs, [x.dims])


_PENDING = {aten.sum.dim_IntList: "sum", aten.sum.default: "sum",
            aten.amax.default: "max", aten.amin.default: "min"}


@handles(aten.sum.dim_IntList, aten.sum.default, aten.amax.default,
          aten.amin.default, aten.mean.dim, aten.mean.default,
          aten.var.correction, aten.std.correction, aten.var_mean.correction,
          aten.logsumexp.default, aten.argmax.default, aten.argmin.default,
          aten.max.dim, aten.min.dim, aten.prod.dim_int,
          aten.linalg_vector_norm.default)
def _reduction(call):
    x = call.args[0]
    at = 2 if call.func is aten.linalg_vector_norm.default else 1
    along = _dims_argument(call, at, "dim")
    kind, axes = _PENDING.get(call.func), []
    for d in along:
        if kind is None:
            check_whole(x, d)
        axes += [a for f in x.dims[d] for a in f.axes]
    made = pytree.tree_leaves(call.made)
    keeps = made[0].ndim == len(x.dims)
    dims = [uncut(1) if d in along else v for d, v in enumerate(x.dims)
            if keeps or d not in along]
    return Found(call.args, call.kwargs, [dims] * len(made),
                 tuple((a, kind) for a in axes))


@handles(aten.native_layer_norm.default, aten._fused_rms_norm.default)
def _norm(call):
    x, shape, weights = call.args[0], call.args[1], call.args[2:]
    count = len(shape)
    check_whole(x, *range(-count, 0))
    for w in weights:
        if isinstance(w, Piece):
            check_whole(w, *range(-count, 0))
    kept = [*x.dims[:-count], *[uncut(1)] * count]
    made = pytree.tree_leaves(call.made)
    return Found(call.args, call.kwargs, [x.dims] + [kept] * (len(made) - 1))


#===- Rows by numbers ------------------------------------------------------===#

@handles(aten.embedding.default)
def _embedding(call):
    table, ids = call.args[:2]
    check_whole(table, 0)
    return Found(call.args, call.kwargs, [[*dims_of(ids), dims_of(table)[1]]])


@handles(aten.index_select.default)
def _index_select(call):
    x, dim, index = call.args
    check_whole(x, dim)
    dims = list(dims_of(x))
    dims[dim] = dims_of(index)[0] if dims_of(index) else uncut(1)
    return Found(call.args, {}, [dims])


@handles(aten.gather.default)
def _gather(call):
    x, dim, index = call.args[:3]
    check_whole(x, dim)
    check_whole(index, dim)
    for d, (a, b) in enumerate(zip(dims_of(x), dims_of(index))):
        if d != dim % len(dims_of(x)) and not is_cut_alike(a, b):
            refuse_different(*((a, b) if is_cut(b) else (b, a)), d)
    return Found(call.args, call.kwargs, [dims_of(index)])
