"""The backend of dynamo: `torch.compile(f, backend="dtensor_mlir")`."""

from __future__ import annotations

import torch
from torch import fx

from .._libraries import Error
from . import operators
from .globalize import Graph
from .layouts import UnsupportedError
from .program import Program
from .trace import trace


def compile_graph(module: fx.GraphModule, inputs):
    """What dynamo calls with a graph over DTensors."""
    try:
        return _compile(module, inputs, generalize=True)
    except Error:
        raise
    except RuntimeError:
        # A size of 1 that is stretched is not any size.
        return _compile(module, inputs, generalize=False)


def _compile(module, inputs, generalize):
    graph = Graph(module, inputs, generalize)
    if graph.mesh is None:
        raise UnsupportedError(
            "backend \"dtensor_mlir\" compiles functions of DTensors, and no "
            "argument of this one is a DTensor")
    return Program(graph, trace(graph, torch.is_grad_enabled()))


def register() -> None:
    """Makes the name "dtensor_mlir" known where the package is not installed
    but on the path; teaches DTensor what dynamo will ask it."""
    operators.teach_dtensor()
    if "dtensor_mlir" not in torch._dynamo.list_backends(exclude_tags=()):
        torch._dynamo.register_backend(compile_graph, name="dtensor_mlir")
