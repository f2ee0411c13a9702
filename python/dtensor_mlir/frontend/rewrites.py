"""Changes of the graph of forward and backward before it is parted."""

from __future__ import annotations

import torch
from torch import fx
from torch.fx.experimental.symbolic_shapes import statically_known_true
from torch.utils.checkpoint import CheckpointPolicy

aten = torch.ops.aten


#===- Transposes -----------------------------------------------------------===#

def _permutation(node):
    """The permutation that a node is of its operand, or None."""
    if not isinstance(node, fx.Node) or node.op != "call_function":
        return None
    rank = node.meta["val"].ndim if isinstance(
        node.meta.get("val"), torch.Tensor) else 0
    if node.target is aten.permute.default:
        return [d % rank for d in node.args[1]] if rank else None
    if node.target not in (aten.t.default, aten.transpose.int) or rank < 2:
        return None
    a, b = (d % rank for d in (node.args[1:] or (0, 1)))
    order = list(range(rank))
    order[a], order[b] = b, a
    return order


def drop_transposes(module: fx.GraphModule) -> None:
    """A transpose of a transpose is nothing; as a value that backward needs it
    would be a copy."""
    for node in module.graph.nodes:
        if node.op == "get_attr":
            node.meta.setdefault("val", getattr(module, node.target))
        outer = _permutation(node)
        inner = _permutation(node.args[0]) if outer is not None else None
        if inner is not None and all(inner[o] == i
                                     for i, o in enumerate(outer)):
            node.replace_all_uses_with(node.args[0].args[0])


#===- Elements that are looked up ------------------------------------------===#

_POINTWISE = {aten.add.Tensor, aten.sub.Tensor, aten.mul.Tensor,
              aten._to_copy.default}


class _GatherFirst:
    """gather(f(x, y)) is f of what is gathered of x and y, and no tensor is
    made of which few elements are read, as of the logarithms of all classes."""

    def __init__(self, module, gather, fake_mode):
        self.graph, self.gather, self.fake_mode = module.graph, gather, fake_mode
        self.dim = gather.args[1]
        self.index = gather.args[2]

    def _call(self, target, args, kwargs=None, like=None):
        new = self.graph.call_function(target, args, kwargs or {})
        values = fx.map_arg((args, kwargs or {}), lambda n: n.meta["val"])
        with self.fake_mode:
            value = target(*values[0], **values[1])
        new.meta = {**(like or self.gather).meta, "val": value}
        return new

    def _rows(self, operand):
        """Of one that is broadcast along the dimension, what belongs to the
        rows of the index."""
        value, index = operand.meta["val"], self.index.meta["val"]
        for d, (size, wanted) in enumerate(zip(value.shape, index.shape)):
            if d == self.dim % index.ndim or statically_known_true(size == 1) \
                    or statically_known_true(size == wanted):
                continue
            end = wanted if isinstance(wanted, int) else self._call(
                aten.sym_size.int, (self.index, d))
            operand = self._call(aten.slice.Tensor, (operand, d, 0, end))
        return operand

    def _kind(self, operand, shape):
        """"whole", "row" or None for what cannot be gathered."""
        value = operand.meta.get("val")
        if not isinstance(value, torch.Tensor) or value.ndim != len(shape):
            return None
        same = [statically_known_true(a == b)
                for a, b in zip(value.shape, shape)]
        if all(same):
            return "whole"
        dim = self.dim % len(shape)
        fits = all(s for d, s in enumerate(same) if d != dim)
        return "row" if fits and statically_known_true(
            value.shape[dim] == 1) else None

    def of(self, node):
        """What is gathered of a node."""
        value = node.meta["val"]
        operands = [a for a in node.args if isinstance(a, fx.Node)]
        kinds = [self._kind(a, value.shape) for a in operands]
        if node.target not in _POINTWISE or None in kinds or \
                "whole" not in kinds:
            return self._call(aten.gather.default,
                              (node, *self.gather.args[1:]),
                              self.gather.kwargs)
        found = {a: self.of(a) if kind == "whole" else self._rows(a)
                 for a, kind in zip(operands, kinds)}
        args = [found[a] if isinstance(a, fx.Node) else a for a in node.args]
        return self._call(node.target, tuple(args), node.kwargs)


def gather_first(module: fx.GraphModule, fake_mode) -> None:
    for node in list(module.graph.nodes):
        if node.target is not aten.gather.default or \
                node.args[0].target not in _POINTWISE:
            continue
        with module.graph.inserting_before(node):
            node.replace_all_uses_with(
                _GatherFirst(module, node, fake_mode).of(node.args[0]))


#===- Values that are not kept ---------------------------------------------===#

def compute_again(module: fx.GraphModule) -> None:
    """All elements of a log_softmax follow from its operand and two numbers a
    row. The partitioner would keep them, in f32, where logits are in bf16."""
    parts = aten.sub.Tensor, aten._to_copy.default
    for node in module.graph.nodes:
        # The graph has copies of the operators: they are compared by name.
        source = str(node.meta.get("original_aten"))
        if source == "aten._log_softmax.default" and node.target in parts and \
                node.meta.get("recompute") is None:
            node.meta["recompute"] = CheckpointPolicy.PREFER_RECOMPUTE


def rewrite(module: fx.GraphModule, fake_mode) -> None:
    drop_transposes(module)
    gather_first(module, fake_mode)
    compute_again(module)
    module.graph.eliminate_dead_code()
    module.recompile()
