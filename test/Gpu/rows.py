# REQUIRES: cuda, python
# RUN: dtensor-compile %S/Inputs/rows.mlir --target=cuda -o %t.so
# RUN: %python %s %rt %t.so
"""Rows of lengths at the limits of every schedule, against float64.

usage: rows.py LIBDTENSOR_RT BUNDLE [LENGTHS]

Every result has more memory behind it that must stay as it is.
"""

import os
import sys
import zlib

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "python"))
import dtensor_mlir

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "i64": torch.int64}
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 4e-3}
# A thread keeps 16 bytes times 4 to 8, a block has 512 threads, a cluster 8
# blocks.
LENGTHS = [1, 2, 7, 8, 31, 127, 128, 129, 136, 1000, 4096, 8184, 8188, 8191,
           8192, 8196, 16376, 16383, 16384, 16385, 16388, 16392, 32764, 32768,
           65532, 65536, 65537, 65540, 65544, 128256, 131064, 131072, 131073,
           131076, 131080, 229376, 229384, 262152]
# Of these so many rows that every cluster walks over some.
WALKS = [20000, 65544]
GUARD, FILL = 64, 85


def norm(x, residual, weight):
    total = x + residual
    return [total, F.rms_norm(total, total.shape[1:], weight, 1e-5)]


def gate(x):
    half = x.shape[1] // 2
    return [F.silu(x[:, :half]) * x[:, half:2 * half]]


# Entry: kinds of arguments, what it computes.
ENTRIES = {
    "softmax_f32": ("x", lambda x: [x.softmax(-1)]),
    "softmax_bf16": ("x", lambda x: [x.softmax(-1)]),
    "log_softmax_f32": ("x", lambda x: [x.log_softmax(-1)]),
    "log_softmax_bf16": ("x", lambda x: [x.log_softmax(-1)]),
    "norm_bf16": ("xxw", norm),
    "layer_norm_f32": ("xww", lambda x, w, b: [
        F.layer_norm(x, x.shape[1:], w, b, 1e-5)]),
    "chain_bf16": ("x", lambda x: [F.silu(2 * x + 1) * x]),
    "chain_f32": ("x", lambda x: [F.silu(x) * x]),
    "argmax_f32": ("x", lambda x: [x.argmax(-1)]),
    "columns_f32": ("x", lambda x: [x.sum(0)]),
    "sum_f32": ("x", lambda x: [x.sum(1)]),
    "loss_f32": ("xt", lambda x, t: [F.cross_entropy(x, t)]),
    "gate_bf16": ("x", gate),
}


def make(kind, rows, length, dtype):
    if kind == "x":
        return (torch.randn(rows, length) * 3).to(dtype)
    if kind == "w":
        return (torch.randn(length) * 0.2 + 1).to(dtype)
    return torch.randint(0, length, (rows,))


def run(exe, args):
    """Results and whether the memory behind each was left alone."""
    launch = exe.bind([tuple(a.shape) for a in args])
    views, whole = [], []
    for value, (shape, _) in zip(exe.results, launch.result_boxes[0]):
        count = torch.Size(shape).numel()
        dtype = DTYPES[value.dtype]
        whole.append(torch.full((count + GUARD,), FILL, dtype=dtype).cuda())
        views.append(whole[-1][:count].view(shape))
    stream = torch.cuda.Stream()
    given = [a.cuda() for a in args]
    torch.cuda.synchronize()
    launch.prepare([a.data_ptr() for a in given],
                   [v.data_ptr() for v in views], [stream.cuda_stream])()
    torch.cuda.synchronize()
    return [v.cpu() for v in views], all(
        bool((w.cpu()[-GUARD:] == FILL).all()) for w in whole)


def check(exe, entry, rows, length):
    """What is wrong, or None."""
    kinds, reference = ENTRIES[entry]
    dtype = DTYPES[entry.split("_")[-1]]
    torch.manual_seed(zlib.crc32(f"{entry} {length}".encode()))
    args = [make(kind, rows, length, dtype) for kind in kinds]
    results, is_kept = run(exe, args)
    if not is_kept:
        return "wrote behind its result"
    expected = reference(*[a.double() if a.is_floating_point() else a
                           for a in args])
    for actual, wanted in zip(results, expected):
        error = float((actual.double() - wanted.double()).norm())
        size = float(wanted.double().norm())
        if not error <= TOLERANCE[dtype] * max(size, 1e-30):
            return f"error {error / max(size, 1e-30):.3g}"
    return None


def main(library, path, given=None):
    lengths = LENGTHS + WALKS
    if given:
        lengths = [int(n) for n in given.split(",")]
    os.environ["DTENSOR_LIBRARY_PATH"] = os.path.dirname(library)
    bundle = dtensor_mlir.Bundle(path)
    cases = failed = 0
    for entry in ENTRIES:
        exe = bundle.executable({"dp": 1}, entry, backend="cuda")
        for length in lengths:
            counts = (1, 3, 77) if length <= 1000 else (3,)
            for rows in (151,) if length in WALKS else counts:
                try:
                    wrong = check(exe, entry, rows, length)
                except dtensor_mlir.Error as failure:
                    wrong = str(failure)
                cases += 1
                if wrong:
                    failed += 1
                    print(f"{entry} of {rows}x{length}: {wrong}", flush=True)
    print(f"{cases - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
