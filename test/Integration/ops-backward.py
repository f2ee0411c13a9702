# REQUIRES: python
# RUN: %python %s %obj %t
"""Gradients against PyTorch's autograd on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

functional = torch.nn.functional
MN, MNK = ["M", "N"], ["M", "N", "K"]
TOLERANT = {"f32": (1e-5, 5e-6), "f64": None, "bf16": (3e-2, 3e-2),
            "f16": (5e-3, 5e-3)}


def gradients(function, grad, *inputs):
    """Of sum(function(*inputs) * grad), computed in f32 for f16 and bf16."""
    dtype = inputs[0].dtype
    half = dtype in (torch.float16, torch.bfloat16)
    wide = [(x.float() if half and x.is_floating_point() else x).detach()
            for x in inputs]
    for x in wide:
        x.requires_grad_(x.is_floating_point())
    with torch.enable_grad():
        result = function(*wide)
        found = torch.autograd.grad(
            result, [x for x in wide if x.requires_grad],
            grad.to(result.dtype), allow_unused=True)
    return [x.to(dtype) for x in found]


#===- One scalar at a time -------------------------------------------------===#

POINTWISE = [
    ("threshold_backward", "{threshold = 0.0} ", torch.relu),
    ("silu_backward", "", functional.silu),
    ("gelu_backward", "", functional.gelu),
    ("gelu_backward", '{approximate = "tanh"} ',
     lambda x: functional.gelu(x, approximate="tanh")),
    ("mish_backward", "", functional.mish),
    ("elu_backward", "{alpha = 0.5} ", lambda x: functional.elu(x, 0.5)),
    ("elu_backward", "{alpha = 1.6732632423543772, "
     "scale = 1.0507009873554805} ", functional.selu),
    ("elu_backward", "{alpha = 2.0, input_scale = 0.5} ",
     lambda x: functional.celu(x, 2.0)),
    ("leaky_relu_backward", "{slope = 0.2} ",
     lambda x: functional.leaky_relu(x, 0.2)),
    ("hardtanh_backward", "{low = -0.5} ",
     lambda x: functional.hardtanh(x, -0.5, 1.0)),
    ("hardsigmoid_backward", "", functional.hardsigmoid),
    ("hardswish_backward", "", functional.hardswish),
    ("softplus_backward", "{beta = 2.0, threshold = 3.0} ",
     lambda x: functional.softplus(x, 2.0, 3.0)),
    ("log_sigmoid_backward", "", functional.logsigmoid),
    ("hardshrink_backward", "{lambda = 0.4} ",
     lambda x: functional.hardshrink(x, 0.4)),
    ("softshrink_backward", "{lambda = 0.4} ",
     lambda x: functional.softshrink(x, 0.4)),
]
# They take the result.
OF_RESULT = [
    ("tanh_backward", "", torch.tanh), ("sigmoid_backward", "", torch.sigmoid),
    ("elu_backward", "{alpha = 0.5, is_result} ",
     lambda x: functional.elu(x, 0.5)),
]
FORWARD = {"tanh_backward": "tanh %b", "sigmoid_backward": "sigmoid %b",
           "elu_backward": "elu %b {alpha = 0.5}"}


def spread(shape, dtype, _):
    """Wide enough for every bend."""
    return (torch.randn(shape, dtype=torch.float64) * 3).to(TORCH[dtype])


def pointwise_cases(dtype):
    args = [(MN, dtype, normal), (MN, dtype, spread)]
    cases = [Case(f"{op}_{i}_{dtype}", args, tensor(MN, dtype),
                  f"%r0 = dtensor.{op} %a, %b {attributes}: ($A, $B) -> $0",
                  lambda g, x, f=f: gradients(f, g, x), tolerance=TOLERANT[
                      dtype]) for i, (op, attributes, f) in
             enumerate(POINTWISE)]
    for op, attributes, f in OF_RESULT:
        cases.append(Case(
            f"{op}_of_result_{dtype}", args, tensor(MN, dtype),
            f"%0 = dtensor.{FORWARD[op]} : ($B) -> $B\n"
            f"%r0 = dtensor.{op} %a, %0 {attributes}: ($A, $B) -> $0",
            lambda g, x, f=f: gradients(f, g, x),
            tolerance=(3e-2, 6e-2) if "16" in dtype else TOLERANT[dtype]))
    return cases


def logit_cases():
    def near(shape, dtype, _):
        return (torch.rand(shape, dtype=torch.float64) * 1.2 - 0.1).to(
            TORCH[dtype])
    backward = torch.ops.aten.logit_backward
    return [Case(f"logit_backward_{eps is None}",
                 [(MN, "f32"), (MN, "f32", near)], tensor(MN, "f32"),
                 f"%r0 = dtensor.logit_backward %a, %b "
                 f"{'' if eps is None else f'{{eps = {eps}}} '}: ($A, $B) -> $0",
                 lambda g, x, e=eps: backward(g, x, e)) for eps in (None, 0.1)]


#===- Softmax and norms ----------------------------------------------------===#

def softmax_cases(dtype):
    cases = []
    for op, f in (("softmax", torch.softmax),
                  ("log_softmax", torch.log_softmax)):
        for dim in (0, 1, 2):
            cases.append(Case(
                f"{op}_backward_{dim}_{dtype}", [(MNK, dtype), (MNK, dtype)],
                tensor(MNK, dtype),
                f"%0 = dtensor.{op} %b {{dim = {dim}}} : ($B) -> $B\n"
                f"%r0 = dtensor.{op}_backward %a, %0 {{dim = {dim}}} : "
                "($A, $B) -> $0",
                lambda g, x, f=f, d=dim: gradients(lambda x: f(x, d), g, x),
                tolerance=TOLERANT[dtype] if "16" not in dtype else
                (5e-2, 5e-2)))
    return cases


def norm_case(kind, dtype, parameters, trailing=1):
    """Forward with statistics, then all gradients."""
    shape = MNK[3 - trailing:]
    stat = tensor(MNK[:3 - trailing] + [1] * trailing,
                  "f32" if "16" in dtype else dtype)
    layer = kind == "layer_norm"
    stats, types = ("%m, %s", f"{stat}, {stat}") if layer else ("%s", stat)
    weight, wtype = (", %c", ", $C") if parameters else ("", "")
    count = 1 + (parameters if parameters else 0)
    trail = f"{{trailing = {trailing} : i64}}"
    names = ", ".join(f"%r{i}" for i in range(count + 1))
    outs = ", ".join(f"${i}" for i in range(count + 1))
    used = [shape] * min(parameters, 1)
    bias = ", %d" if parameters > 1 else ""
    btype = ", $D" if parameters > 1 else ""
    if parameters > 1:
        used.append(shape)
    body = (f"%r{0}, {stats} = dtensor.native_{kind} %b{weight}{bias} {trail} :"
            f" ($B{wtype}{btype}) -> ($0, {types})\n"
            + ", ".join(f"%r{i}" for i in range(1, count + 1)) +
            f" = dtensor.{kind}_backward %a, %b, {stats}{weight} {trail} : "
            f"($A, $B, {types}{wtype}) -> "
            f"({', '.join(f'${i}' for i in range(1, count + 1))})")

    def forward(x, weight=None, bias=None):
        size = x.shape[3 - trailing:]
        if layer:
            return functional.layer_norm(x, size, weight, bias)
        return functional.rms_norm(x, size, weight, 1e-5)

    def compute(g, x, *parameters):
        result = forward(*[p.float() if "16" in dtype else p
                           for p in (x, *parameters)]).to(x.dtype)
        return [result] + gradients(forward, g, x, *parameters)
    results = [(n, tensor(d, dtype)) for n, d in
               [("result", MNK), ("input", MNK), ("weight", shape),
                ("bias", shape)][:count + 1]]
    tolerance = (1e-4, 2e-5) if dtype == "f32" else (1e-9, 1e-9) if \
        dtype == "f64" else (5e-2, 5e-2)
    return Case(f"{kind}_backward_{parameters}_{trailing}_{dtype}",
                [(MNK, dtype), (MNK, dtype)] + [(d, dtype) for d in used],
                results, body, compute, tolerance=tolerance,
                when=lambda M, N, K, **_: N and K > 1)


def norm_cases(dtype):
    return [norm_case("layer_norm", dtype, 0), norm_case("layer_norm", dtype, 1),
            norm_case("layer_norm", dtype, 2),
            norm_case("layer_norm", dtype, 2, 2),
            norm_case("rms_norm", dtype, 0), norm_case("rms_norm", dtype, 1),
            norm_case("rms_norm", dtype, 1, 2)]


def group_norm_cases():
    """Statistics are an operand; those here are not the input's."""
    def compute(weighted):
        def run(g, x, mean, rstd, *weight):
            n, c, k = x.shape
            found = torch.ops.aten.native_group_norm_backward(
                g, x, mean, rstd, weight[0] if weight else None, n, c, k, 2,
                [True, weighted, weighted])
            return [f for f in found if f is not None]
        return run
    x, stat, t = ["M", 6, "N"], ["M", 2], tensor
    args = [(x, "f64", normal), (x, "f64", normal), (stat, "f64", normal),
            (stat, "f64", positive)]
    some = lambda M, N, **_: M and N
    return [
        Case("group_norm_backward_plain", args, t(x, "f64"),
             "%r0 = dtensor.group_norm_backward %a, %b, %c, %d {groups = 2} : "
             "($A, $B, $C, $D) -> $0", compute(False), when=some),
        Case("group_norm_backward_weight", args + [([6], "f64")],
             [t(x, "f64"), t([6], "f64"), t([6], "f64")],
             "%r0, %r1, %r2 = dtensor.group_norm_backward %a, %b, %c, %d, %e "
             "{groups = 2} : ($A, $B, $C, $D, $E) -> ($0, $1, $2)",
             compute(True), when=some, tolerance=(1e-10, 1e-10)),
    ]


#===- Extrema, lookups and parts -------------------------------------------===#

def tied(shape, dtype, _):
    return torch.randint(-2, 3, shape).to(TORCH[dtype])


def extremum_cases(dtype):
    cases = []
    for op in ("amax", "amin"):
        for dims, keep in (([1], True), ([0], False), ([0, 1], False)):
            kept = [d for i, d in enumerate(MN) if i not in dims]
            shape = [1 if i in dims else d for i, d in enumerate(MN)] if keep \
                else kept
            attributes = f"{{dims = {dims}{', keepdim' if keep else ''}}}"
            cases.append(Case(
                f"{op}_backward_{''.join(map(str, dims))}_{dtype}",
                [(shape, dtype), (MN, dtype, tied)], tensor(MN, dtype),
                f"%0 = dtensor.{op} %b {attributes} : ($B) -> $A\n"
                f"%r0 = dtensor.{op}_backward %a, %b, %0 {attributes} : "
                "($A, $B, $A) -> $0",
                lambda g, x, o=op, d=dims, k=keep: gradients(
                    lambda x: getattr(torch, o)(x, d, k), g, x),
                when=lambda M, N, **_: M and N, tolerance=TOLERANT[dtype]))
    return cases


def scattered(grad, index, dim, size):
    """Rows of the gradient added at indices that are in range."""
    shape = list(grad.shape)
    shape[dim:dim + index.ndim] = [size + 1]
    flat = index.reshape(-1).long()
    flat = torch.where((flat < 0) | (flat >= size), size, flat)
    rows = grad.reshape(*grad.shape[:dim], flat.numel(),
                        *grad.shape[dim + index.ndim:])
    wide = torch.float32 if "16" in str(grad.dtype) else grad.dtype
    result = torch.zeros(shape, dtype=wide).index_add(dim, flat, rows.to(wide))
    return result.narrow(dim, 0, size).to(grad.dtype)


def lookup_cases(dtype, index="i64", margin=0):
    ids = (MN, index, below("K", margin))
    t = tensor
    size = "size = #dtensor.expr<K>"
    bind = (["K"], dtype)

    def embedding(g, i, x, padding=None):
        if padding is not None:
            i = torch.where(i == padding, -1, i)
        return scattered(g, i, 0, x.shape[0])

    def gather(g, i, x):
        zeros = torch.zeros(g.shape[0], x.shape[0] + 1,
                            dtype=torch.float32 if "16" in dtype else g.dtype)
        i = torch.where((i < 0) | (i >= x.shape[0]), x.shape[0], i.long())
        return zeros.scatter_add(1, i, g.to(zeros.dtype))[:, :-1].to(g.dtype)
    some = lambda K, **_: K or margin
    return [
        Case(f"embedding_backward_{dtype}_{margin}",
             [(MN + [6], dtype), ids, bind], t(["K", 6], dtype),
             f"%r0 = dtensor.embedding_backward %a, %b {{{size}}} : "
             "($A, $B) -> $0", embedding, when=some),
        Case(f"embedding_backward_padding_{dtype}_{margin}",
             [(MN + [6], dtype), ids, bind], t(["K", 6], dtype),
             f"%r0 = dtensor.embedding_backward %a, %b {{{size}, padding = 1}} "
             ": ($A, $B) -> $0", lambda g, i, x: embedding(g, i, x, 1),
             when=some),
        Case(f"index_select_backward_{dtype}_{margin}",
             [(["M", "N", 5], dtype), (["N"], index, below("K", margin)), bind],
             t(["M", "K", 5], dtype),
             f"%r0 = dtensor.index_select_backward %a, %b {{dim = 1, {size}}} :"
             " ($A, $B) -> $0", lambda g, i, x: scattered(g, i, 1, x.shape[0]),
             when=some),
        Case(f"gather_backward_{dtype}_{margin}", [(MN, dtype), ids, bind],
             t(["M", "K"], dtype),
             f"%r0 = dtensor.gather_backward %a, %b {{dim = 1, {size}}} : "
             "($A, $B) -> $0", gather, when=some),
    ]


def part_cases():
    t, aten = tensor, torch.ops.aten
    return [
        Case("slice_backward_all", [(MN, "f32"), (["K"], "f32")],
             t(["M", "?"], "f32"),
             "%r0 = dtensor.slice_backward %a {dim = 1, size = "
             "#dtensor.expr<N + K>, start = #dtensor.expr<K>, step = 1} : ($A) "
             "-> $0", lambda g, x: aten.slice_backward(
                 g, [g.shape[0], g.shape[1] + x.shape[0]], 1, x.shape[0],
                 2**62, 1)),
        Case("slice_backward_steps", [(MN, "f32")], t(["?", "N"], "f32"),
             "%r0 = dtensor.slice_backward %a {dim = 0, size = "
             "#dtensor.expr<3*M + 1>, start = 1, step = 3} : ($A) -> $0",
             lambda g: aten.slice_backward(
                 g, [3 * g.shape[0] + 1, g.shape[1]], 0, 1, 2**62, 3)),
        Case("select_backward", [(MN, "f32"), (["K"], "f32")],
             t(["M", "K", "N"], "f32"),
             "%r0 = dtensor.select_backward %a {dim = 1, size = "
             "#dtensor.expr<K>, index = #dtensor.expr<K - 1>} : ($A) -> $0",
             lambda g, x: aten.select_backward(
                 g, [g.shape[0], x.shape[0], g.shape[1]], 1, x.shape[0] - 1),
             when=lambda K, **_: K),
        Case("glu_backward", [(["M", 3], "f32"), (["M", 6], "f32")],
             t(["M", 6], "f32"),
             "%r0 = dtensor.glu_backward %a, %b {dim = 1} : ($A, $B) -> $0",
             lambda g, x: gradients(lambda x: functional.glu(x, 1), g, x),
             tolerance=TOLERANT["f32"]),
        Case("cumsum_backward", [(MN, "f64")], t(MN, "f64"),
             "%0 = dtensor.flip %a {dims = [1]} : ($A) -> $A\n"
             "%1 = dtensor.cumsum %0 {dim = 1} : ($A) -> $A\n"
             "%r0 = dtensor.flip %1 {dims = [1]} : ($A) -> $A",
             lambda g: gradients(lambda x: x.cumsum(1), g,
                                 torch.zeros_like(g))),
        Case("expand_backward", [(MN, "f64")], t(["M", 1], "f64"),
             "%r0 = dtensor.sum %a {dims = [1], keepdim} : ($A) -> $0",
             lambda g: gradients(lambda x: x.expand(g.shape), g,
                                 torch.zeros(g.shape[0], 1, dtype=g.dtype))),
    ]


#===- Attention ------------------------------------------------------------===#

def attention(causal, scale=None, diagonal=None):
    def forward(q, k, v):
        group = q.shape[-3] // max(k.shape[-3], 1)
        k, v = (x.repeat_interleave(group, -3) for x in (k, v))
        t, s = q.shape[-2], k.shape[-2]
        scores = q @ k.transpose(-1, -2) * (scale or q.shape[-1] ** -0.5)
        if causal:
            last = s - t if diagonal is None else diagonal
            hidden = torch.arange(s)[None] > torch.arange(t)[:, None] + last
            scores = scores.masked_fill(hidden, -1e30)
            seen = (~hidden).any(-1, keepdim=True)
            return torch.softmax(scores, -1).matmul(v) * seen
        return torch.softmax(scores, -1).matmul(v)
    return lambda g, q, k, v: gradients(forward, g, q, k, v)


def attention_cases(dtype):
    def case(name, q, kv, attributes, reference, value=None):
        value = value or kv
        out = q[:-1] + value[-1:]
        return Case(
            f"{name}_{dtype}", [(out, dtype, normal), (q, dtype, normal),
                                (kv, dtype, normal), (value, dtype, normal)],
            [("query", tensor(q, dtype)), ("key", tensor(kv, dtype)),
             ("value", tensor(value, dtype))],
            f"%y = dtensor.attention %b, %c, %d {attributes}: ($B, $C, $D) -> "
            "$A\n"
            f"%r0, %r1, %r2 = dtensor.attention_backward %a, %b, %c, %d, %y "
            f"{attributes}: ($A, $B, $C, $D, $A) -> ($0, $1, $2)",
            reference, when=lambda N, **_: N,
            tolerance=(1e-4, 1e-5) if dtype == "f32" else
            (1e-9, 1e-10) if dtype == "f64" else (5e-2, 5e-2))
    return [
        case("plain", [4, "M", 8], [4, "N", 8], "", attention(False)),
        case("causal", [4, "M", 8], [4, "N", 8], "{causal} ", attention(True)),
        case("grouped", [6, "M", 4], [3, "N", 4], "{causal} ",
             attention(True)),
        case("batched", ["B", 4, "M", 8], ["B", 2, "N", 8], "{causal} ",
             attention(True)),
        case("scaled", [2, "M", 4], [2, "N", 4], "{scale = 0.5 : f64} ",
             attention(False, 0.5)),
        case("wide_values", [2, "M", 4], [2, "N", 4], "", attention(False),
             [2, "N", 6]),
    ]


def two_gradients_case(dtype):
    """The ops that attention_backward is made of, with a diagonal of their
    own: a query sees the keys up to its number and two more."""
    q, k, v = ["B", 4, "M", 8], ["B", 2, "N", 8], ["B", 2, "N", 6]
    out = q[:-1] + v[-1:]
    wide = "f64" if dtype == "f64" else "f32"
    rows, outs = tensor(q[:-1], wide), tensor(out, wide)
    return Case(
        f"two_{dtype}", [(out, dtype, normal), (q, dtype, normal),
                         (k, dtype, normal), (v, dtype, normal)],
        [("query", tensor(q, dtype)), ("key", tensor(k, dtype)),
         ("value", tensor(v, dtype))],
        "%z = arith.constant 2 : index\n"
        "%y = dtensor.attention %b, %c, %d, %z {causal} : "
        "($B, $C, $D, index) -> $A\n"
        f"%g = dtensor.cast %a : ($A) -> {outs}\n"
        f"%o = dtensor.cast %y : ($A) -> {outs}\n"
        f"%p = dtensor.mul %g, %o : ({outs}, {outs}) -> {outs}\n"
        f"%s = dtensor.sum %p {{dims = [3]}} : ({outs}) -> {rows}\n"
        "%r0, %l = dtensor.attention_query_grad %a, %b, %c, %d, %s, %z "
        f"{{causal}} : ($A, $B, $C, $D, {rows}, index) -> ($0, {rows})\n"
        "%r1, %r2 = dtensor.attention_key_value_grad %a, %b, %c, %d, %l, %s, "
        f"%z {{causal}} : ($A, $B, $C, $D, {rows}, {rows}, index) -> ($1, $2)",
        attention(True, diagonal=2), when=lambda N, **_: N,
        tolerance=(1e-4, 1e-5) if dtype == "f32" else
        (1e-9, 1e-10) if dtype == "f64" else (5e-2, 5e-2))


def saved_logsumexp_case():
    """The sum over the scores that the forward pass can keep."""
    q, k = [4, "M", 8], [4, "N", 8]
    reference = attention(False)

    def compute(g, q, k, v):
        return reference(g, q, k, v)
    return Case("saved", [(q, "f64", normal), (q, "f64", normal),
                          (k, "f64", normal), (k, "f64", normal)],
                [("query", tensor(q, "f64")), ("key", tensor(k, "f64")),
                 ("value", tensor(k, "f64"))],
                "%s = dtensor.matmul %b, %c {transpose_b} : ($B, $C) -> "
                "tensor<4x?x?xf64>\n"
                "%f = arith.constant 0.35355339059327379 : f64\n"
                "%x = dtensor.mul %s, %f : (tensor<4x?x?xf64>, f64) -> "
                "tensor<4x?x?xf64>\n"
                "%l = dtensor.logsumexp %x {dims = [2]} : (tensor<4x?x?xf64>) "
                "-> tensor<4x?xf64>\n"
                "%y = dtensor.attention %b, %c, %d : ($B, $C, $D) -> $A\n"
                "%r0, %r1, %r2 = dtensor.attention_backward %a, %b, %c, %d, %y,"
                " %l : ($A, $B, $C, $D, $A, tensor<4x?xf64>) -> ($0, $1, $2)",
                compute, when=lambda N, **_: N, tolerance=(1e-9, 1e-10))


def test_activations_on_one_axis():
    sweep_1d("backward-pointwise", pointwise_cases("f32") + logit_cases(),
             count=3)


def test_softmax_and_norms_on_one_axis():
    sweep_1d("backward-norms", softmax_cases("f32") + norm_cases("f32") +
             group_norm_cases(), count=3)


def test_lookups_on_one_axis():
    sweep_1d("backward-lookups", extremum_cases("f32") + lookup_cases("f32") +
             lookup_cases("f64", "i32", 3) + part_cases(), count=4)


def test_attention_on_one_axis():
    sweep_1d("backward-attention", attention_cases("f32") +
             [two_gradients_case("f32"), saved_logsumexp_case()], count=3)


def test_all_on_two_axes():
    sweep_2d("backward", pointwise_cases("f32")[::4] +
             softmax_cases("f32")[1::2] + norm_cases("f64")[1::2] +
             group_norm_cases()[1:] + extremum_cases("f64")[::2] +
             lookup_cases("f64", margin=2) + part_cases() +
             attention_cases("f64")[1:4] + [two_gradients_case("f64")],
             count=2)
    sweep_2d("backward-rest", pointwise_cases("f32") + logit_cases(), count=1,
             sizes=SIZES[:3])


def test_other_types():
    sweep_1d("backward-types", [c for d in ("f64", "f16", "bf16") for c in
                                pointwise_cases(d)[::3] + softmax_cases(d)[2:5]
                                + norm_cases(d)[2:6:3] + lookup_cases(d)[:1] +
                                attention_cases(d)[2:3] +
                                [two_gradients_case(d)]], count=1)


harness.main()
