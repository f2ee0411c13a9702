# REQUIRES: python, cuda-2
# RUN: rm -rf %t && env DTENSOR_LIBRARY_PATH=%obj/lib DTENSOR_CACHE_DIR=%t %python %s
"""One process, and every rank has a GPU: the pieces of a LocalTensor."""

import os
import sys

os.environ.setdefault("NCCL_NVLS_ENABLE", "0")
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

RANKS = torch.cuda.device_count()


def check(placement, mesh):
    torch._dynamo.reset()
    table = torch.rand(2020, 16, device="cuda")
    weight = distribute_tensor(table.clone().requires_grad_(), mesh,
                               [placement])
    function = torch.compile(
        lambda ids: F.embedding(ids, weight.to(torch.float32)).sin() * 2,
        backend="dtensor_mlir", fullgraph=True, dynamic=True)
    for shape in ((2, 512), (3, 511), (1, 77)):
        ids = torch.randint(0, 2020, shape, device="cuda")
        rows = function(distribute_tensor(ids, mesh, [Replicate()]))
        expected = F.embedding(ids, table).sin() * 2
        if hasattr(expected, "_local_tensors"):
            expected = expected._local_tensors[0]
        for piece in rows.full_tensor()._local_tensors.values():
            torch.testing.assert_close(piece, expected)
    rows.sum().backward()
    assert weight.grad.placements == weight.placements


dist.init_process_group("fake", rank=0, world_size=RANKS)
with LocalTensorMode(RANKS):
    mesh = init_device_mesh("cuda", (RANKS,), mesh_dim_names=("tp",))
    for placement in (Replicate(), Shard(0), Shard(1)):
        check(placement, mesh)
print("passed")
