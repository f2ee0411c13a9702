#!/usr/bin/env python3
"""Writes or checks the table of ops and what is tested of each.

usage: op-table.py BUILD [--update]

The ops are those that BUILD's generated headers declare. What is tested comes
from the cases that test/Integration/ops-*.py sweep over even, uneven and empty
shards; device code of one case of each op is compiled. Without --update the
file test/Coverage/ops.md must be what would be written, and no op may lack
anything. Exit code 1 otherwise.
"""

import collections
import ctypes
import difflib
import glob
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
TABLE = os.path.join(ROOT, "test", "Coverage", "ops.md")

# Ops of the language itself, and one with a test of its own: where they are
# tested.
LANGUAGE = {
    "agree": "test/Integration/programs.py",
    "call": "test/Integration/programs.py",
    "constraint": "test/Integration/programs.py",
    "extent": "test/Integration/scalars.py",
    "generic": "test/Integration/programs.py",
    "index": "test/Integration/ops-views.py",
    "redistribute": "test/Integration/redistribute-nested.py",
    "refine": "test/Integration/programs.py",
    "ring_attention_backward": "test/Integration/ring-attention-backward.py",
    "stack_shards": "test/Integration/ops-ordered.py",
    "unstack_shards": "test/Integration/ops-ordered.py",
    "yield": "test/Integration/programs.py",
}

# Gradients that are no op of their own: what they are made of. "none" is an op
# whose result is no float or does not depend on its operands continuously.
NONE = """all any argmax argmin bernoulli bitwise_and bitwise_not bitwise_or
bitwise_xor compare constant count_nonzero iota isfinite isinf isnan logical_and
logical_not logical_or logical_xor one_hot rand randn route_slots shift_left
shift_right signbit full sgd_step adam_step adamw_step""".split()
ZERO = "ceil floor floor_divide heaviside round sign trunc".split()
TRANSPOSED = {
    "add": "sum", "sub": "neg sum", "neg": "neg", "cast": "cast",
    "permute": "permute", "reshape": "reshape", "flatten": "unflatten",
    "unflatten": "flatten", "squeeze": "unsqueeze", "unsqueeze": "squeeze",
    "expand": "sum", "sum": "expand", "mean": "expand div",
    "concat": "slice", "stack": "unbind", "split": "concat",
    "chunk": "concat", "unbind": "stack", "pad": "slice", "flip": "flip",
    "roll": "roll", "tril": "tril", "triu": "triu", "repeat": "reshape sum",
    "repeat_interleave": "reshape sum", "diagonal": "one_hot mul",
    "where": "where", "masked_fill": "masked_fill sum", "lerp": "mul sub",
    "matmul": "matmul", "linear": "matmul sum", "mv": "mv outer",
    "dot": "mul", "outer": "mv", "addmm": "addmm matmul",
    "baddbmm": "baddbmm matmul", "einsum": "einsum",
    "cumsum": "flip cumsum", "scan": "flip cumsum",
    "cumprod": "cumprod cumsum div", "sort": "gather_backward",
    "topk": "gather_backward", "scatter": "gather scatter",
    "scatter_sum": "gather", "scatter_add": "gather",
    "index_add": "index_select", "index_put": "index_select scatter",
    "unfold": "unfold sum", "copysign": "sign mul",
    "deg2rad": "deg2rad", "rad2deg": "rad2deg", "frac": "add",
}
POINTWISE = """abs acos acosh addcdiv addcmul asin asinh atan atan2 atanh celu
clamp cos cosh div erf erfc exp exp2 expm1 fmax fmin fmod hypot log log10 log1p
log2 logaddexp logaddexp2 maximum minimum mul nan_to_num pow prelu reciprocal
relu relu6 remainder rsqrt selu sin sinh softsign sqrt square tan tanhshrink
xlogy""".split()
REDUCED = {"prod": "prod div mul", "logsumexp": "exp mul", "norm": "div mul",
           "std": "sub div mul", "var": "sub mul", "var_mean": "sub mul"}
OTHER = {
    "convolution": "convolution_input_grad convolution_weight_grad sum",
    "max_pool": "max_pool_grad", "avg_pool": "avg_pool_grad",
    "adaptive_avg_pool": "adaptive_avg_pool_grad",
    "native_layer_norm": "layer_norm_backward",
    "native_rms_norm": "rms_norm_backward",
    "native_group_norm": "group_norm_backward",
    "native_batch_norm": "batch_norm_backward",
}
SECOND = re.compile(r"_backward$|_grad$")


def gradient(op, ops):
    """The column; None if it is not known."""
    if SECOND.search(op):
        return "is one"
    if f"{op}_backward" in ops:
        return f"`{op}_backward`"
    if op in NONE:
        return "none"
    if op in ZERO:
        return "0"
    if op in POINTWISE:
        return "pointwise"
    for table in (TRANSPOSED, REDUCED, OTHER):
        if op in table:
            names = table[op].split()
            assert set(names) <= set(ops), (op, names)
            return " ".join(f"`{n}`" for n in names)
    return None


def declared(build):
    """{op: group}, without those of the local view."""
    ops = {}
    pattern = os.path.join(build, "include/dtensor/Dialect/DTensor/IR",
                           "*Ops.h.inc")
    for path in sorted(glob.glob(pattern)):
        group = os.path.basename(path)[:-len("Ops.h.inc")]
        with open(path) as file:
            for op in re.findall(r'StringLiteral\("dtensor\.(\w+)"\)',
                                 file.read()):
                if group != "Local":
                    ops[op] = group
    return ops


class Tested:
    def __init__(self):
        self.scripts, self.types = set(), set()
        self.axes = collections.Counter()
        self.case = None

    def take(self, sweep, op):
        case = sweep.case
        self.scripts.add(sweep.script)
        self.axes[len(sweep.axes)] += 1
        self.types |= set(re.findall(r"(?<![a-z])(?:b?f|i)\d+\b",
                                     " ".join(t for _, t in case.results)
                                     .replace("x", " ")))
        if self.case is None or len(case.body) < len(self.case.body):
            self.case = case


def tested(sweeps):
    found = collections.defaultdict(Tested)
    for sweep in sweeps:
        for op in set(re.findall(r"dtensor\.(\w+)", sweep.case.body)):
            found[op].take(sweep, op)
    return found


class DeviceCode:
    """Compiles cases for a GPU, as text."""

    def __init__(self, build):
        import inprocess
        self.module, self.lib = inprocess, inprocess.library(build)

    def works(self, case):
        text = '#mesh = #dtensor.mesh<"tp" = ?>\n' + case.function(
            "f", [["shard(0)"] if dims else ["replicate"]
                  for dims, _, _ in case.args])
        program, options = ctypes.c_void_p(), self.module.Options(
            struct_size=ctypes.sizeof(self.module.Options),
            target=b"cuda:sm_90a", emit=b"ptx")

        class Buffer(ctypes.Structure):
            _fields_ = [("struct_size", ctypes.c_size_t),
                        ("data", ctypes.c_void_p), ("bytes", ctypes.c_size_t)]
        buffer = Buffer(struct_size=ctypes.sizeof(Buffer))
        data = text.encode()
        status = self.lib.dtensor_compiler_parse(
            data, ctypes.c_size_t(len(data)), b"case", None, None,
            ctypes.byref(program)) or self.lib.dtensor_compiler_compile(
                program, ctypes.byref(options), ctypes.byref(buffer))
        if status:
            print(f"op-table: {case.name}: "
                  f"{self.lib.dtensor_compiler_last_error().decode()[:300]}",
                  file=sys.stderr)
        else:
            self.lib.dtensor_compiler_buffer_free(ctypes.byref(buffer))
        self.lib.dtensor_compiler_destroy(program)
        return not status


HEAD = """# Ops, and what is tested of each

Written by `scripts/op-table.py BUILD --update`; a test compares.

* *gradient*: the op that is the gradient, or those that it is made of;
  *pointwise*: a product with a derivative that pointwise ops make; *is one*: the
  op is a gradient itself; *none*: its result is no differentiable function.
* *shards*: cases on one mesh axis, of 1, 2, 3 and 4 devices, with even, uneven
  and empty shards in drawn placements, compared with PyTorch; then those on two
  axes.
* *GPU*: device code of a case was compiled.

| op | gradient | element types | shards | 2-D mesh | CPU | GPU | tests |
|---|---|---|---|---|---|---|---|
"""


def table(build):
    """(text, what is missing)."""
    import collect
    ops, missing = declared(build), []
    found, device = tested(collect.sweeps()), DeviceCode(build)
    rows = []
    for op in sorted(ops):
        if op in LANGUAGE:
            continue
        entry = found.get(op)
        formula = gradient(op, ops)
        if entry is None or not entry.axes[1] or not entry.axes[2]:
            missing.append(f"{op} is in no case of a test on one or two axes")
            continue
        if formula is None:
            missing.append(f"the gradient of {op} is not known")
        works = device.works(entry.case)
        if not works:
            missing.append(f"{op} has no device code")
        scripts = " ".join(sorted(s[:-3] for s in entry.scripts))
        types = " ".join(sorted(entry.types))
        rows.append(f"| `{op}` | {formula} | {types} | {entry.axes[1]} | "
                    f"{entry.axes[2]} | yes | {'yes' if works else 'no'} | "
                    f"{scripts} |")
    text = HEAD + "\n".join(rows) + f"\n\n{len(rows)} ops. Those of the " \
        "language itself:\n\n| op | tests |\n|---|---|\n" + "".join(
            f"| `{op}` | {path} |\n" for op, path in sorted(LANGUAGE.items()))
    missing += [f"{op} is no op" for op in LANGUAGE if op not in ops]
    missing += [f"{path} is no file" for path in LANGUAGE.values()
                if not os.path.exists(os.path.join(ROOT, path))]
    return text, missing


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build, update = os.path.abspath(sys.argv[1]), "--update" in sys.argv
    sys.argv = [sys.argv[0], build]
    for folder in ("Integration", "Fuzz"):
        sys.path.insert(0, os.path.join(ROOT, "test", folder, "Inputs"))
    text, missing = table(build)
    for line in missing:
        print(f"op-table: {line}")
    if update:
        with open(TABLE, "w") as file:
            file.write(text)
    with open(TABLE) as file:
        old = file.read()
    if old != text:
        print("op-table: test/Coverage/ops.md is stale, run "
              "scripts/op-table.py BUILD --update")
        print("\n".join(list(difflib.unified_diff(
            old.splitlines(), text.splitlines(), lineterm="", n=0))[:20]))
    print(f"op-table: {text.count(' | yes | ')} ops, {len(missing)} lack "
          "something")
    sys.exit(1 if missing or old != text else 0)


if __name__ == "__main__":
    main()
