"""The global program in a graph of dynamo.

Dynamo's graph is written over DTensors. Here it runs on plain tensors of the
global shapes: a DTensor argument is its global tensor, `redistribute` pins
placements, and what happens between `to_local` and `from_local` happens to the
global tensor, which is the same for operators that work element by element and
for placements that are replicated.
"""

from __future__ import annotations

import dataclasses
import operator
import os

import torch
import torch.nn.functional as F
from torch import fx
from torch._subclasses import FakeTensorMode
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.placement_types import Partial, Replicate
from torch.fx.experimental.symbolic_shapes import (DimDynamic, ShapeEnv)
from torch._dynamo.source import ConstantSource

from . import layouts, masks, operators
from .layouts import UnsupportedError
from .replacements import Replacing


_OURS = os.path.dirname(__file__)


@dataclasses.dataclass
class Argument:
    """A placeholder of dynamo's graph."""
    index: int
    kind: str  # "tensor", "dtensor", "symbol", "mesh" or "other"
    fake: object = None  # of the global shape, or a SymInt
    placements: tuple = ()
    requires_grad: bool = False


@dataclasses.dataclass
class Output:
    """An element of the result of the graph."""
    kind: str  # "dtensor", "local" or "constant"
    placements: tuple = ()
    value: object = None


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


_POINTWISE = {
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg,
    operator.pow, operator.iadd, operator.imul, operator.isub,
    F.relu, F.gelu, F.silu, F.sigmoid, F.tanh, F.elu, F.leaky_relu, F.relu6,
    F.hardtanh, F.hardswish, F.hardsigmoid, F.softplus, F.mish,
    torch.relu, torch.sigmoid, torch.tanh, torch.exp, torch.add, torch.sub,
    torch.mul, torch.div, torch.neg, torch.abs, torch.sqrt, torch.rsqrt,
    torch.pow, torch.sin, torch.cos, torch.log, torch._C._nn.gelu,
    torch._C._nn.silu, torch.square, torch.where, torch.clamp,
    "to", "float", "half", "bfloat16", "contiguous", "relu", "sigmoid", "tanh",
    "exp", "add", "sub", "mul", "div", "neg", "abs", "sqrt", "rsqrt", "pow",
    "type", "type_as", "clone", "detach", "square", "clamp", "double",
}


_ATTENTION = {F.scaled_dot_product_attention,
              torch.ops.aten.scaled_dot_product_attention.default}


class Graph:
    """A graph of dynamo, its arguments and outputs, and how to run it. With
    `generalize`, sizes 0 and 1 of arguments are symbols where others are."""

    def __init__(self, module: fx.GraphModule, inputs, generalize=True):
        self.module, self.mesh, self.generalize = module, None, generalize
        placeholders = [n for n in module.graph.nodes if n.op == "placeholder"]
        self.fake_mode = FakeTensorMode(
            shape_env=ShapeEnv(duck_shape=False, specialize_zero_one=False),
            allow_non_fake_inputs=True)
        self._symbols = {}  # dynamo's expression -> our symbol
        self._hints = []
        self.hints = {}  # symbol -> (our size, what it was at first)
        self._sharded = self._find_sharded_arguments(placeholders)
        self.arguments = [self._argument(i, node, value) for i, (node, value)
                          in enumerate(zip(placeholders, inputs))]
        self._resolve_symbols(placeholders)
        self._check_regions()
        self.outputs = self._describe_outputs()

    #===- Arguments --------------------------------------------------------===#

    def _use_mesh(self, mesh: DeviceMesh, node: fx.Node):
        if self.mesh is None:
            self.mesh = mesh
        elif mesh != self.mesh:
            unsupported(next(iter(node.users), node),
                        f"argument '{node.name}' is on {mesh}, others are on "
                        f"{self.mesh}; one program is for one mesh")

    @staticmethod
    def _find_sharded_arguments(placeholders):
        """Plain arguments that `from_local` takes for a piece."""
        found = {}
        for node in placeholders:
            for user in node.users:
                if _name_of(user) != "from_local":
                    continue
                spec = example(user)._spec
                if not all(p.is_replicate() for p in spec.placements):
                    found[node] = spec
        return found

    def _argument(self, index, node, value):
        fake = example(node)
        if isinstance(value, torch.Tensor) and node.users:
            try:
                layouts.element(value.dtype)
            except UnsupportedError as error:
                unsupported(next(iter(node.users)),
                            f"argument '{node.name}': {error}")
        if isinstance(value, DTensor):
            self._use_mesh(value.device_mesh, node)
            return Argument(index, "dtensor", self._tensor(node, value, fake),
                            layouts.plain(value.placements),
                            value.requires_grad)
        if isinstance(value, torch.Tensor):
            if node in self._sharded:
                spec = self._sharded[node]
                self._use_mesh(spec.mesh, node)
                meta = DTensor(fake, spec, requires_grad=False)
                return Argument(index, "tensor",
                                self._tensor(node, value, meta),
                                layouts.plain(spec.placements),
                                value.requires_grad)
            return Argument(index, "tensor", self._tensor(node, value, fake),
                            (), value.requires_grad)
        if isinstance(value, (int, torch.SymInt)) and not isinstance(value,
                                                                     bool):
            return Argument(index, "symbol")
        if isinstance(value, DeviceMesh):
            self._use_mesh(value, node)
            return Argument(index, "mesh", value)
        return Argument(index, "other", value)

    def _new_symbol(self, hint):
        env = self.fake_mode.shape_env
        source = ConstantSource(f"size{len(self._hints)}")
        first = hint
        # A hint of 0 or 1 would be taken for more than a hint.
        hint = hint if hint > 1 else 61 + 2 * len(self._hints)
        self._hints.append(hint)
        symbol = env.create_symbol(hint, source, DimDynamic.DYNAMIC,
                                   constraint_dim=None)
        size = env.create_symintnode(symbol, hint=hint, source=source)
        self.hints[symbol] = size, first
        return size

    def _size(self, size, value, dynamic):
        """Our size for one of dynamo's: a number stays, an expression becomes a
        symbol of its own."""
        symbolic = isinstance(size, torch.SymInt)
        if not symbolic or size.node.expr.is_number:
            # What DTensor made of a size for its own ends is no part of the
            # program: 2 rows on 3 ranks are as many as any.
            free = dynamic and (symbolic or int(size) < 2)
            return self._new_symbol(int(size)) if free else int(size)
        ours = self._new_symbol(int(value))
        key = size.node.expr
        self._symbols.setdefault(key, ours)
        return ours

    def _tensor(self, node, value, fake):
        # Where sizes vary, a 0 or 1 is a value like others.
        dynamic = self.generalize and not value.requires_grad and \
            not torch._dynamo.config.assume_static_by_default
        sizes = [self._size(s, v, dynamic)
                 for s, v in zip(fake.shape, [_hint(s) for s in fake.shape])]
        with self.fake_mode:
            tensor = torch.empty(sizes, dtype=value.dtype, device=value.device)
        return tensor.requires_grad_(value.requires_grad)

    def _resolve_symbols(self, placeholders):
        for argument, node in zip(self.arguments, placeholders):
            if argument.kind != "symbol":
                continue
            value = example(node)
            key = value.node.expr if isinstance(value, torch.SymInt) else None
            if key in self._symbols:
                argument.fake = self._symbols[key]
            elif node.users and isinstance(value, torch.SymInt):
                argument.fake = self._new_symbol(_hint(value))
                argument.kind = "free symbol"
            else:
                argument.fake = value

    #===- Local regions ----------------------------------------------------===#

    def _check_regions(self):
        """Between `to_local` of a shard and `from_local`, only what works
        element by element is the same on the global tensor."""
        self.local = {}  # node -> placements that are not all replicated
        for node in self.module.graph.nodes:
            name = _name_of(node)
            if name == "to_local":
                spec = example(node.args[0])._spec
                self._mark(node, layouts.plain(spec.placements))
            elif node in self._sharded:
                self._mark(node, layouts.plain(
                    self._sharded[node].placements))
            elif name == "from_local":
                self._check_from_local(node)
            elif node.op in ("call_function", "call_method"):
                self._check_local_call(node)

    def _mark(self, node, placements):
        if not all(p.is_replicate() for p in placements):
            self.local[node] = placements

    def _check_from_local(self, node):
        wanted = layouts.plain(example(node)._spec.placements)
        source = node.args[0]
        replicated = tuple(Replicate() for _ in wanted)
        given = self.local.get(source, replicated)
        if given != wanted:
            unsupported(node, f"from_local makes {list(wanted)} of a local "
                        f"tensor that is {list(given)} of a global one")

    def _check_local_call(self, node):
        locals_ = {self.local[n] for n in node.all_input_nodes
                   if n in self.local}
        if not locals_:
            return
        target = node.target
        shapes = {tuple(map(str, example(n).shape))
                  for n in node.all_input_nodes
                  if isinstance(example(n), torch.Tensor)
                  and example(n).ndim > 0}
        if len(locals_) > 1 or target not in _POINTWISE or len(shapes) > 1:
            unsupported(node, f"{_describe(node)} on the piece of one rank: "
                        "after to_local of a shard only element by element "
                        "operators can be compiled; use DTensors, or return "
                        "the local tensor")
        (placements,) = locals_
        if any(isinstance(p, Partial) for p in placements):
            unsupported(node, f"{_describe(node)} on a local tensor that is "
                        "pending a reduction")
        self._mark(node, placements)

    #===- Outputs ----------------------------------------------------------===#

    def _describe_outputs(self):
        (node,) = [n for n in self.module.graph.nodes if n.op == "output"]
        outputs = []
        for value in node.args[0]:
            meta = example(value) if isinstance(value, fx.Node) else None
            if isinstance(meta, DTensor):
                outputs.append(Output("dtensor", layouts.plain(
                    meta._spec.placements)))
            elif isinstance(meta, torch.Tensor):
                outputs.append(Output("local", self.local.get(value, ())))
            else:
                outputs.append(Output("constant", (), value))
        return outputs

    #===- Running ----------------------------------------------------------===#

    def run(self, tensors, symbols):
        """`tensors` and `symbols` stand for the tensor arguments and the free
        symbols; returns the outputs, then what became of changed arguments."""
        tensors, symbols = iter(tensors), iter(symbols)
        values, originals = [], []
        for argument in self.arguments:
            if argument.kind in ("tensor", "dtensor"):
                # A change of the argument is a change of this copy.
                values.append(next(tensors).clone())
                originals.append((argument, values[-1], values[-1]._version))
            elif argument.kind == "free symbol":
                values.append(next(symbols))
            elif argument.kind == "symbol":
                values.append(argument.fake)
            else:
                values.append(argument.fake)
        interpreter = _Interpreter(self)
        with Replacing():
            outputs = interpreter.run(*values)
        tensors_out = [o.clone() for o, d in zip(outputs, self.outputs)
                       if d.kind != "constant"]
        self.values_out = [o for o, d in zip(outputs, self.outputs)
                           if d.kind == "constant"]
        self.changed = [a for a, t, v in originals if t._version != v]
        return tensors_out + [t.clone().detach() for a, t, v in originals
                              if t._version != v]


def _hint(size) -> int:
    if isinstance(size, torch.SymInt):
        node = size.node
        return int(node.hint) if node.hint is not None else int(size)
    return int(size)


_METHODS = ("redistribute", "to_local", "full_tensor", "from_local")


def _method(target) -> str:
    """The method of DTensor that a function stands for, or "". PyTorch 2.11
    calls functions that know placements and mesh by themselves."""
    name = getattr(target, "__name__", "").replace("prim ", "prim_")
    name = name.removeprefix("prim_")
    return name if name in _METHODS else ""


def _name_of(node: fx.Node) -> str:
    """The method of DTensor that a node calls, or ""."""
    if node.op == "call_method":
        return node.target if node.target in _METHODS else ""
    return _method(node.target) if node.op == "call_function" else ""


def _describe(node: fx.Node) -> str:
    name = getattr(node.target, "__name__", None) or str(node.target)
    return f"'{name}'"


class _Interpreter(fx.Interpreter):
    """Runs a graph on global tensors."""

    def __init__(self, graph: Graph):
        super().__init__(graph.module, garbage_collect_values=False)
        self.owner = graph

    def run_node(self, node):
        try:
            return super().run_node(node)
        except UnsupportedError:
            raise
        except NotImplementedError as error:
            raise UnsupportedError(f"{_describe(node)}: {error}\n  "
                                   f"{user_line(node)}",
                                   trace_of(node)) from error

    def call_method(self, target, args, kwargs):
        if target in _METHODS:
            return self._move(target, args, kwargs)
        return super().call_method(target, args, kwargs)

    def call_function(self, target, args, kwargs):
        if target in _ATTENTION:
            return self._attention(*args, **kwargs)
        if target is torch.ops.aten.size.default:
            return args[0].shape  # the operator makes numbers of symbols
        if target is torch.ops.aten.view.default:
            # Strides are not those that the graph was made with.
            target = torch.ops.aten.reshape.default
        name = _method(target)
        if name:
            return args[0] if name == "from_local" else \
                self._move(name, args, kwargs)
        return super().call_function(target, args, kwargs)

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
        if name == "redistribute":
            spec = example(node)._spec
        elif name == "to_local":
            spec = example(node.args[0])._spec
        else:
            spec = None
        x = args[0]
        placements = layouts.plain(spec.placements) if spec is not None else \
            tuple(Replicate() for _ in range(self.owner.mesh.ndim))
        text = layouts.placements_text(placements, x.ndim)
        return operators.constraint(x, text)

    def _current(self):
        return self._node

    def fetch_args_kwargs_from_env(self, n):
        self._node = n
        return super().fetch_args_kwargs_from_env(n)
