# REQUIRES: python
# RUN: env DTENSOR_LIBRARY_PATH=%obj/lib DTENSOR_CACHE=0 %python %s
"""Modules of one process on ranks of this process: tensors are whole, values
and gradients are those of PyTorch. On CUDA every rank has a GPU:

    python test/python/whole-tensors.py cuda
"""

import copy
import math
import os
import sys

os.environ.setdefault("NCCL_NVLS_ENABLE", "0")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "Inputs"), os.path.join(HERE, "..", "..",
                                                           "python")]
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributed.tensor import Replicate, Shard

import dtensor_mlir
from models import Block, Mlp, angles

DEVICE = sys.argv[1] if len(sys.argv) > 1 else "cpu"
MOST = torch.cuda.device_count() if DEVICE == "cuda" else 4
SIZES = [n for n in (2, 3, 4) if n <= MOST]
CLOSE = dict(rtol=1e-4, atol=1e-5)


def fails(function, *words):
    try:
        function()
    except dtensor_mlir.Error as error:
        for word in words:
            assert word in str(error), error
        return
    raise AssertionError("this should have failed")


def train(make, placements, inputs, meshes, programs=2):
    """Steps of SGD, each of another shape."""
    for mesh in meshes:
        torch.manual_seed(0)
        plain = make()
        module = copy.deepcopy(plain)
        before = dtensor_mlir.compilations()
        compiled = dtensor_mlir.compile(module, mesh, placements)
        both = [(m, torch.optim.SGD(m.parameters(), 0.1))
                for m in (plain, module)]
        for step in range(4):
            arguments = inputs(step)
            losses = [f(*arguments).square().mean()
                      for f in (plain, compiled)]
            for loss, (_, optimizer) in zip(losses, both):
                loss.backward()
                optimizer.step()
            torch.testing.assert_close(*losses, **CLOSE)
            for a, b in zip(plain.parameters(), module.parameters()):
                torch.testing.assert_close(b.grad, a.grad, **CLOSE)
                a.grad = b.grad = None
        assert dtensor_mlir.compilations() - before == (
            programs if mesh is meshes[0] else 0)


def test_an_mlp():
    train(Mlp, {"up.*": [Shard(0)], "down.weight": [Shard(1)]},
          lambda i: [torch.randn(3 + i, 16)], [{"tp": n} for n in SIZES])


def test_an_mlp_on_two_axes():
    train(Mlp, {"up.*": [Replicate(), Shard(0)], "x": [Shard(0), Replicate()],
                "down.weight": [Replicate(), Shard(1)],
                "results": [Shard(0), Replicate()]},
          lambda i: [torch.randn(3 + i, 16)],
          [{"dp": MOST // n, "tp": n} for n in (1, 2)])


def test_a_llama_block():
    rows = {f"{n}.weight": [Shard(0)] for n in "qkvgu"}
    columns = {f"{n}.weight": [Shard(1)] for n in "ow"}

    def inputs(step):
        return [torch.randn(2, 5 + step, 32), *angles(5 + step, 4)]
    train(Block, {**rows, **columns}, inputs, [{"tp": n} for n in SIZES])


def test_embedding():
    table = nn.Parameter(torch.rand(2021, 24))
    for placement in Shard(0), Shard(1), Replicate():
        compiled = dtensor_mlir.compile(
            F.embedding, {"tp": SIZES[-1]}, {"weight": [placement]})
        for shape in (2, 512), (3, 511), (5, 77):
            ids = torch.randint(0, 2021, shape)
            gradients = []
            for f in F.embedding, compiled:
                rows = f(ids, table)
                (rows * rows).sum().backward()
                gradients.append(table.grad)
                table.grad = None
            assert torch.equal(compiled(ids, table), F.embedding(ids, table))
            torch.testing.assert_close(*gradients)


def test_arguments_that_are_trees_and_constants():
    def function(pair, scale, *, more):
        a, b = pair
        return {"sum": a * scale + b, "product": (a @ more["w"], scale)}
    compiled = dtensor_mlir.compile(
        function, {"tp": 2}, {"pair.0": [Shard(0)], "more.w": [Shard(1)]})
    for rows in 3, 6:
        for scale in 2.0, 0.5:
            a, b, w = (torch.randn(rows, 4), torch.randn(rows, 4),
                       torch.randn(4, 5))
            actual = compiled([a, b], scale, more={"w": w})
            expected = function([a, b], scale, more={"w": w})
            torch.testing.assert_close(actual["sum"], expected["sum"])
            torch.testing.assert_close(actual["product"][0],
                                       expected["product"][0])
            assert actual["product"][1] == scale


def test_dynamic_shapes_are_those_of_export():
    rows = torch.export.Dim("rows", min=2)
    compiled = dtensor_mlir.compile(
        lambda x, w: x @ w, {"tp": 2}, {"w": [Shard(1)]},
        {"x": {0: rows}, "w": None})
    w = torch.randn(4, 6)
    for n in 3, 9, 2:
        x = torch.randn(n, 4)
        torch.testing.assert_close(compiled(x, w), x @ w)


def test_a_size_of_one_is_a_number_that_is_exported_again():
    compiled = dtensor_mlir.compile(lambda x, y: x @ x.t() + y, {"tp": 2},
                                    {"x": [Shard(0)]})
    before = dtensor_mlir.compilations()
    for rows, columns in (1, 4), (3, 4), (5, 2), (1, 6), (1, 1), (7, 1):
        x, y = torch.randn(rows, columns), torch.randn(rows, rows)
        torch.testing.assert_close(compiled(x, y), x @ x.t() + y)
    assert dtensor_mlir.compilations() - before <= 3
    # A row is added to all, as it would be to one.
    for rows, others in (3, 1), (3, 3), (1, 1):
        x, y = torch.randn(rows, 4), torch.randn(others, rows)
        torch.testing.assert_close(compiled(x, y), x @ x.t() + y)


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(4))

    def forward(self, x):
        self.seen += x.sum(0)
        return x * self.seen


def sizes(function, *shapes, programs=1):
    """Values of PyTorch for tensors of these shapes, from so many programs."""
    before = dtensor_mlir.compilations()
    compiled = dtensor_mlir.compile(function, {"tp": SIZES[-1]},
                                    {"x": [Shard(0)]})
    for shape in shapes:
        x = torch.randn(*shape, device=DEVICE)
        torch.testing.assert_close(compiled(x), function(x), **CLOSE)
    assert dtensor_mlir.compilations() - before == programs


def test_numbers_that_are_computed_from_sizes():
    def function(x):
        rows, columns = x.shape
        y = x * (rows / columns) + max(rows, columns) / columns ** 0.5
        return F.interpolate(y[None, None], scale_factor=1.5,
                             mode="bilinear") * torch.sym_sqrt(rows)
    sizes(function, (4, 5), (7, 3), (9, 2))


def test_a_size_that_a_bound_decides():
    # The second dimension of the bias is one that is stretched.
    def function(x):
        bias = torch.arange(16., device=x.device)[None]
        return x + bias[max(0, 1 - x.shape[0]):, 16 - x.shape[1]:]
    sizes(function, (4, 5), (7, 3))


def test_a_size_that_the_program_branched_on():
    # PyTorch makes a number of the root, and exports again for other sizes.
    def function(x):
        return x * math.sqrt(x.shape[0] * x.shape[1])
    sizes(function, (4, 5), (7, 3), (5, 4), programs=2)


def test_a_buffer_is_changed_in_place():
    plain = Counter()
    module = copy.deepcopy(plain)
    compiled = dtensor_mlir.compile(module, {"tp": 2}, {"x": [Shard(0)]})
    for rows in 3, 4:
        x = torch.randn(rows, 4)
        torch.testing.assert_close(compiled(x), plain(x))
        torch.testing.assert_close(module.seen, plain.seen)


class Unimported(nn.Module):
    def forward(self, x):
        return torch.logcumsumexp(x, 0)


def test_what_does_not_fit_is_told():
    mesh, x = {"tp": 2}, torch.ones(4, 4)
    fails(lambda: dtensor_mlir.compile(Mlp(), mesh, {"up.*": [Shard(0)] * 2}),
          "2 placements", "up.*", "1 axes")
    fails(lambda: dtensor_mlir.compile(Mlp(), mesh, {"middle.*": [Shard(0)]})(
        torch.ones(3, 16)), "middle.*", "nothing has such a name")
    fails(lambda: dtensor_mlir.compile(lambda x: x + 1, mesh, {
        "x": [Shard(2)]})(x), "2 dimensions")
    fails(lambda: dtensor_mlir.compile(Unimported(), mesh)(x), "logcumsumexp",
          "whole-tensors.py", "in forward")


torch.set_default_device(DEVICE)
torch.backends.cuda.matmul.allow_tf32 = False
for name, test in list(globals().items()):
    if name.startswith("test_"):
        torch.manual_seed(0)
        test()
        print(f"{name}: passed", flush=True)
