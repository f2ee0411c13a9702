"""Distances of rows, products of three, and norms of weights."""

from __future__ import annotations

import math

import torch

from .common import aten, rule


def _norm(difference, p):
    size = difference.abs()
    if p == 0:
        return (size != 0).to(difference.dtype).sum(-1)
    if p == 1:
        return size.sum(-1)
    if p == 2:
        return size.square().sum(-1).sqrt()
    if math.isinf(p):
        return size.amax(-1)
    return size.pow(p).sum(-1).pow(1 / p)


def _norm_gradient(grad, difference, p, norm):
    """Of `_norm` by the difference; 0 where there is no difference."""
    grad, norm = grad.unsqueeze(-1), norm.unsqueeze(-1)
    size, sign = difference.abs(), difference.sign()
    if p == 0:
        return torch.zeros_like(difference)
    if p == 1:
        return grad * sign
    if math.isinf(p):
        return grad * sign * (size == norm)
    zero = torch.zeros((), dtype=size.dtype, device=size.device)
    far = norm != 0
    ratio = torch.where(far, size / torch.where(far, norm, 1), zero)
    if p == 2:
        return grad * sign * ratio
    return grad * sign * torch.where(size == 0, zero, ratio.pow(p - 1))


@rule(aten._cdist_forward.default)
def cdist(x, y, p, mode):
    return _norm(x.unsqueeze(-2) - y.unsqueeze(-3), p)


@rule(aten._euclidean_dist.default)
def euclidean(x, y):
    return cdist(x, y, 2.0, None)


@rule(aten._cdist_backward.default)
def cdist_backward(grad, x, y, p, distances):
    found = _norm_gradient(grad, x.unsqueeze(-2) - y.unsqueeze(-3), p,
                           distances)
    return found.sum(-2).sum_to_size(x.shape)


def _pairs(x):
    first, second = torch.triu_indices(x.shape[0], x.shape[0], 1,
                                       device=x.device)
    return first, second, x[first] - x[second]


@rule(aten._pdist_forward.default)
def pdist(x, p=2):
    return _norm(_pairs(x)[2], p)


@rule(aten._pdist_backward.default)
def pdist_backward(grad, x, p, distances):
    first, second, difference = _pairs(x)
    found = _norm_gradient(grad, difference, p, distances)
    zeros = torch.zeros_like(x)
    return zeros.index_add(0, first, found).index_add(0, second, -found)


@rule(aten._trilinear.default)
def trilinear(a, b, c, expand_a, expand_b, expand_c, dims, unroll_dim=1):
    for dim in expand_a:
        a = a.unsqueeze(dim)
    for dim in expand_b:
        b = b.unsqueeze(dim)
    for dim in expand_c:
        c = c.unsqueeze(dim)
    product = a * b * c
    return product.sum(dims) if dims else product


@rule(aten.addbmm.default)
def addbmm(x, a, b, beta=1, alpha=1):
    product = torch.bmm(a, b).sum(0)
    product = product if alpha == 1 else product * alpha
    return product if beta == 0 else x * beta + product


@rule(aten._weight_norm_interface_backward.default)
def _weight_norm_gradient(grad, v, g, norms, dim):
    """Of w = v g / |v|, with a norm for each index of `dim`."""
    others = [d for d in range(v.ndim) if d != dim]
    along = (grad * v).sum(others, keepdim=True)
    return g / norms * (grad - v * along / norms.square()), along / norms
