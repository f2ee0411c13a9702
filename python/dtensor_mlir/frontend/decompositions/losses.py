"""Gradients of losses by classes."""

from __future__ import annotations

import torch

from .common import aten, rule


@rule(aten.nll_loss_backward.default, aten.nll_loss2d_backward.default)
def nll_loss_backward(grad, x, target, weight, reduction, ignore_index, total):
    """By comparing classes, as `dtensor.nll_loss_backward` does. A rule and not
    that op: PyTorch's partitioner would keep `x` for it, which is not read."""
    dim = min(x.ndim - 1, 1)
    # As many as there are rows of the input, told by its own sizes: nothing
    # proves those of the target equal.
    rows = [1 if d == dim else size for d, size in enumerate(x.shape)]
    target = target.reshape(rows)
    if reduction == 1:
        grad = grad / total
    if grad.ndim:
        grad = grad.reshape(rows)
    classes = torch.arange(x.shape[dim], device=x.device)
    classes = classes.view([-1] + [1] * (x.ndim - 1 - dim))
    if weight is not None:
        grad = grad * weight.view(classes.shape)
    seen = (classes == target) & (target != ignore_index)
    return torch.where(seen, -grad, 0).to(x.dtype)
