# REQUIRES: python
# RUN: %python %s %obj %t
"""The tensor parallelism of the `transformers` library, which is what
`from_pretrained(..., tp_plan="auto")` gives: logits and gradients of one process.
With gradients its layers are DTensors; without them they are local products and
all-reduces."""

import copy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
from transformers.distributed import DistributedConfig
from transformers.distributed.tensor_parallel import apply_tensor_parallelism

import zoo


def parallel(plain, mesh):
    model = copy.deepcopy(plain)
    plan, *_ = model._resolve_parallel_plans(DistributedConfig(
        tp_size=mesh.size()))
    apply_tensor_parallelism(model, mesh, plan)
    whole = dict(plain.named_parameters())
    for name, parameter in model.named_parameters():
        if isinstance(parameter, DTensor):
            parameter._local_tensor.data.copy_(distribute_tensor(
                whole[name].data, mesh, parameter.placements)._local_tensor)
    return model


def check(mesh, gradients):
    plain, _, inputs = zoo.llama()
    plain.eval()
    model = parallel(plain, mesh)
    call = torch.compile(model, backend="dtensor_mlir", dynamic=True)
    with torch.set_grad_enabled(gradients), Count() as count:
        for batch, length in (2, 7), (3, 12), (2, 9):
            tokens = inputs(batch, length)
            result, expected = (f(**tokens, use_cache=False).logits
                                for f in (call, plain))
            torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)
            if gradients:
                compare_gradients(model, plain, result, expected)
    assert count.value == 1 + gradients, count.value


def compare_gradients(model, plain, result, expected):
    for loss in (result, expected):
        loss.square().mean().backward()
    for a, b in zip(model.parameters(), plain.parameters()):
        grad = a.grad.full_tensor() if isinstance(a.grad, DTensor) else a.grad
        torch.testing.assert_close(grad, b.grad, rtol=1e-3, atol=1e-6)
        a.grad = b.grad = None


def test_training(mesh):
    check(mesh, True)


def test_inference(mesh):
    check(mesh, False)


main(2)
