# REQUIRES: python
# RUN: %python %s %obj %t
"""Rows of a table that is placed in any way, and their gradient."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
import torch.nn.functional as F

WORDS, FEATURES = 2021, 24
SHAPES = [(2, 512), (3, 511), (8, 128), (1, 77), (7, 7), (1, 1)]


def check(mesh, placements, gradient):
    table = torch.rand(WORDS, FEATURES)
    weight = distribute_tensor(table.clone().requires_grad_(), mesh,
                               placements)
    f = compiled(lambda ids: F.embedding(ids, weight.to(torch.float32)))
    with Count() as count:
        for shape in SHAPES:
            ids = torch.randint(0, WORDS, shape)
            dist.broadcast(ids, 0)
            wanted = table.clone().requires_grad_()
            expected = F.embedding(ids, wanted)
            rows = f(replicated(ids, mesh))
            assert isinstance(rows, DTensor) and rows.shape == expected.shape
            assert torch.equal(rows.full_tensor(), expected)
            if gradient:
                expected.square().sum().backward()
                weight.grad = None
                rows.square().sum().backward()
                assert weight.grad.placements == weight.placements
                torch.testing.assert_close(weight.grad.full_tensor(),
                                           wanted.grad)
    return count.value


def test_one_compilation_serves_every_shape(mesh):
    for placements in ([Shard(0)], [Shard(1)], [Replicate()]):
        torch._dynamo.reset()
        with torch.no_grad():
            first = check(mesh, placements, gradient=False)
        # A program that was compiled for another size of the mesh is found.
        assert first == (mesh.size() == 2), first


def test_gradients_have_the_placements_of_the_table(mesh):
    for placements in ([Shard(0)], [Shard(1)], [Replicate()]):
        torch._dynamo.reset()
        assert check(mesh, placements, gradient=True) <= 2


def test_results_have_the_placements_that_dtensor_gives(mesh):
    table = torch.rand(WORDS, FEATURES)
    ids = replicated(torch.randint(0, WORDS, (2, 3)), mesh)
    for placement, expected in ((Shard(0), Partial("sum")),
                                (Shard(1), Shard(2)),
                                (Replicate(), Replicate())):
        torch._dynamo.reset()
        weight = distribute_tensor(table, mesh, [placement])
        rows = compiled(F.embedding)(ids, weight)
        assert rows.placements == (expected,), rows.placements


main(2, 3)
