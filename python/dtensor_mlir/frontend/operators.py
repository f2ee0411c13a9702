"""Operators that keep what ATen's decompositions would lose.

`constraint` pins placements; `attention` and its gradient keep grouped, causal
attention whole. They compute something on plain tensors, too, so that a trace
can be run.
"""

from __future__ import annotations

import math

import torch
from torch.fx.experimental.symbolic_shapes import statically_known_true

_library = torch.library


@_library.custom_op("dtensor_mlir::constraint", mutates_args=())
def constraint(x: torch.Tensor, placements: str) -> torch.Tensor:
    """The same value; the compiler gives it these placements."""
    return x.clone()


@constraint.register_fake
def _(x, placements):
    return torch.empty_like(x, memory_format=torch.contiguous_format)


constraint.register_autograd(lambda ctx, grad: (grad, None))


def _scores(q, k, causal, scale, diagonal=None):
    """Softmax of the scores: [batch, kv heads, group, T, S]."""
    scores = (q @ k.transpose(-1, -2).unsqueeze(-3)) * scale
    if causal:
        rows = torch.arange(q.shape[-2], device=q.device)
        keys = torch.arange(k.shape[-2], device=q.device)
        last = rows if diagonal is None else rows + diagonal
        seen = keys[None, :] <= last[:, None]
        scores = scores.masked_fill(~seen, -math.inf)
    return torch.softmax(scores, -1)


def _grouped(q, k):
    return q.unflatten(-3, (k.shape[-3], q.shape[-3] // k.shape[-3]))


@_library.custom_op("dtensor_mlir::attention", mutates_args=())
def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool,
              scale: float, diagonal: torch.Tensor | None = None
              ) -> torch.Tensor:
    """softmax(scale * q k^T) v; query head h reads key head h // group. The
    causal mask is aligned at the first query and the first key: query i sees
    the keys j <= i, or j <= i + diagonal, a tensor of one number."""
    p = _scores(_grouped(q, k), k, causal, scale, diagonal)
    return (p @ v.unsqueeze(-3)).flatten(-4, -3)


@attention.register_fake
def _(q, k, v, causal, scale, diagonal=None):
    return q.new_empty((*q.shape[:-1], v.shape[-1]))


def _gradients(grad, q, k, v, causal, scale, diagonal=None):
    q = _grouped(q, k)
    grad = _grouped(grad, k)
    p = _scores(q, k, causal, scale, diagonal)
    grad_v = (p.transpose(-1, -2) @ grad).sum(-3)
    grad_p = grad @ v.transpose(-1, -2).unsqueeze(-3)
    grad_s = p * (grad_p - (grad_p * p).sum(-1, keepdim=True)) * scale
    grad_q = grad_s @ k.unsqueeze(-3)
    grad_k = (grad_s.transpose(-1, -2) @ q).sum(-3)
    return grad_q.flatten(-4, -3), grad_k, grad_v


@_library.custom_op("dtensor_mlir::attention_backward", mutates_args=())
def attention_backward(grad: torch.Tensor, q: torch.Tensor, k: torch.Tensor,
                       v: torch.Tensor, output: torch.Tensor, causal: bool,
                       scale: float) -> tuple[torch.Tensor, torch.Tensor,
                                              torch.Tensor]:
    """The gradients of q, k and v; if causal, of as many keys as queries."""
    return _gradients(grad, q, k, v, causal, scale)


@attention_backward.register_fake
def _(grad, q, k, v, output, causal, scale):
    return tuple(x.new_empty(x.shape) for x in (q, k, v))


def _save(ctx, inputs, output):
    q, k, v, ctx.causal, ctx.scale, diagonal = inputs
    ctx.save_for_backward(q, k, v, diagonal, output)


def _attention_backward(ctx, grad):
    q, k, v, diagonal, output = ctx.saved_tensors
    if diagonal is None and (not ctx.causal or statically_known_true(
            q.shape[-2] == k.shape[-2])):
        found = attention_backward(grad, q, k, v, output, ctx.causal,
                                   ctx.scale)
    else:
        found = _gradients(grad, q, k, v, ctx.causal, ctx.scale, diagonal)
    return *found, None, None, None


attention.register_autograd(_attention_backward, setup_context=_save)


def scaled_dot_product_attention(query, key, value, attn_mask=None,
                                 dropout_p=0.0, is_causal=False, scale=None,
                                 enable_gqa=False):
    """What the front end puts in the place of PyTorch's function."""
    rank = max(query.ndim, key.ndim, value.ndim)
    if min(query.ndim, key.ndim, value.ndim) < 4:  # no batch, or no heads
        wide = [x[(None,) * (max(rank, 4) - x.ndim)]
                for x in (query, key, value)]
        batch = torch.broadcast_shapes(*[x.shape[:-2] for x in wide])
        wide = [x.expand(*batch, *x.shape[-2:]) for x in wide]
        return scaled_dot_product_attention(
            *wide, attn_mask, dropout_p, is_causal, scale, enable_gqa
        )[(0,) * (4 - rank)]
    if scale is None:
        scale = 1.0 / math.sqrt(query.shape[-1])
    if attn_mask is None and dropout_p:
        p = _scores(_grouped(query, key), key, is_causal, scale)
        p = torch.nn.functional.dropout(p, dropout_p)
        return (p @ value.unsqueeze(-3)).flatten(-4, -3)
    if attn_mask is None:
        return attention(query, key, value, is_causal, float(scale))
    q = _grouped(query, key)
    scores = (q @ key.transpose(-1, -2).unsqueeze(-3)) * scale
    if attn_mask.ndim >= 3 and attn_mask.shape[-3] != 1:
        attn_mask = _grouped(attn_mask, key)
    elif attn_mask.ndim >= 3:
        attn_mask = attn_mask.unsqueeze(-3)
    if attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -math.inf)
    else:
        scores = scores + attn_mask
    p = torch.softmax(scores, -1)
    if dropout_p:
        p = torch.nn.functional.dropout(p, dropout_p)
    return (p @ value.unsqueeze(-3)).flatten(-4, -3)


#===- Factorizations -------------------------------------------------------===#

@_library.custom_op("dtensor_mlir::lu", mutates_args=())
def lu(a: torch.Tensor, pivot: bool) -> tuple[
        torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Both triangles in one; which row was swapped with each, from 0; where
    each row was; the first pivot that is 0, from 1, or 0."""
    raise NotImplementedError("is compiled")


@lu.register_fake
def _(a, pivot):
    *batch, rows, columns = a.shape
    whole = dict(dtype=torch.int64)
    return (torch.empty_like(a, memory_format=torch.contiguous_format),
            a.new_empty((*batch, min(rows, columns)), **whole),
            a.new_empty((*batch, rows), **whole), a.new_empty(batch, **whole))


@_library.custom_op("dtensor_mlir::cholesky", mutates_args=())
def cholesky(a: torch.Tensor) -> torch.Tensor:
    """The lower triangle l with l l^T = a, of the lower triangle of a."""
    raise NotImplementedError("is compiled")


@_library.custom_op("dtensor_mlir::substitute", mutates_args=())
def substitute(a: torch.Tensor, b: torch.Tensor, upper: bool,
               unit: bool) -> torch.Tensor:
    """x with a x = b for a triangle a; ones on its diagonal with `unit`."""
    raise NotImplementedError("is compiled")


@_library.custom_op("dtensor_mlir::reflections", mutates_args=())
def reflections(a: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """q and r of a = q r, by reflections: q is square."""
    raise NotImplementedError("is compiled")


@_library.custom_op("dtensor_mlir::rows_of_swaps", mutates_args=())
def rows_of_swaps(swaps: torch.Tensor, rows: int) -> torch.Tensor:
    """Where each row was before the swaps of row i with row swaps[i]."""
    raise NotImplementedError("is compiled")


@rows_of_swaps.register_fake
def _(swaps, rows):
    return swaps.new_empty((*swaps.shape[:-1], rows))


@cholesky.register_fake
def _(a):
    return torch.empty_like(a, memory_format=torch.contiguous_format)


@substitute.register_fake
def _(a, b, upper, unit):
    return torch.empty_like(b, memory_format=torch.contiguous_format)


@reflections.register_fake
def _(a):
    return a.new_empty((*a.shape[:-1], a.shape[-2])), torch.empty_like(
        a, memory_format=torch.contiguous_format)


def teach_dtensor() -> None:
    """Dynamo runs a function over DTensors before it hands it to a backend, and
    DTensor knows no placements of attention on a CPU until it is told."""
    from torch.distributed.tensor import DTensor, Replicate, Shard
    from torch.distributed.tensor.experimental import register_sharding
    target = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default
    propagator = DTensor._op_dispatcher.sharding_propagator
    if any(target in getattr(propagator, table, ()) for table in
           ("op_to_rules", "op_strategy_funcs",
            "op_single_dim_strategy_funcs")):
        return

    @register_sharding(target)
    def _(q, k, v, dropout_p=0.0, is_causal=False, *, attn_mask=None,
          scale=None):
        # One for each positional argument that the call has.
        return [([p, p], [p, p, p, None, None])
                for p in (Replicate(), Shard(0), Shard(1))]
