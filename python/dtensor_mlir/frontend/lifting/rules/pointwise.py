"""Operators that work element by element."""

from __future__ import annotations

from torch.utils import _pytree as pytree

from .common import Found, aten, broadcast, handles


def pointwise(call):
    return Found(call.args, call.kwargs,
                 [broadcast(call.tensors(), x.shape)
                  for x in pytree.tree_leaves(call.made)])


handles(aten.clone.default, aten._to_copy.default, aten.copy.default,
        aten.fill_.Scalar, aten.fill_.Tensor,
        aten.zero_.default,
        aten.detach.default, aten.alias.default, aten.lift_fresh.default,
        aten.zeros_like.default, aten.ones_like.default,
        aten.empty_like.default, aten.full_like.default,
        aten.rand_like.default, aten.randn_like.default,
        aten.bernoulli_.float, aten.bernoulli.p, aten.native_dropout.default,
        aten.masked_fill.Scalar, aten.masked_fill_.Scalar,
        aten.masked_fill.Tensor, aten.masked_fill_.Tensor,
        aten.where.self)(pointwise)
