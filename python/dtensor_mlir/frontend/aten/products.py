"""Products of matrices and attention."""

from __future__ import annotations

import torch

from .common import aten, handles


_VIEWS = {aten.view.default, aten._unsafe_view.default, aten.reshape.default}


def _is_view(node) -> bool:
    return node.op == "call_function" and node.target in _VIEWS


def _unflattened(e, node, a):
    """The rows of a product as they were before and are after it: PyTorch
    makes one dimension of all but the last, and several again. None where that
    is not all that happens."""
    if not _is_view(a) or not node.users or \
            not all(map(_is_view, node.users)):
        return None
    value, columns = e.value(a.args[0]), a.meta["val"].shape[-1]
    result = (*value.shape[:-1], node.meta["val"].shape[-1])
    same = e.symbols.text(value.shape[-1]) == e.symbols.text(columns) and all(
        len(u.meta["val"].shape) == len(result) and all(
            e.symbols.text(x) == e.symbols.text(y)
            for x, y in zip(u.meta["val"].shape, result))
        for u in node.users)
    return (value, result) if same and len(result) > 2 else None


@handles(aten.mm.default)
def _mm(e, node, a, b, **_):
    found = _unflattened(e, node, a)
    if found is None:
        return _matmul(e, node, a, b)
    value, shape = found
    return e.op("matmul", [value, e.value(b)], shape, value.element)


@handles(aten.bmm.default)
def _matmul(e, node, a, b, **_):
    shape, kind = e.result_type(node)
    return e.op("matmul", [e.value(a), e.value(b)], shape, kind)


@handles(aten.addmm.default, aten.baddbmm.default)
def _addmm(e, node, c, a, b, beta=1, alpha=1):
    shape, kind = e.result_type(node)
    product = e.op("matmul", [e.value(a), e.value(b)], shape, kind)
    if alpha != 1:
        product = e.op("mul", [product, e.constant(alpha, kind)], shape, kind)
    if beta == 0:
        return product
    added = e.value(c)
    if beta != 1:
        added = e.op("mul", [added, e.constant(beta, kind)], added.shape, kind)
    return e.op("add", [product, added], shape, kind)


@handles(aten.dot.default)
def _dot(e, node, a, b):
    x, y = e.value(a), e.value(b)
    product = e.op("mul", [x, y], x.shape, x.element)
    return e.op("sum", [product], (), x.element, "dims = [0]")


@handles(aten.mv.default)
def _mv(e, node, a, b):
    x, y = e.value(a), e.value(b)
    wide = e.op("unsqueeze", [y], (*y.shape, 1), y.element, "dims = [1]")
    column = e.op("matmul", [x, wide], (x.shape[0], 1), x.element)
    return e.op("squeeze", [column], (x.shape[0],), x.element, "dims = [1]")


def _attention_flags(causal, scale):
    return f"scale = {scale!r} : f64" + (", causal" if causal else "")


@handles(torch.ops.dtensor_mlir.attention.default)
def _attention(e, node, q, k, v, causal, scale, diagonal=None):
    shape, kind = e.result_type(node)
    values = [e.value(q), e.value(k), e.value(v)]
    lengths = [e.symbols.text(v.shape[-2]) for v in values[:2]]
    if diagonal is not None:
        values.append(e.value(diagonal))
    elif causal and lengths[0] != lengths[1]:
        # Aligned at the first key, not at the last: query i sees keys up to i.
        zero = e.new(None, "index")
        e.write(f"{zero.name} = arith.constant 0 : index")
        values.append(zero)
    return e.op("attention", values, shape, kind,
                _attention_flags(causal, scale))


@handles(torch.ops.dtensor_mlir.attention_backward.default)
def _attention_backward(e, node, grad, q, k, v, output, causal, scale):
    values = [e.value(x) for x in (grad, q, k, v, output)]
    results = [e.new(x.shape, x.element) for x in values[1:4]]
    e.many("attention_backward", values, results,
           _attention_flags(causal, scale))
    return tuple(results)
