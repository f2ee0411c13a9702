# REQUIRES: python, cuda-2
# RUN: %python %s %obj %t
"""The front end where every rank is a process with a GPU of its own.

    python test/python/on-gpus.py BUILD [FOLDER]

takes a build or an unpacked archive, and PyTorch for CUDA.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
import torch.nn.functional as F
from models import Block, Mlp
from steps import block_inputs, megatron, row_then_column, train

WORDS, FEATURES = 202048, 256


def check_embedding(mesh, placement):
    table = torch.rand(WORDS, FEATURES, device=mesh.device_type)
    dist.broadcast(table, 0)
    weight = distribute_tensor(table.clone().requires_grad_(), mesh,
                               [placement])
    function = compiled(lambda ids: F.embedding(ids, weight.to(torch.float32)))
    for shape in ((2, 512), (3, 511), (1, 77)):
        ids = torch.randint(0, WORDS, shape, device=mesh.device_type)
        dist.broadcast(ids, 0)
        wanted = table.clone().requires_grad_()
        expected = F.embedding(ids, wanted)
        rows = function(replicated(ids, mesh))
        assert torch.equal(rows.full_tensor(), expected)
        expected.square().sum().backward()
        weight.grad = None
        rows.square().sum().backward()
        torch.testing.assert_close(weight.grad.full_tensor(), wanted.grad)


def test_embedding(mesh):
    for placement in (Shard(0), Shard(1), Replicate()):
        torch._dynamo.reset()
        with Count() as count:
            check_embedding(mesh, placement)
        assert count.value <= 2, count.value


def test_an_mlp(mesh):
    train(mesh, Mlp, row_then_column, lambda i: [torch.randn(3 + i, 16)],
          rtol=1e-4, atol=1e-5)


def test_a_llama_block(mesh):
    """DTensor knows no placements of grouped heads on CUDA, so that dynamo
    refuses this module of DTensors; of plain tensors it is compiled."""
    train(mesh, Block, megatron, block_inputs, rtol=1e-4, atol=1e-5,
          call_of=lambda module: dtensor_mlir.compile(module, mesh))


def test_bfloat16(mesh):
    x, w = (torch.randn(*s, device=mesh.device_type, dtype=torch.bfloat16)
            for s in ((33, 64), (96, 64)))
    for t in (x, w):
        dist.broadcast(t, 0)
    sharded = distribute_tensor(w.clone().requires_grad_(), mesh, [Shard(0)])
    result = compiled(lambda x: F.silu(F.linear(x, sharded)))(
        replicated(x, mesh)).full_tensor()
    plain = w.clone().requires_grad_()
    expected = F.silu(F.linear(x, plain))
    torch.testing.assert_close(result, expected, rtol=2e-2, atol=2e-2)
    for r in (result, expected):
        r.float().sum().backward()
    torch.testing.assert_close(sharded.grad.full_tensor(), plain.grad,
                               rtol=2e-2, atol=2e-1)


def test_work_is_queued_on_the_current_stream(mesh):
    x = torch.randn(512, 512, device=mesh.device_type)
    dist.broadcast(x, 0)
    w = distribute_tensor(x, mesh, [Shard(0)])
    function = compiled(lambda x: (x @ w).redistribute(
        placements=[Replicate()]))
    with torch.no_grad():
        function(replicated(x, mesh))
        side = torch.cuda.Stream()
        with torch.cuda.stream(side):
            torch.cuda._sleep(20_000_000)
            late = x * 2
            result = function(replicated(late, mesh))
        side.synchronize()
    torch.testing.assert_close(result.to_local(), late @ x, rtol=1e-4,
                               atol=1e-3)


main(2, device="cuda")
