# REQUIRES: python
# RUN: %python %s %obj %t
"""A mixture of experts, its tokens and its experts sharded over one axis."""

import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

EXPERTS, CHOICES = 4, 2
PROGRAM = """
#mesh = #dtensor.mesh<"ep" = ?>
#x = #dtensor.layout<#mesh, [shard(0)], (G, S, D)>
#router = #dtensor.layout<#mesh, [replicate], (D, 4)>
#up = #dtensor.layout<#mesh, [shard(0)], (4, D, F)>
#down = #dtensor.layout<#mesh, [shard(0)], (4, F, D)>

func.func @moe(%x: tensor<?x?x?xf32> {dtensor.layout = #x},
               %router: tensor<?x4xf32> {dtensor.layout = #router},
               %up: tensor<4x?x?xf32> {dtensor.layout = #up},
               %down: tensor<4x?x?xf32> {dtensor.layout = #down},
               %c: index {dtensor.symbol = "C"})
    -> (tensor<?x?x?xf32> {dtensor.layout = #x})
    attributes {dtensor.symbols = {D = {hint = 4096}, F = {hint = 14336},
                                   S = {hint = 512}}} {
  %0 = dtensor.matmul %x, %router : (tensor<?x?x?xf32>, tensor<?x4xf32>) -> tensor<?x?x4xf32>
  %1 = dtensor.softmax %0 {dim = 2} : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %w, %e = dtensor.topk %1 {dim = 2, k = 2} : (tensor<?x?x4xf32>) -> (tensor<?x?x2xf32>, tensor<?x?x2xi64>)
  %s = dtensor.route_slots %e {count = 4, capacity = #dtensor.expr<C>} : (tensor<?x?x2xi64>) -> tensor<?x?x2xi64>
  %b = dtensor.dispatch %x, %s {count = 4, capacity = #dtensor.expr<C>} : (tensor<?x?x?xf32>, tensor<?x?x2xi64>) -> tensor<?x4x?x?xf32>
  %h = dtensor.grouped_matmul %b, %up : (tensor<?x4x?x?xf32>, tensor<4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %r = dtensor.relu %h : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %o = dtensor.grouped_matmul %r, %down : (tensor<?x4x?x?xf32>, tensor<4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %y = dtensor.combine %o, %s, %w : (tensor<?x4x?x?xf32>, tensor<?x?x2xi64>, tensor<?x?x2xf32>) -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}
"""
# Forward and backward, given the choices and weights of each token.
TRAINING = """
#mesh = #dtensor.mesh<"ep" = ?>
#x = #dtensor.layout<#mesh, [shard(0)], (G, S, D)>
#e = #dtensor.layout<#mesh, [shard(0)], (G, S, 2)>
#up = #dtensor.layout<#mesh, [shard(0)], (4, D, F)>
#down = #dtensor.layout<#mesh, [shard(0)], (4, F, D)>
func.func @moe(%x: tensor<?x?x?xf32> {dtensor.layout = #x}, %e: tensor<?x?x2xi64> {dtensor.layout = #e}, %w: tensor<?x?x2xf32> {dtensor.layout = #e},
               %up: tensor<4x?x?xf32> {dtensor.layout = #up}, %down: tensor<4x?x?xf32> {dtensor.layout = #down},
               %gy: tensor<?x?x?xf32> {dtensor.layout = #x}, %c: index {dtensor.symbol = "C"})
    -> (tensor<?x?x?xf32> {dtensor.layout = #x}, tensor<?x?x?xf32> {dtensor.layout = #x}, tensor<?x?x2xf32> {dtensor.layout = #e}, tensor<4x?x?xf32> {dtensor.layout = #up}, tensor<4x?x?xf32> {dtensor.layout = #down})
    attributes {dtensor.symbols = {D = {hint = 4096}, F = {hint = 14336}, S = {hint = 512}}} {
  %s = dtensor.route_slots %e {count = 4, capacity = #dtensor.expr<C>} : (tensor<?x?x2xi64>) -> tensor<?x?x2xi64>
  %b = dtensor.dispatch %x, %s {count = 4, capacity = #dtensor.expr<C>} : (tensor<?x?x?xf32>, tensor<?x?x2xi64>) -> tensor<?x4x?x?xf32>
  %h = dtensor.grouped_matmul %b, %up : (tensor<?x4x?x?xf32>, tensor<4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %r = dtensor.relu %h : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %o = dtensor.grouped_matmul %r, %down : (tensor<?x4x?x?xf32>, tensor<4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %y = dtensor.combine %o, %s, %w : (tensor<?x4x?x?xf32>, tensor<?x?x2xi64>, tensor<?x?x2xf32>) -> tensor<?x?x?xf32>
  %go, %gw = dtensor.combine_backward %gy, %o, %s, %w : (tensor<?x?x?xf32>, tensor<?x4x?x?xf32>, tensor<?x?x2xi64>, tensor<?x?x2xf32>) -> (tensor<?x4x?x?xf32>, tensor<?x?x2xf32>)
  %gr, %gdown = dtensor.grouped_matmul_backward %go, %r, %down : (tensor<?x4x?x?xf32>, tensor<?x4x?x?xf32>, tensor<4x?x?xf32>) -> (tensor<?x4x?x?xf32>, tensor<4x?x?xf32>)
  %gh = dtensor.threshold_backward %gr, %h {threshold = 0.0} : (tensor<?x4x?x?xf32>, tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %gb, %gup = dtensor.grouped_matmul_backward %gh, %b, %up : (tensor<?x4x?x?xf32>, tensor<?x4x?x?xf32>, tensor<4x?x?xf32>) -> (tensor<?x4x?x?xf32>, tensor<4x?x?xf32>)
  %gx = dtensor.dispatch_backward %gb, %s : (tensor<?x4x?x?xf32>, tensor<?x?x2xi64>) -> tensor<?x?x?xf32>
  return %y, %gx, %gw, %gup, %gdown : tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x2xf32>, tensor<4x?x?xf32>, tensor<4x?x?xf32>
}
"""
MESHES = (1, 2, 3, 4)
# Groups and experts that divide, that do not, and fewer groups than ranks.
SHAPES = [dict(G=4, S=6, D=8, F=5), dict(G=3, S=5, D=4, F=8),
          dict(G=1, S=7, D=3, F=2), dict(G=5, S=1, D=4, F=4)]


def arguments(G, S, D, F):
    torch.manual_seed(G * 1000 + S)
    return [torch.randn(G, S, D), torch.randn(D, EXPERTS),
            torch.randn(EXPERTS, D, F), torch.randn(EXPERTS, F, D)]


def dense(x, router, up, down, capacity):
    """Every expert on every token; a mask says what counts."""
    weights, experts = torch.topk((x @ router).softmax(-1), CHOICES, dim=-1)
    every = torch.einsum("gsd,edf->gsef", x, up).relu()
    every = torch.einsum("gsef,efd->gsed", every, down)
    y = torch.zeros_like(x)
    for g in range(x.shape[0]):
        taken = [0] * EXPERTS
        for s in range(x.shape[1]):
            for k in range(CHOICES):
                e = int(experts[g, s, k])
                if taken[e] < capacity:
                    y[g, s] += weights[g, s, k] * every[g, s, e]
                taken[e] += 1
    return y


def check(bundle, shape, capacity, ranks):
    args = arguments(**shape)
    results, _ = bundle.run({"ep": ranks}, *args, np.int64(capacity),
                            entry="moe")
    harness.assert_close(results[0], dense(*args, capacity), 1e-4, 1e-4,
                         f"{shape} with {capacity} slots on {ranks}")


def test_no_token_is_lost_where_slots_suffice():
    bundle = harness.compile_text(PROGRAM, "moe")
    cases = harness.Cases()
    for shape in SHAPES:
        for ranks in MESHES:
            cases.check(f"{shape} {ranks}", check, bundle, shape, shape["S"],
                        ranks)
    cases.done()


def test_the_first_tokens_stay_where_slots_are_few():
    bundle = harness.compile_text(PROGRAM, "moe-few")
    cases = harness.Cases()
    for shape in SHAPES:
        for ranks in MESHES:
            for capacity in (0, 1, 2):
                cases.check(f"{shape} {capacity} {ranks}", check, bundle,
                            shape, capacity, ranks)
    cases.done()


def steps_of(name, program):
    path = harness.temp(name + ".mlir")
    with open(path, "w") as file:
        file.write(program)
    return harness.planned_steps(harness.planned(path), "moe")


def test_two_all_to_alls_are_all_that_moves():
    steps = steps_of("moe-plan", PROGRAM)
    assert steps == {"all_to_all": 2}, steps


def routed(x, experts, weights, up, down, capacity):
    """As `dense`, so that autograd follows."""
    every = torch.einsum("gsd,edf->gsef", x, up).relu()
    every = torch.einsum("gsef,efd->gsed", every, down)
    mask = torch.zeros(*experts.shape, EXPERTS)
    for g in range(x.shape[0]):
        taken = [0] * EXPERTS
        for s in range(x.shape[1]):
            for k in range(CHOICES):
                e = int(experts[g, s, k])
                mask[g, s, k, e] = float(taken[e] < capacity)
                taken[e] += 1
    return torch.einsum("gske,gsk,gsed->gsd", mask, weights, every)


def check_training(bundle, shape, capacity, ranks):
    G, S, D = (shape[n] for n in "GSD")
    x, _, up, down = arguments(**shape)
    experts = torch.rand(G, S, EXPERTS).argsort(-1)[..., :CHOICES].contiguous()
    weights, gradient = torch.rand(G, S, CHOICES), torch.randn(G, S, D)
    leaves = [t.clone().requires_grad_() for t in (x, weights, up, down)]
    y = routed(leaves[0], experts, *leaves[1:], capacity)
    expected = [y.detach(), *torch.autograd.grad(y, leaves, gradient)]
    results, _ = bundle.run({"ep": ranks}, x, experts, weights, up, down,
                            gradient, np.int64(capacity))
    for name, found, wanted in zip(("y", "x", "weights", "up", "down"),
                                   results, expected):
        harness.assert_close(found, wanted, 1e-4, 1e-4,
                             f"{name} of {shape} with {capacity} on {ranks}")


def test_gradients_are_those_of_autograd():
    bundle = harness.compile_text(TRAINING, "moe-training")
    cases = harness.Cases()
    for shape in SHAPES:
        for ranks in MESHES:
            for capacity in (1, shape["S"]):
                cases.check(f"{shape} {capacity} {ranks}", check_training,
                            bundle, shape, capacity, ranks)
    cases.done()


def test_the_way_back_moves_as_much_as_the_way_there():
    steps = steps_of("moe-training-plan", TRAINING)
    assert steps == {"all_to_all": 4}, steps


harness.main()
