"""Steps of training, beside those of one process."""

import copy

import torch
import torch.distributed as dist
from torch.distributed.tensor import Replicate, Shard

from models import angles
from ranks import Count, compiled, replicated, shard_parameters


def train(mesh, make, plan, inputs, steps=4, optimizer=torch.optim.SGD,
          rtol=1e-5, atol=1e-6, call_of=compiled):
    """Every step has another shape; forward and backward are one program
    each."""
    device = mesh.device_type
    plain = make().to(device)
    sharded = shard_parameters(copy.deepcopy(plain), mesh, plan)
    call = call_of(sharded)
    first, second = (optimizer(m.parameters(), 0.1) for m in (plain, sharded))
    with Count() as count:
        for step in range(steps):
            args = [a.to(device) for a in inputs(step)]
            for a in args:
                dist.broadcast(a, 0)
            expected = plain(*args).square().mean()
            expected.backward()
            result = call(*[replicated(a, mesh) for a in args])
            loss = result.full_tensor().square().mean()
            loss.backward()
            torch.testing.assert_close(loss, expected, rtol=rtol, atol=atol)
            for a, b in zip(plain.parameters(), sharded.parameters()):
                assert b.grad.placements == b.placements
                torch.testing.assert_close(b.grad.full_tensor(), a.grad,
                                           rtol=rtol, atol=atol)
            for o in (first, second):
                o.step()
                o.zero_grad()
    for (n, a), b in zip(plain.named_parameters(), sharded.parameters()):
        torch.testing.assert_close(b.full_tensor(), a, rtol=10 * rtol,
                                   atol=10 * atol,
                                   msg=lambda m, n=n: f"{n}: {m}")
    assert count.value in (0, 2), count.value
    return count.value


def row_then_column(path, name):
    if path == "up":
        return [Shard(0)]
    return [Shard(1)] if name == "weight" else [Replicate()]


def megatron(path, name):
    return [Shard(0)] if path in "qkvgu" and path else \
        [Shard(1)] if path in "ow" and path else [Replicate()]


def block_inputs(step):
    length = 5 + step
    return [torch.randn(2, length, 32), *angles(length, 4)]


def cut_once_more(plan):
    """On two axes: weights are cut along their rows by the first, which is what
    fully sharded data parallelism keeps, then by `plan`."""
    return {**{k: [Shard(0), v] for k, v in plan.items()},
            "*weight": [Shard(0), Replicate()]}
