"""What a rank computes with its own pieces, as computations of whole tensors.

After `to_local` a function sees what one rank has. Here such a tensor stays
the whole tensor, and each operator on pieces becomes the operator on wholes
that has these pieces on every rank. That is so where the operator does not look
along a dimension that is cut; other operators are refused.

A dimension of a piece is a list of factors, major to minor. A factor that mesh
axes cut has more elements in the whole than in the piece:

    size in the piece = product of `local`,  in the whole = product of `whole`.

Rows of a matrix [B, S, E] whose S is cut are one dimension (B, S) of
[B * S, E]; heads, of which a rank has some, are the first factor of H * D
columns.
"""

from __future__ import annotations

import dataclasses
import math

import sympy
import torch
from torch.distributed.tensor.placement_types import (Partial, Placement,
                                                      Replicate, Shard)

from ..layouts import UnsupportedError


@dataclasses.dataclass(frozen=True)
class Factor:
    local: int | torch.SymInt
    whole: int | torch.SymInt
    axes: tuple[int, ...] = ()  # that cut it, major to minor

    def __post_init__(self):
        assert self.axes or self.local is self.whole or \
            is_same(self.local, self.whole)


Dim = tuple[Factor, ...]


@dataclasses.dataclass(eq=False)
class Piece:
    """What each rank has of `whole`."""
    whole: torch.Tensor
    local: torch.Tensor  # a fake tensor of the shape of the piece
    dims: tuple[Dim, ...]
    partial: tuple[tuple[int, str], ...] = ()  # axes with pending reductions

    def placements(self, mesh_rank: int) -> tuple[Placement, ...]:
        """Those that say the same, if there are such."""
        found: list[Placement] = [Replicate()] * mesh_rank
        for axis, kind in self.partial:
            found[axis] = Partial(kind)
        for d, dim in enumerate(self.dims):
            if any(f.axes for f in dim[1:]):
                raise UnsupportedError(
                    f"dimension {d} of the piece is cut inside, which no "
                    "placement says")
            axes = dim[0].axes if dim else ()
            if list(axes) != sorted(axes):
                raise UnsupportedError(
                    f"dimension {d} of the piece is cut by axes {list(axes)} "
                    "in this order, which no placement says")
            for axis in axes:
                found[axis] = Shard(d)
        return tuple(found)


#===- Sizes ----------------------------------------------------------------===#

def expression_of(size) -> sympy.Expr:
    return size.node.expr if isinstance(size, torch.SymInt) else \
        sympy.Integer(size)


def is_same(a, b) -> bool:
    return sympy.expand(expression_of(a) - expression_of(b)) == 0


def is_number(size) -> bool:
    return expression_of(size).is_number


def is_one(size) -> bool:
    return expression_of(size) == 1


def quotient(a, b):
    """a / b where b divides a for all values of the symbols, else None."""
    if is_number(a) and is_number(b):
        a, b = int(a), int(b)
        return a // b if b and a % b == 0 else None
    if is_same(a, b):
        return 1
    q = sympy.cancel(expression_of(a) / expression_of(b))
    if sympy.denom(q) != 1:
        return None
    # a // b would keep the quotient as one.
    node = a.node if isinstance(a, torch.SymInt) else b.node
    return int(q) if q.is_number else node.shape_env.create_symintnode(
        q, hint=None)


def is_floor_of(size, whole) -> int | None:
    """n where `size` is written as whole // n."""
    e = expression_of(size)
    return int(e.args[1]) if type(e).__name__ == "FloorDiv" and \
        e.args[0] == expression_of(whole) and e.args[1].is_Integer else None


def whole_size(dim: Dim):
    return math.prod(f.whole for f in dim)


def is_cut(dim: Dim) -> bool:
    return any(f.axes for f in dim)


def cuts(dim: Dim) -> list:
    """(axes that cut, elements of the piece from there on, those of the whole),
    minor to major."""
    local, whole, found = sympy.Integer(1), 1, []
    for f in reversed(dim):
        local = sympy.expand(local * expression_of(f.local))
        whole = whole * f.whole
        if f.axes:
            found.append((f.axes, local, whole))
    return found


def is_cut_alike(a: Dim, b: Dim) -> bool:
    """Whether pieces of the two are of the same elements. That pieces are of
    one size the function itself says; then wholes are, or it is an error."""
    ours, theirs = cuts(a), cuts(b)
    return [c[:2] for c in ours] == [c[:2] for c in theirs] and all(
        bool(x[2] == y[2]) for x, y in zip(ours, theirs))


def uncut(size) -> Dim:
    return (Factor(size, size),)
