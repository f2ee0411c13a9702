"""How a graph of dynamo runs on global tensors."""

from __future__ import annotations

import contextlib
import itertools
import operator

import torch
import torch.nn.functional as F
from torch import fx
from torch.distributed.tensor.placement_types import Replicate
from torch.utils.checkpoint import CheckpointPolicy

from . import layouts, masks, operators
from .layouts import UnsupportedError
from .lifting.complex_numbers import Complex, is_complex, parts_of
from .lifting.lift import is_lifted
from .nodes import (METHODS, describe, example, method_of, named_argument,
                    trace_of, user_line)

_checkpoints = itertools.count()

_ATTENTION = {F.scaled_dot_product_attention,
              torch.ops.aten.scaled_dot_product_attention.default}


def _each(function, x):
    """Of a complex tensor both parts."""
    return x.map(function) if isinstance(x, Complex) else function(x)


class Interpreter(fx.Interpreter):
    """Runs a graph on global tensors."""

    def __init__(self, graph, module=None):
        super().__init__(module or graph.module, garbage_collect_values=False)
        self.owner = graph

    def run_node(self, node):
        self._node = node
        if node.op != "placeholder":
            number = self.owner.number_of(node)
            if number is not None:
                return number
        try:
            return super().run_node(node)
        except (UnsupportedError, NotImplementedError) as error:
            if "File " in str(error):
                raise
            raise UnsupportedError(f"{describe(node)}: {error}\n  "
                                   f"{user_line(node)}",
                                   trace_of(node)) from error

    def placeholder(self, target, args, kwargs):
        value = super().placeholder(target, args, kwargs)
        spec = self.owner.sharded.get(self._node)
        return value if spec is None else _each(
            lambda x: self.owner.piece(self._node, x, spec.placements), value)

    def get_attr(self, target, args, kwargs):
        value = super().get_attr(target, args, kwargs)
        return parts_of(torch.view_as_real(value)) if is_complex(value) \
            else value

    def _is_lifted(self, args, kwargs):
        return is_lifted((args, kwargs), example(self._node))

    def call_method(self, target, args, kwargs):
        if target in METHODS:
            return self._move(target, args, kwargs)
        if self._is_lifted(args, kwargs):
            return self.owner.lift(
                lambda x, *args, **kwargs: getattr(x, target)(*args, **kwargs),
                args, kwargs)
        return super().call_method(target, args, kwargs)

    def call_function(self, target, args, kwargs):
        name = method_of(target)
        if name:
            return self._move(name, args, kwargs)
        if target is torch.ops.higher_order.tag_activation_checkpoint:
            return self._checkpoint(*args)
        if target is operator.getitem and isinstance(args[0], (tuple, list)):
            return args[0][args[1]]
        if self._is_lifted(args, kwargs):
            return self.owner.lift(target, args, kwargs)
        if target in _ATTENTION:
            return self._attention(*args, **kwargs)
        if target is torch.ops.aten.size.default:
            return args[0].shape  # the operator makes numbers of symbols
        if target is torch.ops.aten.view.default:
            # Strides are not those that the graph was made with.
            target = torch.ops.aten.reshape.default
        return super().call_function(target, args, kwargs)

    def _checkpoint(self, module, *args):
        """The part of a program under torch.utils.checkpoint: values are marked
        for backward to compute again."""
        choose = module.meta.get("_checkpoint_context_fn")
        number = next(_checkpoints)
        for node in module.graph.nodes:
            node.meta["ac_graph_id"] = number
            node.meta["recompute"] = None if choose else \
                CheckpointPolicy.PREFER_RECOMPUTE
        context = choose()[0] if choose else contextlib.nullcontext()
        context.ac_graph_id = number  # of PyTorch after 2.11
        with context:
            return Interpreter(self.owner, module).run(*args)

    def _attention(self, query, key, value, attn_mask=None, dropout_p=0.0,
                   is_causal=False, scale=None, enable_gqa=False):
        node = self._current()
        mask = node.args[3] if len(node.args) > 3 else \
            node.kwargs.get("attn_mask")
        found = masks.find_number(mask) if not dropout_p and \
            query.ndim == 4 and str(query.shape[-2]) == "1" else None
        if found is None:
            return operators.scaled_dot_product_attention(
                query, key, value, attn_mask, dropout_p, is_causal, scale,
                enable_gqa)
        number, less = found
        number = self.env[number].reshape(()).to(torch.int64)
        number = number - less if less else number
        scale = query.shape[-1] ** -0.5 if scale is None else scale
        return operators.attention(query, key, value, True, float(scale),
                                   number)

    def _move(self, name, args, kwargs):
        node = self._current()
        if name == "from_local":
            return _each(lambda x: self.owner.join(node, x), args[0])
        if name == "redistribute":
            spec = example(node)._spec
        elif name == "to_local":
            spec = example(node.args[0])._spec
        else:
            spec = None
        placements = layouts.plain(spec.placements) if spec is not None else \
            tuple(Replicate() for _ in range(self.owner.mesh.ndim))

        def move(x):
            x = operators.constraint(x, layouts.placements_text(placements,
                                                                x.ndim))
            return self.owner.piece(
                node, x, placements, named_argument(node, "grad_placements")
            ) if name == "to_local" else x
        return _each(move, args[0])

    def _current(self):
        return self._node

    def fetch_args_kwargs_from_env(self, n):
        self._node = n
        return super().fetch_args_kwargs_from_env(n)
