"""What the rules share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch.utils import _pytree as pytree

from ...layouts import UnsupportedError
from ..pieces import (Dim, Piece, is_cut, is_cut_alike, is_one, uncut,
                      whole_size)

aten = torch.ops.aten
RULES: dict = {}
COLLECTIVES: dict = {}  # give pieces by themselves


@dataclasses.dataclass
class Call:
    func: object
    args: tuple
    kwargs: dict
    made: object  # fake tensors of the shapes of the pieces
    axis_of: Callable  # a mesh axis by the name of its group

    def argument(self, index: int, name: str, default=None):
        if len(self.args) > index:
            return self.args[index]
        return self.kwargs.get(name, default)

    def tensors(self) -> list:
        """Pieces and whole tensors among the arguments."""
        return [x for x in pytree.tree_leaves((self.args, self.kwargs))
                if isinstance(x, (Piece, torch.Tensor))]


def refuse(why: str):
    raise UnsupportedError(f"{why}; after to_local a rank has its own piece, "
                           "and what looks at others cannot be compiled")


def handles(*targets):
    def register(rule):
        for target in targets:
            RULES[target] = rule
        return rule
    return register


def dims_of(x) -> tuple[Dim, ...]:
    """Of a tensor that every rank has whole, too."""
    return tuple(map(uncut, x.shape)) if isinstance(x, torch.Tensor) else \
        x.dims


def wholes(tree):
    return pytree.tree_map(lambda x: x.whole if isinstance(x, Piece) else x,
                           tree)


@dataclasses.dataclass
class Found:
    """A call on wholes. `dims`: of each result; `partial`: axes along which
    the results are pending reductions, with the kind."""
    args: tuple
    kwargs: dict
    dims: list
    partial: tuple = ()
    func: object = None


def check_whole(x, *dims):
    """Refuses where a dimension is cut."""
    known = dims_of(x)
    for d in dims:
        if known and is_cut(known[d]):
            refuse(f"dimension {d % len(known)} is cut, and would be looked "
                   "along")


@dataclasses.dataclass(frozen=True)
class Shape:
    """Dimensions without a tensor."""
    dims: tuple[Dim, ...]


def broadcast(tensors, shape) -> list[Dim]:
    """The dimensions of what tensors are together, element by element."""
    result = []
    for back in range(len(shape), 0, -1):
        at = [dims_of(x)[-back] for x in tensors if len(dims_of(x)) >= back]
        cut = next((d for d in at if is_cut(d)), None)
        for dim in at if cut else ():
            one = not is_cut(dim) and is_one(whole_size(dim))
            if not one and not is_cut_alike(dim, cut):
                refuse_different(dim, cut, len(shape) - back)
        result.append(cut or uncut(shape[-back]))
    return result


def refuse_different(dim, cut, number):
    if is_cut(dim):
        refuse(f"dimension {number} is cut in two ways")
    refuse(f"dimension {number} is {whole_size(dim)} elements that every rank "
           "has, and the pieces of a tensor")
