# REQUIRES: python
# RUN: %python %s %obj %t
"""Attention whose keys and values go round computes what PyTorch computes, on
even, uneven and empty pieces, and hands on n - 1 pieces of each."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness


def reference(q, k, v, diagonal):
    group = q.shape[-3] // max(k.shape[-3], 1)
    k, v = (x.repeat_interleave(group, -3) for x in (k, v))
    scores = q.double() @ k.double().mT / q.shape[-1] ** 0.5
    if diagonal is not None:
        row = torch.arange(q.shape[-2])[:, None] + diagonal
        hidden = torch.arange(k.shape[-2])[None, :] > row
        scores = scores.masked_fill(hidden, float("-inf"))
    weights = torch.softmax(scores, -1)
    return torch.nan_to_num(weights, 0.0) @ v.double()


def program(name, mesh, q, kv, batch, attributes="ring", element="f32"):
    """`q` and `kv` are placements; a diagonal is the last argument."""
    layout = lambda p, h, s: (f"{{dtensor.layout = #dtensor.layout<#mesh, "
                              f"[{p}], ({batch}{h}, {s}, 16)>}}")
    extra = "?x" if batch else ""
    many = f"tensor<{extra}4x?x16x{element}>"
    few = f"tensor<{extra}2x?x16x{element}>"
    scalar = ", %d: index" if "diagonal" in attributes else ""
    operand = ", %d" if scalar else ""
    attributes = attributes.replace("diagonal", "causal")
    return harness.compile_text(
        f"#mesh = #dtensor.mesh<{mesh}>\n"
        f"func.func @{name}(%q: {many} {layout(q, 4, 'T')}, "
        f"%k: {few} {layout(kv, 2, 'S')}, %v: {few} {layout(kv, 2, 'S')}"
        f"{scalar}) -> ({many} {layout(q, 4, 'T')}) {{\n"
        f"  %y = dtensor.attention %q, %k, %v{operand} {{{attributes}}} : "
        f"({many}, {few}, {few}{', index' if scalar else ''}) -> {many}\n"
        f"  return %y : {many}\n}}\n", name)


def tensors(T, S, batch=()):
    return (torch.randn(*batch, 4, T, 16), torch.randn(*batch, 2, S, 16),
            torch.randn(*batch, 2, S, 16))


def check(bundle, mesh, args, diagonal, *scalars, tolerance=(1e-5, 1e-5)):
    results, found = bundle.run(mesh, *args, *scalars)
    harness.assert_close(results[0], reference(*args, diagonal), *tolerance,
                         "y")
    passes = 2 * (mesh["sp"] - 1)
    wanted = {"collective_permute": passes} if passes else {}
    assert found == wanted, found


# Pieces that are equal, that are not, and fewer rows than ranks.
SHAPES = [(8, 8), (13, 13), (7, 11), (2, 5), (3, 1), (1, 9)]
RANKS = (1, 2, 3, 4)


def test_every_query_sees_every_key():
    bundle = program("all", '"sp" = ?', "shard(1)", "shard(1)", "")
    cases = harness.Cases()
    for shape in SHAPES:
        for ranks in RANKS:
            cases.check(f"{shape} {ranks}", check, bundle, {"sp": ranks},
                        tensors(*shape), None)
    cases.done()


def test_a_query_sees_the_keys_before_it():
    """Without a diagonal the last query sees the last key; queries before the
    first key see none, and are 0."""
    bundle = program("causal", '"sp" = ?', "shard(1)", "shard(1)", "",
                     "causal, ring")
    cases = harness.Cases()
    for T, S in SHAPES + [(9, 4)]:
        for ranks in RANKS:
            cases.check(f"{T} {S} {ranks}", check, bundle, {"sp": ranks},
                        tensors(T, S), S - T)
    cases.done()


def test_a_diagonal_is_of_the_whole_sequence():
    bundle = program("diagonal", '"sp" = ?', "shard(1)", "shard(1)", "",
                     "diagonal, ring")
    cases = harness.Cases()
    for diagonal in (-3, 0, 5):
        for ranks in RANKS:
            cases.check(f"{diagonal} {ranks}", check, bundle, {"sp": ranks},
                        tensors(7, 10), diagonal, diagonal)
    cases.done()


def test_heads_and_batches_may_be_sharded_beside_it():
    bundle = program("beside", '"tp" = ? {divides 2}, "dp" = ?, "sp" = ?',
                     "shard(1), shard(0), shard(2)",
                     "shard(1), shard(0), shard(2)", "B, ", "causal, ring")
    cases = harness.Cases()
    for mesh in ({"tp": 2, "dp": 1, "sp": 2}, {"tp": 2, "dp": 2, "sp": 3},
                 {"tp": 1, "dp": 2, "sp": 4}):
        for batch in (1, 3):
            cases.check(f"{mesh} {batch}", check, bundle, mesh,
                        tensors(7, 7, (batch,)), 0)
    cases.done()


def test_the_order_of_the_pieces_is_that_of_the_ranks():
    """A run repeats bit by bit."""
    bundle = program("again", '"sp" = ?', "shard(1)", "shard(1)", "")
    args = tensors(13, 13)
    first, _ = bundle.run({"sp": 4}, *args)
    second, _ = bundle.run({"sp": 4}, *args)
    harness.assert_bits(second[0], first[0], "y")


harness.main()
