"""A decoder as it is written for one process, and plans of `parallelize_module`
that cut it: a rank then computes with its own heads, as local tensors."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributed.tensor import Replicate, Shard
from torch.distributed.tensor.parallel import (
    ColwiseParallel, PrepareModuleInput, RowwiseParallel, SequenceParallel,
    parallelize_module)

from models import angles, rotate

WORDS, WIDTH, HEAD = 61, 64, 8


def linear(a, b):
    return nn.Linear(a, b, bias=False)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.heads, self.groups = 8, 4  # of this rank, once it is cut
        self.wq, self.wo = linear(WIDTH, WIDTH), linear(WIDTH, WIDTH)
        self.wk, self.wv = linear(WIDTH, 32), linear(WIDTH, 32)

    def forward(self, x, cos, sin):
        batch, length, _ = x.shape
        q = self.wq(x).view(batch, length, self.heads, HEAD)
        k = self.wk(x).view(batch, length, self.groups, HEAD)
        v = self.wv(x).view(batch, length, self.groups, HEAD)
        q, k = self.turn(q, cos, sin), self.turn(k, cos, sin)
        q, k, v = (t.transpose(1, 2) for t in (q, self.repeat(k),
                                               self.repeat(v)))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.wo(y.transpose(1, 2).contiguous().view(batch, length, -1))

    def turn(self, x, cos, sin):
        return rotate(x, cos[:x.shape[1], None], sin[:x.shape[1], None])

    def repeat(self, x):
        batch, length, groups, width = x.shape
        times = self.heads // self.groups
        return x[:, :, :, None, :].expand(
            batch, length, groups, times, width).reshape(
                batch, length, groups * times, width)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = Attention()
        self.norm1, self.norm2 = nn.RMSNorm(WIDTH), nn.RMSNorm(WIDTH)
        self.gate, self.up = linear(WIDTH, 96), linear(WIDTH, 96)
        self.down = linear(96, WIDTH)

    def forward(self, x, cos, sin):
        x = x + self.attention(self.norm1(x), cos, sin)
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(WORDS, WIDTH)
        self.layers = nn.ModuleList(Block() for _ in range(1))
        self.norm, self.head = nn.RMSNorm(WIDTH), linear(WIDTH, WORDS)
        cos, sin = angles(64, HEAD)
        self.register_buffer("cos", cos)
        self.register_buffer("sin", sin)

    def forward(self, ids):
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return self.head(self.norm(x))


def _cut_heads(layer, mesh):
    layer.attention.heads //= mesh.size()
    layer.attention.groups //= mesh.size()


def tensor_parallel(model, mesh):
    parallelize_module(model, mesh, {
        "embed": RowwiseParallel(input_layouts=Replicate()),
        "head": ColwiseParallel(output_layouts=Replicate())})
    for layer in model.layers:
        _cut_heads(layer, mesh)
        parallelize_module(layer, mesh, {
            **{f"attention.w{n}": ColwiseParallel() for n in "qkv"},
            "attention.wo": RowwiseParallel(), "gate": ColwiseParallel(),
            "up": ColwiseParallel(), "down": RowwiseParallel()})


def sequence_parallel(model, mesh):
    """Between the products a rank has some of the rows."""
    rows = Shard(1)
    parallelize_module(model, mesh, {
        "embed": RowwiseParallel(input_layouts=Replicate(),
                                 output_layouts=rows),
        "norm": SequenceParallel(),
        "head": ColwiseParallel(input_layouts=rows,
                                output_layouts=Replicate())})
    for layer in model.layers:
        _cut_heads(layer, mesh)
        parallelize_module(layer, mesh, {
            "norm1": SequenceParallel(), "norm2": SequenceParallel(),
            "attention": PrepareModuleInput(
                input_layouts=(rows, None, None),
                desired_input_layouts=(Replicate(), None, None)),
            **{f"attention.w{n}": ColwiseParallel() for n in "qkv"},
            "attention.wo": RowwiseParallel(output_layouts=rows),
            "gate": ColwiseParallel(input_layouts=rows),
            "up": ColwiseParallel(input_layouts=rows),
            "down": RowwiseParallel(output_layouts=rows)})
