"""Products of matrices, and attention."""

from __future__ import annotations

import torch

from ..pieces import (Dim, is_cut, is_cut_alike, is_one, is_same, quotient,
                      whole_size)
from .common import (Found, Shape, aten, broadcast, check_whole, dims_of,
                     handles, refuse, refuse_different)
from .shapes import settle


def _einsum(call, tensors, rule: str):
    """Dimensions by letters: what is the same letter is cut alike."""
    inputs, output = rule.split("->")
    known: dict[str, Dim] = {}
    for x, letters in zip(tensors, inputs.split(",")):
        for number, (letter, dim) in enumerate(zip(letters, dims_of(x))):
            other = known.setdefault(letter, dim)
            if not is_cut_alike(other, dim):
                ordered = (dim, other) if is_cut(other) else (other, dim)
                refuse_different(*ordered, number)
    summed = [(a, "sum") for letter, dim in known.items()
              if letter not in output for f in dim for a in f.axes]
    return [known[letter] for letter in output], tuple(summed)


@handles(aten.mm.default, aten.bmm.default, aten.mv.default,
          aten.dot.default)
def _product(call):
    rule = {aten.mm.default: "mk,kn->mn", aten.bmm.default: "bmk,bkn->bmn",
            aten.mv.default: "mk,k->m", aten.dot.default: "k,k->"}[call.func]
    dims, partial = _einsum(call, call.args[:2], rule)
    return Found(call.args, call.kwargs, [dims], partial)


@handles(aten.addmm.default, aten.baddbmm.default)
def _add_product(call):
    rule = "mk,kn->mn" if call.func is aten.addmm.default else "bmk,bkn->bmn"
    bias, *factors = call.args
    dims, partial = _einsum(call, factors, rule)
    if partial:
        refuse("every rank would add the whole bias to its part of a sum")
    return Found(call.args, call.kwargs, [broadcast(
        [bias, Shape(tuple(dims))], call.made.shape)])


@handles(torch.ops.dtensor_mlir.attention.default)
def _attention(call):
    q, k, v = call.args[:3]
    check_whole(q, 2, 3)
    check_whole(k, 2, 3)
    check_whole(v, 2, 3)
    _einsum(call, (k, v), "bgsd,bgse->")
    batch = broadcast([Shape(dims_of(x)[:1]) for x in (q, k)],
                       call.made.shape[:1])
    heads, groups = dims_of(q)[1], dims_of(k)[1]
    if is_cut(heads) or is_cut(groups):
        _check_groups(heads, groups)
    return Found(call.args, call.kwargs, [[*batch, heads, dims_of(q)[2],
                                           dims_of(v)[3]]])


def _check_groups(heads: Dim, groups: Dim):
    """Head h reads keys h // (heads / groups), in the piece and in the whole:
    each rank has the keys of its heads, or all heads have the same."""
    if not is_cut(groups) and is_one(whole_size(groups)):
        return
    heads, groups = (tuple(map(settle, dim)) for dim in (heads, groups))
    axes = [[f.axes for f in dim if f.axes] for dim in (heads, groups)]
    ratios = [quotient(_local(heads), _local(groups)),
              quotient(whole_size(heads), whole_size(groups))]
    if axes[0] != axes[1] or None in ratios or not is_same(*ratios):
        refuse("heads are cut in other ways than the heads of their keys")


def _local(dim: Dim):
    size = 1
    for f in dim:
        size = size * f.local
    return size
