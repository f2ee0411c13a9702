# REQUIRES: python
# RUN: %python %s %obj %t
"""Random numbers are those of the global program: no placement changes them."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
import torch.nn.functional as F

PLACEMENTS = ([Replicate()], [Shard(0)], [Shard(1)])


def test_dropout_keeps_the_same_elements_under_all_placements(mesh):
    function = compiled(lambda x: F.dropout(x * 1, 0.25))
    found = []
    for placements in PLACEMENTS:
        torch.manual_seed(7)
        x = distribute_tensor(torch.ones(101, 67), mesh, placements)
        found.append(function(x).full_tensor())
    assert torch.equal(found[0], found[1]) and torch.equal(*found[1:])
    kept = (found[0] != 0).float().mean()
    assert abs(kept - 0.75) < 0.02, kept
    torch.testing.assert_close(found[0].max(), torch.tensor(1 / 0.75))


def test_every_call_draws_anew_and_a_seed_repeats_them(mesh):
    function = compiled(lambda x: torch.rand_like(x) + x)
    x = distribute_tensor(torch.zeros(40), mesh, [Shard(0)])
    torch.manual_seed(3)
    first, second = function(x).full_tensor(), function(x).full_tensor()
    torch.manual_seed(3)
    again = function(x).full_tensor()
    assert torch.equal(first, again) and not torch.equal(first, second)


def test_backward_drops_what_forward_dropped(mesh):
    function = compiled(lambda x: F.dropout(x * 1, 0.5))
    x = distribute_tensor(torch.ones(64, 8), mesh, [Shard(0)])
    x = x.detach().requires_grad_()
    result = function(x)
    result.sum().backward()
    torch.testing.assert_close(x.grad.full_tensor(),
                               result.full_tensor().detach())


def test_two_dropouts_are_independent(mesh):
    def function(x):
        return F.dropout(x, 0.5), F.dropout(x, 0.5)
    x = distribute_tensor(torch.ones(200, 50), mesh, [Shard(0)])
    a, b = (r.full_tensor() for r in compiled(function)(x))
    both = ((a != 0) & (b != 0)).float().mean()
    assert abs(both - 0.25) < 0.02, both


def test_moments_of_distributions(mesh):
    def function(x):
        return (torch.rand_like(x), torch.randn_like(x),
                torch.bernoulli(x + 0.3))
    x = distribute_tensor(torch.zeros(300, 200), mesh, [Shard(0)])
    uniform, normal, bernoulli = (r.full_tensor()
                                  for r in compiled(function)(x))
    assert abs(uniform.mean() - 0.5) < 0.01 and 0 <= uniform.min()
    assert abs(uniform.var() - 1 / 12) < 0.005 and uniform.max() < 1
    assert abs(normal.mean()) < 0.02 and abs(normal.std() - 1) < 0.02
    assert abs(bernoulli.mean() - 0.3) < 0.01


def test_attention_with_dropout(mesh):
    q = distribute_tensor(torch.randn(3, 4, 6, 8), mesh, [Shard(0)])
    weights = torch.eye(6).expand(3, 4, 6, 6).contiguous()
    v = distribute_tensor(weights, mesh, [Shard(0)])
    result = compiled(lambda q, v: F.scaled_dot_product_attention(
        q, q, v, dropout_p=0.5))(q, v).full_tensor()
    dropped = (result == 0).float().mean()
    assert 0.4 < dropped < 0.6, dropped


main(3)
