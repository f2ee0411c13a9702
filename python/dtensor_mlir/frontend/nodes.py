"""What a node of dynamo's graph is, and where it comes from."""

from __future__ import annotations

import inspect
import os

import torch
from torch import fx

from .layouts import UnsupportedError

_OURS = os.path.dirname(__file__)


def user_line(node: fx.Node) -> str:
    """The last line of the user's program that led to the node."""
    places = [line.strip() for line in trace_of(node).splitlines()
              if line.strip().startswith("File ") and _OURS not in line]
    return places[-1] if places else "no line is known"


def trace_of(node: fx.Node) -> str:
    return (node.stack_trace or node.meta.get("stack_trace") or "").strip()


def unsupported(node: fx.Node, what: str):
    raise UnsupportedError(f"{what}\n  {user_line(node)}", trace_of(node))


def example(node: fx.Node):
    return node.meta.get("example_value", node.meta.get("val"))


def hint_of(size) -> int:
    if isinstance(size, torch.SymInt):
        node = size.node
        return int(node.hint) if node.hint is not None else int(size)
    return int(size)


METHODS = ("redistribute", "to_local", "full_tensor", "from_local")


def method_of(target) -> str:
    """The method of DTensor that a function stands for, or "". PyTorch 2.11
    calls functions that know placements and mesh by themselves."""
    name = getattr(target, "__name__", "").replace("prim ", "prim_")
    name = name.removeprefix("prim_")
    return name if name in METHODS else ""


def name_of(node: fx.Node) -> str:
    """The method of DTensor that a node calls, or ""."""
    if node.op == "call_method":
        return node.target if node.target in METHODS else ""
    return method_of(node.target) if node.op == "call_function" else ""


def named_argument(node: fx.Node, name: str):
    """An argument of a method of DTensor that only its name tells."""
    inner = inspect.getclosurevars(node.target).nonlocals if callable(
        node.target) and node.op == "call_function" else {}
    return {**node.kwargs, **inner.get("kwargs_as_value", {})}.get(name)


def describe(node: fx.Node) -> str:
    name = getattr(node.target, "__name__", None) or str(node.target)
    return f"'{name}'"
