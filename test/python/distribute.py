# REQUIRES: python
# RUN: %python %s %obj %t
"""What `distribute_tensor` and `distribute_module` of PyTorch make is what
compiled functions take: pieces, gradients and leaves are as PyTorch has them."""

import copy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
from torch import nn
from torch.distributed.tensor import distribute_module
from dtensor_mlir.frontend import from_hlo_sharding, hlo_sharding


def check(mesh, placements, shape, requires_grad):
    whole = torch.randn(shape)
    dist.broadcast(whole, 0)
    tensor = distribute_tensor(whole.clone().requires_grad_(requires_grad),
                               mesh, placements)
    assert tensor.requires_grad == requires_grad and tensor.is_leaf
    result = compiled(lambda x: x * 2 + 1)(tensor)
    assert isinstance(result, DTensor) and result.shape == whole.shape
    assert result.placements == tuple(placements)
    assert result.requires_grad == requires_grad
    assert result.is_leaf == (not requires_grad)
    assert torch.equal(result.to_local(), tensor.to_local() * 2 + 1)
    assert torch.equal(result.full_tensor(), whole * 2 + 1)
    if requires_grad:
        result.sum().backward()
        assert tensor.grad.placements == tensor.placements
        assert torch.equal(tensor.grad.full_tensor(),
                           torch.full(shape, 2.0))


def test_a_tensor_on_one_axis(mesh):
    rows = 3 * mesh.size()
    check(mesh, [Shard(0)], (rows, 3), requires_grad=False)
    for placement in Shard(0), Replicate(), Shard(1):
        torch._dynamo.reset()
        check(mesh, [placement], (rows - 1, 4), requires_grad=True)


def test_a_tensor_on_a_mesh_2d(mesh):
    check(mesh, [Replicate(), Shard(0)], (6, 3), requires_grad=False)
    for placements in ([Replicate(), Shard(0)], [Shard(0), Replicate()],
                       [Shard(0), Shard(1)]):
        torch._dynamo.reset()
        check(mesh, placements, (6, 3), requires_grad=True)


def has_text(mesh, placements, shape, iota, devices):
    """The same text, and back."""
    tensor = distribute_tensor(torch.zeros(shape), mesh, placements)
    assert hlo_sharding(tensor) == iota, hlo_sharding(tensor)
    assert hlo_sharding(tensor, list_devices=True) == devices
    for text in iota, devices:
        assert from_hlo_sharding(text, mesh, shape) == tuple(placements)


def test_the_words_of_xla(mesh):
    n = mesh.size()
    ranks = ",".join(map(str, range(n)))
    has_text(mesh, [Shard(0)], (3 * n, 3), f"{{devices=[{n},1]<=[{n}]}}",
             f"{{devices=[{n},1]{ranks}}}")
    has_text(mesh, [Shard(1)], (3, 7), f"{{devices=[1,{n}]<=[{n}]}}",
             f"{{devices=[1,{n}]{ranks}}}")
    has_text(mesh, [Replicate()], (3, 3), "{replicated}", "{replicated}")
    pending = DTensor.from_local(torch.ones(3), mesh, [Partial()])
    fails(lambda: hlo_sharding(pending), "XLA has no words for partial(sum)")
    fails(lambda: from_hlo_sharding("{devices=[3,1]<=[3]}", mesh, (3, 3)),
          f"3 devices, the mesh has {n}")


def test_the_words_of_xla_on_a_mesh_2d(mesh):
    end = " last_tile_dim_replicate}"
    has_text(mesh, [Replicate(), Shard(0)], (6, 3),
             "{devices=[2,1,2]<=[2,2]T(1,0)" + end,
             "{devices=[2,1,2]0,2,1,3" + end)
    has_text(mesh, [Shard(0), Replicate()], (6, 3),
             "{devices=[2,1,2]<=[4]" + end, "{devices=[2,1,2]0,1,2,3" + end)
    has_text(mesh, [Shard(1), Shard(0)], (6, 3),
             "{devices=[2,2]<=[2,2]T(1,0)}", "{devices=[2,2]0,2,1,3}")
    has_text(mesh, [Shard(0), Shard(0)], (8, 3), "{devices=[4,1]<=[4]}",
             "{devices=[4,1]0,1,2,3}")


class SimpleLinear(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.relu = nn.Linear(128, 64), nn.ReLU()
        self.fc2 = nn.Linear(64, 1)

    def forward(self, x):
        return self.fc2(self.relu(self.fc1(x)))


def shard_params(name, module, mesh):
    if isinstance(module, nn.Linear):
        for key, parameter in list(module.named_parameters()):
            module.register_parameter(key, nn.Parameter(distribute_tensor(
                parameter.data, mesh, [Shard(0)])))


def test_a_module_whose_parameters_are_sharded(mesh):
    plain = SimpleLinear()
    for parameter in plain.parameters():
        dist.broadcast(parameter.data, 0)
    sharded = distribute_module(copy.deepcopy(plain), mesh, shard_params)
    call = compiled(sharded)
    with Count() as count:
        for rows in 32, 33, 5:
            x = torch.randn(rows, 128)
            dist.broadcast(x, 0)
            expected, result = plain(x), call(replicated(x, mesh))
            torch.testing.assert_close(result.full_tensor(), expected)
            expected.square().sum().backward()
            result.square().sum().backward()
            for a, b in zip(plain.parameters(), sharded.parameters()):
                assert b.is_leaf and b.grad.placements == (Shard(0),)
                torch.testing.assert_close(b.grad.full_tensor(), a.grad)
                a.grad = b.grad = None
    assert count.value == 2, count.value


main(4)
