# REQUIRES: python
# RUN: %python %s %obj %t
"""Training steps compute what PyTorch computes, and move what an expert would
move: counts of collectives are of one run, and the same in the plan."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

functional = torch.nn.functional


class Program:
    """One function; `values` are (name, type, placements, extents)."""

    def __init__(self, name, axes, args, results, body, hints):
        layout = lambda p, e: (f"{{dtensor.layout = #dtensor.layout<#mesh, "
                               f"[{p}], ({e})>}}")
        mesh = ", ".join(f'"{a}" = ?' for a in axes)
        inputs = ", ".join(f"%{n}: {t} {layout(p, e)}" for n, t, p, e in args)
        outputs = ", ".join(f"{t} {layout(p, e)}" for _, t, p, e in results)
        names = ", ".join(f"%{n}" for n, _, _, _ in results)
        types = ", ".join(t for _, t, _, _ in results)
        symbols = ", ".join(f"{s} = {{hint = {h}}}" for s, h in hints.items())
        self.text = (f"#mesh = #dtensor.mesh<{mesh}>\n"
                     f"func.func @{name}({inputs}) -> ({outputs}) "
                     f"attributes {{dtensor.symbols = {{{symbols}}}}} {{\n"
                     f"{body}  return {names} : {types}\n}}\n")
        self.bundle = harness.compile_text(self.text, name)
        self.name, self.results = name, results

    def check(self, mesh, args, expected, counts, tolerance=(1e-4, 1e-5)):
        results, found = self.bundle.run(mesh, *args)
        for (name, _, _, _), result, wanted in zip(self.results, results,
                                                   expected):
            harness.assert_close(result, wanted, *tolerance, name)
        several = [a for a, n in mesh.items() if n > 1]
        if len(several) == len(mesh):
            assert found == counts, f"{self.name} on {mesh} ran {found}"
            plan = harness.planned(harness.temp(self.name + ".mlir"))
            steps = harness.planned_steps(plan, self.name)
            assert steps == counts, f"{self.name} plans {steps}"


X = "tensor<?x256xf32>"
W = "tensor<512x256xf32>"


def linear_gradient(name, weight):
    """The gradient of the weight of a data-parallel linear layer."""
    return Program(name, ["dp"], [("g", "tensor<?x512xf32>", "shard(0)",
                                   "T, 512"), ("x", X, "shard(0)", "T, 256")],
                   [("w", W, weight, "512, 256")],
                   "  %w = dtensor.matmul %g, %x {transpose_a} : "
                   f"(tensor<?x512xf32>, {X}) -> {W}\n", dict(T=1024))


def test_the_gradient_of_a_data_parallel_linear_is_one_collective():
    for placement, counts in (("replicate", {"all_reduce": 1}),
                              ("shard(0)", {"reduce_scatter": 1})):
        program = linear_gradient("linear_" + placement[:5], placement)
        for size in (1, 2, 3):
            g, x = torch.randn(13, 512), torch.randn(13, 256)
            program.check({"dp": size}, (g, x), [g.T @ x], counts)


def embedding_gradient(name, axes, grad, ids, table):
    return Program(
        name, axes, [("g", "tensor<?x?x64xf32>", grad, "B, S, 64"),
                     ("ids", "tensor<?x?xi64>", ids, "B, S")],
        [("t", "tensor<3001x64xf32>", table, "3001, 64")],
        "  %t = dtensor.embedding_backward %g, %ids {size = 3001} : "
        "(tensor<?x?x64xf32>, tensor<?x?xi64>) -> tensor<3001x64xf32>\n",
        dict(B=8, S=512))


def embedding_reference(g, ids):
    return torch.zeros(3001, 64).index_add(0, ids.reshape(-1),
                                           g.reshape(-1, 64))


def test_rows_of_a_table_are_summed_where_they_are():
    """A vocabulary-parallel table with replicated tokens moves nothing; a
    replicated one with sharded tokens is one all-reduce; both at once reduce
    only along the tokens' axis, and only what a rank has."""
    for name, axes, grad, ids, table, counts in (
            ("by_word", ["tp"], "replicate", "replicate", "shard(0)", {}),
            ("by_feature", ["tp"], "shard(2)", "replicate", "shard(1)", {}),
            ("by_token", ["dp"], "shard(0)", "shard(0)", "replicate",
             {"all_reduce": 1}),
            ("by_both", ["dp", "tp"], "shard(0), replicate",
             "shard(0), replicate", "replicate, shard(0)", {"all_reduce": 1})):
        program = embedding_gradient("embedding_" + name, axes, grad, ids,
                                     table)
        for size in (2, 3):
            g = torch.randn(3, 17, 64)
            ids_ = torch.randint(0, 3001, (3, 17))
            program.check({a: size for a in axes}, (g, ids_),
                          [embedding_reference(g, ids_)], counts)


A, B = "tensor<256x1024xf32>", "tensor<1024x256xf32>"
F = "tensor<?x1024xf32>"
MLP = f"""
  %lr = arith.constant 0.1 : f32
  %a = dtensor.matmul %x, %w1 : ({X}, {A}) -> {F}
  %h = dtensor.gelu %a : ({F}) -> {F}
  %y = dtensor.matmul %h, %w2 : ({F}, {B}) -> {X}
  %dh = dtensor.matmul %g, %w2 {{transpose_b}} : ({X}, {B}) -> {F}
  %da = dtensor.gelu_backward %dh, %a : ({F}, {F}) -> {F}
  %dx = dtensor.matmul %da, %w1 {{transpose_b}} : ({F}, {A}) -> {X}
  %d2 = dtensor.matmul %h, %g {{transpose_a}} : ({F}, {X}) -> {B}
  %d1 = dtensor.matmul %x, %da {{transpose_a}} : ({X}, {F}) -> {A}
  %n1, %n2 = dtensor.sgd_step lr(%lr) params(%w1, %w2) grads(%d1, %d2) {{weight_decay = 0.01}} : (f32, {A}, {B}, {A}, {B}) -> ({A}, {B})
"""


def mlp(name, axes, token, w1, w2):
    state = [("w1", A, w1, "256, 1024"), ("w2", B, w2, "1024, 256")]
    data = [("x", X, token, "T, 256"), ("g", X, token, "T, 256")]
    new = [("y", X, token, "T, 256"), ("dx", X, token, "T, 256"),
           ("n1", A, w1, "256, 1024"), ("n2", B, w2, "1024, 256")]
    return Program(name, axes, data + state, new, MLP, dict(T=2048))


def mlp_arguments():
    x, g = torch.randn(11, 256), torch.randn(11, 256)
    w1, w2 = torch.randn(256, 1024) / 16, torch.randn(1024, 256) / 32
    parts = [v.clone().requires_grad_(True) for v in (x, w1, w2)]
    with torch.enable_grad():
        y = functional.gelu(parts[0] @ parts[1]) @ parts[2]
        y.backward(g)
    optimizer = torch.optim.SGD(parts[1:], lr=0.1, weight_decay=0.01)
    optimizer.step()
    return (x, g, w1, w2), [v.detach() for v in (y, parts[0].grad, *parts[1:])]


def test_a_megatron_mlp_trains_with_two_all_reduces():
    program = mlp("megatron", ["tp"], "replicate", "shard(1)", "shard(0)")
    args, expected = mlp_arguments()
    for size in (1, 2, 3, 4):
        program.check({"tp": size}, args, expected, {"all_reduce": 2},
                      (2e-4, 2e-4))


def test_with_data_parallel_tokens_each_gradient_is_reduced_once():
    program = mlp("megatron_dp", ["dp", "tp"], "shard(0), replicate",
                  "replicate, shard(1)", "replicate, shard(0)")
    args, expected = mlp_arguments()
    for mesh in ({"dp": 2, "tp": 2}, {"dp": 2, "tp": 3}, {"dp": 3, "tp": 1}):
        program.check(mesh, args, expected, {"all_reduce": 4}, (2e-4, 2e-4))


def test_sharded_parameters_are_gathered_once_and_their_gradients_scattered():
    """FSDP: both weights are kept in pieces along the tokens' axis."""
    program = mlp("fsdp", ["dp"], "shard(0)", "shard(0)", "shard(0)")
    args, expected = mlp_arguments()
    for size in (1, 2, 3):
        program.check({"dp": size}, args, expected,
                      {"all_gather": 2, "reduce_scatter": 2}, (2e-4, 2e-4))


harness.main()
