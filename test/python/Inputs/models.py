"""Small models of the tests."""

import torch
import torch.nn.functional as F
from torch import nn


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(16, 24), nn.Linear(24, 16)

    def forward(self, x):
        return self.down(F.gelu(self.up(x)))


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


def angles(length, width):
    turns = torch.arange(length)[:, None] * (0.1 ** (
        torch.arange(width) % (width // 2)))
    return [turns.cos(), turns.sin()]


class Block(nn.Module):
    """A block of a Llama model: grouped heads, rotary positions, SwiGLU."""

    def __init__(self, width=32, heads=12, groups=6, head=4, hidden=42):
        super().__init__()
        self.heads, self.groups, self.head = heads, groups, head
        self.norm1, self.norm2 = nn.RMSNorm(width), nn.RMSNorm(width)

        def linear(a, b):
            return nn.Linear(a, b, bias=False)
        self.q, self.o = linear(width, heads * head), linear(heads * head,
                                                             width)
        self.k, self.v = (linear(width, groups * head) for _ in range(2))
        self.g, self.u = linear(width, hidden), linear(width, hidden)
        self.w = linear(hidden, width)

    def forward(self, x, cos, sin):
        y = self.norm1(x)
        q = self.q(y).unflatten(-1, (self.heads, self.head)).transpose(1, 2)
        k = self.k(y).unflatten(-1, (self.groups, self.head)).transpose(1, 2)
        v = self.v(y).unflatten(-1, (self.groups, self.head)).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True,
                                           enable_gqa=True)
        x = x + self.o(a.transpose(1, 2).flatten(2))
        y = self.norm2(x)
        return x + self.w(F.silu(self.g(y)) * self.u(y))
