# REQUIRES: python
# RUN: %python %s %obj %t
"""Gradients of attention whose keys and values go round are PyTorch's, on even,
uneven and empty pieces; n - 1 pieces of keys, values and of their gradients are
handed on."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness


def attention(q, k, v, causal):
    """(result, logsumexp); a row that sees no key is 0."""
    group = q.shape[-3] // max(k.shape[-3], 1)
    k, v = (x.repeat_interleave(group, -3) for x in (k, v))
    scores = q @ k.mT / q.shape[-1] ** 0.5
    if causal:
        row = torch.arange(q.shape[-2])[:, None] + k.shape[-2] - q.shape[-2]
        hidden = torch.arange(k.shape[-2])[None, :] > row
        scores = scores.masked_fill(hidden, float("-inf"))
    lse = torch.logsumexp(scores, -1)
    weights = torch.where(scores == float("-inf"), 0.0,
                          torch.exp(scores - lse[..., None]))
    return weights @ v, lse


def program(name, mesh, placements, batch="", attributes="", lse=False,
            element="f32"):
    layout = lambda h, s, w=", 16": (
        f"{{dtensor.layout = #dtensor.layout<#mesh, [{placements}], "
        f"({batch}{h}, {s}{w})>}}")
    extra = "?x" if batch else ""
    many = f"tensor<{extra}4x?x16x{element}>"
    few = f"tensor<{extra}2x?x16x{element}>"
    rows = f"tensor<{extra}4x?xf32>"
    names, types = "%g, %q, %k, %v, %y", f"{many}, {many}, {few}, {few}, {many}"
    args = (f"%g: {many} {layout(4, 'T')}, %q: {many} {layout(4, 'T')}, "
            f"%k: {few} {layout(2, 'S')}, %v: {few} {layout(2, 'S')}, "
            f"%y: {many} {layout(4, 'T')}")
    if lse:
        names, types = names + ", %l", f"{types}, {rows}"
        args += f", %l: {rows} {layout(4, 'T', '')}"
    results = f"{many}, {few}, {few}"
    return harness.compile_text(
        f"#mesh = #dtensor.mesh<{mesh}>\n"
        f"func.func @{name}({args}) -> ({many} {layout(4, 'T')}, "
        f"{few} {layout(2, 'S')}, {few} {layout(2, 'S')}) {{\n"
        f"  %dq, %dk, %dv = dtensor.ring_attention_backward {names} "
        f"{{{attributes}}} : ({types}) -> ({results})\n"
        f"  return %dq, %dk, %dv : {results}\n}}\n", name)


def check(bundle, mesh, T, S, causal, batch=(), lse=False):
    torch.manual_seed(10 * T + S)
    q, g = torch.randn(*batch, 4, T, 16), torch.randn(*batch, 4, T, 16)
    k, v = torch.randn(*batch, 2, S, 16), torch.randn(*batch, 2, S, 16)
    wide = [x.double().requires_grad_() for x in (q, k, v)]
    y, sums = attention(*wide, causal)
    expected = torch.autograd.grad(y, wide, g.double(), allow_unused=True)
    args = [g, q, k, v, y.detach().float()]
    if lse:
        args.append(sums.detach().float())
    results, found = bundle.run(mesh, *args)
    for name, actual, wanted in zip(("dq", "dk", "dv"), results, expected):
        harness.assert_close(actual, torch.nan_to_num(wanted), 1e-4, 1e-4,
                             name)
    passes = (4 if lse else 5) * (mesh["sp"] - 1)
    wanted = {"collective_permute": passes} if passes else {}
    assert found == wanted, found


# Pieces that are equal, that are not, and fewer rows than ranks.
SHAPES = [(8, 8), (13, 13), (7, 11), (2, 5), (3, 3), (1, 9)]
RANKS = (1, 2, 3, 4)


def sweep(name, causal, lse):
    attributes = "causal" if causal else ""
    bundle = program(name, '"sp" = ?', "shard(1)", "", attributes, lse)
    cases = harness.Cases()
    for T, S in SHAPES:
        for ranks in RANKS:
            cases.check(f"{T} {S} {ranks}", check, bundle, {"sp": ranks}, T, S,
                        causal, (), lse)
    cases.done()


def test_every_query_sees_every_key():
    sweep("all", False, True)


def test_a_query_sees_the_keys_before_it():
    sweep("causal", True, True)


def test_sums_of_exponentials_are_computed_again():
    sweep("again", True, False)


def test_heads_and_batches_may_be_sharded_beside_it():
    bundle = program("beside", '"tp" = ? {divides 2}, "dp" = ?, "sp" = ?',
                     "shard(1), shard(0), shard(2)", "B, ", "causal", True)
    cases = harness.Cases()
    for mesh in ({"tp": 2, "dp": 1, "sp": 2}, {"tp": 2, "dp": 2, "sp": 3},
                 {"tp": 1, "dp": 2, "sp": 2}):
        for batch in (1, 3):
            cases.check(f"{mesh} {batch}", check, bundle, mesh, 7, 7, True,
                        (batch,), True)
    cases.done()


harness.main()
