# REQUIRES: python
# RUN: %python %s %obj %t
"""What torch.utils.checkpoint says is computed again in backward is not saved, and
gradients are those of one process."""

import copy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import (CheckpointPolicy, checkpoint,
                                    create_selective_checkpoint_contexts)
from dtensor_mlir.frontend import program
from plans import WORDS, Decoder, tensor_parallel


class Checkpointed(nn.Module):
    """A decoder whose layers keep nothing but what comes in."""

    def __init__(self, decoder, on, options):
        super().__init__()
        self.decoder, self.on, self.options = decoder, on, options

    def forward(self, ids):
        d = self.decoder
        x = d.embed(ids)
        for layer in d.layers:
            x = checkpoint(layer, x, d.cos, d.sin, use_reentrant=False,
                           **self.options) if self.on \
                else layer(x, d.cos, d.sin)
        return d.head(d.norm(x))


def saved(function):
    """How many values the forward halves that are built keep for backward."""
    found = []
    build = program.Program._choose_saved

    def choose(self, *args):
        build(self, *args)
        found.append(sum(s.result is not None for s in self.saved))
    program.Program._choose_saved = choose
    try:
        function()
    finally:
        program.Program._choose_saved = build
    return found[0]


def train(mesh, on, **options):
    torch._dynamo.reset()
    decoder = Decoder()
    for parameter in decoder.parameters():
        dist.broadcast(parameter.data, 0)
    plain = copy.deepcopy(decoder)
    tensor_parallel(decoder, mesh)
    call = compiled(Checkpointed(decoder, on, options))
    for length in (6, 9):
        ids = torch.arange(3 * length).view(3, length) % WORDS
        losses = [f(ids).square().mean() for f in (call, plain)]
        torch.testing.assert_close(*losses)
        for loss in losses:
            loss.backward()
        for a, b in zip(decoder.parameters(), plain.parameters()):
            grad = a.grad.full_tensor() if isinstance(a.grad, DTensor) \
                else a.grad
            torch.testing.assert_close(grad, b.grad, rtol=1e-3, atol=1e-6)
            a.grad = b.grad = None


def keep_products(context, op, *args, **kwargs):
    is_product = op in (torch.ops.aten.mm.default, torch.ops.aten.addmm.default)
    return CheckpointPolicy.MUST_SAVE if is_product \
        else CheckpointPolicy.PREFER_RECOMPUTE


def test_layers_are_computed_again(mesh):
    everything = saved(lambda: train(mesh, False))
    products = saved(lambda: train(
        mesh, True, context_fn=lambda: create_selective_checkpoint_contexts(
            keep_products)))
    nothing = saved(lambda: train(mesh, True))
    assert nothing < products, (nothing, products)
    assert nothing < everything, (nothing, everything)


def test_random_numbers_stay(mesh):
    def function(x):
        return checkpoint(lambda x: F.dropout(x.exp(), 0.5).sin(), x,
                          use_reentrant=False)
    x = distribute_tensor(torch.ones(8, 6), mesh, [Shard(0)]).requires_grad_()
    result = compiled(function)(x)
    result.sum().backward()
    kept = result.full_tensor() != 0
    # exp(1) is multiplied by 2 or 0.
    y = torch.tensor(2.0).mul(torch.e)
    torch.testing.assert_close(x.grad.full_tensor(), kept * y.cos() * y)
    assert kept.any() and not kept.all()


main(2)
