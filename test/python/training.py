# REQUIRES: python
# RUN: %python %s %obj %t
"""Steps of training give the losses and the weights of one process."""

import copy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
import torch.nn.functional as F
from torch import nn
from models import Block, Mlp, angles


def train(mesh, make, plan, inputs, steps=4, optimizer=torch.optim.SGD):
    """Every step has another shape; forward and backward are one program
    each."""
    plain = make()
    sharded = shard_parameters(copy.deepcopy(plain), mesh, plan)
    call = compiled(sharded)
    first, second = (optimizer(m.parameters(), 0.1) for m in (plain, sharded))
    with Count() as count:
        for step in range(steps):
            args = inputs(step)
            for a in args:
                dist.broadcast(a, 0)
            expected = plain(*args).square().mean()
            expected.backward()
            result = call(*[replicated(a, mesh) for a in args])
            loss = result.full_tensor().square().mean()
            loss.backward()
            torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-6)
            for a, b in zip(plain.parameters(), sharded.parameters()):
                assert b.grad.placements == b.placements
                torch.testing.assert_close(b.grad.full_tensor(), a.grad,
                                           rtol=1e-5, atol=1e-6)
            for o in (first, second):
                o.step()
                o.zero_grad()
    for (n, a), b in zip(plain.named_parameters(), sharded.parameters()):
        torch.testing.assert_close(b.full_tensor(), a, rtol=1e-5, atol=1e-5,
                                   msg=lambda m, n=n: f"{n}: {m}")
    assert count.value in (0, 2), count.value
    return count.value


def row_then_column(path, name):
    if path == "up":
        return [Shard(0)]
    return [Shard(1)] if name == "weight" else [Replicate()]


def test_an_mlp(mesh):
    train(mesh, Mlp, row_then_column, lambda i: [torch.randn(3 + i, 16)])


def test_an_mlp_whose_weights_are_cut_along_rows(mesh):
    train(mesh, Mlp, lambda *_: [Shard(0)],
          lambda i: [torch.randn(5 + 2 * i, 16)])


def megatron(path, name):
    return [Shard(0)] if path in "qkvgu" and path else \
        [Shard(1)] if path in "ow" and path else [Replicate()]


def block_inputs(step):
    length = 5 + step
    return [torch.randn(2, length, 32), *angles(length, 4)]


def test_a_llama_block_tensor_parallel(mesh):
    train(mesh, Block, megatron, block_inputs, steps=3)


def test_an_mlp_on_a_mesh_2d(mesh):
    def plan(path, name):
        return [Shard(0)] + row_then_column(path, name)
    train(mesh, Mlp, lambda p, n: [Replicate()] + row_then_column(p, n),
          lambda i: [torch.randn(4 + i, 16)])
    torch._dynamo.reset()
    train(mesh, Mlp, plan, lambda i: [torch.randn(4 + i, 16)],
          optimizer=torch.optim.AdamW)


main(2, 3)
