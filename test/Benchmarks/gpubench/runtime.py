"""libdtensor_rt.so from Python: open a bundle, bind shapes, run on tensors that
are on the GPUs already. As thin as include/dtensor-rt/dtensor_rt.h allows.
"""

import ctypes as C
import functools
import os

DTYPES = {"f64": 0, "f32": 1, "f16": 2, "bf16": 3, "i64": 4, "i32": 5,
          "i16": 6, "i8": 7, "i1": 8, "index": 9}
NAMES = {code: name for name, code in DTYPES.items()}
I64P, Handle = C.POINTER(C.c_int64), C.c_void_p


class Struct(C.Structure):
    def __init__(self, **fields):
        super().__init__(struct_size=C.sizeof(type(self)), **fields)


class ExecutableOptions(Struct):
    _fields_ = [("struct_size", C.c_size_t), ("entry", C.c_char_p),
                ("backend", C.c_char_p), ("num_axes", C.c_size_t),
                ("axis_names", C.POINTER(C.c_char_p)), ("axis_sizes", I64P)]


class ExecutableInfo(Struct):
    _fields_ = [("struct_size", C.c_size_t), ("num_args", C.c_size_t),
                ("num_results", C.c_size_t), ("num_symbols", C.c_size_t),
                ("num_axes", C.c_size_t), ("num_ranks", C.c_int64)]


class ValueInfo(Struct):
    _fields_ = [("struct_size", C.c_size_t), ("name", C.c_char_p),
                ("is_scalar", C.c_int32), ("dtype", C.c_int32),
                ("rank", C.c_size_t), ("shape", I64P), ("extents", C.c_char_p),
                ("placements", C.c_char_p), ("donated", C.c_int32)]


class Array(Struct):
    _fields_ = [("struct_size", C.c_size_t), ("data", C.c_void_p),
                ("dtype", C.c_int32), ("ndim", C.c_int32), ("shape", I64P),
                ("strides", I64P)]


class RunOptions(Struct):
    _fields_ = [("struct_size", C.c_size_t), ("streams", C.POINTER(Handle)),
                ("wait", C.c_int32)]


class RankStats(Struct):
    _fields_ = [("struct_size", C.c_size_t), ("collectives", C.c_int64 * 5),
                ("bytes", C.c_int64 * 5), ("peak_bytes", C.c_int64),
                ("seconds", C.c_double), ("kernels", C.c_int64),
                ("library_calls", C.c_int64), ("from_graph", C.c_int32),
                ("host_seconds", C.c_double)]


class Failure(Exception):
    """What dtensor_rt_last_error said."""


def numbers(values):
    return (C.c_int64 * max(1, len(values)))(*values)


class Runtime:
    def __init__(self, path):
        self.lib = C.CDLL(os.path.abspath(path), mode=C.RTLD_GLOBAL)
        self.lib.dtensor_rt_last_error.restype = C.c_char_p

    def check(self, status):
        if status:
            raise Failure(self.lib.dtensor_rt_last_error().decode())

    def call(self, name, *args):
        self.check(getattr(self.lib, "dtensor_rt_" + name)(*args))

    def open(self, path):
        bundle = Handle()
        self.call("bundle_open", os.fsencode(path), C.byref(bundle))
        return bundle

    def executable(self, bundle, entry, mesh, backend="cuda"):
        return Executable(self, bundle, entry, mesh, backend)


class Executable:
    """One entry on one mesh, {"tp": 2}. Ranks are GPUs in order."""

    def __init__(self, runtime, bundle, entry, mesh, backend):
        self.rt, self.handle = runtime, Handle()
        names = (C.c_char_p * len(mesh))(*[n.encode() for n in mesh])
        options = ExecutableOptions(
            entry=entry.encode(), backend=backend.encode(), num_axes=len(mesh),
            axis_names=names, axis_sizes=numbers(list(mesh.values())))
        runtime.call("executable_create", bundle, C.byref(options),
                     C.byref(self.handle))
        info = ExecutableInfo()
        runtime.call("executable_describe", self.handle, C.byref(info))
        self.num_args, self.num_results = info.num_args, info.num_results
        self.num_ranks = info.num_ranks
        self.dtypes = [NAMES[self.value(i).dtype]
                       for i in range(self.num_args + self.num_results)]

    def value(self, ordinal):
        info = ValueInfo()
        self.rt.call("executable_value", self.handle, C.c_size_t(ordinal),
                     C.byref(info))
        return info

    def bind(self, shapes):
        return Launch(self, shapes)

    def close(self):
        self.rt.call("executable_destroy", self.handle)


class Launch:
    """An executable at global shapes."""

    def __init__(self, executable, shapes):
        self.exe, self.rt, self.handle = executable, executable.rt, Handle()
        keep = [numbers(shape) for shape in shapes]
        arrays = (Array * len(shapes))(*[
            Array(data=None, dtype=DTYPES[executable.dtypes[i]],
                  ndim=len(shape), shape=keep[i])
            for i, shape in enumerate(shapes)])
        self.rt.call("bind", executable.handle, arrays,
                     C.c_size_t(len(shapes)), C.byref(self.handle))

    def box(self, rank, ordinal):
        """(extents, offsets) of a rank's part of an argument or result."""
        dims = self.exe.value(ordinal).rank
        extents, offsets = numbers([0] * dims), numbers([0] * dims)
        self.rt.call("launch_local_box", self.handle, C.c_int64(rank),
                     C.c_size_t(ordinal), extents, offsets, C.c_size_t(dims))
        return list(extents)[:dims], list(offsets)[:dims]

    def prepare(self, args, results, streams):
        """A function that queues one run and returns its status, for check():
        nothing of Python is in a timed call. args[r][i] is argument i of rank
        r, streams[r] a torch stream of its GPU."""
        keep = []

        def arrays(per_rank, first):
            flat = []
            for tensors in per_rank:
                for i, tensor in enumerate(tensors):
                    shape = numbers(tensor.shape)
                    keep.append((tensor, shape))
                    flat.append(Array(
                        data=tensor.data_ptr() or None, ndim=tensor.dim(),
                        dtype=DTYPES[self.exe.dtypes[first + i]], shape=shape))
            return (Array * len(flat))(*flat), C.c_size_t(len(flat))

        pointers = (Handle * len(streams))(*[s.cuda_stream for s in streams])
        options = RunOptions(streams=pointers, wait=0)
        packed = (*arrays(args, 0), *arrays(results, self.exe.num_args),
                  C.byref(options))
        function = self.rt.lib["dtensor_rt_run_local_with"]
        function.restype = C.c_int
        run = functools.partial(function, self.handle, *packed)
        self.keep = (keep, packed, options, pointers)
        return run

    def stats(self, rank):
        stats = RankStats()
        self.rt.call("launch_stats", self.handle, C.c_int64(rank),
                     C.byref(stats))
        return stats

    def close(self):
        self.rt.call("launch_destroy", self.handle)
