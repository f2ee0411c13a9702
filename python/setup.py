"""Puts the shared libraries of a build, or of an unpacked archive, into the
package. Everything else is said in pyproject.toml."""

import os
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = os.path.dirname(os.path.abspath(__file__))
LIBRARIES = ("libDTensorCompiler.so", "libdtensor_rt.so")
FASTER = ("dtensor_prepared_call.abi3.so",)


def find_libraries():
    """And what makes calls faster, where it was built."""
    for folder in (os.environ.get("DTENSOR_LIBRARY_PATH"),
                   os.path.join(HERE, "..", "lib"),
                   os.path.join(HERE, "..", "build", "lib")):
        if folder and all(os.path.exists(os.path.join(folder, name))
                          for name in LIBRARIES):
            return [os.path.join(folder, name) for name in LIBRARIES + FASTER
                    if os.path.exists(os.path.join(folder, name))]
    raise SystemExit("build the libraries first: ninja -C build "
                     "DTensorCompiler dtensor_rt; or name their folder in "
                     "DTENSOR_LIBRARY_PATH")


class BuildWithLibraries(build_py):
    def run(self):
        super().run()
        target = os.path.join(self.build_lib, "dtensor_mlir", "lib")
        os.makedirs(target, exist_ok=True)
        for path in find_libraries():
            shutil.copy(path, target)


setup(cmdclass={"build_py": BuildWithLibraries})
