"""Functions of PyTorch that are traced as others: their own operators lose what
we want to keep, have gradients without a rule, or look at the data."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch._decomp import decomposition_table
from torch.overrides import TorchFunctionMode

from . import operators
from .decompositions import indexing

aten = torch.ops.aten


_INTERPOLATIONS = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def _grid_sampler_2d(x, grid, interpolation_mode, padding_mode, align_corners):
    """PyTorch's rule, which can be differentiated."""
    result = decomposition_table[aten.grid_sampler_2d.default](
        x, grid, interpolation_mode, padding_mode, align_corners)
    if _INTERPOLATIONS[interpolation_mode] != "nearest":
        return result
    # The grid has a gradient, which is 0.
    never = torch.zeros((), dtype=torch.bool, device=x.device)
    return result + torch.where(never, grid.sum(), 0)


def _grid_sampler(x, *rest):
    return _grid_sampler_2d(x, *rest) if x.ndim == 4 else NotImplemented


def _grid_sample(x, grid, mode="bilinear", padding_mode="zeros",
                 align_corners=None):
    return _grid_sampler(x, grid, _INTERPOLATIONS.index(mode),
                         _PADDINGS.index(padding_mode), bool(align_corners))


def _index_fill(x, dim, index, value):
    return indexing.index_fill(x, dim, index, value)


def _cov(x, *, correction=1, fweights=None, aweights=None):
    x = x.reshape(1, -1) if x.ndim < 2 else x
    weights = torch.ones_like(x[0])
    for given in (fweights, aweights):
        weights = weights if given is None else weights * given
    total = weights.sum()
    centered = x - (x * weights).sum(1, keepdim=True) / total
    lost = correction if aweights is None else \
        correction * (weights * aweights).sum() / total
    count = (total - lost).clamp(min=0)
    return ((centered * weights) @ centered.t() / count).squeeze()


def _corrcoef(x):
    c = _cov(x)
    if c.ndim == 0:
        return c / c
    deviation = torch.diagonal(c).sqrt()
    return (c / deviation[:, None] / deviation).clamp(-1, 1)


#===- Linear algebra without a look at the data ----------------------------===#

def _first_of(function):
    return lambda *args, **kwargs: function(*args, **kwargs)[0]


_inverse = _first_of(torch.linalg.inv_ex)


def _matrix_power(a, n):
    if n >= 0:
        return NotImplemented
    return torch.linalg.matrix_power(_inverse(a), -n)


def _lu_factor(a, *, pivot=True):
    return torch.return_types.linalg_lu_factor(
        tuple(torch.linalg.lu_factor_ex(a, pivot=pivot))[:2])


def _tensorinv(a, ind=2):
    rows, columns = a.shape[:ind], a.shape[ind:]
    size = math.prod(rows)
    return _inverse(a.reshape(size, size)).reshape(columns + rows)


def _tensorsolve(a, b, dims=None):
    if dims is not None:
        last = range(a.ndim - len(dims), a.ndim)
        a = a.movedim(tuple(dims), tuple(last))
    size = math.prod(b.shape)
    result = torch.linalg.solve_ex(a.reshape(size, size), b.reshape(size))[0]
    return result.reshape(a.shape[b.ndim:])


TABLE = {
    torch.linalg.inv: _inverse, torch.inverse: _inverse,
    torch.Tensor.inverse: _inverse,
    torch.linalg.cholesky: _first_of(torch.linalg.cholesky_ex),
    torch.linalg.solve: _first_of(torch.linalg.solve_ex),
    torch.linalg.lu_factor: _lu_factor,
    torch.linalg.matrix_power: _matrix_power,
    torch.matrix_power: _matrix_power,
    torch.Tensor.matrix_power: _matrix_power,
    torch.linalg.tensorinv: _tensorinv,
    torch.linalg.tensorsolve: _tensorsolve,
    F.scaled_dot_product_attention: operators.scaled_dot_product_attention,
    F.grid_sample: _grid_sample,
    torch.grid_sampler: _grid_sampler,
    torch.grid_sampler_2d: _grid_sampler_2d,
    torch.index_fill: _index_fill,
    torch.Tensor.index_fill: _index_fill,
    torch.cov: _cov, torch.Tensor.cov: _cov,
    torch.corrcoef: _corrcoef, torch.Tensor.corrcoef: _corrcoef,
}


class Replacing(TorchFunctionMode):
    """While it is on, functions of the table are what the table says. One that
    gives NotImplemented stays as it is."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in TABLE:
            result = TABLE[function](*args, **kwargs)
            if result is not NotImplemented:
                return result
        return function(*args, **kwargs)
