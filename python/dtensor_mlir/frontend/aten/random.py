"""Random numbers: the same on every mesh, from the seed of a call."""

from __future__ import annotations

from .common import aten, expand_to, handles, overloads


def _made(name):
    def handler(e, node, *_, **__):
        shape, kind = e.result_type(node)
        return _draw(e, name, shape, kind)
    return handler


def _draw(e, name, shape, kind):
    result = e.new(shape, kind)
    e.random(name, [], [result], f"sizes = {e.sizes(shape)}")
    return result


for _name in ("rand", "randn"):
    handles(*overloads(getattr(aten, _name)),
            *overloads(getattr(aten, _name + "_like")))(_made(_name))


@handles(aten.native_dropout.default)
def _dropout(e, node, x, p, train):
    value = e.value(x)
    if train is False:
        return value, e.full(True, value.shape, "i1")
    results = [e.new(value.shape, value.element), e.new(value.shape, "i1")]
    if p == 1:
        return (e.full(0, value.shape, value.element),
                e.full(False, value.shape, "i1"))
    e.random("dropout", [value], results, f"p = {float(p)!r} : f64")
    return tuple(results)


def _bernoulli_of(e, probability, shape, kind):
    result = e.new(shape, kind)
    e.random("bernoulli", [probability], [result])
    return result


@handles(aten.bernoulli.default)
def _bernoulli(e, node, x, **_):
    return _bernoulli_of(e, e.value(x), *e.result_type(node))


@handles(aten.bernoulli.p)
def _bernoulli_p(e, node, x, p, **_):
    shape, kind = e.result_type(node)
    return _bernoulli_of(e, e.full(p, shape, "f32"), shape, kind)


@handles(aten.bernoulli.Tensor)
def _bernoulli_tensor(e, node, x, p, **_):
    shape, kind = e.result_type(node)
    return _bernoulli_of(e, expand_to(e, e.value(p), shape), shape, kind)


@handles(aten.uniform.default)
def _uniform(e, node, x, low=0.0, high=1.0, **_):
    shape, kind = e.result_type(node)
    value = _draw(e, "rand", shape, kind)
    value = e.op("mul", [value, e.constant(high - low, kind)], shape, kind)
    return e.op("add", [value, e.constant(low, kind)], shape, kind)


@handles(aten.normal_functional.default)
def _normal(e, node, x, mean=0.0, std=1.0, **_):
    shape, kind = e.result_type(node)
    value = _draw(e, "randn", shape, kind)
    value = e.op("mul", [value, e.constant(std, kind)], shape, kind)
    return e.op("add", [value, e.constant(mean, kind)], shape, kind)


@handles(aten.exponential.default)
def _exponential(e, node, x, lambd=1.0, **_):
    shape, kind = e.result_type(node)
    value = e.op("neg", [_draw(e, "rand", shape, kind)], shape, kind)
    value = e.op("log1p", [value], shape, kind)
    return e.op("mul", [value, e.constant(-1 / lambd, kind)], shape, kind)


@handles(aten.randint.default, aten.randint.low, aten.randint_like.default,
         aten.randint_like.low_dtype)
def _randint(e, node, *arguments, **_):
    """By 53 bits: whole numbers below 2^53."""
    shape, kind = e.result_type(node)
    if node.target in (aten.randint_like.default, aten.randint_like.low_dtype):
        arguments = arguments[1:]
    low = node.target in (aten.randint.low, aten.randint_like.low_dtype)
    first, end = arguments[:2] if low else (0, arguments[0])
    value = _draw(e, "rand", shape, "f64")
    value = e.op("mul", [value, e.constant(float(end - first), "f64")], shape,
                 "f64")
    value = e.op("floor", [value], shape, "f64")
    value = e.op("add", [value, e.constant(float(first), "f64")], shape, "f64")
    return e.cast(value, kind)
