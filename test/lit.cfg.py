"""The one test suite: IR tests, runs of whole programs, and scripts."""

import glob
import os
import shutil
import sys

import lit.formats
from lit.llvm import llvm_config
from lit.llvm.subst import ToolSubst

config.name = "dtensor"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".mlir", ".test", ".py"]
config.excludes = ["Inputs", "lit.cfg.py", "lit.site.cfg.py", "Unit",
                   "Roundtrip", "Benchmarks"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.dtensor_obj_root, "test")

bin_dir = os.path.join(config.dtensor_obj_root, "bin")
lib_dir = os.path.join(config.dtensor_obj_root, "lib")
tool_dirs = [bin_dir, config.llvm_tools_dir]

llvm_config.with_system_environment(
    ["HOME", "TMP", "TEMP", "TMPDIR", "CUDA_HOME", "DTENSOR_TEST_BACKEND",
     "DTENSOR_TEST_DEVICES"])
llvm_config.use_default_substitutions()
try:
    import psutil  # noqa: F401, lit needs it to end a hanging test
    lit_config.maxIndividualTestTime = 900 if config.sanitize else 300
except ImportError:
    pass

# A tool that another tool starts looks on PATH.
llvm_config.with_environment("PATH", tool_dirs, append_path=True)
llvm_config.with_environment(
    "PYTHONPATH", os.path.join(config.dtensor_src_root, "python"),
    append_path=True)

# In the suite Roundtrip every IR test is also a test of printing and parsing.
opt = "dtensor-opt"
if getattr(config, "roundtrip", False):
    opt = ToolSubst("dtensor-opt", "dtensor-opt --verify-roundtrip",
                    unresolved="ignore")
tools = [opt, "dtensor-compile", "dtensor-run", "dtensor-reduce",
         "mlir-opt", "mlir-translate"]
llvm_config.add_tool_substitutions(
    [t if isinstance(t, ToolSubst) else ToolSubst(t, unresolved="ignore")
     for t in tools], tool_dirs)

# A preloaded sanitizer runtime would be needed to load our libraries into an
# uninstrumented Python: those tests are left to the plain build. Where Python
# only starts our programs, `REQUIRES: python-tools` is enough.
if os.path.exists(config.python):
    config.available_features.add("python-tools")
    if not config.sanitize:
        config.available_features.add("python")
    config.substitutions.append(("%python", config.python))
else:
    config.substitutions.append(("%python", sys.executable))
# `REQUIRES: cuda` is one GPU, `cuda-2` two, and so on.
for count in range(1, len(glob.glob("/dev/nvidia[0-9]*")) + 1):
    config.available_features.update({"cuda", f"cuda-{count}"})
# NVIDIA's checker of memory accesses.
if shutil.which("compute-sanitizer"):
    config.available_features.add("compute-sanitizer")
# NVIDIA's assembler, to look at the machine code of kernels.
if shutil.which("ptxas"):
    config.available_features.add("ptxas")
    llvm_config.with_environment(
        "PATH", [os.path.dirname(shutil.which("ptxas"))], append_path=True)
# Projects that tests build go through the cache as the build itself does.
if shutil.which("ccache"):
    for language in ("C", "CXX"):
        llvm_config.with_environment(f"CMAKE_{language}_COMPILER_LAUNCHER",
                                     "ccache")
# A browser, to look at pages that the compiler writes.
browser = shutil.which("chromium") or shutil.which("google-chrome")
if browser:
    config.available_features.add("chromium")
    config.substitutions.append(("%chromium", browser))
config.substitutions.append(("%src", config.dtensor_src_root))
config.substitutions.append(("%obj", config.dtensor_obj_root))
config.substitutions.append(
    ("%llvm", os.path.dirname(config.llvm_tools_dir)))
config.substitutions.append(("%rt", os.path.join(lib_dir, "libdtensor_rt.so")))
