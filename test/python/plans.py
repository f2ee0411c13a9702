# REQUIRES: python
# RUN: %python %s %obj %t
"""Plans of `parallelize_module` for a decoder whose attention is written for the
heads of one rank: logits and gradients of one process, for every length from
the programs that the first mesh compiled."""

import copy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
from plans import WORDS, Decoder, sequence_parallel, tensor_parallel


def check(mesh, plan, lengths):
    plain = Decoder()
    model = copy.deepcopy(plain)
    plan(model, mesh)
    call = compiled(model)
    with Count() as count:
        for length in lengths:
            ids = torch.randint(0, WORDS, (3, length))
            result, expected = call(ids), plain(ids)
            torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)
            expected.square().mean().backward()
            result.square().mean().backward()
            for a, b in zip(plain.parameters(), model.parameters()):
                grad = b.grad.full_tensor() if isinstance(b, DTensor) \
                    else b.grad
                torch.testing.assert_close(grad, a.grad, rtol=1e-3, atol=1e-6)
                a.grad = b.grad = None
    # Another mesh finds what the first one compiled.
    assert count.value == (2 if mesh.size() == 2 else 0), count.value


def test_tensor_parallel(mesh):
    check(mesh, tensor_parallel, (6, 13, 8))


def test_sequence_parallel(mesh):
    # Dynamo takes all pieces for equal, so that each must have some rows.
    check(mesh, sequence_parallel, (8, 12, 7))


main(2, 4)
