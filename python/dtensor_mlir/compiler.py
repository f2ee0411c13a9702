"""Texts of programs to bundles, each compiled once.

A bundle is found again by the text of its program, the target and the compiler: first in this process, then in a folder that all processes of
the machine share. While one process compiles a program, the others wait for its
bundle. `config.cache = False`, or DTENSOR_CACHE=0, switches the folder off.
"""

from __future__ import annotations

import ctypes
import dataclasses
import fcntl
import functools
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable

from . import _libraries as lib
from .runtime import Bundle


@dataclasses.dataclass
class Config:
    """What may be set before anything is compiled."""
    cache: bool = os.environ.get("DTENSOR_CACHE", "1") != "0"
    cache_dir: str = os.environ.get("DTENSOR_CACHE_DIR") or os.path.join(
        os.environ.get("XDG_CACHE_HOME")
        or os.path.join(os.path.expanduser("~"), ".cache"), "dtensor_mlir")
    #: Called with every text that the front end hands to the compiler.
    on_program: Callable[[str], object] | None = None


config = Config()


class Program:
    """A parsed program; raises CompileError when the text is wrong."""

    def __init__(self, text: str, name: str = "<program>"):
        self._handle = ctypes.c_void_p()
        data = text.encode()
        lib.compiler_call("parse", data, ctypes.c_size_t(len(data)),
                          name.encode(), None, None,
                          ctypes.byref(self._handle))

    def __del__(self):
        if getattr(self, "_handle", None):
            lib.compiler().dtensor_compiler_destroy(self._handle)

    @staticmethod
    def _options(target, emit):
        return lib.struct(lib.CompilerOptions, target=target.encode(),
                          emit=emit.encode())

    def emit(self, phase: str, target: str = "cpu") -> str:
        """The text after a phase: "normalized", "placed", "planned", "local",
        "kernels", "ptx" or "llvm"."""
        buffer = lib.struct(lib.Buffer)
        lib.compiler_call("compile", self._handle,
                          ctypes.byref(self._options(target, phase)),
                          ctypes.byref(buffer))
        return lib.take(buffer)

    def write_bundle(self, path: str, target: str = "cpu") -> None:
        lib.compiler_call("compile_to_file", self._handle,
                          ctypes.byref(self._options(target, "bundle")),
                          path.encode())


_lock = threading.Lock()
_bundles: dict[str, Bundle] = {}
_count = 0


def compilations() -> int:
    """How many programs this process has compiled."""
    return _count


def clear() -> None:
    """Forgets the bundles of this process, not those of the folder."""
    with _lock:
        _bundles.clear()


def _compile_to(path: str, text: str, target: str) -> None:
    global _count
    Program(text).write_bundle(path, target)
    _count += 1


def _compile_shared(key: str, text: str, target: str) -> Bundle:
    os.makedirs(config.cache_dir, exist_ok=True)
    path = os.path.join(config.cache_dir, key + ".so")
    with open(path + ".lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if os.path.exists(path):
            try:
                return Bundle(path)
            except lib.LaunchError:
                pass  # damaged, or of another runtime: written anew
        _compile_to(path, text, target)
    return Bundle(path)


@functools.cache
def _identity() -> str:
    """Of the compiler: a library that was built anew writes other bundles."""
    library = lib.compiler()
    file = os.stat(library._name)
    version = library.dtensor_compiler_version().decode()
    return f"{version} {file.st_size} {file.st_mtime_ns}"


def _key_of(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def compile_text(text: str, target: str = "cpu", key_text: str | None = None,
                 hints: str = "") -> Bundle:
    """The bundle of a program. `key_text` stands for `text` in the cache, where
    it says the same without places in sources and without `hints`, the sizes
    that costs were weighed with: in a process the first ones stay, in the
    folder they are a part of the name, so that all hosts have equal bundles."""
    words = _identity(), target, key_text or text
    key = _key_of(*words)
    with _lock:
        if key in _bundles:
            return _bundles[key]
        if config.on_program:
            config.on_program(text)
        if config.cache:
            bundle = _compile_shared(_key_of(*words, hints), text, target)
        else:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "program.so")
                _compile_to(path, text, target)
                bundle = Bundle(path)
        _bundles[key] = bundle
        return bundle
