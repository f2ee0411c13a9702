"""Collectives of the function: the whole stays as it is, and what a rank has of
it is another piece."""

from __future__ import annotations

import torch

from ..pieces import Factor, Piece, is_cut, uncut, whole_size
from .common import COLLECTIVES, aten, broadcast, refuse

c10d = torch.ops._c10d_functional


def handles_collective(target):
    def register(rule):
        COLLECTIVES[target] = rule
        return rule
    return register


@handles_collective(c10d.wait_tensor.default)
def _wait(call):
    return call.args[0]


@handles_collective(aten.copy_.default)
def _copy(call):
    """A collective in place is one whose result is copied back."""
    target, source = call.args[:2]
    dims = broadcast([target, source], call.made.shape)
    if not isinstance(target, Piece) or any(
            is_cut(a) != is_cut(b) for a, b in zip(target.dims, dims)):
        refuse(f"{call.func} of a piece to what every rank has")
    if getattr(source, "whole", source) is not target.whole:
        target.whole.copy_(getattr(source, "whole", source))
    target.partial = getattr(source, "partial", ())
    return target


def _reduced(call, x, kind, group):
    """The axis of the group, and what is pending along others."""
    axis = call.axis_of(group)
    if (axis, kind) not in x.partial:
        refuse(f"{call.func} of kind \"{kind}\" of what is not pending such a "
               f"reduction along mesh axis {axis}")
    return axis, tuple(p for p in x.partial if p[0] != axis)


@handles_collective(c10d.all_reduce.default)
def _all_reduce(call):
    x = call.args[0]
    _, partial = _reduced(call, *call.args)
    return Piece(x.whole, call.made, x.dims, partial)


@handles_collective(c10d.reduce_scatter_tensor.default)
def _reduce_scatter(call):
    x, kind, _, group = call.args
    axis, partial = _reduced(call, x, kind, group)
    if is_cut(x.dims[0]):
        refuse(f"{call.func} of a dimension that is cut")
    size = whole_size(x.dims[0])
    cut = (Factor(call.made.shape[0], size, (axis,)),)
    return Piece(x.whole, call.made, (cut, *x.dims[1:]), partial)


@handles_collective(c10d.all_gather_into_tensor.default)
def _all_gather(call):
    x, _, group = call.args
    axis, dim = call.axis_of(group), x.dims[0]
    axes = dim[0].axes if dim else ()
    # Pieces of one size, one after the other, are the whole.
    if axes != (axis,) or not bool(call.made.shape[0] == whole_size(dim)):
        refuse(f"{call.func} of what mesh axis {axis} does not cut into equal "
               "pieces along dimension 0")
    joined = (*uncut(dim[0].whole), *dim[1:])
    return Piece(x.whole, call.made, (joined, *x.dims[1:]), x.partial)
