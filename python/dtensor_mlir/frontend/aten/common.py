"""What the handlers of ATen's operators share."""

from __future__ import annotations

import torch

from .. import operators  # noqa: F401, registers what `torch.ops` has below

aten = torch.ops.aten
TABLE: dict = {}


def handles(*targets):
    def register(function):
        for target in targets:
            TABLE[target] = function
        return function
    return register


def overloads(packet):
    return [getattr(packet, name) for name in packet.overloads()
            if not name.endswith("out")]


def normalize(dim, rank):
    return dim + rank if dim < 0 else dim


def expand_to(e, value, shape):
    if e.has_shape(value, shape):
        return value
    return e.op("expand", [value], shape, value.element,
                f"sizes = {e.sizes(shape)}")


def permute(e, value, order):
    if order == list(range(len(order))):
        return value
    return e.op("permute", [value], tuple(value.shape[d] for d in order),
                value.element, f"permutation = {order}")


def inverse(order):
    return [order.index(d) for d in range(len(order))]


def cut(e, value, shape, starts):
    """A part of every dimension."""
    result = e.new(shape, value.element)
    lists = (starts, shape, [1] * len(shape))
    texts = " ".join(f"[{', '.join(map(e.symbols.text, n))}]" for n in lists)
    e.write(f"{result.name} = dtensor.slice {value.name} {texts} : "
            f"({e.type(value)}) -> {e.type(result)}")
    return result
