"""From a graph over global tensors to graphs of ATen, forward and backward."""

from __future__ import annotations

import dataclasses
import functools
import operator

import torch
from functorch.compile import min_cut_rematerialization_partition
from torch import fx
from torch._dispatch.python import enable_python_dispatcher
from torch._decomp import core_aten_decompositions, decomposition_table
from torch._functorch.aot_autograd import aot_export_joint_simple
from torch._guards import TracingContext, tracing
from torch.utils.checkpoint import CheckpointPolicy

from .aten import TABLE
from .decompositions import RULES
from .emit import check_imports
from .globalize import Graph
from .rewrites import rewrite

aten = torch.ops.aten


@functools.cache
def _decompositions():
    """All that PyTorch and we know, but for what the table imports as it
    is."""
    table = {**decomposition_table, **core_aten_decompositions(), **RULES}
    return {target: rule for target, rule in table.items()
            if target not in TABLE}


def _keep_random_numbers(module: fx.GraphModule) -> None:
    """What torch.utils.checkpoint computes again gets other ones."""
    for node in module.graph.nodes:
        if not node.meta.get("recompute") or torch.Tag.nondeterministic_seeded \
                not in getattr(node.target, "tags", ()):
            continue
        parts = [n for n in node.users if n.target is operator.getitem]
        for value in parts or [node]:
            value.meta["recompute"] = CheckpointPolicy.MUST_SAVE
        if parts:
            del node.meta["recompute"]


@dataclasses.dataclass
class Traced:
    """The ATen graphs of one program."""
    forward: fx.GraphModule
    backward: fx.GraphModule | None
    num_outputs: int  # of the user, then changed arguments, then saved values
    num_changed: int
    changed: list  # arguments
    tangents: list  # indices of outputs whose gradients backward takes
    gradients: list  # for each tensor argument: index of a result, or None
    constants: list


def _count_outputs(graph: Graph, args, symbols):
    """A run on fake tensors tells how many outputs there are, which of them
    have gradients, and what changes."""
    # Without the dispatcher PyTorch 2.11 asks for the numbers behind symbols.
    with graph.fake_mode, torch.enable_grad(), enable_python_dispatcher():
        results = graph.run(args, symbols)
    return [r.requires_grad for r in results]


def trace(graph: Graph, with_gradients: bool) -> Traced:
    tensors = [a for a in graph.arguments if a.kind in ("tensor", "dtensor")]
    free = [a for a in graph.arguments if a.kind == "free symbol"]
    args = [a.fake for a in tensors]
    graph.lift.with_gradients = with_gradients
    symbols = [a.fake for a in free]

    def function(*flat):
        return tuple(graph.run(flat[:len(args)], flat[len(args):]))

    with tracing(TracingContext(graph.fake_mode)), \
            fx.traceback.preserve_node_meta():
        wants = _count_outputs(graph, args, symbols)
        num_changed = len(graph.changed)
        with_gradients = with_gradients and any(wants)
        if not with_gradients:
            args = [a.detach() for a in args]
        joint = aot_export_joint_simple(
            function, (*args, *symbols), trace_joint=with_gradients,
            decompositions=_decompositions())
        joint = joint[0] if isinstance(joint, tuple) else joint
        rewrite(joint, graph.fake_mode)
        check_imports(joint.graph, TABLE)
        shared = dict(num_outputs=len(wants), num_changed=num_changed,
                      changed=graph.changed, constants=graph.values_out)
        if not with_gradients:
            return Traced(joint, None, tangents=[], gradients=[], **shared)
        _keep_random_numbers(joint)
        forward, backward = min_cut_rematerialization_partition(
            joint, None, num_fwd_outputs=len(wants))
    return Traced(forward, backward,
                  tangents=[i for i, w in enumerate(wants) if w],
                  gradients=[a.requires_grad for a in tensors], **shared)
