"""What may be done to what is pending a reduction."""

from __future__ import annotations

import torch
from torch.utils import _pytree as pytree

from ..pieces import Piece
from .common import aten, refuse

_SUMS = {aten.add.Tensor, aten.sub.Tensor}
_MULTIPLES = {aten.mul.Tensor, aten.div.Tensor, aten.mul.Scalar,
              aten.div.Scalar, aten.neg.default}
MOVES = {aten.view.default, aten._unsafe_view.default, aten.expand.default,
         aten.permute.default, aten.t.default, aten.transpose.int,
         aten.unsqueeze.default, aten.squeeze.dim, aten.squeeze.dims,
         aten.select.int, aten.slice.Tensor, aten.split.Tensor,
         aten.split_with_sizes.default, aten.unbind.int, aten.cat.default,
         aten.stack.default, aten.clone.default, aten.detach.default,
         aten.alias.default, aten._to_copy.default}


def pending_of(func, args, kwargs) -> set:
    found = [set(x.partial) if isinstance(x, Piece) else set()
             for x in pytree.tree_leaves((args, kwargs))
             if isinstance(x, (Piece, torch.Tensor))]
    pending = [p for p in found if p]
    if not pending:
        return set()
    alike = all(p == found[0] for p in found)
    is_sum = all(kind == "sum" for _, kind in pending[0])
    if func in _SUMS:
        good = is_sum and alike and len(found) == 2
    elif func in _MULTIPLES:
        good = is_sum and len(pending) == 1 and bool(
            found[0] or func is aten.mul.Tensor)
    else:
        good = alike and func in MOVES
    if not good:
        refuse(f"{func} on a local tensor that is pending a reduction")
    return pending[0]
