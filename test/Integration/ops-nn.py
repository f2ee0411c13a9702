# REQUIRES: python
# RUN: %python %s %obj %t
"""Softmax, norms and attention on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

functional = torch.nn.functional


def wide(function):
    """f16 and bf16 are computed in f32."""
    def compute(*args):
        dtype = args[0].dtype
        if dtype in (torch.float16, torch.bfloat16):
            return function(*[a.float() for a in args]).to(dtype)
        return function(*args)
    return compute


def softmax_cases(dtype):
    cases = []
    for op, function in (("softmax", torch.softmax),
                         ("log_softmax", torch.log_softmax)):
        for dim in (0, 1, 2):
            cases.append(Case(
                f"{op}_{dim}_{dtype}", [(["M", "N", "K"], dtype)],
                tensor(["M", "N", "K"], dtype),
                f"%r0 = dtensor.{op} %a {{dim = {dim}}} : ($A) -> $0",
                wide(lambda x, f=function, d=dim: f(x, d)),
                tolerance=None if dtype != "f32" else (1e-5, 2e-6)))
    return cases


def norm_cases(dtype):
    def layer_norm(x, *parameters):
        shape = x.shape[2:]
        return functional.layer_norm(x, shape, *parameters)

    def rms_norm(x, weight=None):
        y = x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6)
        return y if weight is None else y * weight

    def two(x, weight):
        square = (x * x).mean((-1, -2), keepdim=True)
        return x * torch.rsqrt(square + 1e-5) * weight
    t = tensor(["M", "N", "K"], dtype)
    x, k = (["M", "N", "K"], dtype), (["K"], dtype)
    # PyTorch has no mean over an empty dimension that is not NaN; neither
    # have we, but its layer_norm refuses K = 0.
    some = lambda K, N, **_: K and N
    options = dict(when=some,
                   tolerance=None if dtype != "f32" else (1e-5, 5e-6))
    return [
        Case(f"layer_norm_{dtype}", [x], t,
             "%r0 = dtensor.layer_norm %a : ($A) -> $0", wide(layer_norm),
             **options),
        Case(f"layer_norm_weight_{dtype}", [x, k], t,
             "%r0 = dtensor.layer_norm %a, %b : ($A, $B) -> $0",
             wide(layer_norm), **options),
        Case(f"layer_norm_bias_{dtype}", [x, k, k], t,
             "%r0 = dtensor.layer_norm %a, %b, %c : ($A, $B, $C) -> $0",
             wide(layer_norm), **options),
        Case(f"rms_norm_{dtype}", [x], t,
             "%r0 = dtensor.rms_norm %a {eps = 1.0e-6} : ($A) -> $0",
             wide(rms_norm), **options),
        Case(f"rms_norm_weight_{dtype}", [x, k], t,
             "%r0 = dtensor.rms_norm %a, %b {eps = 1.0e-6} : ($A, $B) -> $0",
             wide(rms_norm), **options),
        Case(f"rms_norm_two_{dtype}", [x, (["N", "K"], dtype)], t,
             "%r0 = dtensor.rms_norm %a, %b {trailing = 2 : i64} : ($A, $B) -> "
             "$0", wide(two), **options),
    ]


def attention(causal, scale=None):
    """Query i sees the keys j <= i + S - T; a row without keys is 0."""
    def compute(q, k, v):
        dtype = q.dtype
        q, k, v = q.double(), k.double(), v.double()
        group = q.shape[-3] // max(k.shape[-3], 1)
        k, v = (x.repeat_interleave(group, -3) for x in (k, v))
        t, s = q.shape[-2], k.shape[-2]
        scores = q @ k.transpose(-1, -2) * (scale or q.shape[-1] ** -0.5)
        if causal:
            hidden = torch.arange(s)[None] > torch.arange(t)[:, None] + s - t
            scores = scores.masked_fill(hidden, -float("inf"))
        return torch.softmax(scores, -1).nan_to_num(0.0).matmul(v).to(dtype)
    return compute


def attention_cases(dtype):
    def case(name, q, kv, attributes, reference, value=None):
        value = value or kv
        return Case(f"{name}_{dtype}", [(q, dtype), (kv, dtype),
                                        (value, dtype)],
                    tensor(q[:-1] + value[-1:], dtype),
                    f"%r0 = dtensor.attention %a, %b, %c {attributes}: "
                    "($A, $B, $C) -> $0", reference,
                    tolerance=None if dtype != "f32" else (1e-5, 2e-6))
    return [
        case("plain", [4, "M", 8], [4, "N", 8], "", attention(False)),
        case("causal", [4, "M", 8], [4, "M", 8], "{causal} ", attention(True)),
        case("decode", [4, "M", 8], [4, "K", 8], "{causal} ", attention(True)),
        case("grouped", [6, "M", 4], [3, "N", 4], "{causal} ",
             attention(True)),
        case("one_key_head", [4, "M", 4], [1, "N", 4], "", attention(False)),
        case("batched", ["B", 4, "M", 8], ["B", 2, "N", 8], "{causal} ",
             attention(True)),
        case("scaled", [2, "M", 4], [2, "N", 4], "{scale = 0.5 : f64} ",
             attention(False, 0.5)),
        case("wide_values", [2, "M", 4], [2, "N", 4], "", attention(False),
             [2, "N", 6]),
    ]


def loss_cases():
    """Cross entropy as a user writes it: the vocabulary may be sharded."""
    return [Case(
        "cross_entropy", [(["M", "N"], "f32"),
                          (["M", 1], "i64", below("N"))], tensor([], "f32"),
        "%0 = dtensor.log_softmax %a {dim = 1} : ($A) -> $A\n"
        "%1 = dtensor.gather %0, %b {dim = 1} : ($A, $B) -> tensor<?x1xf32>\n"
        "%2 = dtensor.mean %1 {dims = [0, 1]} : (tensor<?x1xf32>) -> $0\n"
        "%r0 = dtensor.neg %2 : ($0) -> $0",
        lambda x, i: functional.cross_entropy(x, i[:, 0]),
        when=lambda M, **_: M)]


def test_softmax_on_one_axis():
    sweep_1d("softmax", softmax_cases("f32"))


def test_norms_on_one_axis():
    sweep_1d("norms", norm_cases("f32"))


def test_attention_on_one_axis():
    sweep_1d("attention", attention_cases("f32"), count=3)


def test_all_on_two_axes():
    sweep_2d("nn", softmax_cases("f32")[1::2] + norm_cases("f32")[::2] +
             attention_cases("f32")[::2] + loss_cases(), count=2)


def test_other_types():
    cases = [c for d in ("f64", "f16", "bf16") for c in
             softmax_cases(d)[1:3] + norm_cases(d)[2:5:2] +
             attention_cases(d)[3:4]]
    sweep_1d("nn-types", cases, count=1)


def test_cross_entropy_over_a_sharded_vocabulary():
    sweep_1d("loss", loss_cases(), count=6)


LONG = [dict(M=67, N=131, K=200, B=2)]


def test_longer_rows():
    sweep_1d("nn-long", softmax_cases("f32")[:3] + norm_cases("f32")[2:5:2] +
             attention_cases("f32")[:4], count=2, sizes=LONG)


harness.main()
