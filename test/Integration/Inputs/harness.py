"""What the tests of whole programs share: compile, run in process, compare.

A test is a function whose name begins with `test_`; `main` runs those of the
calling script and exits with 1 if one fails. Arrays are NumPy's; bf16, which
NumPy lacks, travels as torch tensors. `argv` of a test: build folder, then a
folder for files.

Programs run on simulated devices, or with DTENSOR_TEST_BACKEND=cuda on the GPUs
of this machine; there, meshes of more devices than DTENSOR_TEST_DEVICES are
left out and counted.
"""

import ctypes
import functools
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback

import numpy as np

BUILD = os.path.abspath(sys.argv[1])
TEMP = sys.argv[2] if len(sys.argv) > 2 and sys.argv[2][0] != "-" else \
    tempfile.mkdtemp()
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..",
                                      ".."))
os.makedirs(TEMP, exist_ok=True)

BACKEND = os.environ.get("DTENSOR_TEST_BACKEND", "sim")
DEVICES = int(os.environ.get("DTENSOR_TEST_DEVICES", "1"))
TARGET = ["--target=cuda"] if BACKEND == "cuda" else []

COLLECTIVES = ["all_gather", "all_reduce", "reduce_scatter", "all_to_all",
               "collective_permute"]
DTYPES = ["f64", "f32", "f16", "bf16", "i64", "i32", "i16", "i8", "i1",
          "index"]
NUMPY = {"f64": np.float64, "f32": np.float32, "f16": np.float16,
         "bf16": np.int16, "i64": np.int64, "i32": np.int32, "i16": np.int16,
         "i8": np.int8, "i1": np.bool_, "index": np.int64}


def at_most(size):
    """`size`, or what this machine has."""
    return size if BACKEND == "sim" else min(size, DEVICES)


def tool(name):
    return os.path.join(BUILD, "bin", name)


def temp(name):
    return os.path.join(TEMP, name)


def command(*arguments, stdin=None, timeout=120):
    """Runs a tool; returns (exit code, stdout, stderr)."""
    done = subprocess.run([str(a) for a in arguments], input=stdin,
                          capture_output=True, text=True, timeout=timeout)
    return done.returncode, done.stdout, done.stderr


#===- The C interface ------------------------------------------------------===#

class AxisOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t),
                ("entry", ctypes.c_char_p), ("backend", ctypes.c_char_p),
                ("num_axes", ctypes.c_size_t),
                ("axis_names", ctypes.POINTER(ctypes.c_char_p)),
                ("axis_sizes", ctypes.POINTER(ctypes.c_int64)),
                ("peers", ctypes.c_void_p)]


class ExecutableInfo(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t),
                ("num_args", ctypes.c_size_t),
                ("num_results", ctypes.c_size_t),
                ("num_symbols", ctypes.c_size_t),
                ("num_axes", ctypes.c_size_t), ("num_ranks", ctypes.c_int64)]


class ValueInfo(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("name", ctypes.c_char_p),
                ("is_scalar", ctypes.c_int32), ("dtype", ctypes.c_int32),
                ("rank", ctypes.c_size_t),
                ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("extents", ctypes.c_char_p), ("placements", ctypes.c_char_p),
                ("donated", ctypes.c_int32)]


class Array(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("data", ctypes.c_void_p),
                ("dtype", ctypes.c_int32), ("ndim", ctypes.c_int32),
                ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64))]


class RankStats(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t),
                ("collectives", ctypes.c_int64 * 5),
                ("bytes", ctypes.c_int64 * 5), ("peak_bytes", ctypes.c_int64)]


class Failure(Exception):
    """A call of the runtime failed; str() is its message."""


class TooFewDevices(Exception):
    """This machine has fewer devices than the mesh of a case."""


def ints(values):
    values = list(values)
    return (ctypes.c_int64 * max(len(values), 1))(*values)


_library = None


def library():
    global _library
    if _library is None:
        _library = ctypes.CDLL(os.path.join(BUILD, "lib", "libdtensor_rt.so"),
                               mode=ctypes.RTLD_GLOBAL)
        _library.dtensor_rt_last_error.restype = ctypes.c_char_p
    return _library


def call(name, *arguments):
    if getattr(library(), "dtensor_rt_" + name)(*arguments) != 0:
        raise Failure(library().dtensor_rt_last_error().decode())


def struct(kind, **fields):
    return kind(struct_size=ctypes.sizeof(kind), **fields)


def is_torch(value):
    return type(value).__module__.startswith("torch")


def to_numpy(value, dtype):
    """Row-major memory of `value` with the given element type."""
    if is_torch(value):
        import torch
        value = value.detach().contiguous()
        if value.dtype == torch.bfloat16:
            value = value.view(torch.int16)
        value = value.numpy()
    value = np.ascontiguousarray(value).reshape(np.shape(value))
    if value.dtype != NUMPY[dtype]:
        raise TypeError(f"argument is {value.dtype}, the program wants {dtype}")
    return value


def from_numpy(value, dtype):
    if dtype != "bf16":
        return value
    import torch
    return torch.from_numpy(value).view(torch.bfloat16)


def as_array(value, dtype):
    shape = ints(value.shape)
    data = value.data_ptr() if is_torch(value) else value.ctypes.data
    return struct(Array, data=data, dtype=DTYPES.index(dtype),
                  ndim=value.ndim, shape=shape, strides=None)


class Launch:
    """An executable bound to global arrays."""

    def __init__(self, executable, args):
        self.executable = executable
        self.args = [to_numpy(a, v.dtype)
                     for a, v in zip(args, executable.args)]
        arrays = self._arrays(self.args, executable.args)
        self.handle = ctypes.c_void_p()
        call("bind", executable.handle, arrays, ctypes.c_size_t(len(args)),
             ctypes.byref(self.handle))

    def __del__(self):
        if getattr(self, "handle", None):
            library().dtensor_rt_launch_destroy(self.handle)

    @staticmethod
    def _arrays(values, infos):
        return (Array * max(len(values), 1))(
            *[as_array(v, i.dtype) for v, i in zip(values, infos)])

    @property
    def symbols(self):
        names = self.executable.symbols
        values = ints([0] * len(names))
        call("launch_symbols", self.handle, values,
             ctypes.c_size_t(len(names)))
        return dict(zip(names, values))

    def extents(self, ordinal):
        rank = self.executable.values[ordinal].rank
        extents = ints([0] * rank)
        call("launch_global_extents", self.handle, ctypes.c_size_t(ordinal),
             extents, ctypes.c_size_t(rank))
        return tuple(extents[:rank])

    def box(self, mesh_rank, ordinal):
        """(extents, offsets) of the piece that a rank holds."""
        rank = self.executable.values[ordinal].rank
        extents, offsets = ints([0] * rank), ints([0] * rank)
        call("launch_local_box", self.handle, ctypes.c_int64(mesh_rank),
             ctypes.c_size_t(ordinal), extents, offsets,
             ctypes.c_size_t(rank))
        return tuple(extents[:rank]), tuple(offsets[:rank])

    def _results(self, shape_of):
        # Filled, so that an element which nobody writes is seen.
        return [np.full(shape_of(i), 85, NUMPY[v.dtype])
                for i, v in enumerate(self.executable.results,
                                      len(self.executable.args))]

    @staticmethod
    def _on_device(rank, values, infos):
        """Tensors move to memory of the rank's GPU, scalars stay."""
        if BACKEND != "cuda":
            return values
        import torch
        values = [v if i.is_scalar else torch.from_numpy(
                      v.view(np.uint8) if v.dtype == np.bool_ else v).to(
                          f"cuda:{rank}")
                  for v, i in zip(values, infos)]
        # PyTorch copies on a stream of its own.
        torch.cuda.synchronize(rank)
        return values

    def run_global(self):
        results = self._results(self.extents)
        call("run_global", self.handle,
             self._arrays(self.args, self.executable.args),
             ctypes.c_size_t(len(self.args)),
             self._arrays(results, self.executable.results),
             ctypes.c_size_t(len(results)))
        return [from_numpy(r, v.dtype)
                for r, v in zip(results, self.executable.results)]

    def run_local(self, args):
        """args[rank][i] -> results[rank][i], all of them local arrays."""
        executable = self.executable
        ranks = range(executable.num_ranks)
        args = [[to_numpy(a, v.dtype) for a, v in zip(args[r], executable.args)]
                for r in ranks]
        results = [self._results(lambda i, r=r: self.box(r, i)[0])
                   for r in ranks]
        args = [self._on_device(r, args[r], executable.args) for r in ranks]
        held = [self._on_device(r, results[r], executable.results)
                for r in ranks]
        call("run_local", self.handle,
             self._arrays(sum(args, []), executable.args * len(ranks)),
             ctypes.c_size_t(len(executable.args) * len(ranks)),
             self._arrays(sum(held, []), executable.results * len(ranks)),
             ctypes.c_size_t(len(executable.results) * len(ranks)))
        for host, device in zip(sum(results, []), sum(held, [])):
            if device is not host:
                host.view(np.uint8 if host.dtype == np.bool_ else host.dtype)[
                    ...] = device.cpu().numpy()
        return [[from_numpy(a, v.dtype) for a, v in zip(r, executable.results)]
                for r in results]

    def collectives(self, mesh_rank=0):
        """{kind: count} of the last run, kinds that ran only."""
        stats = struct(RankStats)
        call("launch_stats", self.handle, ctypes.c_int64(mesh_rank),
             ctypes.byref(stats))
        return {k: n for k, n in zip(COLLECTIVES, stats.collectives) if n}


class Executable:
    def __init__(self, bundle, entry, mesh):
        names = (ctypes.c_char_p * len(mesh))(*[n.encode() for n in mesh])
        options = struct(AxisOptions, entry=entry and entry.encode(),
                         backend=BACKEND.encode(), num_axes=len(mesh),
                         axis_names=names, axis_sizes=ints(mesh.values()))
        self.bundle = bundle
        self.handle = ctypes.c_void_p()
        call("executable_create", bundle.handle, ctypes.byref(options),
             ctypes.byref(self.handle))
        info = struct(ExecutableInfo)
        call("executable_describe", self.handle, ctypes.byref(info))
        self.num_ranks = info.num_ranks
        self.values = [self._value(i)
                       for i in range(info.num_args + info.num_results)]
        self.args = self.values[:info.num_args]
        self.results = self.values[info.num_args:]
        self.symbols = [self._symbol(i) for i in range(info.num_symbols)]

    def __del__(self):
        if getattr(self, "handle", None):
            library().dtensor_rt_executable_destroy(self.handle)

    def _value(self, ordinal):
        info = struct(ValueInfo)
        call("executable_value", self.handle, ctypes.c_size_t(ordinal),
             ctypes.byref(info))
        info.dtype_code, kind = info.dtype, type("Value", (), {})
        value = kind()
        value.name = info.name.decode()
        value.is_scalar = bool(info.is_scalar)
        value.dtype, value.rank = DTYPES[info.dtype], info.rank
        value.shape = tuple(info.shape[:info.rank])
        value.extents = info.extents.decode()
        value.placements = info.placements.decode()
        return value

    def _symbol(self, index):
        name = ctypes.c_char_p()
        call("executable_symbol", self.handle, ctypes.c_size_t(index),
             ctypes.byref(name))
        return name.value.decode()

    def bind(self, *args):
        if len(args) != len(self.args):
            raise TypeError(f"{len(args)} arguments, the entry has "
                            f"{len(self.args)}")
        return Launch(self, args)


class Bundle:
    """A compiled program; executables are kept per entry and mesh."""

    def __init__(self, path):
        self.path = path
        self.executables = {}

    @functools.cached_property
    def handle(self):
        """Opened when first asked for: a test of tools needs the path alone."""
        handle = ctypes.c_void_p()
        call("bundle_open", self.path.encode(), ctypes.byref(handle))
        return handle

    @property
    def manifest(self):
        text, size = ctypes.c_char_p(), ctypes.c_size_t()
        call("bundle_manifest", self.handle, ctypes.byref(text),
             ctypes.byref(size))
        return json.loads(text.value)

    def executable(self, mesh, entry=None):
        if BACKEND != "sim" and math.prod(mesh.values()) > DEVICES:
            raise TooFewDevices(f"{mesh} has more than {DEVICES} devices")
        key = (entry, tuple(mesh.items()))
        if key not in self.executables:
            self.executables[key] = Executable(self, entry, mesh)
        return self.executables[key]

    def run(self, mesh, *args, entry=None):
        """Runs on global arrays; returns (results, collectives)."""
        launch = self.executable(mesh, entry).bind(*args)
        results = launch.run_global()
        return results, launch.collectives()


def compile_file(path, *options, name=None):
    target = temp((name or os.path.basename(path)) + ".so")
    code, _, errors = command(tool("dtensor-compile"), path, "-o", target,
                              *TARGET, *options, timeout=280)
    if code:
        raise AssertionError(f"dtensor-compile {path}: exit code {code}\n"
                             f"{errors[:4000]}")
    return Bundle(target)


def compile_text(text, name, *options):
    path = temp(name + ".mlir")
    with open(path, "w") as file:
        file.write(text)
    return compile_file(path, *options, name=name)


def example(name):
    return os.path.join(SOURCE, "examples", name)


def planned(path):
    """The program after planning, as text."""
    code, text, errors = command(tool("dtensor-compile"), path,
                                 "--emit=planned", "-o", "-")
    assert code == 0, errors
    return text


def planned_steps(text, function):
    """Collective steps in the plans of one function, {kind: count}; those of
    one bucket are one."""
    start = text.index(f"@{function}(")
    end = text.find("\n  func.func", start)
    lines, buckets = [], set()
    for line in text[start:end if end > 0 else len(text)].splitlines():
        bucket = re.search(r"dtensor\.bucket = (\d+)", line)
        if not bucket or bucket.group(1) not in buckets:
            lines.append(line)
        if bucket:
            buckets.add(bucket.group(1))
    body = "\n".join(lines)
    body = resolve_aliases(text, body)
    return {k: body.count(k + " [") for k in COLLECTIVES if k + " [" in body}


def resolve_aliases(text, body):
    """`#plan` and the like replaced by what they stand for."""
    for line in text.splitlines():
        if line.startswith("#") and " = " in line:
            alias, meaning = line.split(" = ", 1)
            if meaning.startswith("#dtensor.plan"):
                for end in (" ", ":", ",", ")"):
                    body = body.replace(alias + end, meaning + end)
    return body


#===- Comparing ------------------------------------------------------------===#

def to_double(value):
    if is_torch(value):
        import torch
        value = value.detach()
        return value.numpy() if value.dtype == torch.bool else \
            value.double().numpy() if value.is_floating_point() else \
            value.numpy()
    return np.asarray(value)


def assert_close(actual, expected, rtol, atol, what):
    a, e = to_double(actual), to_double(expected)
    assert a.shape == e.shape, f"{what}: shape {a.shape}, expected {e.shape}"
    if rtol == 0 and atol == 0:
        good = (a == e) | ((a != a) & (e != e))
    else:
        good = np.isclose(a, e, rtol=rtol, atol=atol, equal_nan=True)
    if not np.all(good):
        at = tuple(int(i) for i in np.argwhere(~good)[0])
        raise AssertionError(
            f"{what}: {np.count_nonzero(~good)} of {a.size} elements differ, "
            f"first at {list(at)}: {a[at]!r}, expected {e[at]!r}")


def assert_bits(actual, expected, what):
    """Equal bit by bit: -0.0 is not 0.0, and every NaN is itself."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, \
        f"{what}: shape {actual.shape}, expected {expected.shape}"
    assert actual.dtype == expected.dtype, what
    assert actual.tobytes() == expected.tobytes(), f"{what}: bits differ"


#===- Running tests --------------------------------------------------------===#

class Cases:
    """Collects failures of one sweep, so that one does not hide another."""

    def __init__(self):
        self.count = self.left_out = 0
        self.failures = []

    def check(self, what, function, *args):
        self.count += 1
        try:
            function(*args)
        except TooFewDevices:
            self.count -= 1
            self.left_out += 1
        except (AssertionError, Failure, TypeError, ValueError,
                subprocess.TimeoutExpired) as error:
            self.failures.append(f"{what}: {error}")

    def done(self):
        if self.left_out and not self.count:
            raise TooFewDevices(f"all {self.left_out} cases have more than "
                                f"{DEVICES} devices")
        assert self.count, "no case was run"
        rest = f", {self.left_out} left out" if self.left_out else ""
        print(f"  {self.count} cases{rest}")
        if self.failures:
            shown = "\n    ".join(self.failures[:25])
            raise AssertionError(f"{len(self.failures)} of {self.count} cases "
                                 f"failed:\n    {shown}")


def main(names=None):
    script = sys.modules["__main__"]
    names = sys.argv[3:] or [n for n in vars(script) if n.startswith("test_")]
    failed, left_out = [], 0
    for name in names:
        start = time.time()
        try:
            getattr(script, name)()
            print(f"PASS {name} ({time.time() - start:.1f} s)", flush=True)
        except TooFewDevices as error:
            print(f"LEFT OUT from here: {name}: {error}", flush=True)
            left_out += 1
        except Exception:
            traceback.print_exc(limit=4)
            print(f"FAIL {name} ({time.time() - start:.1f} s)", flush=True)
            failed.append(name)
    passed = len(names) - len(failed) - left_out
    rest = f", {left_out} left out" if left_out else ""
    print(f"{passed} passed, {len(failed)} failed{rest}")
    sys.exit(1 if failed or not names else 0)
