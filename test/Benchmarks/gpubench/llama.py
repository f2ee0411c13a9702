"""A model of the shape of Llama 3 8B, written twice from the same parts: over
plain tensors, for `dtensor_mlir.compile`, and over DTensors, for PyTorch. Both
use the same parameters.
"""

import dataclasses

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributed.tensor import Replicate, Shard


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


def angles(first, length, head, device, dtype):
    """Cosines and sines of rotary positions."""
    rates = 500000.0 ** (-torch.arange(0, head, 2, device=device) / head)
    turns = torch.arange(first, first + length,
                         device=device)[:, None] * rates.repeat(2)
    return turns.cos().to(dtype), turns.sin().to(dtype)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Layer(nn.Module):
    def __init__(self, shape, is_dtensor):
        super().__init__()
        self.shape, self.is_dtensor = shape, is_dtensor
        s = shape

        def linear(a, b):
            return nn.Linear(a, b, bias=False)
        self.norm1, self.norm2 = nn.RMSNorm(s.width), nn.RMSNorm(s.width)
        self.q, self.o = (linear(s.width, s.heads * s.head),
                          linear(s.heads * s.head, s.width))
        self.k, self.v = (linear(s.width, s.groups * s.head)
                          for _ in range(2))
        self.gate, self.up = (linear(s.width, s.hidden) for _ in range(2))
        self.down = linear(s.hidden, s.width)

    def whole(self, x):
        """DTensor has to be told where to reduce."""
        return x.redistribute(placements=[Replicate()]) if self.is_dtensor \
            else x

    def forward(self, x, cos, sin, past):
        s, y = self.shape, self.norm1(x)
        batch, length = x.shape[0], x.shape[1]
        q = self.q(y).view(batch, length, s.heads, s.head).transpose(1, 2)
        k = self.k(y).view(batch, length, s.groups, s.head).transpose(1, 2)
        v = self.v(y).view(batch, length, s.groups, s.head).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        new = k, v
        if past is not None:
            k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
        a = self.attention(q, k, v, past is None)
        a = a.transpose(1, 2).reshape(batch, length, s.heads * s.head)
        x = x + self.whole(self.o(a))
        y = self.norm2(x)
        return x + self.whole(self.down(F.silu(self.gate(y)) * self.up(y))), \
            new

    def attention(self, q, k, v, is_causal):
        if not self.is_dtensor:
            return F.scaled_dot_product_attention(
                q, k, v, is_causal=is_causal, enable_gqa=True)
        # DTensor knows no grouped heads.
        group = self.shape.heads // self.shape.groups
        batch, groups, length, head = k.shape
        k, v = (t.unsqueeze(2).expand(batch, groups, group, length, head)
                .reshape(batch, groups * group, length, head) for t in (k, v))
        return F.scaled_dot_product_attention(q, k, v, is_causal=is_causal)


class Llama(nn.Module):
    """The logits, and with a `past` the new keys and values."""

    def __init__(self, shape, is_dtensor=False):
        super().__init__()
        self.is_dtensor = is_dtensor
        self.embed = nn.Embedding(shape.words, shape.width)
        self.layers = nn.ModuleList(Layer(shape, is_dtensor)
                                    for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width)
        self.head = nn.Linear(shape.width, shape.words, bias=False)

    def forward(self, tokens, cos, sin, past=None):
        x = self.embed(tokens)
        if self.is_dtensor:
            x = x.redistribute(placements=[Replicate()])
        cache = []
        for i, layer in enumerate(self.layers):
            x, new = layer(x, cos, sin, past[i] if past is not None else None)
            cache.append(new)
        # Of all positions: a slice of a DTensor does not compile.
        return self.head(self.norm(x)), cache if past is not None else []


class Loss(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, tokens, cos, sin, targets):
        logits = self.model(tokens, cos, sin)[0]
        if self.model.is_dtensor:
            logits = logits.redistribute(placements=[Replicate()])
        return F.cross_entropy(logits.flatten(0, 1).float(),
                               targets.flatten())


def placements():
    rows = {f"*.{n}.weight": [Shard(0)] for n in ("q", "k", "v", "gate", "up")}
    columns = {f"*.{n}.weight": [Shard(1)] for n in ("o", "down")}
    return {**rows, **columns, "*embed.weight": [Shard(0)],
            "*head.weight": [Shard(0)]}
