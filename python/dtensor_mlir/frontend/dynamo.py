"""The backend of dynamo: `torch.compile(f, backend="dtensor_mlir")`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import fx
from torch.fx.passes.split_module import split_module

from .._libraries import Error
from . import operators
from .globalize import Graph
from .layouts import UnsupportedError
from .nodes import example, trace_of
from .program import Program
from .trace import trace

_OPTIONS = {"break_graph"}


def compile_graph(module: fx.GraphModule, inputs: Sequence,
                  options: dict[str, bool] | None = None) -> Callable:
    """What dynamo calls with a graph over DTensors.

    With the option "break_graph" the lines of the program that have no import
    are left to DTensor, and what is before and after them is compiled.
    """
    unknown = set(options or ()) - _OPTIONS
    if unknown:
        raise Error(f"backend \"dtensor_mlir\" has no option "
                    f"{', '.join(sorted(unknown))}; options are "
                    f"{', '.join(sorted(_OPTIONS))}")
    if options and options.get("break_graph"):
        return _compile_around(module, inputs)
    return _compile(module, inputs)


def _compile(module, inputs):
    try:
        return _compile_with(module, inputs, generalize=True)
    except Error:
        raise
    except RuntimeError:
        # A size of 1 that is stretched is not any size.
        return _compile_with(module, inputs, generalize=False)


def _compile_with(module, inputs, generalize):
    graph = Graph(module, inputs, generalize)
    if graph.mesh is None:
        raise UnsupportedError(
            "backend \"dtensor_mlir\" compiles functions of DTensors, and no "
            "argument of this one is a DTensor")
    return Program(graph, trace(graph, torch.is_grad_enabled()))


#===- Breaking a graph -----------------------------------------------------===#

def _compile_around(module, inputs):
    """Leaves out one line after the other until the rest can be compiled."""
    try:
        return _compile(module, inputs)
    except UnsupportedError as error:
        left_out = [n for n in module.graph.nodes
                    if n.op.startswith("call") and error.trace
                    and trace_of(n) == error.trace]
        if not left_out:
            raise
    return _compile_parts(module, set(left_out))


def _compile_parts(module, left_out):
    """What is before, between and after the lines that are left out."""
    part = _parts(module, left_out)
    names = {f"submod_{part[n]}" for n in left_out}
    whole = split_module(module, module, part.__getitem__)
    for name, child in list(whole.named_children()):
        if name in names or not isinstance(child, fx.GraphModule):
            continue
        values = [example(n) for n in child.graph.nodes
                  if n.op == "placeholder"]
        single = _return_a_tuple(child)
        setattr(whole, name, _Part(_compile_around(child, values), single))
    return whole


def _parts(module, left_out):
    part, number, eager = {}, 0, False
    for node in module.graph.nodes:
        if node.op in ("placeholder", "output"):
            continue
        if (node in left_out) != eager:
            number, eager = number + 1, node in left_out
        part[node] = number
    return part


def _return_a_tuple(module):
    """A graph of dynamo gives a tuple; whether this part gave a value."""
    (output,) = [n for n in module.graph.nodes if n.op == "output"]
    if isinstance(output.args[0], (tuple, list)):
        return False
    output.args = ((output.args[0],),)
    module.recompile()
    return True


class _Part(torch.nn.Module):
    """A compiled part of a graph."""

    def __init__(self, program, single):
        super().__init__()
        self.program, self.single = program, single

    def forward(self, *inputs):
        results = self.program(*inputs)
        return results[0] if self.single else tuple(results)


def register() -> None:
    """Makes the name "dtensor_mlir" known where the package is not installed
    but on the path; teaches DTensor what dynamo will ask it."""
    operators.teach_dtensor()
    if "dtensor_mlir" not in torch._dynamo.list_backends(exclude_tags=()):
        torch._dynamo.register_backend(compile_graph, name="dtensor_mlir")
