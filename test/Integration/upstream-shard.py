# REQUIRES: python
# RUN: %python %s %obj %t
"""The programs of upstream-shard/ against NumPy, on every mesh.

Each case: file, entry, arguments for a size m (of the dynamic dimension, where
there is one), what NumPy says, and the most collectives a rank may run on four
ranks, where the table in upstream-shard/README.md names a number.
"""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "upstream-shard")
ONE_AXIS = [{"x": n} for n in (1, 2, 3, 4)]
TWO_AXES = [{"x": a, "y": b} for a, b in ((1, 1), (2, 2), (2, 3), (2, 4),
                                          (3, 1))]
STATIC, DYNAMIC = [0], [8, 5, 1, 0, 13]
rng = np.random.default_rng(22)


def f32(*shape):
    return lambda m: rng.standard_normal(
        [m if s == "m" else s for s in shape], np.float32)


def ids(limit, dtype, *shape):
    return lambda m: rng.integers(0, limit, [m if s == "m" else s
                                             for s in shape]).astype(dtype)


def index(value=None):
    return lambda m: np.array(m if value is None else value, np.int64)


def flag(value):
    return lambda m: np.array(value, np.bool_)


def mm(a, b):
    return a.astype(np.float64) @ b.astype(np.float64)


def softmax(x):
    e = np.exp(x.astype(np.float64) - x.max(1, keepdims=True, initial=-1e30))
    return e / e.sum(1, keepdims=True)


def mlp(x, w1, w2):
    return mm(np.tanh(mm(x, w1)), w2)


def causal(x, _):
    return np.tril(x)


def repeat_tanh(x, count):
    for _ in range(int(count)):
        x = np.tanh(x)
    return x


def convolution(image, kernel, init):
    out = init.astype(np.float64)
    height, width = out.shape[1:3]
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            out = out + image[:, i:i + height, j:j + width].astype(
                np.float64) @ kernel[i, j].astype(np.float64)
    return out


A, B, C = f32(64, 32), f32(32, 16), f32(64, 16)
X = f32("m", 32)
WEIGHTS = [f32(32, 64), f32(64, 32)]
SAME = lambda x: x

CASES = [
    ("e01a", "f", [A, B, C], lambda a, b, c: mm(a, b) + c, STATIC, None),
    ("e01b", "f", [f32(8, 32)] + WEIGHTS, mlp, STATIC, 1),
    ("e02a", "f", [f32("m", 7), f32(7, 6), f32("m", 6)],
     lambda a, b, c: mm(a, b) + c, DYNAMIC, None),
    ("e02b", "f", [f32("m", 7), f32(7, 6)], mm, DYNAMIC, None),
    ("e02c", "f", [X, B, index()], lambda a, b, _: mm(a, b), DYNAMIC, None),
    ("e02e", "gather", [X], SAME, DYNAMIC, {"all_gather": 1}),
    ("e02e", "all_to_all", [f32("m", 9)], SAME, DYNAMIC, {"all_to_all": 1}),
    ("e02e", "slice", [f32("m", 9)], SAME, DYNAMIC, {}),
    ("e02f", "f", [f32("m", 64), f32(64, 16), f32("m", 16)],
     lambda a, b, c: mm(a, b) + c, DYNAMIC, None),
    ("e02g", "f", [X, index()], lambda x, _: np.tanh(x), DYNAMIC, {}),
    ("e02h", "f", [X], lambda x: x.shape[0], DYNAMIC, {}),
    ("e02i", "f", [A, index(21)], lambda a, n: (np.tanh(a), 2 * n), STATIC,
     None),
    ("e03a", "f", [f32(1024, 64), ids(1024, np.int64, 8, 16, 1)],
     lambda t, i: t[i[..., 0]], STATIC, None),
    ("e03a", "dynamic", [f32(77, 64), ids(77, np.int64, "m", 3, 1)],
     lambda t, i: t[i[..., 0]], DYNAMIC, None),
    ("e03b", "f", [f32(1024, 64), ids(1024, np.int32, 128)],
     lambda t, i: t[i], STATIC, None),
    ("e03c", "f", [f32(1024, 64), ids(1024, np.int32, 128)],
     lambda t, i: t[i], STATIC, None),
    ("e03d", "f", [f32("m", 64), f32("m", 64)], causal, DYNAMIC + [70], {}),
    ("e04a", "f", [f32(128, 64)], softmax, STATIC, None),
    ("e04a", "dynamic", [f32("m", 11), f32("m", 11)], lambda x, _: softmax(x),
     DYNAMIC, None),
    ("e04b", "f", [f32(128, 64)], softmax, STATIC, None),
    ("e04c", "f", [f32("m", 64)], softmax, DYNAMIC, None),
    ("e05", "expand", [A], lambda a: a.reshape(8, 8, 32), STATIC, None),
    ("e05", "collapse", [f32(8, 8, 32)], lambda a: a.reshape(64, 32), STATIC,
     None),
    ("e05", "reshape", [A], lambda a: a.reshape(8, 8, 32), STATIC, None),
    ("e05", "dynamic", [f32("m", 6, 32)], lambda a: a.reshape(-1, 32), DYNAMIC,
     None),
    ("e05d", "slice", [A], lambda a: a[:, :16], STATIC, {}),
    ("e05d", "join", [A, A], lambda a, b: np.concatenate([a, b], 1), STATIC,
     None),
    ("e05d", "transpose", [X, f32(32, "m")], lambda a, _: a.T, DYNAMIC, {}),
    ("e05d", "either", [X, flag(True)], lambda a, _: a, DYNAMIC, {}),
    ("e05d", "either", [X, flag(False)], lambda a, _: -a, DYNAMIC, {}),
    ("e06a", "f", [f32(10, 32), f32(10, 32)], lambda a, _: np.tanh(a), STATIC,
     {}),
    ("e06a", "gather", [f32(10, 32)], SAME, STATIC, {"all_gather": 1}),
    ("e07a", "f", [A, B, C], lambda a, b, c: mm(a, b) + c, STATIC,
     {"reduce_scatter": 1}),
    ("e07b", "f", [A, B, A, B, C],
     lambda a, b, a2, b2, c: mm(a, b) + mm(a2, b2) + 2 * c, STATIC,
     1),
    ("e07c", "f", [f32("m", 12), f32(12, 16), f32(12, 16), index()],
     lambda a, b, b2, _: mm(a, b) + mm(a, b2), DYNAMIC, 1),
    ("e07d", "f", [X, X], lambda x, _: (np.tanh(x), np.exp(x)), DYNAMIC,
     {"all_gather": 1}),
    ("e08", "product", [A, B, C], lambda a, b, c: mm(a, b) + c, STATIC, None),
    ("e08", "b", [A], SAME, STATIC, {"all_gather": 2}),
    ("e08", "c", [A], SAME, STATIC, {"all_gather": 1}),
    ("e08", "d", [A], SAME, STATIC, None),
    ("e08", "e", [f32("m", 9)], SAME, DYNAMIC, {"all_gather": 1}),
    ("e08", "f", [f32("m", 9)], SAME, DYNAMIC, {}),
    ("e09", "a", [A, B, C], lambda a, b, c: mm(a, b) + c, STATIC, None),
    ("e09", "b", [A], SAME, STATIC, {"all_gather": 1}),
    ("e09", "c", [A], np.tanh, STATIC, {}),
    ("e09", "d", [A, B, C], lambda a, b, c: mm(a, b) + c, STATIC, None),
    ("e10a", "f", [X] + WEIGHTS + [index()],
     lambda x, w1, w2, _: x + mlp(x, w1, w2), DYNAMIC, 1),
    ("e10b", "f", [A], lambda x: repeat_tanh(x, 8), STATIC, {}),
    ("e10b", "dynamic", [X, index(3)], repeat_tanh, DYNAMIC, {}),
    ("e11", "f", [X], SAME, DYNAMIC, {}),
    ("e12", "f", [f32("m", 5, 64), f32("m", 64, 3), f32("m", 5, 3)],
     lambda a, b, c: mm(a, b) + c, DYNAMIC, None),
    ("e13", "f", [f32(8, 34, 34, 16), f32(3, 3, 16, 32), f32(8, 32, 32, 32)],
     convolution, STATIC, None),
    ("e13", "dynamic", [f32("m", 34, 34, 16), f32(3, 3, 16, 32),
                        f32("m", 32, 32, 32)], convolution, [5, 1], None),
]


def check(bundle, entry, mesh, args, expected, most):
    results, counts = bundle.run(mesh, *args, entry=entry)
    expected = expected if isinstance(expected, tuple) else (expected,)
    assert len(results) == len(expected)
    for i, (actual, wanted) in enumerate(zip(results, expected)):
        exact = actual.dtype != np.float32
        harness.assert_close(actual, np.asarray(wanted), 0 if exact else 1e-5,
                             0 if exact else 2e-5, f"result {i}")
    if isinstance(most, int):
        assert sum(counts.values()) <= most, f"ran {counts}, most {most}"
    elif most is not None:
        for kind, count in counts.items():
            assert count <= most.get(kind, 0), f"ran {counts}, most {most}"


def test_every_program():
    bundles, cases = {}, harness.Cases()
    for name, entry, makers, reference, sizes, most in CASES:
        if name not in bundles:
            try:
                bundles[name] = harness.compile_file(
                    os.path.join(FOLDER, name + ".mlir"))
            except (AssertionError, harness.Failure) as error:
                bundles[name] = None
                cases.count += 1
                cases.failures.append(str(error)[:600])
        if not bundles[name]:
            continue
        axes = len(bundles[name].manifest["mesh"]["axes"])
        for m in sizes:
            args = [make(m) for make in makers]
            expected = reference(*args)
            for mesh in (ONE_AXIS if axes == 1 else TWO_AXES):
                cases.check(f"{name} @{entry} {m} on {mesh}", check,
                            bundles[name], entry, mesh, args, expected, most)
    cases.done()


def test_every_program_is_run():
    files = {f[:-5] for f in os.listdir(FOLDER) if f.endswith(".mlir")}
    assert files == {case[0] for case in CASES}, \
        files ^ {case[0] for case in CASES}


def test_every_program_is_in_the_table():
    with open(os.path.join(FOLDER, "README.md")) as file:
        rows = [r.split("|")[2].strip() for r in file if r.startswith("| e")]
    files = {r.split(" ")[0].strip("`") for r in rows if r.startswith("`e")}
    expected = {f for f in os.listdir(FOLDER) if f.endswith(".mlir")}
    assert files == expected, files ^ expected


harness.main()
