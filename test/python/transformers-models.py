# REQUIRES: python
# RUN: env DTENSOR_LIBRARY_PATH=%obj/lib DTENSOR_CACHE=0 %python %s llama mixtral llama4
# RUN: env DTENSOR_LIBRARY_PATH=%obj/lib DTENSOR_CACHE=0 %python %s --gradients gemma3
"""Models of the `transformers` library give the logits of one process, at five
lengths from one compilation for each number of mesh axes.

    python test/python/transformers-models.py [--gradients] [NAME...]

With --gradients those of all parameters are compared, too. Without names all of
Inputs/zoo.py are run, which takes minutes.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "Inputs"), os.path.join(HERE, "..", "..",
                                                           "python")]
import torch

import dtensor_mlir
import zoo

MESHES = {"tp": 2}, {"tp": 4}, {"dp": 2, "tp": 2}
LENGTHS = 7, 5, 12, 16, 31


CLOSE = dict(rtol=1e-4, atol=1e-5)


def compare_gradients(model, compiled, arguments):
    parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
    results = [f(**arguments) for f in (compiled, model)]
    tangent = torch.randn_like(results[0])
    gradients = [torch.autograd.grad(
        (r * tangent).sum(), parameters.values(), allow_unused=True,
        materialize_grads=True) for r in results]
    torch.testing.assert_close(*results, **CLOSE)
    for name, actual, expected in zip(parameters, *gradients):
        error = (actual - expected).norm() / (expected.norm() + 1e-2)
        assert error < 1e-3, f"{name}: {error}"


def check(name, gradients):
    model, plan, inputs = zoo.make(name)
    for mesh in MESHES:
        before = dtensor_mlir.compilations()
        compiled = dtensor_mlir.compile(model, mesh, zoo.placements(
            plan, inputs, len(mesh)))
        for i, length in enumerate(LENGTHS[:2 if gradients else None]):
            arguments = inputs(2 + i % 3, length)
            if gradients:
                compare_gradients(model, compiled, arguments)
                continue
            with torch.no_grad():
                torch.testing.assert_close(compiled(**arguments),
                                           model(**arguments), **CLOSE)
        # That of another size of the mesh is found.
        assert dtensor_mlir.compilations() - before == (
            0 if mesh is MESHES[1] else 1 + gradients)
    print(f"{name}: passed", flush=True)


names = sys.argv[1:]
gradients = "--gradients" in names
for name in [n for n in names if n != "--gradients"] or zoo.MODELS:
    check(name, gradients)
