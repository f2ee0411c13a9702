# REQUIRES: python
# RUN: rm -rf %t && env DTENSOR_LIBRARY_PATH=%obj/lib DTENSOR_CACHE_DIR=%t %python %s
"""All ranks in one process: the pieces of a LocalTensor, run as threads."""

import os
import sys

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.distributed._local_tensor import LocalTensorMode
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "python"))
import dtensor_mlir
import dtensor_mlir.frontend

WORDS, RANKS = 2020, 4


def check(placement, cached):
    torch._dynamo.reset()
    torch._dynamo.config.fake_tensor_cache_enabled = cached
    mesh = init_device_mesh("cpu", (RANKS,), mesh_dim_names=("tp",))
    table = torch.rand(WORDS, 16)
    weight = distribute_tensor(table.clone().requires_grad_(), mesh,
                               [placement])
    function = torch.compile(
        lambda ids: F.embedding(ids, weight.to(torch.float32)),
        backend="dtensor_mlir", fullgraph=True, dynamic=True)
    for shape in ((2, 512), (3, 511), (1, 77)):
        ids = torch.randint(0, WORDS, shape)
        rows = function(distribute_tensor(ids, mesh, [Replicate()]))
        whole = rows.full_tensor()
        expected = F.embedding(ids, table)
        for piece in whole._local_tensors.values():
            assert torch.equal(piece, expected._local_tensors[0]
                               if hasattr(expected, "_local_tensors")
                               else expected)
    rows.sum().backward()
    assert weight.grad.placements == weight.placements


dist.init_process_group("fake", rank=0, world_size=RANKS)
with LocalTensorMode(RANKS):
    for cached in (False, True):
        for placement in (Replicate(), Shard(0), Shard(1)):
            check(placement, cached)
assert dtensor_mlir.compilations() == 6, dtensor_mlir.compilations()
print("passed")
