# REQUIRES: python
# RUN: %python %s %obj %t
"""A line without import is left to DTensor on request."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *


def shared(*shape):
    """The same numbers on every rank."""
    tensor = torch.randn(*shape)
    dist.broadcast(tensor, 0)
    return tensor


def breaking(function):
    return torch.compile(function, backend="dtensor_mlir", fullgraph=True,
                         dynamic=True, options={"break_graph": True})


def function(x, y):
    z = torch.tanh(x @ y)
    z = torch.logcumsumexp(z, 0)
    return z.t() @ x, z


def test_a_line_in_the_middle_is_left_out(mesh):
    a, b = shared(5, 6), shared(6, 5)
    x, y = (distribute_tensor(t, mesh, [Replicate()]).requires_grad_()
            for t in (a, b))
    a.requires_grad_(), b.requires_grad_()
    with Count() as count:
        results = breaking(lambda x, y: function(x, y))(x, y)
    assert count.value in (0, 4), count.value
    expected = function(a, b)
    for result, value in zip(results, expected):
        torch.testing.assert_close(result.full_tensor(), value)
    (results[0].sum() + results[1].sum()).backward()
    (expected[0].sum() + expected[1].sum()).backward()
    torch.testing.assert_close(x.grad.full_tensor(), a.grad)
    torch.testing.assert_close(y.grad.full_tensor(), b.grad)


def test_what_can_be_compiled_is_one_program(mesh):
    x = distribute_tensor(shared(6, 4), mesh, [Shard(0)])
    with Count() as count:
        result = breaking(lambda x: torch.tanh(x) * 2)(x)
    assert count.value in (0, 1), count.value
    torch.testing.assert_close(result.full_tensor(),
                               torch.tanh(x.full_tensor()) * 2)


def test_unknown_options_are_named(mesh):
    x = distribute_tensor(shared(6, 4), mesh, [Shard(0)])
    fails(lambda: torch.compile(lambda x: x + 1, backend="dtensor_mlir",
                                options={"brake": True})(x),
          "no option brake", "break_graph")


main(2)
