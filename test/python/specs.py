# REQUIRES: python
# RUN: %python %s %obj %t
"""Where a DTensor is as JSON, and back: 2,000 DTensors of PyTorch on meshes of up
to three axes. One process stands for any rank: nothing is moved."""

import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
from torch.distributed.tensor.placement_types import _StridedShard
from torch.testing._internal.distributed.fake_pg import FakeStore

from dtensor_mlir.frontend import from_spec_json, spec_json


def mesh_of(sizes, rank=0):
    if dist.is_initialized():
        dist.destroy_process_group()
    count = 1
    for size in sizes:
        count *= size
    dist.init_process_group("fake", store=FakeStore(), rank=rank,
                            world_size=count)
    return init_device_mesh("cpu", sizes, mesh_dim_names=("a", "b", "c")[
        :len(sizes)])


def tensor_of(mesh, placements, shape):
    local = torch.empty(0)
    strides = torch.empty(shape, device="meta").stride()
    return DTensor.from_local(local.reshape([0] * max(len(shape), 1)), mesh,
                              placements, run_check=False,
                              shape=torch.Size(shape), stride=strides)


def split_factors(dims, nest):
    """Of each axis that shards, in an order of axes, major first."""
    factors = {}
    for position, axis in enumerate(nest):
        factors[axis] = 1
        for outer in nest[:position]:
            if outer > axis and dims[outer] == dims[axis]:
                factors[axis] *= SIZES[outer]
    return factors


SIZES = ()


def draw(rng):
    """A placement for each axis and a shape; orders of axes where it divides."""
    rank = rng.randint(1, 3)
    kind = rng.choice(["sum", "avg", "max", "min", "product"])
    dims = [rng.randint(-2, rank - 1) for _ in SIZES]
    nest = [axis for axis, dim in enumerate(dims) if dim >= 0]
    rng.shuffle(nest)
    factors = split_factors(dims, nest)
    placements = []
    for axis, dim in enumerate(dims):
        if dim == -2:
            placements.append(Partial(kind))
        elif dim == -1:
            placements.append(Replicate())
        elif factors[axis] == 1:
            placements.append(Shard(dim))
        else:
            placements.append(_StridedShard(dim, split_factor=factors[axis]))
    uneven = rng.random() < 0.3
    shape = [rng.randint(0, 20) if uneven else 120 * rng.randint(0, 2)
             for _ in range(rank)]
    return tuple(placements), shape


def test_random_specs_come_back():
    global SIZES
    rng, equal, refused, strided = random.Random(0), 0, 0, 0
    for _ in range(40):
        SIZES = tuple(rng.randint(2, 4) for _ in range(rng.randint(1, 3)))
        mesh = mesh_of(SIZES)
        for _ in range(50):
            placements, shape = draw(rng)
            tensor = tensor_of(mesh, placements, shape)
            assert tensor.placements == placements and \
                tensor.shape == torch.Size(shape)
            has_order = any(type(p) is _StridedShard for p in placements)
            try:
                text = spec_json(tensor)
            except dtensor_mlir.Error as error:
                assert has_order and "lies elsewhere" in str(error), error
                refused += 1
                continue
            assert json.loads(text)["shape"] == shape
            back = from_spec_json(text, mesh)
            assert back == (placements, torch.Size(shape)), (text, back)
            assert spec_json(tensor_of(mesh, *back)) == text
            equal += 1
            strided += has_order
    assert equal + refused == 2000
    assert (equal, refused, strided) == (1962, 38, 102), (equal, refused,
                                                          strided)


def test_a_split_factor_says_which_axis_cuts_first():
    """As PyTorch cuts it: axis "b" into 4, then axis "a" each piece into 2."""
    for rank in range(8):
        mesh = mesh_of((2, 4), rank)
        placements = [_StridedShard(0, split_factor=4), Shard(0)]
        tensor = distribute_tensor(torch.arange(16), mesh, placements,
                                   src_data_rank=None)
        a, b = mesh.get_coordinate()
        assert tensor.to_local().tolist() == \
            torch.arange(16).chunk(4)[b].chunk(2)[a].tolist()
        text = spec_json(tensor)
        assert json.loads(text)["placements"] == [
            {"type": "strided_shard", "dim": 0, "split_factor": 4},
            {"type": "shard", "dim": 0}]


def test_what_is_wrong_is_told():
    mesh = mesh_of((2, 2))
    text = spec_json(tensor_of(mesh, [Shard(0), Replicate()], (8, 4)))
    fails(lambda: from_spec_json(text[:-1], mesh), "[1:")
    fails(lambda: from_spec_json(text.replace('"dim":0', '"dim":2'), mesh),
          "placements[0].dim: 2, the tensor has 2 dimensions")
    fails(lambda: from_spec_json(text, mesh_of((2, 4))),
          "the text is of mesh {'a': 2, 'b': 2}, this one is {'a': 2, 'b': 4}")
    fails(lambda: from_spec_json(text.replace("[8,4]", '[8,"B"]'),
                                 mesh_of((2, 2))),
          "dimension 1 has B elements, a DTensor has numbers")
    fails(lambda: spec_json(tensor_of(mesh_of((2,)), [Partial("band")], (8,))),
          "has no counterpart in the compiler")


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
        print(name)
