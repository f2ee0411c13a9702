# REQUIRES: python
# RUN: env DTENSOR_LIBRARY_PATH=%obj/lib DTENSOR_CACHE=0 %python %s
"""Losses by classes: their gradients, and what is kept for these."""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "python"))
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributed.tensor import Replicate, Shard

import dtensor_mlir

TEXTS = []
dtensor_mlir.config.on_program = TEXTS.append
SIZES = 3


class Loss(nn.Module):
    """Its arguments have names, by which they are placed."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x, target):
        return self.function(x, target)


def classes(number, *shape):
    target = torch.randint(0, number, shape)
    target.view(-1)[1] = -100
    return target


def compare(function, make, placement):
    """Values and gradients on ranks at two sizes of one program."""
    run = dtensor_mlir.compile(Loss(function), {"tp": SIZES},
                               {"x": [placement], "*": [Replicate()]})
    before = dtensor_mlir.compilations()
    for rows in 9, 5:
        x, target = make(rows)
        given = [x.clone().requires_grad_() for _ in range(2)]
        results = [f(t, target) for f, t in zip((run, function), given)]
        torch.testing.assert_close(*results)
        tangent = torch.randn_like(results[1])
        grads = [torch.autograd.grad(r, t, tangent)[0]
                 for r, t in zip(results, given)]
        torch.testing.assert_close(*grads)
    assert dtensor_mlir.compilations() - before == 2


def test_gradients_of_losses_of_sharded_rows_and_classes():
    weight = torch.tensor([0.5, 1, 2, 0.25, 1.5, 3, 1])
    make = lambda rows: (3 * torch.randn(rows, 7), classes(7, rows))
    for function in (
            F.cross_entropy,
            lambda x, t: F.cross_entropy(x, t, weight),
            lambda x, t: F.cross_entropy(x, t, weight, reduction="sum"),
            lambda x, t: F.cross_entropy(x, t, reduction="none"),
            lambda x, t: F.cross_entropy(x, t.clamp(min=0), ignore_index=3,
                                         label_smoothing=0.2)):
        for placement in Shard(0), Shard(1), Replicate():
            compare(function, make, placement)


def test_gradients_of_a_loss_of_pixels():
    make = lambda rows: (torch.randn(rows, 4, 3, 2), classes(4, rows, 3, 2))
    for placement in Shard(0), Shard(1):
        compare(F.cross_entropy, make, placement)


def test_gradients_of_the_logarithms_themselves():
    make = lambda rows: (torch.randn(rows, 7), classes(7, rows))
    for placement in Shard(0), Shard(1):
        compare(lambda x, t: x.log_softmax(1), make, placement)


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.randn(41, 8).bfloat16())

    def forward(self, x, target):
        return F.cross_entropy((x @ self.table.T).float(), target)


def test_logits_are_kept_and_no_logarithms_of_all_classes():
    run = dtensor_mlir.compile(Head(), {"tp": 2}, {
        "table": [Shard(0)], "*": [Replicate()]})
    del TEXTS[:]
    run(torch.randn(6, 8).bfloat16(), classes(41, 6)).backward()
    forward, backward = TEXTS
    kept = re.search(r"^  return .*", forward, re.M).group()
    assert "x41xbf16>" in kept and "x41xf32>" not in kept, kept
    # One number of a row is looked up in what is kept.
    assert re.search(r"dtensor.gather .*x41xbf16>", forward), forward
    # The gradient is not written at its classes: it is compared with them.
    assert "dtensor.scatter" not in backward, backward


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
        print(f"{name}: passed", flush=True)
