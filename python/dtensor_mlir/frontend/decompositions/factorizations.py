"""Linear algebra, by the factorizations that are operators of ours. Nothing
looks at the data: a matrix that has no inverse gives infinities, and `info`."""

from __future__ import annotations

import torch

from .. import operators  # noqa: F401, registers what `torch.ops` has below
from .common import aten, rule

ours = torch.ops.dtensor_mlir


def _wide(a, b):
    """Two batches of matrices as one."""
    batch = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return (a.expand(*batch, *a.shape[-2:]), b.expand(*batch, *b.shape[-2:]))


@rule(aten.linalg_solve_triangular.default)
def solve_triangular(a, b, *, upper, left=True, unitriangular=False):
    if not left:
        return solve_triangular(a.mT, b.mT, upper=not upper,
                                unitriangular=unitriangular).mT
    a, b = _wide(a, b)
    return ours.substitute(a, b, upper, unitriangular)


@rule(aten.triangular_solve.default)
def triangular_solve(b, a, upper=True, transpose=False, unitriangular=False):
    wide, _ = _wide(a, b)
    upper_part = torch.triu(a) if upper else torch.tril(a)
    if transpose:
        upper, upper_part = not upper, upper_part.mT
    return solve_triangular(upper_part, b, upper=upper,
                            unitriangular=unitriangular), wide.clone()


#===- LU -------------------------------------------------------------------===#

def _is_turned(a):
    """For a determinant PyTorch factorizes the transpose of a row-major matrix,
    and its formulas for gradients count on it."""
    return a.is_contiguous()


def _factorized(a):
    return ours.lu(a.mT if _is_turned(a) else a, True)


def _lower(lu, count):
    part = torch.tril(lu[..., :count], -1)
    rows = torch.arange(lu.shape[-2], device=lu.device)[:, None]
    unit = rows == torch.arange(count, device=lu.device)
    return part + unit.to(lu.dtype)


def _permutation(where_from, dtype):
    """The matrix that puts rows where they were."""
    rows = torch.arange(where_from.shape[-1], device=where_from.device)
    return (where_from.unsqueeze(-2) == rows[:, None]).to(dtype)


def _rows_of(pivots, rows):
    """Where each row was, from the swaps that PyTorch keeps, from 1."""
    swaps = pivots.to(torch.int64) - 1
    return ours.rows_of_swaps(swaps, rows)


@rule(aten.linalg_lu_factor_ex.default)
def lu_factor_ex(a, *, pivot=True, check_errors=False):
    lu, swaps, _, info = ours.lu(a, pivot)
    return lu, (swaps + 1).to(torch.int32), info.to(torch.int32)


@rule(aten.linalg_lu.default)
def linalg_lu(a, *, pivot=True):
    lu, _, where_from, _ = ours.lu(a, pivot)
    count = min(a.shape[-2], a.shape[-1])
    p = _permutation(where_from, a.dtype) if pivot else a.new_empty((0,))
    return p, _lower(lu, count), torch.triu(lu[..., :count, :])


@rule(aten.lu_unpack.default)
def lu_unpack(lu, pivots, unpack_data=True, unpack_pivots=True):
    count = min(lu.shape[-2], lu.shape[-1])
    nothing = lu.new_empty((0,))
    p = _permutation(_rows_of(pivots, lu.shape[-2]), lu.dtype) \
        if unpack_pivots else nothing
    if not unpack_data:
        return p, nothing, nothing
    return p, _lower(lu, count), torch.triu(lu[..., :count, :])


def _solve(lu, where_from, b, adjoint=False):
    if adjoint:
        y = solve_triangular(lu.mT, b, upper=False)
        y = solve_triangular(lu.mT, y, upper=True, unitriangular=True)
        # What is in row i comes from row where_from[i].
        return _permutation(where_from, b.dtype) @ y
    b = _permutation(where_from, b.dtype).mT @ b
    y = solve_triangular(lu, b, upper=False, unitriangular=True)
    return solve_triangular(lu, y, upper=True)


@rule(aten.linalg_lu_solve.default)
def lu_solve(lu, pivots, b, *, left=True, adjoint=False):
    if not left:
        return lu_solve(lu, pivots, b.mT, adjoint=not adjoint).mT
    return _solve(lu, _rows_of(pivots, lu.shape[-2]), b, adjoint)


@rule(aten._linalg_solve_ex.default)
def solve_ex(a, b, *, left=True, check_errors=False):
    lu, swaps, where_from, info = ours.lu(a, True)
    vector = b.ndim == 1 or b.ndim == a.ndim - 1 and \
        tuple(b.shape) == tuple(a.shape[:-1])
    wide = b.unsqueeze(-1) if vector else b
    result = _solve(lu, where_from, wide) if left or vector else \
        _solve(lu, where_from, wide.mT, adjoint=True).mT
    return (result.squeeze(-1) if vector else result, lu,
            (swaps + 1).to(torch.int32), info.to(torch.int32))


@rule(aten.linalg_inv_ex.default)
def inv_ex(a, *, check_errors=False):
    lu, _, where_from, info = ours.lu(a, True)
    return (_solve(lu, where_from, _permutation(torch.arange(
        a.shape[-1], device=a.device), a.dtype)), info.to(torch.int32))


def _sign(swaps):
    """Of the permutation: every swap of two rows turns it."""
    rows = torch.arange(swaps.shape[-1], device=swaps.device)
    odd = (swaps != rows).to(torch.int64).sum(-1) % 2
    return 1 - 2 * odd


@rule(aten._linalg_det.default)
def det(a):
    lu, swaps, _, _ = _factorized(a)
    value = torch.diagonal(lu, 0, -2, -1).prod(-1)
    return value * _sign(swaps), lu, (swaps + 1).to(torch.int32)


@rule(aten._linalg_slogdet.default)
def slogdet(a):
    lu, swaps, _, _ = _factorized(a)
    diagonal = torch.diagonal(lu, 0, -2, -1)
    return (diagonal.sign().prod(-1) * _sign(swaps),
            diagonal.abs().log().sum(-1), lu, (swaps + 1).to(torch.int32))


@rule(aten.eye.default, aten.eye.m)
def eye(rows, columns=None, *, dtype=None, layout=None, device=None,
        pin_memory=None):
    columns = rows if columns is None else columns
    found = torch.arange(rows, device=device)[:, None] == torch.arange(
        columns, device=device)
    return found.to(dtype or torch.get_default_dtype())


#===- Cholesky and QR ------------------------------------------------------===#

@rule(aten.cholesky.default)
def cholesky(a, upper=False):
    return ours.cholesky(a.mT).mT if upper else ours.cholesky(a)


@rule(aten.linalg_cholesky_ex.default)
def cholesky_ex(a, *, upper=False, check_errors=False):
    result = cholesky(a, upper)
    diagonal = torch.diagonal(result, 0, -2, -1)
    bad = ~(diagonal > 0)
    first = bad.to(torch.int64).argmax(-1) + 1 if a.shape[-1] else 0
    return result, torch.where(bad.any(-1), first, 0).to(torch.int32)


@rule(aten.cholesky_solve.default)
def cholesky_solve(b, factor, upper=False):
    lower = torch.triu(factor).mT if upper else torch.tril(factor)
    y = solve_triangular(lower, b, upper=False)
    return solve_triangular(lower.mT, y, upper=True)


@rule(aten.cholesky_inverse.default)
def cholesky_inverse(factor, upper=False):
    unit = _permutation(torch.arange(factor.shape[-1], device=factor.device),
                        factor.dtype)
    return cholesky_solve(unit, factor, upper)


@rule(aten.linalg_qr.default)
def qr(a, mode="reduced"):
    q, r = ours.reflections(a)
    count = min(a.shape[-2], a.shape[-1])
    if mode == "complete":
        return q, r
    q = a.new_empty((0,)) if mode == "r" else q[..., :count]
    return q, r[..., :count, :]
