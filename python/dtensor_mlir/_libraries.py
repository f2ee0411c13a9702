"""The two shared libraries and their C interfaces.

`libDTensorCompiler.so` is told of in dtensor-c/dtensor_compiler.h,
`libdtensor_rt.so` in dtensor-rt/dtensor_rt.h. Both are looked for, in this
order, in the folder that DTENSOR_LIBRARY_PATH names, beside this package, in
the folder `lib` of an unpacked archive, and in `build/lib` of a checkout.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
from ctypes import (POINTER, c_char_p, c_double, c_int32, c_int64, c_size_t,
                    c_void_p)

HERE = os.path.dirname(os.path.abspath(__file__))

DTYPES = ("f64", "f32", "f16", "bf16", "i64", "i32", "i16", "i8", "i1",
          "index")
COLLECTIVES = ("all_gather", "all_reduce", "reduce_scatter", "all_to_all",
               "collective_permute")


class Error(RuntimeError):
    """A call of the compiler or of the runtime failed."""


class CompileError(Error):
    """The program is wrong; the message has the places."""


class LaunchError(Error):
    """The runtime refused arguments, a mesh or a bundle, or a rank failed."""


#===- Structs of dtensor_compiler.h ----------------------------------------===#

class Diagnostic(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("severity", c_int32),
                ("place", c_char_p), ("message", c_char_p)]


DiagnosticFn = ctypes.CFUNCTYPE(None, c_void_p, POINTER(Diagnostic))


class CompilerOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("target", c_char_p),
                ("cpu", c_char_p), ("emit", c_char_p),
                ("from_local", c_int32), ("verify_each", c_int32),
                ("unoptimized", c_int32)]


class Buffer(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("data", c_void_p),
                ("bytes", c_size_t)]


class Layout(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("num_axes", c_size_t),
                ("mesh_sizes", POINTER(c_int64)), ("dims", POINTER(c_int32)),
                ("order", POINTER(ctypes.c_uint32)), ("rank", c_size_t),
                ("shape", POINTER(c_int64))]


class Placement(ctypes.Structure):
    _fields_ = [("kind", c_int32), ("dim", c_int32), ("split_factor", c_int64),
                ("reduce_op", c_int32)]


class Spec(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("num_axes", c_size_t),
                ("axis_names", POINTER(c_char_p)),
                ("mesh_sizes", POINTER(c_int64)),
                ("placements", POINTER(Placement)), ("rank", c_size_t),
                ("shape", POINTER(c_int64)), ("extents", POINTER(c_char_p))]


#===- Structs of dtensor_rt.h ----------------------------------------------===#

GatherFn = ctypes.CFUNCTYPE(c_int32, c_void_p, POINTER(c_int64), c_size_t,
                            c_size_t, c_void_p, c_size_t, c_void_p)


class Peers(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("mesh_rank", c_int64),
                ("gather", GatherFn), ("user", c_void_p)]


class ExecutableOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("entry", c_char_p),
                ("backend", c_char_p), ("num_axes", c_size_t),
                ("axis_names", POINTER(c_char_p)),
                ("axis_sizes", POINTER(c_int64)), ("peers", POINTER(Peers))]


class ExecutableInfo(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("num_args", c_size_t),
                ("num_results", c_size_t), ("num_symbols", c_size_t),
                ("num_axes", c_size_t), ("num_ranks", c_int64)]


class ValueInfo(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("name", c_char_p),
                ("is_scalar", c_int32), ("dtype", c_int32), ("rank", c_size_t),
                ("shape", POINTER(c_int64)), ("extents", c_char_p),
                ("placements", c_char_p), ("donated", c_int32)]


class Array(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("data", c_void_p),
                ("dtype", c_int32), ("ndim", c_int32),
                ("shape", POINTER(c_int64)), ("strides", POINTER(c_int64))]


class RunOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("streams", POINTER(c_void_p)),
                ("wait", c_int32)]


class RankStats(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("collectives", c_int64 * 5),
                ("bytes", c_int64 * 5), ("peak_bytes", c_int64),
                ("seconds", c_double), ("kernels", c_int64),
                ("library_calls", c_int64), ("from_graph", c_int32),
                ("host_seconds", c_double)]


def struct(kind, **fields):
    return kind(struct_size=ctypes.sizeof(kind), **fields)


def take(buffer) -> str:
    """The text of a buffer, which is freed."""
    text = ctypes.string_at(buffer.data, buffer.bytes).decode()
    compiler().dtensor_compiler_buffer_free(ctypes.byref(buffer))
    return text


def int64s(values):
    values = list(values)
    return (c_int64 * max(len(values), 1))(*values)


#===- Finding and calling --------------------------------------------------===#

def _folders():
    if os.environ.get("DTENSOR_LIBRARY_PATH"):
        yield os.environ["DTENSOR_LIBRARY_PATH"]
    yield os.path.join(HERE, "lib")
    yield os.path.join(HERE, "..", "..", "lib")
    yield os.path.join(HERE, "..", "..", "build", "lib")


def _find(name: str) -> tuple[str | None, list[str]]:
    """Where it is, and where it was looked for."""
    tried = [os.path.normpath(os.path.join(f, name)) for f in _folders()]
    return next(filter(os.path.exists, tried), None), tried


def _load(name: str) -> ctypes.CDLL:
    path, tried = _find(name)
    if path:
        # Bundles look the runtime's functions up in the whole process.
        return ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    raise Error(f"{name} is in none of {', '.join(map(repr, tried))}; build "
                "it, or name its folder in DTENSOR_LIBRARY_PATH")


@functools.cache
def compiler() -> ctypes.CDLL:
    library = _load("libDTensorCompiler.so")
    library.dtensor_compiler_last_error.restype = c_char_p
    library.dtensor_compiler_version.restype = c_char_p
    library.dtensor_compiler_spec_free.argtypes = [POINTER(Spec)]
    library.dtensor_compiler_spec_free.restype = None
    return library


@functools.cache
def runtime() -> ctypes.CDLL:
    library = _load("libdtensor_rt.so")
    library.dtensor_rt_last_error.restype = c_char_p
    return library


@functools.cache
def prepared_call():
    """The module in C that calls faster than ctypes, or None."""
    path, _ = _find("dtensor_prepared_call.abi3.so")
    if path is None:
        return None
    spec = importlib.util.spec_from_file_location("dtensor_prepared_call",
                                                  path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compiler_call(name: str, *arguments) -> None:
    status = getattr(compiler(), "dtensor_compiler_" + name)(*arguments)
    if status:
        text = compiler().dtensor_compiler_last_error().decode()
        raise (CompileError if status == 2 else Error)(text)


def runtime_call(name: str, *arguments) -> None:
    if getattr(runtime(), "dtensor_rt_" + name)(*arguments):
        raise LaunchError(runtime().dtensor_rt_last_error().decode())
