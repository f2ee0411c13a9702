# REQUIRES: python
# RUN: %python %s %obj %t
"""A Llama block against PyTorch, and what it moves."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

PATH = harness.example("llama_block.mlir")
FACT = '"tp" = ? {divides 4}'
LENGTHS = [1, 2, 7, 16, 33, 64]
COLLECTIVES = {"tensor_parallel": {"all_reduce": 2},
               "sequence_parallel": {"all_gather": 2, "reduce_scatter": 2}}


def arguments():
    torch.manual_seed(11)
    shapes = [(64,), (64, 64), (32, 64), (32, 64), (64, 64), (4,), (64,),
              (96, 64), (96, 64), (64, 96)]
    values = [torch.randn(s) * (0.06 if len(s) > 1 else 1) for s in shapes]
    values[5] = 10000.0 ** (-torch.arange(4) / 4)
    return values


def rotate(x, frequencies):
    angle = torch.arange(x.shape[1])[:, None] * frequencies
    a, b = x[..., :4], x[..., 4:]
    return torch.cat([a * angle.cos() - b * angle.sin(),
                      a * angle.sin() + b * angle.cos()], -1)


def heads(x, weight):
    return (x @ weight.T).unflatten(1, (-1, 8)).permute(1, 0, 2)


def reference(x, norm1, wq, wk, wv, wo, frequencies, norm2, gate, up, down):
    def norm(v, weight):
        return v * torch.rsqrt((v * v).mean(-1, keepdim=True) + 1e-5) * weight
    n = norm(x, norm1)
    q, k = (rotate(heads(n, w), frequencies) for w in (wq, wk))
    a = torch.nn.functional.scaled_dot_product_attention(
        q[None], k[None], heads(n, wv)[None], is_causal=True, enable_gqa=True)
    x = x + a[0].permute(1, 0, 2).flatten(1) @ wo.T
    n = norm(x, norm2)
    return x + (torch.nn.functional.silu(n @ gate.T) * (n @ up.T)) @ down.T


def check(bundle, entry, size, length, weights, collectives):
    x = torch.randn(length, 64)
    # In f64, so that the tolerance is all ours.
    expected = reference(*[v.double() for v in (x, *weights)])
    (result,), counts = bundle.run({"tp": size}, x, *weights, entry=entry)
    harness.assert_close(result, expected, 1e-5, 1e-6, "result")
    if collectives is not None:
        wanted = collectives if size > 1 else {}
        assert counts == wanted, f"ran {counts}, expected {wanted}"


def sweep(bundle, entry, sizes, counted):
    cases, weights = harness.Cases(), arguments()
    for size in sizes:
        for length in LENGTHS:
            cases.check(f"{entry}, {length} tokens on {size}", check, bundle,
                        entry, size, length, weights,
                        COLLECTIVES[entry] if size in counted else None)
    cases.done()


def without_fact():
    with open(PATH) as file:
        text = file.read()
    assert FACT in text
    return harness.compile_text(text.replace(FACT, '"tp" = ? {hint 4}'),
                                "llama_without_fact")


def test_tensor_parallel():
    sweep(harness.compile_file(PATH), "tensor_parallel", [1, 2, 4], [1, 2, 4])


def test_sequence_parallel():
    sweep(harness.compile_file(PATH), "sequence_parallel", [1, 2, 4],
          [1, 2, 4])


def test_plans_hold_no_more_than_two_rounds():
    text = harness.planned(PATH)
    for entry, expected in COLLECTIVES.items():
        steps = harness.planned_steps(text, entry)
        assert steps == expected, f"{entry} plans {steps}"


def test_a_mesh_that_contradicts_the_fact_is_refused():
    bundle = harness.compile_file(PATH)
    try:
        bundle.executable({"tp": 3}, "tensor_parallel")
    except harness.Failure as error:
        assert "3" in str(error) and "4" in str(error) and "tp" in str(error)
    else:
        raise AssertionError("3 devices were taken, which do not divide 4")


def test_without_the_fact_tensor_parallel_is_right_on_three():
    sweep(without_fact(), "tensor_parallel", [1, 2, 3, 4], [1, 2, 4])


def test_without_the_fact_sequence_parallel_is_right_on_three():
    sweep(without_fact(), "sequence_parallel", [1, 2, 3, 4], [1, 2, 4])


harness.main()
