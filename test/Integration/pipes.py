# REQUIRES: python-tools
# RUN: %python %s %obj %t
"""Outputs that exist and are no regular file are written in place."""

import contextlib
import io
import os
import stat
import sys
import tempfile
import threading

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

PROGRAM = harness.example("distribute.mlir")


@contextlib.contextmanager
def new_pipe():
    """A named pipe in a folder of its own, always below the test's folder."""
    with tempfile.TemporaryDirectory(dir=harness.TEMP) as folder:
        path = os.path.join(folder, "pipe")
        os.mkfifo(path)
        yield path


def bytes_through(path, *arguments):
    """What a tool writes into the pipe `path`, which must stay a pipe.

    The test holds both ends while the tool runs, so neither side ever waits
    for the other to open: a tool that replaces the pipe gives no bytes.
    """
    inode = os.stat(path).st_ino
    source = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    end = os.open(path, os.O_WRONLY)
    os.set_blocking(source, True)
    received = []

    def drain():
        with os.fdopen(source, "rb") as file:
            received.append(file.read())

    # A bundle is larger than a pipe holds: it is read as it is written.
    reader = threading.Thread(target=drain)
    reader.start()
    try:
        code, _, errors = harness.command(*arguments)
    finally:
        os.close(end)
        reader.join()
    assert code == 0, f"exit code {code}: {errors}"
    after = os.lstat(path)
    assert stat.S_ISFIFO(after.st_mode), "the pipe was replaced"
    assert after.st_ino == inode, "the pipe was replaced by another"
    names = os.listdir(os.path.dirname(path))
    assert names == [os.path.basename(path)], f"left beside the pipe: {names}"
    return received[0]


def test_a_bundle_goes_into_a_pipe():
    with open(harness.compile_file(PROGRAM).path, "rb") as file:
        expected = file.read()
    with new_pipe() as pipe:
        actual = bytes_through(pipe, harness.tool("dtensor-compile"), PROGRAM,
                               "-o", pipe)
    assert actual == expected, \
        f"{len(actual)} bytes differ from the {len(expected)} of a file"


def test_an_array_goes_into_a_pipe():
    bundle = harness.compile_file(PROGRAM).path
    x = np.arange(21, dtype=np.float32).reshape(7, 3)
    source = harness.temp("in.npy")
    np.save(source, x)
    with new_pipe() as pipe:
        data = bytes_through(pipe, harness.tool("dtensor-run"), bundle,
                             "--entry=collect", "--mesh=world=4", "--input",
                             f"arg0={source}", "--output", f"out0={pipe}")
    harness.assert_bits(np.load(io.BytesIO(data)), x, "rows")


harness.main()
