"""A compiled function over DTensors: how it is called.

The forward and the backward half are a bundle each. What forward saves for
backward stays in pieces, in the placements that the compiler chose.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools

import torch
from torch import fx
from torch.utils._python_dispatch import _disable_current_modes
from torch.distributed.tensor import DTensor
from torch.distributed.tensor._dtensor_spec import DTensorSpec, TensorMeta
from torch.distributed.tensor.placement_types import Replicate

from .._libraries import LaunchError
from . import layouts, places
from .aten import TABLE
from .emit import constants_of, emit_function
from .globalize import Graph
from .symbols import expression
from .trace import Traced

aten = torch.ops.aten
_IDENTITIES = {aten.clone.default, aten.alias.default, aten.detach.default}
_MAX_LAUNCHES = 64


def _contiguous_strides(shape):
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


@functools.lru_cache(maxsize=4096)
def _spec(mesh, placements, shape, dtype):
    return DTensorSpec(mesh, placements, tensor_meta=TensorMeta(
        torch.Size(shape), _contiguous_strides(shape), dtype))


def wrap(local, mesh, placements, shape) -> DTensor:
    return DTensor(local, _spec(mesh, placements, shape, local.dtype),
                   requires_grad=False)


def _nodes(graph: fx.Graph, op: str):
    return [n for n in graph.nodes if n.op == op]


class Half:
    """Forward or backward: one bundle, called on pieces."""

    def __init__(self, mesh, graph, arguments, results, known=(),
                 updates=None, hints=None, ranges=None):
        self.mesh, self.updated = mesh, sorted(set((updates or {}).values()))
        constants = constants_of(graph)
        whole = ", ".join(["replicate"] * mesh.ndim)
        self.function = emit_function(
            graph, TABLE, layouts.mesh_text(mesh),
            arguments + [(node, whole) for node in constants], results, known,
            updates, hints, ranges=ranges)
        self.constants = [c.detach() for c in constants.values()]
        self.bundle = places.compile_for(mesh, self.function.text,
                                         self.function.key,
                                         self.function.hints)
        self._executables: dict[bool, object] = {}
        self._scatter = places.Scatter() if isinstance(
            mesh, places.LocalMesh) else None
        self._launches = collections.OrderedDict()

    def executable(self, simulated=False):
        """The executable and the devices of its ranks."""
        if simulated not in self._executables:
            executable = places.open_executable(self.mesh, self.bundle,
                                                simulated)
            self._executables[simulated] = executable, places.devices_of(
                self.mesh, executable.local_ranks, simulated)
        return self._executables[simulated]

    def _launch(self, executable, key, simulated):
        launch = self._launches.pop((simulated, key), None)
        if launch is None:
            launch = executable.bind(key)
            if len(self._launches) >= _MAX_LAUNCHES:
                self._launches.popitem(last=False)
        self._launches[simulated, key] = launch
        return launch

    def inner_arguments(self, device):
        """What is no argument of the user: the constants of the program, and
        from where its random numbers are drawn."""
        self.constants = [c.to(device) for c in self.constants]
        if not self.function.is_random:
            return self.constants
        return self.constants + [places.draw_seed(self.mesh).to(device)]

    def __call__(self, symbols, tensors, shapes):
        """`tensors` are local, on a LocalMesh whole; `shapes` are global.
        Gives (pieces, global shape) for every result."""
        simulated = places.is_simulated(self.mesh, tensors)
        # The mode of LocalTensor would give memory to all ranks at once.
        with _disable_current_modes() if simulated else \
                contextlib.nullcontext():
            return self._run(symbols, tensors, shapes, simulated)

    def _run(self, symbols, tensors, shapes, simulated):
        executable, devices = self.executable(simulated)
        inner = self.inner_arguments(devices[0])
        tensors = [*tensors, *inner]
        shapes = [*shapes, *(tuple(t.shape) for t in inner)]
        launch = self._launch(executable, (*symbols, *shapes), simulated)
        ranks = executable.local_ranks
        boxes = list(zip(*launch.arg_boxes))[len(symbols):]
        pieces = [places.pieces_of(t, ranks, devices, b, self._scatter)
                  for t, b in zip(tensors, boxes)]
        for i in self.updated:
            pieces[i] = places.own_pieces(tensors[i], pieces[i])
        self._check(launch, pieces, len(symbols))
        results = [[torch.empty(box[0], dtype=layouts.DTYPES[value.dtype],
                                device=device)
                    for value, box in zip(executable.results, boxes)]
                   for device, boxes in zip(devices, launch.result_boxes)]
        addresses = [a for r in range(len(ranks)) for a in
                     [0] * len(symbols) + [p[r].data_ptr() for p in pieces]]
        launch.run(addresses, [t.data_ptr() for rank in results for t in rank],
                   places.streams_of(devices))
        self.last_launch = launch
        for i in self.updated:
            places.write_back(tensors[i], pieces[i], ranks, boxes[i])
        return [(places.join_pieces([rank[i] for rank in results], ranks,
                                    simulated, self._scatter), shape)
                for i, shape in enumerate(launch.result_shapes)]

    @staticmethod
    def _check(launch, pieces, skip):
        for r, boxes in enumerate(launch.arg_boxes):
            for i, piece in enumerate(pieces):
                if tuple(piece[r].shape) != boxes[skip + i][0]:
                    value = launch.executable.args[skip + i]
                    raise LaunchError(
                        f"argument {i}: the local tensor has shape "
                        f"{tuple(piece[r].shape)}, its placements "
                        f"{list(value.placements)} give "
                        f"{boxes[skip + i][0]}")


class Steady:
    """A half called again with tensors of the shapes of the call before: only
    addresses are read, and for addresses that were there before all is set
    up. For one rank in this process, and programs that draw no numbers."""
    _MAX_CALLS = 16

    def __init__(self, half, symbols, tensors, locals_):
        """What `half` was called with last."""
        self.half, self.launch = half, half.last_launch
        self.skip = [0] * len(symbols)
        self.tensors, self.calls = tensors, {}
        self.executable, (self.device,) = half.executable()
        self.inner = [c.data_ptr() for c in half.constants]
        self.results = [(box[0], layouts.DTYPES[value.dtype], shape)
                        for value, box, shape in zip(
                            self.executable.results,
                            self.launch.result_boxes[0],
                            self.launch.result_shapes)]
        self.updated = half.updated

    @staticmethod
    def serves(half, locals_) -> bool:
        return half._scatter is None and not half.function.is_random and all(
            type(t) in (torch.Tensor, torch.nn.Parameter)
            and t.is_contiguous() and t.device == half.executable()[1][0]
            for t in (*locals_, *half.constants)) and \
            len(half.executable()[0].local_ranks) == 1

    def fits(self, tensors) -> bool:
        """Whether these are the same tensors, or others like them."""
        for old, new in zip(self.tensors, tensors):
            if old is not new and not _is_like(old, new):
                return False
        self.tensors = tensors
        return True

    def __call__(self, locals_):
        results = [torch.empty(shape, dtype=dtype, device=self.device)
                   for shape, dtype, _ in self.results]
        given = [t.data_ptr() for t in locals_]
        taken = [t.data_ptr() for t in results]
        streams = places.streams_of([self.device])
        key = (*given, *taken, *(streams or ()))
        call = self.calls.get(key)
        if call is None:
            if len(self.calls) >= self._MAX_CALLS:
                self.calls.clear()
            call = self.calls[key] = self.launch.prepare(
                self.skip + given + self.inner, taken, streams)
        call()
        if self.updated:
            torch.autograd.graph.increment_version(
                [locals_[i] for i in self.updated])
        return [(t, shape) for t, (_, _, shape) in zip(results, self.results)]


def _is_like(old, new) -> bool:
    if type(old) is not type(new) or old.shape != new.shape or \
            old.dtype != new.dtype or old.device != new.device:
        return False
    if isinstance(new, DTensor):
        # A piece may be another than its placements say: that is an error.
        piece = new._local_tensor
        return old._spec == new._spec and type(piece) is torch.Tensor and \
            piece.is_contiguous() and piece.shape == old._local_tensor.shape
    return new.is_contiguous()


@dataclasses.dataclass
class _Saved:
    """A value that backward takes: an argument as it was, or a result of
    forward."""
    argument: int | None = None
    result: int | None = None


class Program:
    """A function of dynamo's arguments."""

    def __init__(self, graph: Graph, traced: Traced):
        self.graph, self.traced, self.mesh = graph, traced, graph.mesh
        self.is_whole = isinstance(graph.mesh, places.LocalMesh)
        self._steady = None
        self.tensors = [a for a in graph.arguments
                        if a.kind in ("tensor", "dtensor")]
        self._recipes = self._find_symbols()
        self._build_forward()
        if traced.backward is not None:
            self._build_backward()

    #===- Building ---------------------------------------------------------===#

    def _find_symbols(self):
        """Where the value of each symbol is to be read."""
        recipes = {}
        for i, argument in enumerate(self.tensors):
            for d, size in enumerate(argument.fake.shape):
                if isinstance(size, torch.SymInt):
                    recipes.setdefault(expression(size), (i, d))
        for argument in self.graph.arguments:
            if argument.kind == "free symbol":
                recipes.setdefault(expression(argument.fake),
                                   (argument.index, None))
        return recipes

    def _placements(self, placements):
        return placements or tuple(Replicate() for _ in range(self.mesh.ndim))

    def _text(self, placements, node):
        return layouts.placements_text(self._placements(placements),
                                       node.meta["val"].ndim)

    def _build_forward(self):
        traced, graph = self.traced, self.traced.forward.graph
        inputs = [n for n in _nodes(graph, "placeholder")
                  if isinstance(n.meta["val"], torch.Tensor)]
        outputs = list(_nodes(graph, "output")[0].args[0])
        kept = traced.num_outputs - traced.num_changed
        wanted = [o.placements for o in self.graph.outputs
                  if o.kind != "constant"]
        results = [(n, self._text(p, n))
                   for n, p in zip(outputs[:kept], wanted)]
        self._choose_saved(inputs, outputs[traced.num_outputs:], results)
        arguments = [(n, self._text(a.placements, n))
                     for n, a in zip(inputs, self.tensors)]
        updates = {}
        for node, argument in zip(outputs[kept:], traced.changed):
            updates[len(results)] = next(
                i for i, a in enumerate(self.tensors) if a is argument)
            results.append((node, self._text(argument.placements, node)))
        self.forward = Half(self.mesh, graph, arguments, results,
                            updates=updates, hints=self._hints(),
                            ranges=self.graph.ranges)

    def _hints(self):
        """Where there are gradients, whether weights or activations are moved
        depends on how many rows there are."""
        if self.traced.backward is None:
            return {}
        return {expression(size): max(first, 1)
                for size, first in self.graph.hints.values()}

    def _choose_saved(self, inputs, nodes, results):
        self.saved, self.saved_nodes = [], []
        changed = {a.index for a in self.traced.changed}
        for node in nodes:
            if not isinstance(node, fx.Node) or \
                    not isinstance(node.meta["val"], torch.Tensor):
                continue  # a size
            source = node
            while source.op == "call_function" and \
                    source.target in _IDENTITIES:
                source = source.args[0]
            if source in inputs and \
                    self.tensors[inputs.index(source)].index not in changed:
                self.saved.append(_Saved(argument=inputs.index(source)))
            else:
                self.saved.append(_Saved(result=len(results)))
                results.append((node, None))
            self.saved_nodes.append(node)

    def _build_backward(self):
        graph = self.traced.backward.graph
        inputs = [n for n in _nodes(graph, "placeholder")
                  if isinstance(n.meta["val"], torch.Tensor)]
        executable_results = self._forward_placements()
        texts = []
        for node, saved in zip(self.saved_nodes, self.saved):
            if saved.argument is not None:
                argument = self.tensors[saved.argument]
                texts.append(self._text(argument.placements, node))
            else:
                texts.append(executable_results[saved.result])
        tangents = inputs[len(self.saved):]
        kinds = [o for o in self.graph.outputs if o.kind != "constant"]
        self.tangent_placements = []
        for node, index in zip(tangents, self.traced.tangents):
            placements = layouts.for_gradient(
                self._placements(kinds[index].placements))
            self.tangent_placements.append(placements)
            texts.append(self._text(placements, node))
        outputs = list(_nodes(graph, "output")[0].args[0])
        self.gradients = [i for i, a in enumerate(self.tensors)
                          if a.requires_grad and outputs[i] is not None]
        results = [(outputs[i], self._text(layouts.for_gradient(
            self._placements(self.tensors[i].placements)), outputs[i]))
            for i in self.gradients]
        self.backward = Half(self.mesh, graph, list(zip(inputs, texts)),
                             results, self.forward.function.symbols,
                             hints=self._hints(), ranges=self.graph.ranges)

    def _forward_placements(self):
        """What the compiler chose, as text."""
        entry = self.forward.bundle.manifest["entries"][0]
        return [layouts.from_manifest(r, layouts.axis_names(self.mesh))
                for r in entry["results"]]

    #===- Calling ----------------------------------------------------------===#

    def _symbols(self, half, inputs, shapes):
        values = []
        for symbol in half.function.symbols:
            if symbol not in self._recipes:
                raise LaunchError(f"no argument tells the size {symbol}")
            argument, dim = self._recipes[symbol]
            values.append(int(inputs[argument]) if dim is None
                          else shapes[argument][dim])
        return values

    def _global_shape(self, placements, tensor):
        if isinstance(tensor, DTensor) or self.is_whole:
            return tuple(tensor.shape)
        shape = list(tensor.shape)
        for dim, placement in enumerate(placements):
            if placement.is_shard():
                shape[placement.dim] *= self.mesh.size(dim)
        return tuple(shape)

    def run_forward(self, inputs):
        """(results of forward with their global shapes, what backward needs)"""
        tensors = [inputs[a.index] for a in self.tensors]
        steady = self._steady
        if steady is not None and steady.fits(tensors):
            return steady([t._local_tensor if isinstance(t, DTensor) else t
                           for t in tensors]), None
        shapes = [self._global_shape(a.placements, t)
                  for a, t in zip(self.tensors, tensors)]
        locals_ = [t._local_tensor if isinstance(t, DTensor) else t
                   for t in tensors]
        symbols = self._symbols(self.forward, inputs, shapes)
        results = self.forward(symbols, locals_, shapes)
        if self.traced.backward is None:
            free = any(a.kind == "free symbol" for a in self.graph.arguments)
            self._steady = Steady(self.forward, symbols, tensors, locals_) \
                if not free and Steady.serves(self.forward, locals_) else None
            return results, None
        saved = [(locals_[s.argument], shapes[s.argument])
                 if s.argument is not None else results[s.result]
                 for s in self.saved]
        backward_symbols = self._symbols(self.backward, inputs, shapes)
        return results, (backward_symbols, saved)

    def _whole(self, half, index, local, shape, device=None):
        """On a LocalMesh the whole tensor of result `index`."""
        if not self.is_whole:
            return local
        boxes = [b[index] for b in half.last_launch.result_boxes]
        return places.gather(local, boxes, shape,
                             device or local.tensors[0].device)

    def outputs(self, results):
        """DTensors and local tensors, without the constants."""
        kinds = [o for o in self.graph.outputs if o.kind != "constant"]
        return [wrap(local, self.mesh, kind.placements, shape)
                if kind.kind == "dtensor" else
                self._whole(self.forward, i, local, shape)
                for i, (kind, (local, shape)) in enumerate(zip(kinds,
                                                               results))]

    def run_backward(self, symbols, saved, gradients, output_shapes):
        """A gradient of nothing is `Zeros`, of the shape of its output."""
        locals_ = [local for local, _ in saved]
        shapes = [shape for _, shape in saved]
        for gradient, placements, index in zip(
                gradients, self.tangent_placements, self.traced.tangents):
            local, shape = (gradient, output_shapes[index]) if isinstance(
                gradient, places.Zeros) else self._tangent(gradient, placements)
            locals_.append(local)
            shapes.append(shape)
        results = self.backward(symbols, locals_, shapes)
        found = [None] * len(self.tensors)
        for at, (i, (local, shape)) in enumerate(zip(self.gradients, results)):
            argument = self.tensors[i]
            placements = layouts.for_gradient(argument.placements)
            local = self._whole(self.backward, at, local, shape)
            found[i] = wrap(local, self.mesh, placements, shape) \
                if argument.kind == "dtensor" else local
        return found

    def _tangent(self, gradient, placements):
        if isinstance(gradient, DTensor):
            if tuple(gradient.placements) != placements:
                gradient = gradient.redistribute(self.mesh, placements)
            return gradient._local_tensor, tuple(gradient.shape)
        return gradient, self._global_shape(placements, gradient)

    def __call__(self, *inputs):
        """Complex tensors are pairs inside."""
        inputs = list(inputs)
        for argument in self.tensors:
            if argument.is_complex:
                inputs[argument.index] = _pairs(inputs[argument.index])
        return [_numbers(x) if o.is_complex else x
                for o, x in zip(self.graph.outputs, self._call(inputs))]

    def _call(self, inputs):
        needs = self.traced.backward is not None and torch.is_grad_enabled() \
            and any(isinstance(t, torch.Tensor) and t.requires_grad
                    for t in inputs)
        if needs:
            outputs = list(_Call.apply(self, *inputs))
        else:
            outputs = self.outputs(self.run_forward(inputs)[0])
        constants = iter(self.traced.constants)
        outputs = iter(outputs)
        return [next(constants) if o.kind == "constant" else next(outputs)
                for o in self.graph.outputs]


def _pairs(tensor):
    """A complex tensor with its parts in a dimension more."""
    if not isinstance(tensor, DTensor):
        return torch.view_as_real(tensor)
    _check_no_gradient(tensor)
    return wrap(torch.view_as_real(tensor._local_tensor), tensor.device_mesh,
                tuple(tensor.placements), (*tensor.shape, 2))


def _numbers(pairs):
    if not isinstance(pairs, DTensor):
        return torch.view_as_complex(pairs)
    _check_no_gradient(pairs)
    return wrap(torch.view_as_complex(pairs._local_tensor), pairs.device_mesh,
                tuple(pairs.placements), pairs.shape[:-1])


def _check_no_gradient(tensor):
    if tensor.requires_grad and torch.is_grad_enabled():
        raise layouts.UnsupportedError(
            "a complex DTensor that needs a gradient; use torch.view_as_real "
            "of it")


class _Call(torch.autograd.Function):
    """A program as one step of autograd."""

    @staticmethod
    def forward(ctx, program, *inputs):
        results, state = program.run_forward(inputs)
        outputs = program.outputs(results)
        ctx.program, ctx.num_inputs = program, len(inputs)
        ctx.symbols, saved = state
        ctx.shapes = [shape for _, shape in saved]
        pieces = [local if isinstance(local, places.Pieces) else None
                  for local, _ in saved]
        ctx.pieces = pieces
        ctx.save_for_backward(*[None if p else local
                                for p, (local, _) in zip(pieces, saved)])
        ctx.output_shapes = [shape for _, shape in results]
        ctx.dtypes = [o.dtype for o in outputs]
        ctx.mark_non_differentiable(
            *[o for i, o in enumerate(outputs)
              if i not in program.traced.tangents])
        ctx.set_materialize_grads(False)
        return tuple(outputs)

    @staticmethod
    def backward(ctx, *gradients):
        program = ctx.program
        saved = [(p or t, shape) for p, t, shape in
                 zip(ctx.pieces, ctx.saved_tensors, ctx.shapes)]
        given = [places.Zeros(ctx.dtypes[i]) if gradients[i] is None
                 else gradients[i] for i in program.traced.tangents]
        found = program.run_backward(ctx.symbols, saved, given,
                                     ctx.output_shapes)
        results = [None] * ctx.num_inputs
        for argument, gradient in zip(program.tensors, found):
            results[argument.index] = gradient
        return (None, *results)
