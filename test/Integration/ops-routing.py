# REQUIRES: python
# RUN: %python %s %obj %t
"""Mixtures of experts op by op, forward and backward, on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

EXPERTS, CHOICES = 4, 2
TOKENS, CHOSEN = ["B", "M", "K"], ["B", "M", CHOICES]
BUFFERS = ["B", EXPERTS, "N", "K"]
LOOSE = {"f64": (1e-12, 1e-12), "f32": (1e-5, 1e-5), "bf16": (3e-2, 6e-2)}


def route(experts, capacity):
    slots = torch.full_like(experts, -1)
    for g in range(experts.shape[0]):
        taken = [0] * EXPERTS
        for s in range(experts.shape[1]):
            for k in range(CHOICES):
                e = int(experts[g, s, k])
                if 0 <= e < EXPERTS:
                    if taken[e] < capacity:
                        slots[g, s, k] = e * capacity + taken[e]
                    taken[e] += 1
    return slots


def one_hot(slots, capacity, dtype):
    """[B, M, CHOICES, EXPERTS * capacity]; no slot is a row of zeros."""
    positions = torch.arange(EXPERTS * capacity)
    return (slots[..., None] == positions).to(dtype)


def dispatch(x, slots, capacity):
    y = torch.einsum("gskc,gsd->gcd", one_hot(slots, capacity, x.dtype), x)
    return y.reshape(x.shape[0], EXPERTS, capacity, x.shape[2])


def combine(buffers, slots, weights):
    rows = buffers.flatten(1, 2)
    hot = one_hot(slots, buffers.shape[2], buffers.dtype)
    return torch.einsum("gskc,gcd,gsk->gsd", hot, rows, weights)


def grouped(lhs, rhs):
    return torch.einsum("gecd,edf->gecf", lhs, rhs)


def gradients(function, grad, *inputs):
    dtype = grad.dtype
    inputs = [x.double().detach().requires_grad_() for x in inputs]
    y = function(*inputs)
    found = torch.autograd.grad(y, inputs, grad.double(), allow_unused=True)
    return [(torch.zeros_like(x) if f is None else f).to(dtype)
            for f, x in zip(found, inputs)]


ROUTE = ("%s = dtensor.route_slots %{0} {{count = 4, capacity = "
         "#dtensor.expr<N>}} : (${1}) -> ${1}\n")
# Binds N where no operand does.
BOUND = (["N"], "f32")
CHOICE = (CHOSEN, "i64", below(EXPERTS, 1))


def routing_cases():
    return [Case("route", [CHOICE, BOUND], tensor(CHOSEN, "i64"),
                 ROUTE.format("a", "A").replace("%s", "%r0"),
                 lambda e, _: route(e, _.shape[0]))]


def forward_cases(dtype):
    def wide(function, *others):
        return lambda *a: function(*[x.double() if x.dtype == TORCH[dtype]
                                     else x for x in a])
    buffers, loose = tensor(BUFFERS, dtype), LOOSE[dtype]
    return [
        Case(f"dispatch_{dtype}", [(TOKENS, dtype), CHOICE, BOUND], buffers,
             ROUTE.format("b", "B") + "%r0 = dtensor.dispatch %a, %s {count = "
             "4, capacity = #dtensor.expr<N>} : ($A, $B) -> $0",
             wide(lambda x, e, b: dispatch(x, route(e, b.shape[0]),
                                           b.shape[0])), tolerance=loose),
        Case(f"combine_{dtype}", [(BUFFERS, dtype), CHOICE, (CHOSEN, dtype)],
             tensor(TOKENS, dtype), ROUTE.format("b", "B") +
             "%r0 = dtensor.combine %a, %s, %c : ($A, $B, $C) -> $0",
             wide(lambda x, e, w: combine(x, route(e, x.shape[2]), w)),
             tolerance=loose),
        Case(f"grouped_{dtype}", [(BUFFERS, dtype), ([EXPERTS, "K", "M"],
                                                     dtype)],
             tensor(["B", EXPERTS, "N", "M"], dtype),
             "%r0 = dtensor.grouped_matmul %a, %b : ($A, $B) -> $0",
             wide(grouped), tolerance=loose)]


def backward_cases(dtype):
    loose = LOOSE[dtype]
    tokens, chosen = tensor(TOKENS, dtype), tensor(CHOSEN, dtype)
    buffers, weight = tensor(BUFFERS, dtype), [EXPERTS, "K", "M"]

    def dispatch_reference(g, e):
        slots = route(e, g.shape[2])
        x = torch.zeros(g.shape[0], e.shape[1], g.shape[3], dtype=g.dtype)
        return gradients(lambda x: dispatch(x, slots, g.shape[2]), g, x)

    def combine_reference(g, b, e, w):
        slots = route(e, b.shape[2])
        return gradients(lambda b, w: combine(b, slots, w), g, b, w)
    return [
        Case(f"dispatch_backward_{dtype}", [(BUFFERS, dtype), CHOICE], tokens,
             ROUTE.format("b", "B") + "%r0 = dtensor.dispatch_backward %a, %s "
             ": ($A, $B) -> $0", dispatch_reference, tolerance=loose),
        Case(f"combine_backward_{dtype}", [(TOKENS, dtype), (BUFFERS, dtype),
                                           CHOICE, (CHOSEN, dtype)],
             [buffers, chosen], ROUTE.format("c", "C") +
             "%r0, %r1 = dtensor.combine_backward %a, %b, %s, %d : "
             "($A, $B, $C, $D) -> ($0, $1)", combine_reference,
             tolerance=loose),
        Case(f"grouped_backward_{dtype}",
             [(["B", EXPERTS, "N", "M"], dtype), (BUFFERS, dtype),
              (weight, dtype)], [buffers, tensor(weight, dtype)],
             "%r0, %r1 = dtensor.grouped_matmul_backward %a, %b, %c : "
             "($A, $B, $C) -> ($0, $1)",
             lambda g, l, r: gradients(grouped, g, l, r), tolerance=loose)]


def test_forward_on_one_axis():
    sweep_1d("routing", routing_cases() + forward_cases("f32"))


def test_gradients_on_one_axis():
    sweep_1d("routing-backward", backward_cases("f32"), count=5)


def test_all_on_two_axes():
    sweep_2d("routing", routing_cases() + forward_cases("f64") +
             backward_cases("f64"))


def test_half_floats():
    sweep_1d("routing-bf16", forward_cases("bf16") + backward_cases("bf16"),
             count=2)


harness.main()
