# REQUIRES: python
# RUN: %python %s %obj %t
"""A two-layer perceptron, cut by outputs and the Megatron way."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

PATH = harness.example("mlp.mlir")
MESHES = [1, 2, 3, 4, 8]
BATCHES = [0, 1, 2, 3, 7, 8, 65]


def weights():
    torch.manual_seed(3)
    first, second = torch.nn.Linear(128, 64), torch.nn.Linear(64, 1)
    return [p.detach() for layer in (first, second)
            for p in (layer.weight, layer.bias)]


def check(bundle, entry, size, batch, parameters):
    x = torch.randn(batch, 128)
    w1, b1, w2, b2 = parameters
    linear = torch.nn.functional.linear
    expected = linear(torch.relu(linear(x, w1, b1)), w2, b2)
    (result,), counts = bundle.run({"tp": size}, x, *parameters, entry=entry)
    harness.assert_close(result, expected, 1e-5, 1e-6, "result")
    if entry == "megatron" and batch:
        wanted = {"all_reduce": 1} if size > 1 else {}
        assert counts == wanted, f"ran {counts}"


def sweep(entry):
    bundle, cases = harness.compile_file(PATH), harness.Cases()
    parameters = weights()
    for size in MESHES:
        for batch in BATCHES:
            cases.check(f"batch {batch} on {size}", check, bundle, entry, size,
                        batch, parameters)
    cases.done()


def test_weights_cut_by_outputs():
    sweep("mlp")


def test_megatron_split():
    sweep("megatron")


def test_megatron_split_plans_one_all_reduce():
    steps = harness.planned_steps(harness.planned(PATH), "megatron")
    assert steps == {"all_reduce": 1}, steps


harness.main()
