"""Bundles and their executables, over the C interface of the runtime."""

from __future__ import annotations

import ctypes
import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

from . import _libraries as lib
from ._libraries import Array, c_int64, c_size_t, c_void_p

#: gather(members, position, send address, bytes, receive address)
Gather = Callable[[tuple, int, int, int, int], None]


@dataclasses.dataclass(frozen=True)
class Value:
    """An argument or a result of an entry."""
    name: str
    dtype: str
    rank: int
    is_scalar: bool
    extents: str
    placements: tuple[str, ...]


def _split_placements(text: str) -> tuple[str, ...]:
    """"shard(0), shard(1, unit = 8)" has two parts."""
    parts, depth, start = [], 0, 0
    for i, char in enumerate(text + ","):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return tuple(p for p in parts if p)


class NumpyArrays:
    """How arrays of NumPy are read and made."""
    NAMES = {"f64": "float64", "f32": "float32", "f16": "float16",
             "i64": "int64", "i32": "int32", "i16": "int16", "i8": "int8",
             "i1": "bool", "bf16": "uint16"}  # NumPy has no bf16

    @classmethod
    def read(cls, array, value):
        import numpy
        array = numpy.asarray(array)
        if array.dtype != cls.NAMES[value.dtype]:
            raise lib.LaunchError(f"argument \"{value.name}\" has elements of "
                                  f"type {array.dtype}, expected "
                                  f"{value.dtype}")
        # This function alone makes a scalar an array of one dimension.
        return numpy.ascontiguousarray(array).reshape(array.shape)

    @classmethod
    def empty(cls, shape, dtype):
        import numpy
        return numpy.empty(shape, cls.NAMES[dtype])

    @staticmethod
    def address(array):
        return array.ctypes.data


class TorchArrays:
    """How tensors of PyTorch are read and made."""

    @staticmethod
    def read(tensor, value):
        from .frontend.layouts import DTYPES
        if tensor.dtype != DTYPES[value.dtype]:
            raise lib.LaunchError(f"argument \"{value.name}\" has elements of "
                                  f"type {tensor.dtype}, expected "
                                  f"{value.dtype}")
        return tensor.detach().contiguous()

    @staticmethod
    def empty(shape, dtype):
        import torch
        from .frontend.layouts import DTYPES
        return torch.empty(shape, dtype=DTYPES[dtype])

    @staticmethod
    def address(tensor):
        return tensor.data_ptr()


def arrays_of(value):
    """Which of the two a value belongs to."""
    return TorchArrays if type(value).__module__.startswith("torch") else \
        NumpyArrays


class Bundle:
    """A compiled program."""

    def __init__(self, path: str):
        self.path = path
        self._handle = c_void_p()
        lib.runtime_call("bundle_open", path.encode(),
                         ctypes.byref(self._handle))

    def __del__(self):
        if getattr(self, "_handle", None):
            lib.runtime().dtensor_rt_bundle_close(self._handle)

    @property
    def manifest(self) -> dict:
        text, size = ctypes.c_char_p(), c_size_t()
        lib.runtime_call("bundle_manifest", self._handle, ctypes.byref(text),
                         ctypes.byref(size))
        return json.loads(text.value or b"{}")

    def executable(self, mesh: dict[str, int], entry: str | None = None,
                   backend: str = "sim", mesh_rank: int = 0,
                   gather: Gather | None = None) -> "Executable":
        return Executable(self, mesh, entry, backend, mesh_rank, gather)


class Executable:
    """One entry of a bundle on one mesh. With `gather` this process is the rank
    `mesh_rank`, and the function moves bytes between processes."""

    def __init__(self, bundle: Bundle, mesh: dict[str, int],
                 entry: str | None = None, backend: str = "sim",
                 mesh_rank: int = 0, gather: Gather | None = None):
        names = (ctypes.c_char_p * len(mesh))(*[n.encode() for n in mesh])
        self.bundle, self._handle, self.problem = bundle, c_void_p(), None
        self._peers = self._make_peers(mesh_rank, gather) if gather else None
        options = lib.struct(
            lib.ExecutableOptions, entry=entry.encode() if entry else None,
            backend=backend.encode(), num_axes=len(mesh), axis_names=names,
            axis_sizes=lib.int64s(mesh.values()),
            peers=ctypes.pointer(self._peers) if gather else None)
        lib.runtime_call("executable_create", bundle._handle,
                         ctypes.byref(options), ctypes.byref(self._handle))
        info = lib.struct(lib.ExecutableInfo)
        lib.runtime_call("executable_describe", self._handle,
                         ctypes.byref(info))
        self.num_ranks = info.num_ranks
        values = [self._value(i)
                  for i in range(info.num_args + info.num_results)]
        self.args, self.results = values[:info.num_args], values[info.num_args:]
        self.symbols = [self._symbol(i) for i in range(info.num_symbols)]
        count = c_size_t()
        lib.runtime_call("executable_num_local_ranks", self._handle,
                         ctypes.byref(count))
        self.local_ranks = [self._local_rank(i) for i in range(count.value)]

    def __del__(self):
        if getattr(self, "_handle", None):
            lib.runtime().dtensor_rt_executable_destroy(self._handle)

    def _make_peers(self, mesh_rank, gather):
        def call(_user, members, count, position, send, size, receive):
            try:
                gather(tuple(members[:count]), position, send, size, receive)
            except BaseException as problem:  # C code is waiting below
                self.problem = problem
                return 1
            return 0
        self._gather = lib.GatherFn(call)
        return lib.struct(lib.Peers, mesh_rank=mesh_rank, gather=self._gather)

    def _value(self, ordinal):
        info = lib.struct(lib.ValueInfo)
        lib.runtime_call("executable_value", self._handle, c_size_t(ordinal),
                         ctypes.byref(info))
        return Value(info.name.decode(), lib.DTYPES[info.dtype], info.rank,
                     bool(info.is_scalar), info.extents.decode(),
                     _split_placements(info.placements.decode()))

    def _symbol(self, index):
        name = ctypes.c_char_p()
        lib.runtime_call("executable_symbol", self._handle, c_size_t(index),
                         ctypes.byref(name))
        return name.value.decode()

    def _local_rank(self, index):
        rank = c_int64()
        lib.runtime_call("executable_local_rank", self._handle,
                         c_size_t(index), ctypes.byref(rank))
        return rank.value

    def __call__(self, *args: Any) -> list[Any]:
        """Runs all ranks on global arrays (of NumPy, or tensors of PyTorch on
        the CPU; numbers for scalars) and gives a list of global results of the
        same kind."""
        if len(args) != len(self.args):
            raise lib.LaunchError(f"{len(args)} arguments, the program has "
                                  f"{len(self.args)}")
        arrays = [a if v.is_scalar else arrays_of(a).read(a, v)
                  for a, v in zip(args, self.args)]
        launch = self.bind([a if v.is_scalar else tuple(a.shape)
                            for a, v in zip(arrays, self.args)])
        kind = next((arrays_of(a) for a, v in zip(arrays, self.args)
                     if not v.is_scalar), NumpyArrays)
        results = [kind.empty(shape, v.dtype)
                   for shape, v in zip(launch.result_shapes, self.results)]
        launch.run_global(
            [0 if v.is_scalar else arrays_of(a).address(a)
             for a, v in zip(arrays, self.args)],
            [kind.address(r) for r in results])
        return results

    def bind(self, args: Sequence["tuple[int, ...] | int"]) -> "Launch":
        """`args`: the global shape of every tensor, the value of every integer
        scalar."""
        return Launch(self, args)


class Launch:
    """An executable bound to global shapes."""

    def __init__(self, executable: Executable,
                 args: "Sequence[tuple[int, ...] | int]"):
        if len(args) != len(executable.args):
            raise lib.LaunchError(f"{len(args)} arguments, the program has "
                                  f"{len(executable.args)}")
        self.executable, self._handle = executable, c_void_p()
        self._kept: list = []
        arrays = self._arrays(
            [(v, None if v.is_scalar else tuple(a))
             for v, a in zip(executable.args, args)])
        for i, (value, arg) in enumerate(zip(executable.args, args)):
            if value.is_scalar:
                arrays[i].data = self._scalar(value, arg)
        lib.runtime_call("bind", executable._handle, arrays,
                         c_size_t(len(args)), ctypes.byref(self._handle))
        ordinals = range(len(executable.args), len(executable.args)
                         + len(executable.results))
        self.result_shapes = [self._extents(i) for i in ordinals]
        ranks = executable.local_ranks
        self.arg_boxes = [[self.box(r, i) for i in range(len(executable.args))]
                          for r in ranks]
        self.result_boxes = [[self.box(r, i) for i in ordinals] for r in ranks]
        self._args = self._arrays(
            [(v, None if v.is_scalar else box[0]) for boxes in self.arg_boxes
             for v, box in zip(executable.args, boxes)])
        self._results = self._arrays(
            [(v, box[0]) for boxes in self.result_boxes
             for v, box in zip(executable.results, boxes)])
        for i in range(len(self._args)):
            value = executable.args[i % len(args)] if args else None
            if value and value.is_scalar:
                self._args[i].data = arrays[i % len(args)].data

    def __del__(self):
        if getattr(self, "_handle", None):
            lib.runtime().dtensor_rt_launch_destroy(self._handle)

    def _scalar(self, value, number):
        kind = {"i64": c_int64, "index": c_int64, "i32": ctypes.c_int32,
                "f64": ctypes.c_double, "f32": ctypes.c_float}[value.dtype]
        self._kept.append(kind(number))
        return ctypes.addressof(self._kept[-1])

    def _arrays(self, values):
        arrays = (Array * max(len(values), 1))()
        for array, (value, shape) in zip(arrays, values):
            shapes = lib.int64s(shape or ())
            self._kept.append(shapes)
            array.struct_size = ctypes.sizeof(Array)
            array.dtype = lib.DTYPES.index(value.dtype)
            array.ndim, array.shape = value.rank, shapes
        return arrays

    def _extents(self, ordinal):
        values = self.executable.args + self.executable.results
        rank = values[ordinal].rank
        extents = lib.int64s([0] * rank)
        lib.runtime_call("launch_global_extents", self._handle,
                         c_size_t(ordinal), extents, c_size_t(rank))
        return tuple(extents[:rank])

    def box(self, mesh_rank: int, ordinal: int
            ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """(extents, offsets) of the piece that a rank holds."""
        values = self.executable.args + self.executable.results
        rank = values[ordinal].rank
        extents, offsets = lib.int64s([0] * rank), lib.int64s([0] * rank)
        lib.runtime_call("launch_local_box", self._handle, c_int64(mesh_rank),
                         c_size_t(ordinal), extents, offsets, c_size_t(rank))
        return tuple(extents[:rank]), tuple(offsets[:rank])

    def run(self, args: Sequence[int], results: Sequence[int],
            streams: Sequence[int] | None = None) -> None:
        """Addresses of the row-major pieces of the local ranks, rank by rank;
        0 stands for a scalar. With CUDA streams it returns when the work is
        queued."""
        self._set(self._args, args, self._results, results)
        options = self._options(streams)
        self.executable.problem = None
        try:
            lib.runtime_call("run_local_with", self._handle, self._args,
                             c_size_t(len(args)), self._results,
                             c_size_t(len(results)),
                             ctypes.byref(options) if options else None)
        except lib.LaunchError as error:
            raise error from self.executable.problem

    @staticmethod
    def _set(args, given, results, taken):
        for array, address in zip(args, given):
            if address:  # else it is a scalar, which is there
                array.data = address
        for array, address in zip(results, taken):
            array.data = address

    @staticmethod
    def _options(streams):
        if streams is None:
            return None
        return lib.struct(lib.RunOptions, wait=0,
                          streams=(c_void_p * len(streams))(*streams))

    def prepare(self, args: Sequence[int], results: Sequence[int],
                streams: Sequence[int] | None = None) -> Callable[[], None]:
        """run() on these addresses as a function without arguments: the way to
        call a program again and again on the same memory. The memory must live
        as long as the function is called."""
        given, taken = ((Array * len(a)).from_buffer_copy(a)
                        for a in (self._args, self._results))
        self._set(given, args, taken, results)
        options = self._options(streams)
        function = lib.runtime().dtensor_rt_run_local_with
        fast = lib.prepared_call()
        if fast is None:
            numbers = c_size_t(len(args)), c_size_t(len(results))
            pointer = ctypes.byref(options) if options else None
            # It holds the launch, which lives as long as it is called.
            return lambda: lib.runtime_call(
                "run_local_with", self._handle, given, numbers[0], taken,
                numbers[1], pointer)
        at = lambda f: ctypes.cast(f, c_void_p).value
        return fast.prepare(
            at(function), at(lib.runtime().dtensor_rt_last_error),
            self._handle.value, ctypes.addressof(given), len(args),
            ctypes.addressof(taken), len(results),
            ctypes.addressof(options) if options else 0, lib.LaunchError,
            (self, given, taken, options))

    def run_global(self, args: Sequence[int], results: Sequence[int]) -> None:
        """Addresses of row-major global arrays; 0 stands for a scalar."""
        executable = self.executable
        shapes = [None if v.is_scalar else shape for v, shape in
                  zip(executable.args, map(self._extents,
                                           range(len(executable.args))))]
        given = self._arrays(list(zip(executable.args, shapes)))
        taken = self._arrays(list(zip(executable.results, self.result_shapes)))
        for i, address in enumerate(args):
            given[i].data = address or self._args[i].data
        for array, address in zip(taken, results):
            array.data = address
        lib.runtime_call("run_global", self._handle, given,
                         c_size_t(len(args)), taken, c_size_t(len(results)))

    def stats(self, mesh_rank: int | None = None) -> lib.RankStats:
        """Of the last run of a rank; see dtensor_rt_rank_stats."""
        if mesh_rank is None:
            mesh_rank = self.executable.local_ranks[0]
        stats = lib.struct(lib.RankStats)
        lib.runtime_call("launch_stats", self._handle, c_int64(mesh_rank),
                         ctypes.byref(stats))
        return stats

    def collectives(self, mesh_rank: int | None = None) -> dict[str, int]:
        """{kind: count} of the last run of a rank, kinds that ran only."""
        stats = self.stats(mesh_rank)
        return {k: n for k, n in zip(lib.COLLECTIVES, stats.collectives) if n}
