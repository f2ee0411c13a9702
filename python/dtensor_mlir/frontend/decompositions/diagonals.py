"""Diagonals."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .common import aten, rule


def _spread(diagonal, rows, columns, offset, rest):
    """The diagonal of matrices whose other elements are those of `rest`."""
    r = torch.arange(rows, device=diagonal.device)[:, None]
    c = torch.arange(columns, device=diagonal.device)
    length = diagonal.shape[-1]
    if offset >= 0:
        wide = F.pad(diagonal, (0, rows - length)).unsqueeze(-1)
    else:
        wide = F.pad(diagonal, (0, columns - length)).unsqueeze(-2)
    return torch.where(c - r == offset, wide, rest)


@rule(aten.diagonal_scatter.default)
def diagonal_scatter(x, diagonal, offset=0, dim1=0, dim2=1):
    moved = torch.movedim(x, (dim1, dim2), (-2, -1))
    result = _spread(diagonal, moved.shape[-2], moved.shape[-1], offset, moved)
    return torch.movedim(result, (-2, -1), (dim1, dim2)).contiguous()


@rule(aten.diagonal_backward.default)
def diagonal_backward(grad, sizes, offset, dim1, dim2):
    return diagonal_scatter(grad.new_zeros(sizes), grad, offset, dim1, dim2)


@rule(aten.diag_embed.default)
def diag_embed(x, offset=0, dim1=-2, dim2=-1):
    size = x.shape[-1] + abs(offset)
    result = _spread(x, size, size, offset, x.new_zeros(()))
    return torch.movedim(result, (-2, -1), (dim1, dim2)).contiguous()


@rule(aten.trace.default)
def trace(x):
    return torch.diagonal(x).sum()
