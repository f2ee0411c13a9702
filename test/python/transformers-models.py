# REQUIRES: python
# RUN: env DTENSOR_LIBRARY_PATH=%obj/lib DTENSOR_CACHE=0 %python %s llama mixtral llama4
"""Models of the `transformers` library give the logits of one process, at five
lengths from one compilation for each number of mesh axes.

    python test/python/transformers-models.py [NAME...]

Without names all of Inputs/zoo.py are run, which takes minutes.
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


def check(name):
    model, plan, inputs = zoo.make(name)
    for mesh in MESHES:
        before = dtensor_mlir.compilations()
        compiled = dtensor_mlir.compile(model, mesh, zoo.placements(
            plan, inputs, len(mesh)))
        for i, length in enumerate(LENGTHS):
            arguments = inputs(2 + i % 3, length)
            with torch.no_grad():
                torch.testing.assert_close(compiled(**arguments),
                                           model(**arguments), rtol=1e-4,
                                           atol=1e-5)
        # That of another size of the mesh is found.
        assert dtensor_mlir.compilations() - before == (mesh != MESHES[1])
    print(f"{name}: passed", flush=True)


for name in sys.argv[1:] or zoo.MODELS:
    check(name)
