"""Operators that keep what ATen's decompositions would lose.

`constraint` pins placements; `attention` keeps grouped, causal attention whole.
Both compute something on plain tensors, too, so that a trace can be run.
"""

from __future__ import annotations

import math

import torch

_library = torch.library


@_library.custom_op("dtensor_mlir::constraint", mutates_args=())
def constraint(x: torch.Tensor, placements: str) -> torch.Tensor:
    """The same value; the compiler gives it these placements."""
    return x.clone()


@constraint.register_fake
def _(x, placements):
    return torch.empty_like(x, memory_format=torch.contiguous_format)


constraint.register_autograd(lambda ctx, grad: (grad, None))


def _scores(q, k, causal, scale):
    """Softmax of the scores: [batch, kv heads, group, T, S]."""
    scores = (q @ k.transpose(-1, -2).unsqueeze(-3)) * scale
    if causal:
        rows = torch.arange(q.shape[-2], device=q.device)
        keys = torch.arange(k.shape[-2], device=q.device)
        seen = keys[None, :] <= rows[:, None]
        scores = scores.masked_fill(~seen, -math.inf)
    return torch.softmax(scores, -1)


def _grouped(q, k):
    return q.unflatten(-3, (k.shape[-3], q.shape[-3] // k.shape[-3]))


@_library.custom_op("dtensor_mlir::attention", mutates_args=())
def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool,
              scale: float) -> torch.Tensor:
    """softmax(scale * q k^T) v; query head h reads key head h // group. The
    causal mask is aligned at the first query and the first key."""
    p = _scores(_grouped(q, k), k, causal, scale)
    return (p @ v.unsqueeze(-3)).flatten(-4, -3)


@attention.register_fake
def _(q, k, v, causal, scale):
    return q.new_empty((*q.shape[:-1], v.shape[-1]))


def _save(ctx, inputs, output):
    q, k, v, ctx.causal, ctx.scale = inputs
    ctx.save_for_backward(q, k, v)


def _attention_backward(ctx, grad):
    q, k, v = ctx.saved_tensors
    q = _grouped(q, k)
    grad = _grouped(grad, k)
    p = _scores(q, k, ctx.causal, ctx.scale)
    grad_v = (p.transpose(-1, -2) @ grad).sum(-3)
    grad_p = grad @ v.transpose(-1, -2).unsqueeze(-3)
    grad_s = p * (grad_p - (grad_p * p).sum(-1, keepdim=True)) * ctx.scale
    grad_q = grad_s @ k.unsqueeze(-3)
    grad_k = (grad_s.transpose(-1, -2) @ q).sum(-3)
    return grad_q.flatten(-4, -3), grad_k, grad_v, None, None


attention.register_autograd(_attention_backward, setup_context=_save)


def scaled_dot_product_attention(query, key, value, attn_mask=None,
                                 dropout_p=0.0, is_causal=False, scale=None,
                                 enable_gqa=False):
    """What the front end puts in the place of PyTorch's function."""
    if dropout_p:
        raise NotImplementedError("attention with dropout")
    if scale is None:
        scale = 1.0 / math.sqrt(query.shape[-1])
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
    return (p @ value.unsqueeze(-3)).flatten(-4, -3)


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
