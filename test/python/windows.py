# REQUIRES: python
# RUN: %python %s %obj %t
"""Convolutions and pooling of any size, from one compilation."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
import torch.nn.functional as F


def function(x, w, b):
    y = F.relu(F.conv2d(x, w, b, stride=2, padding=1))
    return F.max_pool2d(y, 2), F.avg_pool2d(y, 3, 2, 1,
                                            count_include_pad=False)


def test_every_image_size_is_one_program(mesh):
    w = torch.randn(6, 4, 3, 3)
    b = torch.randn(6)
    dist.broadcast(w, 0), dist.broadcast(b, 0)
    plain = [t.clone().requires_grad_() for t in (w, b)]
    sharded = [distribute_tensor(t, mesh, [Shard(0)]).requires_grad_()
               for t in (w, b)]
    call = compiled(function)
    with Count() as count:
        for batch, size in ((4, 12), (5, 17), (7, 31)):
            x = torch.randn(batch, 4, size, size + 2)
            dist.broadcast(x, 0)
            results = call(replicated(x, mesh), *sharded)
            expected = function(x, *plain)
            for result, value in zip(results, expected):
                torch.testing.assert_close(result.full_tensor(), value)
            sum(r.sum() for r in results).backward()
            sum(r.sum() for r in expected).backward()
            for a, p in zip(sharded, plain):
                torch.testing.assert_close(a.grad.full_tensor(), p.grad,
                                           rtol=1e-4, atol=1e-4)
                a.grad = p.grad = None
    assert count.value in (0, 2), count.value


main(3)
