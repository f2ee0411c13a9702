"""Which operators on pieces are the same operators on wholes.

A rule takes a `Call` and gives the arguments for the wholes and the dimensions
of each result. It refuses where an operator would look along a dimension that
is cut.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.utils import _pytree as pytree

from ..pieces import Piece
from . import along, collectives, products, shapes
from .common import COLLECTIVES, RULES, Call, refuse, wholes
from .pending import MOVES, pending_of
from .pointwise import pointwise

__all__ = ["MOVES", "along", "collectives", "on_wholes", "products", "shapes"]


def on_wholes(func, args, kwargs, made, call: Callable, axis_of: Callable):
    """The pieces that `func` gives; `call` calls it."""
    if func in COLLECTIVES:
        return COLLECTIVES[func](Call(func, args, kwargs, made, axis_of))
    rule = RULES.get(func)
    if rule is None and torch.Tag.pointwise in func.tags:
        rule = pointwise
    if rule is None:
        refuse(f"{func} on the piece of one rank")
    found = rule(Call(func, args, kwargs, made, axis_of))
    partial = pending_of(func, args, kwargs) | set(found.partial)
    results = call(found.func or func, *wholes((found.args, found.kwargs)))
    flat, spec = pytree.tree_flatten(results)
    pieces = [Piece(whole, local, tuple(dims), tuple(sorted(partial)))
              for whole, local, dims in zip(
                  flat, pytree.tree_leaves(made), found.dims, strict=True)]
    return pytree.tree_unflatten(pieces, spec)
