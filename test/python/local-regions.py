# REQUIRES: python
# RUN: %python %s %obj %t
"""Between `to_local` and `from_local` a function computes with the pieces of one
rank: compiled it gives what DTensor gives without."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
import torch.distributed._functional_collectives as funcol
import torch.nn.functional as F
from torch import nn


def shared(*shape):
    """The same numbers on every rank."""
    tensor = torch.randn(*shape)
    dist.broadcast(tensor, 0)
    return tensor


def whole(tensor):
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def agree(function, *arguments):
    """Results and gradients are those of the function that is not compiled."""
    found = []
    for call in (function, compiled(function)):
        leaves = [a.detach().clone().requires_grad_() for a in arguments]
        result = call(*leaves)
        result.sum().backward()
        found.append([result, *[leaf.grad for leaf in leaves]])
    for expected, actual in zip(*found):
        assert type(expected) is type(actual)
        torch.testing.assert_close(whole(actual), whole(expected))


def cut(mesh, dim, *shape):
    return distribute_tensor(shared(*shape), mesh, [Shard(dim)] * mesh.ndim)


def test_heads_of_one_rank(mesh):
    n = mesh.size()

    def function(x):
        y = x.to_local().view(2, 5, 2, 4).transpose(1, 2)
        y = torch.softmax(y @ y.transpose(-1, -2), -1) @ y
        y = y.transpose(1, 2).reshape(2, 5, 8)
        return DTensor.from_local(y, mesh, [Shard(2)])
    agree(function, cut(mesh, 2, 2, 5, 8 * n))


def test_one_head_of_one_rank(mesh):
    def function(x):
        y = x.to_local().view(2, 5, 1, 4)
        y = torch.cat((-y[..., 2:], y[..., :2]), -1)
        return DTensor.from_local(y.flatten(2), mesh, [Shard(2)])
    agree(function, cut(mesh, 2, 2, 5, 4 * mesh.size()))


def test_rows_of_a_matrix(mesh):
    weight = shared(6, 4)

    def function(x):
        y = F.linear(x.to_local(), weight)  # of batch * length rows
        y = F.layer_norm(y, (6,)).flatten(0, 1)
        return DTensor.from_local(y.unflatten(0, (x.shape[0], -1)),
                                  mesh, [Shard(1)])
    agree(function, cut(mesh, 1, 2, 3 * mesh.size(), 4))


def test_a_sum_over_what_is_cut_is_pending(mesh):
    def function(x, w):
        y = x.to_local() @ w.to_local() * 2
        y = DTensor.from_local(y, mesh, [Partial()])
        return y.redistribute(placements=[Replicate()])
    agree(function, cut(mesh, 1, 3, 2 * mesh.size()),
          cut(mesh, 0, 2 * mesh.size(), 5))


def test_collectives_of_the_function(mesh):
    rows, columns = 2 * mesh.size(), 3 * mesh.size()
    x, w = cut(mesh, 1, rows, columns), cut(mesh, 0, columns, 5)

    def function(x, w):
        y = x.to_local() @ w.to_local()
        total = funcol.all_reduce(y, "sum", mesh)
        piece = funcol.reduce_scatter_tensor(y * 2, "sum", 0, mesh)
        dist.all_reduce(y)
        whole = funcol.all_gather_tensor(piece.relu(), 0, mesh)
        return total, y + 1, piece, whole
    with torch.no_grad():
        for actual, expected in zip(compiled(function)(x, w), function(x, w)):
            torch.testing.assert_close(actual, expected)


def test_a_part_of_a_gradient_from_each_rank(mesh):
    def function(x, w):
        w = w.to_local(grad_placements=[Partial()])
        return DTensor.from_local(x.to_local() * w, mesh, [Shard(0)])
    agree(function, cut(mesh, 0, 2 * mesh.size(), 3),
          replicated(shared(3), mesh))


def test_pieces_of_several_sizes(mesh):
    rows = 3 * mesh.size() - 1
    x = cut(mesh, 0, rows, 6)

    def function(x):
        y = x.to_local()
        y = y * torch.softmax(y, -1) + y.amax(1, keepdim=True)
        return y.t().contiguous().t()[:, 1:4]
    torch.testing.assert_close(compiled(function)(x), function(x))


def test_changes_in_place(mesh):
    def function(x):
        y = x.to_local().clone()
        y.mul_(2)
        y[:, 1] = 0
        return DTensor.from_local(y, mesh, [Shard(0)])
    agree(function, cut(mesh, 0, 2 * mesh.size(), 3))


def heads(x, count):
    return x.to_local().unflatten(-1, (count, 4)).transpose(1, 2)


def test_grouped_heads(mesh):
    n = mesh.size()

    def function(q, k):
        q, k = heads(q, 4), heads(k, 2)
        y = F.scaled_dot_product_attention(q, k, k, is_causal=True,
                                           enable_gqa=True)
        return DTensor.from_local(y.transpose(1, 2).flatten(2), mesh,
                                  [Shard(2)])
    agree(function, cut(mesh, 2, 2, 5, 16 * n), cut(mesh, 2, 2, 5, 8 * n))


def test_rotary_positions_of_complex_numbers(mesh):
    turns = torch.polar(torch.ones(5, 4), shared(5, 4))

    def function(x):
        y = torch.view_as_complex(heads(x, 8).unflatten(-1, (-1, 2)))
        y = torch.view_as_real(y * turns[:, :2]).flatten(-2)
        return DTensor.from_local(y.transpose(1, 2).flatten(2), mesh,
                                  [Shard(2)])
    agree(function, cut(mesh, 2, 2, 5, 32 * mesh.size()))


def test_complex_dtensors(mesh):
    z = distribute_tensor(torch.complex(shared(6, 3), shared(6, 3)), mesh,
                          [Shard(0)])

    def function(z):
        y = z.to_local() * 2j
        return z * z.conj(), DTensor.from_local(y, mesh, [Shard(0)]), y
    with torch.no_grad():
        for actual, expected in zip(compiled(function)(z), function(z)):
            assert type(expected) is type(actual)
            torch.testing.assert_close(whole(actual), whole(expected))


def test_a_number_of_the_rank(mesh):
    first = 3 * mesh.get_local_rank()

    def function(x):
        y = DTensor.from_local(x.to_local() + first, mesh, [Shard(0)])
        return y.redistribute(placements=[Replicate()]) * 2
    agree(function, cut(mesh, 0, 2 * mesh.size(), 3))


def test_a_number_of_the_module(mesh):
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.by = 0.5

        def forward(self, x):
            return x * self.by
    scale, x = Scale(), cut(mesh, 0, 2 * mesh.size(), 3)
    call = compiled(scale)
    for by in (0.5, 0.25):
        scale.by = by
        torch.testing.assert_close(whole(call(x)), whole(x) * by)


def test_a_batch_and_heads_are_cut_on_mesh_2d(mesh):
    x = distribute_tensor(shared(4, 3, 16), mesh, [Shard(0), Shard(2)])

    def function(x):
        y = x.to_local()
        batch, length, _ = y.shape
        y = y.unflatten(-1, (2, 4)).transpose(1, 2).flatten(0, 1)
        y = torch.softmax(y, 1).cumsum(1)
        y = y.view(batch, 2, length, 4).transpose(1, 2).flatten(2)
        return DTensor.from_local(y, mesh, [Shard(0), Shard(2)])
    agree(function, x)


#===- What is refused -----------------------------------------------------===#

def refused(function, *arguments_and_words):
    arguments = [a for a in arguments_and_words if not isinstance(a, str)]
    words = [a for a in arguments_and_words if isinstance(a, str)]
    fails(lambda: compiled(function)(*arguments), "local-regions.py",
          "in function", *words)


def test_looking_along_a_dimension_that_is_cut(mesh):
    def function(x):
        return torch.softmax(x.to_local(), 0)
    refused(function, cut(mesh, 0, 2 * mesh.size(), 3), "'softmax'",
            "dimension 0 is cut", "to_local")


def test_what_every_rank_has_beside_pieces(mesh):
    bias = shared(2)

    def function(x):
        return x.to_local() + bias[:, None]
    refused(function, cut(mesh, 0, 2 * mesh.size(), 3), "'add'",
            "elements that every rank has")


def test_the_size_of_a_piece_as_a_number(mesh):
    def function(x):
        y = x.to_local()
        return y / (y.shape[0] + 1)
    refused(function, cut(mesh, 0, 3 * mesh.size() - 1, 3), "'truediv'",
            "the size of the piece")


def test_a_pending_sum_as_a_result(mesh):
    def function(x):
        return x.to_local().sum(0)
    refused(function, cut(mesh, 0, 2 * mesh.size(), 3), "'sum'", "pending",
            "from_local", "Partial(sum)")


def test_a_collective_of_what_is_not_pending(mesh):
    def function(x):
        return funcol.all_reduce(x.to_local(), "sum", mesh)
    refused(function, cut(mesh, 0, 2 * mesh.size(), 3), "all_reduce",
            "not pending")


def test_a_pending_sum_that_is_squared(mesh):
    def function(x):
        return DTensor.from_local(x.to_local().sum(0).square(), mesh,
                                  [Partial()])
    refused(function, cut(mesh, 0, 2 * mesh.size(), 3), "'square'", "pending")


def test_other_placements_at_the_end(mesh):
    def function(x):
        return DTensor.from_local(x.to_local().t(), mesh, [Shard(0)])
    refused(function, cut(mesh, 0, 2 * mesh.size(), 3),
            "from_local makes [Shard(dim=0)]", "[Shard(dim=1)]")


def test_heads_without_their_keys(mesh):
    n = mesh.size()

    def function(q, k):
        return F.scaled_dot_product_attention(
            heads(q, 4), heads(k, 2), heads(k, 2), enable_gqa=True)
    refused(function, cut(mesh, 2, 2, 5, 16 * n),
            replicated(shared(2, 5, 8), mesh), "heads are cut")


def test_a_part_of_a_gradient_that_nobody_adds(mesh):
    w = shared(3).requires_grad_()

    def function(x):
        return x.to_local() * w
    refused(function, cut(mesh, 0, 2 * mesh.size(), 3), "'mul'",
            "a part of the gradient", "grad_placements")


main(3, 2)
