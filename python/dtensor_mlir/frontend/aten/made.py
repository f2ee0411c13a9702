"""Tensors from nothing."""

from __future__ import annotations

import torch

from .common import aten, handles


@handles(aten.full.default)
def _full(e, node, sizes, value, **_):
    shape, kind = e.result_type(node)
    return e.full(value, shape, kind)


@handles(aten.full_like.default, aten.new_full.default)
def _full_like(e, node, x, *rest, **_):
    shape, kind = e.result_type(node)
    return e.full(rest[-1], shape, kind)


@handles(aten.zeros.default, aten.zeros_like.default, aten.new_zeros.default,
         aten.empty.memory_format, aten.empty_like.default,
         aten.new_empty.default, aten.empty_strided.default,
         aten._efficientzerotensor.default, aten.new_empty_strided.default)
def _zeros(e, node, *_, **__):
    shape, kind = e.result_type(node)
    return e.full(0, shape, kind)


@handles(aten.ones.default, aten.ones_like.default, aten.new_ones.default)
def _ones(e, node, *_, **__):
    shape, kind = e.result_type(node)
    return e.full(1, shape, kind)


@handles(aten.scalar_tensor.default)
def _scalar_tensor(e, node, value, **_):
    return e.full(value, *e.result_type(node))


@handles(aten.arange.default, aten.arange.start, aten.arange.start_step,
         torch.ops.prims.iota.default)
def _arange(e, node, *arguments, **keywords):
    shape, kind = e.result_type(node)
    if node.target is torch.ops.prims.iota.default:
        start, step = keywords["start"], keywords["step"]
    else:
        start = arguments[0] if len(arguments) > 1 else 0
        step = arguments[2] if len(arguments) > 2 else 1
    value = e.op("iota", [], shape, kind,
                 f"dim = 0, sizes = {e.sizes(shape)}")
    if step != 1:
        value = e.op("mul", [value, e.constant(step, kind)], shape, kind)
    if isinstance(start, torch.SymInt) or start != 0:
        value = e.op("add", [value, e.constant(start, kind)], shape, kind)
    return value


@handles(aten.tril.default, aten.triu.default)
def _triangle(e, node, x, diagonal=0):
    name = "tril" if node.target is aten.tril.default else "triu"
    shape, kind = e.result_type(node)
    return e.op(name, [e.value(x)], shape, kind,
                f"diagonal = {diagonal} : i64")
