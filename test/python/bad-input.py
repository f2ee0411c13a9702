# REQUIRES: python
# RUN: %python %s %obj %t
"""What is wrong is told in words, with the line of the user's program."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
import torch.nn.functional as F
from torch.distributed.device_mesh import DeviceMesh

from dtensor_mlir.frontend import places


def on(mesh, *shape, placements=(Replicate(),)):
    return distribute_tensor(torch.ones(*shape), mesh, placements)


def test_an_operator_without_import(mesh):
    def function(x):
        y = x * 2
        return torch.logcumsumexp(y, 0)
    fails(lambda: compiled(function)(on(mesh, 4, 4)), "no import",
          "logcumsumexp", "bad-input.py", "in function")


def test_an_operator_without_import_in_training(mesh):
    def function(x):
        y = x * 2
        return torch.logcumsumexp(y, 0) + 1
    x = on(mesh, 4, 4).requires_grad_()
    fails(lambda: compiled(function)(x), "logcumsumexp", "bad-input.py",
          "in function")


def test_elements_without_import(mesh):
    def function(x):
        return x * 2
    x = distribute_tensor(torch.ones(4, dtype=torch.uint8), mesh,
                          [Replicate()])
    fails(lambda: compiled(function)(x), "uint8", "bad-input.py",
          "in function")


def test_a_tensor_on_another_device(mesh):
    device = torch.device("meta")
    fails(lambda: places.pieces_of(torch.ones(3), [0], [device], [], None),
          "shape (3,) is on cpu, its rank is on meta")
    (number,) = places.pieces_of(torch.ones(()), [0], [device], [], None)
    assert number.device == device


def test_two_meshes_in_one_program(mesh):
    other = DeviceMesh("cpu", list(reversed(range(mesh.size()))),
                       mesh_dim_names=("ep",))

    def function(x, y):
        return x * 2, y * 3
    fails(lambda: compiled(function)(on(mesh, 4), on(other, 4)),
          "one mesh", "ep", "bad-input.py", "in function")


def test_a_mesh_that_this_rank_is_not_in(mesh):
    part = DeviceMesh("cpu", list(range(mesh.size() - 1)),
                      mesh_dim_names=("tp",))
    x = DTensor.from_local(torch.ones(4), part, [Replicate()],
                           run_check=False)
    if part.get_coordinate() is None:
        fails(lambda: compiled(lambda x: x * 2)(x),
              f"rank {dist.get_rank()} is not in")


def test_a_piece_that_its_placements_contradict(mesh):
    function = compiled(lambda x: x * 2)
    x = on(mesh, 6, 4, placements=[Shard(0)])
    function(x)
    broken = DTensor.from_local(torch.ones(5, 4), mesh, [Shard(0)],
                                run_check=False, shape=x.shape,
                                stride=x.stride())
    fails(lambda: function(broken), "(5, 4)", "shard(0)",
          str(tuple(x.to_local().shape)))


def test_placements_that_contradict_the_graph(mesh):
    def function(x):
        y = x.redistribute(mesh, [Shard(3)])
        return y + 1
    fails(lambda: compiled(function)(on(mesh, 4, 4)), "bad-input.py")


def test_a_piece_that_is_said_to_be_whole(mesh):
    def function(x):
        piece = x.to_local() * 2
        return DTensor.from_local(piece, mesh, [Replicate()])
    x = on(mesh, 6, 4, placements=[Shard(0)])
    fails(lambda: compiled(function)(x), "from_local makes", "bad-input.py",
          "in function")


def test_seeds_that_differ(mesh):
    torch.manual_seed(dist.get_rank())
    fails(lambda: compiled(lambda x: F.dropout(x, 0.5))(on(mesh, 4)),
          "torch.manual_seed", "[0, 1")


main(3)
