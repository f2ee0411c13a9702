"""Trains a tensor-parallel MLP on any number of processes:

    torchrun --nproc-per-node 3 examples/torch/train_mlp.py

Every step has another batch size. One process compiles the forward half and the
backward half, once; the others take what it wrote.
"""

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import (DTensor, Replicate, Shard,
                                      distribute_tensor)

import dtensor_mlir
import dtensor_mlir.frontend  # where the package is on the path only


class Mlp(nn.Module):
    def __init__(self, mesh):
        super().__init__()
        generator = torch.Generator().manual_seed(0)

        def weight(rows, columns, placement):
            value = torch.randn(rows, columns, generator=generator) / 8
            return nn.Parameter(distribute_tensor(value, mesh, [placement]))
        self.up = weight(200, 32, Shard(0))
        self.down = weight(32, 200, Shard(1))

    def forward(self, x):
        hidden = F.gelu(F.linear(x, self.up))
        return F.linear(hidden, self.down).redistribute(
            placements=[Replicate()])


def main():
    dist.init_process_group("gloo")
    mesh = init_device_mesh("cpu", (dist.get_world_size(),),
                            mesh_dim_names=("tp",))
    model = Mlp(mesh)
    step = torch.compile(model, backend="dtensor_mlir", fullgraph=True,
                         dynamic=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    generator = torch.Generator().manual_seed(1)
    for batch in (8, 13, 32, 5):
        x = torch.randn(batch, 32, generator=generator)
        x = DTensor.from_local(x, mesh, [Replicate()])
        loss = (step(x) - x).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if dist.get_rank() == 0:
            print(f"batch {batch}: loss {loss.full_tensor().item():.4f}")
    count = torch.tensor(dtensor_mlir.compilations())
    dist.all_reduce(count)
    if dist.get_rank() == 0:
        print(f"compiled programs: {count.item()}")
    dist.destroy_process_group()


main()
