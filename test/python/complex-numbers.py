# REQUIRES: python
# RUN: env DTENSOR_LIBRARY_PATH=%obj/lib DTENSOR_CACHE=0 %python %s
"""Complex tensors, as arguments, as results and in between: values and gradients
of PyTorch, on ranks of this process."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "Inputs"), os.path.join(HERE, "..", "..",
                                                           "python")]
import torch
from torch.distributed.tensor import Shard

import dtensor_mlir

ROWS = [Shard(0)]


def numbers(*shape, dtype=torch.complex64):
    return torch.randn(*shape, dtype=dtype)


def agree(function, *calls, placements=None):
    """Of one compilation for each call, values and gradients."""
    before = dtensor_mlir.compilations()
    compiled = dtensor_mlir.compile(function, {"tp": 3}, placements)
    for arguments in calls:
        found = []
        for f in (function, compiled):
            given = [a.clone().requires_grad_() for a in arguments]
            result = f(*given)
            result.abs().square().sum().backward()
            found.append([result, *[g.grad for g in given]])
        for expected, actual in zip(*found):
            assert actual.dtype == expected.dtype
            torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    assert dtensor_mlir.compilations() - before == 2


def turn(x, turns):
    z = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    return torch.view_as_real(z * turns[:, None]).flatten(-2)


def test_rotary_positions():
    agree(turn, *[(torch.randn(2, n, 6, 8), numbers(n, 4)) for n in (5, 7)],
          placements={"x": [Shard(2)]})


def test_polar_coordinates():
    def function(length, angle):
        z = torch.polar(length, angle)
        return torch.stack([z.abs(), z.angle(), z.real, z.imag])
    agree(function, *[(torch.rand(n, 3) + 0.1, torch.randn(n, 3))
                      for n in (4, 5)], placements={"angle": ROWS})


def test_products_of_matrices():
    agree(lambda a, b: a @ b.mH, *[(numbers(n, 4), numbers(3, 4))
                                   for n in (5, 2)], placements={"a": ROWS})


def test_arithmetic():
    def function(z, x):
        w = (z + x) * z.conj() - 2j * z / (x + 3) + 1 / (z + 4)
        return w.exp() + torch.cat([z, w])[:z.shape[0]].cumsum(0)
    agree(function, *[(numbers(n, 3), torch.rand(n, 3)) for n in (5, 2)],
          placements={"z": ROWS})


def test_changes_in_place():
    def function(z):
        y = z.clone()
        y.mul_(z).add_(1)
        y[:, 1] = 2
        return y
    agree(function, (numbers(4, 3),), (numbers(5, 3),))


def test_the_gradient_of_an_absolute_value_at_zero():
    z = torch.zeros(3, dtype=torch.complex64, requires_grad=True)
    compiled = dtensor_mlir.compile(lambda z: z.abs().sum(), {"tp": 2})
    compiled(z).backward()
    assert torch.equal(z.grad, torch.zeros_like(z))


def test_double_precision_and_a_constant():
    turns = torch.polar(torch.ones(3), torch.arange(3.)).to(torch.complex128)
    agree(lambda z: z * turns, (numbers(4, 3, dtype=torch.complex128),))


def test_what_has_no_import_is_named():
    compiled = dtensor_mlir.compile(lambda z: torch.linalg.inv(z), {"tp": 2})
    try:
        compiled(numbers(3, 3))
    except dtensor_mlir.Error as error:
        assert "linalg" in str(error) and "on complex numbers" in str(error)
        assert "complex-numbers.py" in str(error)
    else:
        raise AssertionError("this should have failed")


for name, test in list(globals().items()):
    if name.startswith("test_"):
        torch.manual_seed(0)
        test()
        print(f"{name}: passed", flush=True)
