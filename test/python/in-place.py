# REQUIRES: python
# RUN: rm -rf %t && env DTENSOR_LIBRARY_PATH=%obj/lib DTENSOR_CACHE_DIR=%t/cache %python %s %t
"""Arguments that a program changes: keys and values of the tokens so far."""

import os
import sys

import torch
import torch.nn.functional as F
from torch.distributed.tensor import Shard

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "python"))
import dtensor_mlir

TEXTS = []
dtensor_mlir.config.on_program = TEXTS.append


class Step(torch.nn.Module):
    """One token more. Behind a position nothing is seen."""

    def __init__(self, less=False):
        super().__init__()
        self.less = less

    def forward(self, new, at, keys, values, query):
        keys.index_copy_(2, at, new)
        values.index_copy_(2, at, new * 2)
        numbers = torch.arange(keys.shape[2])
        seen = numbers < at[:, None] + 1 if self.less else \
            numbers <= at[:, None]
        return F.scaled_dot_product_attention(query, keys, values,
                                              attn_mask=seen, enable_gqa=True)


def arguments(batch, capacity, at):
    return [torch.randn(batch, 4, 1, 8), torch.tensor([at]),
            torch.randn(batch, 4, capacity, 8),
            torch.randn(batch, 4, capacity, 8), torch.randn(batch, 8, 1, 8)]


def check(model, step, shapes):
    for shape in shapes:
        given = arguments(*shape)
        expected = [t.clone() for t in given]
        torch.testing.assert_close(step(*given), model(*expected))
        for mine, theirs in zip(given, expected):
            torch.testing.assert_close(mine, theirs)


def test_a_cache_is_changed_in_place():
    placed = {"keys": [Shard(1)], "values": [Shard(1)]}
    before = dtensor_mlir.compilations()
    for ranks in (1, 2, 3):
        step = dtensor_mlir.compile(Step(), {"tp": ranks}, placed)
        with torch.no_grad():
            check(Step(), step, [(2, 9, 4), (3, 12, 0), (5, 7, 6), (2, 9, 8)])
    assert dtensor_mlir.compilations() == before + 1
    (text,) = TEXTS
    assert text.count("dtensor.donated") == text.count("dtensor.updates") == 2
    # The mask is no tensor, but a number.
    assert "dtensor.compare" not in text and "causal" in text


def test_a_number_of_which_one_is_less():
    step = dtensor_mlir.compile(Step(less=True), {"tp": 2},
                                {"keys": [Shard(1)], "values": [Shard(1)]})
    check(Step(), step, [(2, 9, 4), (3, 12, 0)])


def test_arguments_that_change_places():
    class Swap(torch.nn.Module):
        def forward(self, x, y):
            z = x.clone()
            x.copy_(y)
            y.copy_(z)
            return z

    swap = dtensor_mlir.compile(Swap(), {"tp": 2}, {"*": [Shard(0)]})
    for rows in (4, 5, 2):
        x, y = torch.randn(rows, 3), torch.randn(rows, 3)
        a, b = x.clone(), y.clone()
        torch.testing.assert_close(swap(a, b), x)
        torch.testing.assert_close(a, y)
        torch.testing.assert_close(b, x)


def test_a_mask_in_rows_is_not_a_number():
    class Masked(torch.nn.Module):
        def forward(self, q, k, at):
            seen = torch.arange(k.shape[2]) <= at[:, None]
            return F.scaled_dot_product_attention(q, k, k, attn_mask=seen)

    masked = dtensor_mlir.compile(Masked(), {"tp": 2}, {"q": [Shard(1)]})
    q, k = torch.randn(2, 4, 3, 8), torch.randn(2, 4, 7, 8)
    at = torch.tensor([4, 0, 6])
    torch.testing.assert_close(masked(q, k, at), Masked()(q, k, at))


def test_first_sizes_are_hints_and_no_part_of_a_program():
    TEXTS.clear()
    before = dtensor_mlir.compilations()
    for rows in (4, 6):
        square = dtensor_mlir.compile(lambda x: x * x, {"tp": 2},
                                      {"x": [Shard(0)]})
        x = torch.full((rows, 3), 3.0, requires_grad=True)
        square(x).sum().backward()
        torch.testing.assert_close(x.grad, torch.full((rows, 3), 6.0))
    # Forward and backward.
    assert dtensor_mlir.compilations() == before + 2
    assert all("s0 = {hint = 4}" in text for text in TEXTS)


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
        print("passed", name)
