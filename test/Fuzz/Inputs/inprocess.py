"""The compiler in this process, by its C interface."""

import ctypes
import os


class Options(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("target", ctypes.c_char_p),
                ("cpu", ctypes.c_char_p), ("emit", ctypes.c_char_p),
                ("from_local", ctypes.c_int32),
                ("verify_each", ctypes.c_int32),
                ("unoptimized", ctypes.c_int32)]


class Error(Exception):
    """A program was refused; str() says why."""


_library = None


def library(build):
    global _library
    if _library is None:
        _library = ctypes.CDLL(os.path.join(build, "lib",
                                            "libDTensorCompiler.so"))
        _library.dtensor_compiler_last_error.restype = ctypes.c_char_p
    return _library


def compile_to(build, text, path, unoptimized):
    lib, program = library(build), ctypes.c_void_p()
    data = text.encode()
    options = Options(struct_size=ctypes.sizeof(Options),
                      unoptimized=unoptimized)

    def check(status):
        if status:
            raise Error(lib.dtensor_compiler_last_error().decode())
    check(lib.dtensor_compiler_parse(data, ctypes.c_size_t(len(data)), b"fuzz",
                                     None, None, ctypes.byref(program)))
    try:
        check(lib.dtensor_compiler_compile_to_file(
            program, ctypes.byref(options), path.encode()))
    finally:
        lib.dtensor_compiler_destroy(program)
