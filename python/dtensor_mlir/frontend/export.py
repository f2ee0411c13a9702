"""Modules and functions of plain tensors, compiled over `torch.export`.

`compile` takes the global program as it is written for one process; where its
tensors lie is said by name beside it. It is exported at the first call, and
again only for other constants, or where PyTorch found a size to be one number.
"""

from __future__ import annotations

import fnmatch
import functools
import inspect
import itertools

import sympy
import torch
from torch import fx, nn
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.distributed.tensor.placement_types import Replicate
from torch.export.graph_signature import InputKind
from torch.utils import _pytree as pytree

from . import layouts
from .globalize import Argument, Graph, Output
from .layouts import UnsupportedError
from .nodes import example
from .places import LocalMesh
from .program import Program
from .symbols import expression
from .trace import trace


class Placements:
    """{pattern of names: placements}, the first that fits. What no pattern
    fits is replicated."""

    def __init__(self, given, mesh):
        self._given, self._used = dict(given or {}), set()
        self._default = (Replicate(),) * mesh.ndim
        for pattern, placements in self._given.items():
            if len(placements) != mesh.ndim:
                raise UnsupportedError(
                    f"{len(placements)} placements for \"{pattern}\", the mesh "
                    f"has {mesh.ndim} axes")

    def find(self, name: str):
        """None where no pattern fits."""
        fits = [p for p in self._given if fnmatch.fnmatchcase(name, p)]
        self._used.update(fits)
        return tuple(self._given[fits[0]]) if fits else None

    def __getitem__(self, name: str):
        return self.find(name) or self._default

    def check_used(self, module):
        for name, _ in (*module.named_parameters(remove_duplicate=False),
                        *module.named_buffers(remove_duplicate=False)):
            self.find(name)
        for pattern in self._given:
            if pattern not in self._used:
                raise UnsupportedError(f"placements for \"{pattern}\", and "
                                       "nothing has such a name")


class ExportedGraph(Graph):
    """A graph of `torch.export`."""

    def __init__(self, program, mesh, values, placements, results):
        self._program, self._results = program, results
        self._placements = placements  # of each placeholder, in order
        self._is_local = isinstance(mesh, LocalMesh)
        super().__init__(program.graph_module, values, generalize=False)
        self.mesh = mesh

    def _argument(self, index, node, value):
        if not isinstance(value, torch.Tensor):
            return super()._argument(index, node, value)
        fake, placements = example(node), self._placements[index]
        for placement in placements:
            if placement.is_shard() and not -fake.ndim <= placement.dim \
                    < fake.ndim:
                raise UnsupportedError(f"\"{node.name}\" has {fake.ndim} "
                                       f"dimensions, and {placement} for it")
        return Argument(index, "tensor" if self._is_local else "dtensor",
                        self._tensor(node, value, fake), placements,
                        value.requires_grad)

    def _describe_outputs(self):
        outputs = []
        for value in self._returned():
            is_tensor = isinstance(value, fx.Node) and isinstance(
                example(value), torch.Tensor)
            if not is_tensor:
                outputs.append(Output("constant", (), value))
                continue
            placements = self._results.find(f"results.{len(outputs)}") or \
                self._results["results"]
            outputs.append(Output("local" if self._is_local else "dtensor",
                                  placements))
        return outputs


def _owner(module: nn.Module, path: str):
    parent, _, name = path.rpartition(".")
    return module.get_submodule(parent), name


def _tensors_of(module):
    """(module, name, tensor) of parameters and buffers, tied ones each time."""
    for part in module.modules():
        for table in (part._parameters, part._buffers):
            for name, tensor in table.items():
                if tensor is not None:
                    yield table, name, tensor


class _Plain:
    """Within it a module has plain tensors of the global shapes in the place of
    DTensors. Their elements do not matter."""

    def __init__(self, module):
        self.module = module

    def __enter__(self):
        self.kept, made = [], {}
        for table, name, tensor in _tensors_of(self.module):
            if isinstance(tensor, DTensor):
                plain = made.get(id(tensor))
                if plain is None:
                    plain = torch.empty(tensor.shape, dtype=tensor.dtype,
                                        device=tensor._local_tensor.device)
                    if isinstance(tensor, nn.Parameter):
                        plain = nn.Parameter(plain, tensor.requires_grad)
                    made[id(tensor)] = plain
                self.kept.append((table, name, tensor))
                table[name] = plain

    def __exit__(self, *_):
        for table, name, tensor in self.kept:
            table[name] = tensor


def _distribute(module, mesh, placements):
    """Plain parameters and buffers become DTensors of their placements."""
    made = {}
    for path, part in module.named_modules():
        for table in (part._parameters, part._buffers):
            for name, tensor in table.items():
                full = f"{path}.{name}" if path else name
                if tensor is None or isinstance(tensor, DTensor):
                    continue
                if id(tensor) not in made:
                    piece = distribute_tensor(tensor.detach(), mesh,
                                              placements[full])
                    if isinstance(tensor, nn.Parameter):
                        piece = nn.Parameter(piece, tensor.requires_grad)
                    made[id(tensor)] = piece
                table[name] = made[id(tensor)]


class _Function(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.forward = function
        # So that operators know their lines; newer than PyTorch 2.11.
        remember = getattr(fx.proxy, "_register_stack_trace_anchor", None)
        if remember:
            remember(function)


class _Flat(nn.Module):
    """A module as a function of its tensors alone, which any exporter knows to
    name the sizes of."""

    def __init__(self, inner, leaves, spec):
        super().__init__()
        self.inner, self.leaves, self.spec = inner, leaves, spec

    def forward(self, *tensors):
        tensors = iter(tensors)
        leaves = [next(tensors) if isinstance(leaf, torch.Tensor) else leaf
                  for leaf in self.leaves]
        args, kwargs = pytree.tree_unflatten(leaves, self.spec)
        return self.inner(*args, **kwargs)


def _children(tree):
    """[(name, child)], or None of a leaf."""
    if isinstance(tree, dict):
        return list(tree.items())
    parts, spec = pytree.tree_flatten(tree, is_leaf=lambda x: x is not tree)
    return None if spec.is_leaf() else list(enumerate(parts))


def _walk(name, tree, shapes):
    """(name, leaf, sizes that vary) of the leaves of an argument. Where
    nothing is said of an argument, all sizes of its tensors vary."""
    children = _children(tree)
    if children is None:
        if isinstance(tree, torch.Tensor) and shapes is _ALL:
            shapes = {d: torch.export.Dim.AUTO for d in range(tree.ndim)}
        yield name, tree, shapes
        return
    for key, child in children:
        said = shapes if shapes is _ALL or shapes is None else \
            shapes.get(key) if isinstance(shapes, dict) else shapes[key]
        yield from _walk(f"{name}.{key}", child, said)


_ALL = object()
_MAX_SHAPES = 256


class _Variant:
    """One export."""

    def __init__(self, owner: "Compiled", args, kwargs):
        self.owner = owner
        leaves, names, program = owner.export(args, kwargs)
        inputs = iter([(v, n) for v, n in zip(leaves, names)
                       if isinstance(v, torch.Tensor)])
        nodes = (n for n in program.graph.nodes if n.op == "placeholder")
        self.getters, values, placements, self._sizes = [], [], [], []
        for spec, node in zip(program.graph_signature.input_specs, nodes):
            if spec.kind == InputKind.USER_INPUT:
                value, name = next(inputs)
                self.getters.append(None)
                self._sizes.append([_size(d) for d in example(node).shape])
            else:
                getter, name = self._getter(program, spec)
                value = getter()
                self.getters.append(getter)
            values.append(value)
            placements.append(self._placements(name, value))
        graph = ExportedGraph(program, owner.mesh, values, placements,
                              owner.placements)
        self.program = Program(graph, trace(graph, torch.is_grad_enabled()))
        self.out_spec = program.call_spec.out_spec
        self._guards = _guards_of(program)
        self._fitting = set()  # shapes of calls

    def _placements(self, name, value):
        if isinstance(value, DTensor):
            said = self.owner.placements.find(name)
            given = layouts.plain(value.placements)
            if said is not None and said != given:
                raise UnsupportedError(f"\"{name}\" is placed {list(given)}, "
                                       f"and {list(said)} is said of it")
            return given
        return self.owner.placements[name]

    def _getter(self, program, spec):
        path = spec.target
        if spec.kind in (InputKind.PARAMETER, InputKind.BUFFER):
            path = path.removeprefix("inner.")
            part, name = _owner(self.owner.module, path)
            table = part._parameters if spec.kind == InputKind.PARAMETER \
                else part._buffers
            return functools.partial(table.__getitem__, name), path
        if spec.kind == InputKind.CONSTANT_TENSOR:
            return functools.partial(program.constants.__getitem__, path), path
        raise UnsupportedError(f"an argument of the kind {spec.kind}")

    def fits(self, leaves):
        """Whether sizes are as PyTorch found them to be: numbers, the same, or
        what the program branched on."""
        shapes = tuple(v.shape for v in leaves if isinstance(v, torch.Tensor))
        if shapes not in self._fitting:
            if not self._hold(shapes):
                return False
            if len(self._fitting) >= _MAX_SHAPES:
                self._fitting.clear()
            self._fitting.add(shapes)
        return True

    def _hold(self, shapes):
        sizes = {}
        if not all(said == size if isinstance(said, int)
                   else sizes.setdefault(said, size) == size
                   for shape, dims in zip(shapes, self._sizes)
                   for said, size in zip(dims, shape)):
            return False
        return all(guard.xreplace(sizes) != sympy.false
                   for guard in self._guards)

    def __call__(self, leaves):
        leaves = iter([v for v in leaves if isinstance(v, torch.Tensor)])
        inputs = [self.owner.prepare(next(leaves), a) if g is None else g()
                  for g, a in zip(self.getters, self.program.graph.arguments)]
        return pytree.tree_unflatten(self.program(*inputs), self.out_spec)


class Compiled:
    """What `dtensor_mlir.compile` gives for a module or a function."""

    def __init__(self, function, mesh, placements, dynamic_shapes):
        self.module = function if isinstance(function, nn.Module) \
            else _Function(function)
        if isinstance(mesh, dict):
            mesh = LocalMesh(mesh, self._device_type())
        self.mesh, self.placements = mesh, Placements(placements, mesh)
        self._dynamic_shapes, self._variants = dynamic_shapes, {}
        if not isinstance(mesh, LocalMesh):
            _distribute(self.module, mesh, self.placements)

    def _device_type(self):
        tensors = (t for _, _, t in _tensors_of(self.module))
        first = next(tensors, None)
        return (first if first is not None else torch.empty(0)).device.type

    def _named(self, args, kwargs):
        """(name, argument) in the order of a call."""
        names = []
        for name, parameter in inspect.signature(
                self.module.forward).parameters.items():
            if parameter.kind == inspect.Parameter.VAR_POSITIONAL:
                names += [f"{name}.{i}" for i in range(len(args) - len(names))]
            names.append(name)
        return [*zip(names, args), *kwargs.items()]

    def export(self, args, kwargs):
        """(leaves of the arguments, their names, what PyTorch exports)"""
        names, leaves, shapes = [], [], []
        for name, value in self._named(args, kwargs):
            said = _ALL if self._dynamic_shapes is None else \
                self._dynamic_shapes.get(name)
            for part, leaf, sizes in _walk(name, value, said):
                names.append(part)
                leaves.append(_global(leaf) if isinstance(leaf, DTensor)
                              else leaf)
                shapes.append(sizes)
        _, spec = pytree.tree_flatten((args, kwargs))
        are_tensors = [isinstance(v, torch.Tensor) for v in leaves]
        flat = _Flat(self.module, leaves, spec)
        with _Plain(self.module):
            program = torch.export.export(
                flat, tuple(itertools.compress(leaves, are_tensors)),
                dynamic_shapes={"tensors": tuple(
                    itertools.compress(shapes, are_tensors))}, strict=False)
        return leaves, names, program

    def prepare(self, value, argument):
        """A plain tensor is the piece of this rank."""
        if argument.kind != "dtensor" or isinstance(value, DTensor):
            return value
        return DTensor.from_local(value, self.mesh, argument.placements,
                                  run_check=False)

    def _key(self, leaves, spec):
        constants = tuple(
            (x.dtype, x.ndim, x.requires_grad)
            if isinstance(x, torch.Tensor) else x for x in leaves)
        return constants, spec, torch.is_grad_enabled(), self.module.training

    def __call__(self, *args, **kwargs):
        leaves, spec = pytree.tree_flatten((args, kwargs))
        variants = self._variants.setdefault(self._key(leaves, spec), [])
        variant = next((v for v in variants if v.fits(leaves)), None)
        if variant is None:
            variant = _Variant(self, args, kwargs)
            self.placements.check_used(self.module)
            variants.append(variant)
        return variant(leaves)


def _guards_of(program):
    """What PyTorch took for granted of the sizes."""
    sizes = (d for n in program.graph.nodes if n.op == "placeholder"
             and isinstance(example(n), torch.Tensor)
             for d in example(n).shape if isinstance(d, torch.SymInt))
    first = next(sizes, None)
    return [] if first is None else \
        [guard.expr for guard in first.node.shape_env.guards]


def _size(size):
    """A number, or what names a size that varies."""
    if not isinstance(size, torch.SymInt):
        return int(size)
    found = expression(size)
    return int(found) if found.is_number else found


def _global(tensor: DTensor):
    return torch.empty(tensor.shape, dtype=tensor.dtype,
                       device=tensor._local_tensor.device)
