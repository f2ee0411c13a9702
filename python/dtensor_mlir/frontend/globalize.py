"""The global program in a graph of dynamo.

Dynamo's graph is written over DTensors. Here it runs on plain tensors of the
global shapes: a DTensor argument is its global tensor, `redistribute` pins
placements, and of what happens between `to_local` and `from_local` the folder
`lifting` tells what happens to global tensors.
"""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import fx
from torch._dynamo.source import ConstantSource
from torch._subclasses import FakeTensorMode
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.placement_types import Replicate
from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv

from . import layouts, operators
from .interpret import Interpreter
from .layouts import UnsupportedError
from .lifting.complex_numbers import REAL, Complex, is_complex, parts_of
from .lifting.lift import Lift
from .lifting.pieces import Factor, Piece
from .nodes import (describe, example, hint_of, name_of, named_argument,
                    unsupported)
from .replacements import Replacing


@dataclasses.dataclass
class Argument:
    """A placeholder of dynamo's graph."""
    index: int
    kind: str  # "tensor", "dtensor", "symbol", "mesh" or "other"
    fake: object = None  # of the global shape, or a SymInt
    placements: tuple = ()
    requires_grad: bool = False
    is_complex: bool = False  # `fake` has its parts, in a dimension more


@dataclasses.dataclass
class Output:
    """An element of the result of the graph."""
    kind: str  # "dtensor", "local" or "constant"
    placements: tuple = ()
    value: object = None
    is_complex: bool = False


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
        self.ranges = {}  # symbol -> where PyTorch guards the size to be
        self.sharded = self._find_sharded_arguments(placeholders)
        self.arguments = [self._argument(i, node, value) for i, (node, value)
                          in enumerate(zip(placeholders, inputs))]
        for argument, value in zip(self.arguments, inputs):
            argument.is_complex = is_complex(value)
        self.lift = Lift(self.fake_mode, self._axis_of)
        self._resolve_symbols(placeholders)
        self.outputs = self._describe_outputs()
        for output, node in zip(self.outputs, self._returned()):
            output.is_complex = isinstance(node, fx.Node) and is_complex(
                example(node))

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
                if name_of(user) != "from_local" or user.args[0] is not node:
                    continue
                spec = example(user)._spec
                if not all(p.is_replicate() for p in spec.placements):
                    found[node] = spec
        return found

    def _argument(self, index, node, value):
        fake = example(node)
        if isinstance(value, torch.Tensor) and node.users:
            try:
                layouts.element(REAL.get(value.dtype, value.dtype))
            except UnsupportedError as error:
                unsupported(next(iter(node.users)),
                            f"argument '{node.name}': {error}")
        if isinstance(value, DTensor):
            self._use_mesh(value.device_mesh, node)
            return Argument(index, "dtensor", self._tensor(node, value, fake),
                            layouts.plain(value.placements),
                            value.requires_grad)
        if isinstance(value, torch.Tensor):
            if node in self.sharded:
                spec = self.sharded[node]
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
        self.ranges[ours.node.expr] = size.node.shape_env.bound_sympy(key)
        self._symbols.setdefault(key, ours)
        return ours

    def _tensor(self, node, value, fake):
        # Where sizes vary, a 0 or 1 is a value like others.
        dynamic = self.generalize and not value.requires_grad and \
            not torch._dynamo.config.assume_static_by_default
        sizes = [self._size(s, v, dynamic)
                 for s, v in zip(fake.shape, [hint_of(s) for s in fake.shape])]
        if is_complex(value):
            sizes.append(2)
        with self.fake_mode:
            tensor = torch.empty(sizes, dtype=REAL.get(value.dtype,
                                                       value.dtype),
                                 device=value.device)
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
                argument.fake = self._new_symbol(hint_of(value))
                argument.kind = "free symbol"
                self._symbols[key] = argument.fake
            else:
                argument.fake = value

    #===- Local regions ----------------------------------------------------===#

    def piece(self, node, x, placements, gradient=None):
        """What `node` is of `x`: one rank's piece, or all of it. `gradient`:
        what is said of the placements of its gradient."""
        placements = layouts.plain(placements)
        _check_gradient(node, placements, gradient)
        if gradient is None and all(p.is_replicate() for p in placements):
            return x
        axes = [tuple(a for a, p in enumerate(placements) if p.is_shard(d))
                for d in range(x.ndim)]
        dims = []
        for size, local, cut in zip(x.shape, example(node).shape, axes):
            local = self._local_size(size, local, cut) if cut else size
            dims.append((Factor(local, size, cut),))
        shape = [dim[0].local for dim in dims]
        partial = tuple((a, p.reduce_op) for a, p in enumerate(placements)
                        if p.is_partial())
        return Piece(x, self.lift.fake(shape, x.dtype, x.device), tuple(dims),
                     partial)

    def _local_size(self, whole, local, axes):
        """A size of a piece that dynamo knows as `local`."""
        if math.prod(self.mesh.size(a) for a in axes) == 1:
            return whole
        if not isinstance(local, torch.SymInt):
            return int(local)
        ours = self._new_symbol(hint_of(local)) if \
            local.node.expr not in self._symbols else \
            self._symbols[local.node.expr]
        self.lift.symbols |= ours.node.expr.free_symbols
        self._symbols[local.node.expr] = ours
        return ours

    def _axis_of(self, group: str) -> int:
        """The mesh axis whose ranks are those of a process group."""
        for axis in range(self.mesh.ndim):
            if self.mesh.get_group(axis).group_name == group:
                return axis
        raise UnsupportedError(f"group \"{group}\" is no axis of {self.mesh}")

    def number_of(self, node):
        """What stands for a number that dynamo computes, or None."""
        value = example(node)
        if isinstance(value, torch.SymFloat) and (
                value.node.expr.is_Symbol or value.node.expr.is_number):
            return float(value)  # another one is another program
        return self._symbols.get(value.node.expr) if isinstance(
            value, torch.SymInt) else None

    def join(self, node, x):
        """The whole tensor of which `from_local` takes pieces."""
        wanted = layouts.plain(example(node)._spec.placements)
        gradient = named_argument(node, "grad_placements")
        if gradient is not None and layouts.plain(gradient) != wanted:
            unsupported(node, f"from_local makes {list(wanted)}, and its "
                        f"gradient {list(gradient)}")
        given = x.placements(len(wanted)) if isinstance(x, Piece) else \
            tuple(Replicate() for _ in wanted)
        if given != wanted:
            unsupported(node, f"from_local makes {list(wanted)} of a local "
                        f"tensor that is {list(given)} of a global one")
        # Numbers of the function may be those of this rank: its pieces are not
        # moved before it has done with them.
        whole = operators.constraint(x.whole, layouts.placements_text(
            wanted, x.whole.ndim)) if isinstance(x, Piece) else x
        # Dynamo takes all pieces to be of one size.
        for ours, size in zip(whole.shape, example(node).shape):
            if isinstance(size, torch.SymInt):
                self._symbols.setdefault(size.node.expr, ours)
        return whole

    #===- Outputs ----------------------------------------------------------===#

    def _returned(self):
        (node,) = [n for n in self.module.graph.nodes if n.op == "output"]
        return node.args[0]

    def _describe_outputs(self):
        outputs = []
        for value in self._returned():
            meta = example(value) if isinstance(value, fx.Node) else None
            if isinstance(meta, DTensor):
                outputs.append(Output("dtensor", layouts.plain(
                    meta._spec.placements)))
            elif isinstance(meta, torch.Tensor):
                outputs.append(Output("local"))  # where, a run tells
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
                copy = next(tensors).clone()
                values.append(parts_of(copy) if argument.is_complex else copy)
                originals.append((argument, copy, copy._version))
            elif argument.kind == "free symbol":
                values.append(next(symbols))
            elif argument.kind == "symbol":
                values.append(argument.fake)
            else:
                values.append(argument.fake)
        interpreter = Interpreter(self)
        with Replacing():
            outputs = [self._finish(*x) for x in zip(
                self._returned(), interpreter.run(*values), self.outputs)]
        tensors_out = [o.clone() for o, d in zip(outputs, self.outputs)
                       if d.kind != "constant"]
        self.values_out = [o for o, d in zip(outputs, self.outputs)
                           if d.kind == "constant"]
        self.changed = [a for a, t, v in originals if t._version != v]
        return tensors_out + [t.clone().detach() for a, t, v in originals
                              if t._version != v]


    def _finish(self, node, value, output):
        if isinstance(value, Complex):
            return torch.stack([self._finish(node, part, output)
                                for part in (value.re, value.im)], -1)
        if not isinstance(value, Piece):
            return value
        if value.partial and name_of(node) != "to_local":
            # Which part of a sum a rank has, the compiler decides.
            unsupported(node, f"{describe(node)} after to_local gives what is "
                        "pending a reduction; give it to from_local with "
                        f"{list(value.placements(self.mesh.ndim))}")
        output.placements = value.placements(self.mesh.ndim)
        return value.whole


def _check_gradient(node, placements, gradient):
    """What every rank has whole may get a part of its gradient from each."""
    for said, placement in zip(gradient or (), placements):
        if said != placement and not (placement.is_replicate()
                                      and said.is_partial("sum")):
            unsupported(node, f"the gradient of {list(placements)} is said to "
                        f"be {list(gradient)}")
