"""Every case that the tests of ops sweep, without running one.

A test script is executed up to its calls of `conform.sweep`, which are written
down instead. What the fuzzer draws from and what the table of ops shows is thus
what is tested, and nothing else.
"""

import glob
import os
import runpy
import sys

import harness
import conform

INTEGRATION = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Sweep:
    """One case with the axes of its mesh and the sizes that it runs on."""

    def __init__(self, script, case, axes, sizes):
        self.script, self.case = script, case
        self.axes, self.sizes = axes, sizes


class _Compiles(Exception):
    """A test wants to compile something of its own."""


def _refuse(*_args, **_kwargs):
    raise _Compiles


def _scripts():
    return sorted(glob.glob(os.path.join(INTEGRATION, "ops-*.py")))


def sweeps():
    """A list of Sweep, in the order of the scripts."""
    found, script = [], None

    def record(_name, cases, axes, _meshes, _count=4, sizes=None):
        found.extend(Sweep(script, case, axes, sizes or conform.SIZES)
                     for case in cases)
    kept = {(module, name): getattr(module, name) for module, name in (
        (conform, "sweep"), (harness, "main"), (harness, "command"),
        (harness, "compile_text"), (harness, "compile_file"))}
    for module, name in kept:
        setattr(module, name, _refuse)
    conform.sweep, harness.main = record, lambda *_: None
    try:
        for path in _scripts():
            script = os.path.basename(path)
            names = runpy.run_path(path)
            for name in [n for n in names if n.startswith("test_")]:
                try:
                    names[name]()
                except _Compiles:
                    pass
    finally:
        for (module, name), value in kept.items():
            setattr(module, name, value)
    return found
