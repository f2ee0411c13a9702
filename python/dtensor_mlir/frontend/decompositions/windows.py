"""Gradients of paddings."""

from __future__ import annotations

import torch

from .common import aten, rule


def _fold_back(grad, size, dim, left, place):
    """Adds up along `dim` what came from the same element."""
    where = place(torch.arange(grad.shape[dim], device=grad.device) - left,
                  size)
    shape = list(grad.shape)
    shape[dim] = size
    return grad.new_zeros(shape).index_add(dim, where, grad)


def _replicated(at, size):
    return at.clamp(min=0, max=size - 1)


@rule(*[getattr(aten, f"replication_pad{n}d_backward").default
        for n in (1, 2, 3)])
def replication_pad_backward(grad, x, padding):
    for i, left in enumerate(padding[::2]):
        dim = x.ndim - 1 - i
        grad = _fold_back(grad, x.shape[dim], dim, left, _replicated)
    return grad
