# REQUIRES: python
# RUN: %python %s %obj %t
"""What a function may do with DTensors beside computing."""

import copy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
import torch.nn.functional as F
from torch import nn
from torch.distributed.tensor import distribute_module
from torch.distributed.tensor.parallel import (ColwiseParallel,
                                               RowwiseParallel,
                                               parallelize_module)
from models import Mlp


def shared(*shape):
    """The same numbers on every rank."""
    tensor = torch.randn(*shape)
    dist.broadcast(tensor, 0)
    return tensor


def test_redistribute_and_full_tensor_inside(mesh):
    a, b = shared(10, 6), shared(6, 5)
    x = distribute_tensor(a, mesh, [Shard(0)])
    y = distribute_tensor(b, mesh, [Shard(0)])

    def function(x):
        z = x.redistribute(mesh, [Replicate()]) @ y
        return z.redistribute(placements=[Shard(1)]), z.full_tensor() + 1
    cut, whole = compiled(function)(x)
    assert cut.placements == (Shard(1),) and isinstance(cut, DTensor)
    assert not isinstance(whole, DTensor)
    torch.testing.assert_close(cut.full_tensor(), a @ b)
    torch.testing.assert_close(whole, a @ b + 1)


def test_to_local_gives_the_piece_of_the_rank(mesh):
    a = shared(7, 4)
    x = distribute_tensor(a, mesh, [Shard(0)])
    piece = compiled(lambda x: (x * 2).to_local())(x)
    assert torch.equal(piece, (x * 2).to_local())


def test_an_operator_without_import_is_named_with_its_line(mesh):
    x = distribute_tensor(shared(8, 8), mesh, [Replicate()])

    def function(x):
        return torch.logcumsumexp(x + 1, 0)
    fails(lambda: compiled(function)(x), "logcumsumexp", "functions.py",
          "in function")


def test_functions_of_plain_tensors_are_refused(mesh):
    fails(lambda: compiled(lambda x: x + 1)(torch.ones(3)),
          "no argument of this one is a DTensor")


def test_plans_of_parallelize_module(mesh):
    plain = nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 4))
    for p in plain.parameters():
        dist.broadcast(p.data, 0)
    sharded = parallelize_module(copy.deepcopy(plain), mesh, {
        "0": ColwiseParallel(), "2": RowwiseParallel()})
    call = compiled(sharded)
    with Count() as count:
        for rows in (3, 5, 1):
            x = shared(rows, 8)
            result, expected = call(x), plain(x)
            torch.testing.assert_close(result, expected)
            expected.square().mean().backward()
            result.square().mean().backward()
            for a, b in zip(plain.parameters(), sharded.parameters()):
                torch.testing.assert_close(b.grad.full_tensor(), a.grad)
                a.grad = b.grad = None
    assert count.value in (0, 2), count.value


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6, 4))
        self.register_buffer("seen", torch.zeros(4))

    def forward(self, x):
        self.seen += x.sum(0)
        return x @ self.weight.t() @ self.weight


def test_a_buffer_is_changed_in_place_and_a_weight_used_twice(mesh):
    plain = Counter()
    sharded = copy.deepcopy(plain)
    distribute_module(sharded, mesh, lambda name, module, mesh: [
        module.register_parameter("weight", nn.Parameter(distribute_tensor(
            module.weight, mesh, [Shard(0)]))),
        module.register_buffer("seen", distribute_tensor(
            module.seen, mesh, [Replicate()]))])
    call = compiled(sharded)
    for rows in (3, 4):
        x = shared(rows, 4)
        expected, result = plain(x), call(replicated(x, mesh))
        torch.testing.assert_close(result.full_tensor(), expected)
        expected.sum().backward()
        result.sum().backward()
        torch.testing.assert_close(sharded.seen.full_tensor(), plain.seen)
    torch.testing.assert_close(sharded.weight.grad.full_tensor(),
                               plain.weight.grad)


def test_without_gradients_there_is_one_program(mesh):
    model = shard_parameters(Mlp(), mesh, lambda path, name: [Shard(0)])
    x = replicated(shared(3, 16), mesh)
    with torch.no_grad(), Count() as count:
        result = compiled(model)(x)
    assert not result.requires_grad and count.value in (0, 1)


def test_bfloat16_under_autocast(mesh):
    weight = shared(8, 6)
    w = distribute_tensor(weight, mesh, [Shard(0)])
    x = shared(4, 6)

    def function(x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return F.linear(x, w)
    result = compiled(function)(replicated(x, mesh))
    assert result.dtype == torch.bfloat16
    expected = F.linear(x.bfloat16(), weight.bfloat16())
    torch.testing.assert_close(result.full_tensor(), expected, rtol=1e-2,
                               atol=1e-2)


def test_tensors_that_are_not_contiguous_or_empty(mesh):
    x = shared(6, 4)
    function = compiled(lambda x: torch.tanh(x) @ x.t())
    result = function(replicated(x.t().contiguous().t(), mesh))
    torch.testing.assert_close(result.full_tensor(), torch.tanh(x) @ x.t())
    empty = function(replicated(torch.zeros(0, 4), mesh))
    assert empty.shape == (0, 0)


def test_the_cache_on_and_off_gives_the_same_bits(mesh):
    x = replicated(shared(5, 6), mesh)
    w = distribute_tensor(shared(6, 7), mesh, [Shard(0)])
    results = []
    for switch in (True, False):
        torch._dynamo.reset()
        dtensor_mlir.clear()
        dtensor_mlir.config.cache = switch
        results.append(compiled(lambda x: torch.tanh(x @ w))(x).full_tensor())
    dtensor_mlir.config.cache = True
    assert torch.equal(*results)


main(3)
