"""A model of the shape of Llama 3 8B, written once: for one process, which
`dtensor_mlir.compile` takes as it is, and which `parallelize` makes a module of
DTensors for PyTorch, as its users do: plans of `parallelize_module`, attention
over the heads of this rank.
"""

import dataclasses

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributed.tensor import DTensor, Replicate, Shard
from torch.distributed.tensor.parallel import (
    ColwiseParallel, PrepareModuleInput, RowwiseParallel, parallelize_module)


@dataclasses.dataclass
class Shape:
    layers: int = 32
    width: int = 4096
    heads: int = 32
    groups: int = 8
    head: int = 128
    hidden: int = 14336
    words: int = 128256


TINY = Shape(2, 64, 8, 4, 8, 96, 160)


def linear(a, b):
    return nn.Linear(a, b, bias=False)


def angles(positions, head, dtype):
    """Cosines and sines of rotary positions."""
    rates = 500000.0 ** (-torch.arange(
        0, head, 2, device=positions.device, dtype=torch.float32) / head)
    turns = positions[:, None] * rates.repeat(2)
    return turns.cos().to(dtype), turns.sin().to(dtype)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Attention(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.depth = shape.head
        self.q = linear(shape.width, shape.heads * shape.head)
        self.k = linear(shape.width, shape.groups * shape.head)
        self.v = linear(shape.width, shape.groups * shape.head)
        self.o = linear(shape.heads * shape.head, shape.width)

    def heads(self, x):
        """As many as there are: a rank has a part of them."""
        return x.view(x.shape[0], x.shape[1], -1, self.depth).transpose(1, 2)

    def forward(self, x, turns, cache, positions, seen):
        q, k, v = map(self.heads, (self.q(x), self.k(x), self.v(x)))
        q, k = rotate(q, *turns), rotate(k, *turns)
        mask = None
        if cache is not None:
            keys, values = cache
            keys.index_copy_(2, positions, k)
            values.index_copy_(2, positions, v)
            if isinstance(seen, torch.Tensor):
                k, v, mask = keys, values, seen
            else:
                k, v = keys[:, :, :seen], values[:, :, :seen]
        y = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=cache is None, enable_gqa=True)
        return self.o(y.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.gate = linear(shape.width, shape.hidden)
        self.up = linear(shape.width, shape.hidden)
        self.down = linear(shape.hidden, shape.width)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.norm1, self.norm2 = nn.RMSNorm(shape.width), nn.RMSNorm(
            shape.width)
        self.attention, self.mlp = Attention(shape), MLP(shape)

    def forward(self, x, turns, cache, positions, seen):
        x = x + self.attention(self.norm1(x), turns, cache, positions, seen)
        return x + self.mlp(self.norm2(x))


class Llama(nn.Module):
    """The logits of tokens at positions. With `caches`, keys and values of the
    layers, [batch, heads, capacity, depth], those of the tokens are written at
    their positions. Then `length` says how much is filled, as a number; without
    it a mask hides what is behind a token's position."""

    def __init__(self, shape):
        super().__init__()
        self.depth = shape.head
        self.embed = nn.Embedding(shape.words, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width)
        self.head = linear(shape.width, shape.words)

    def forward(self, tokens, positions, caches=None, length=None):
        x = self.embed(tokens)
        turns = angles(positions, self.depth, x.dtype)
        seen = length
        if caches is not None and length is None:
            seen = torch.arange(caches[0][0].shape[2],
                                device=positions.device) <= positions[:, None]
        for i, layer in enumerate(self.layers):
            x = layer(x, turns, None if caches is None else caches[i],
                      positions, seen)
        return self.head(self.norm(x))


class Loss(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, tokens, positions, targets):
        logits = self.model(tokens, positions)
        if isinstance(logits, DTensor):
            logits = logits.full_tensor()
        return F.cross_entropy(logits.flatten(0, 1).float(),
                               targets.flatten())


def placements():
    rows = {f"*.{n}.weight": [Shard(0)] for n in ("q", "k", "v", "gate", "up")}
    columns = {f"*.{n}.weight": [Shard(1)] for n in ("o", "down")}
    return {**rows, **columns, "*embed.weight": [Shard(0)],
            "*head.weight": [Shard(0)]}


def parallelize(model, mesh):
    """The plan that users write. A module prepares its input once, so that the
    gradients of the products that share it are added before they are
    reduced; the logits stay sharded DTensors."""
    whole = PrepareModuleInput(input_layouts=(Replicate(),),
                               desired_input_layouts=(Replicate(),))
    attention = PrepareModuleInput(
        input_layouts=(Replicate(), None, None, None, None),
        desired_input_layouts=(Replicate(), None, None, None, None))
    columns, rows = ColwiseParallel, RowwiseParallel
    parallelize_module(model, mesh, {
        "embed": rows(input_layouts=Replicate()),
        "head": columns(output_layouts=Shard(-1), use_local_output=False)})
    for layer in model.layers:
        parallelize_module(layer, mesh, {
            "attention": attention, "mlp": whole,
            **{f"attention.{n}": columns() for n in ("q", "k", "v")},
            "attention.o": rows(), "mlp.gate": columns(), "mlp.up": columns(),
            "mlp.down": rows()})
    return model
