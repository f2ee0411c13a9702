# REQUIRES: python
# RUN: %python %s %obj %t
"""Steps of training give the losses and the weights of one process."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
from models import Block, Mlp
from steps import block_inputs, megatron, row_then_column, train


def test_an_mlp(mesh):
    train(mesh, Mlp, row_then_column, lambda i: [torch.randn(3 + i, 16)])


def test_an_mlp_whose_weights_are_cut_along_rows(mesh):
    train(mesh, Mlp, lambda *_: [Shard(0)],
          lambda i: [torch.randn(5 + 2 * i, 16)])


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
