"""Operators that work element by element."""

from __future__ import annotations

import math

import torch
from torch import fx

from ..emit import Emitter, Value
from ..layouts import element
from .common import TABLE, aten, expand_to, handles, overloads


UNARY = {
    "neg": "neg", "abs": "abs", "sign": "sign", "sgn": "sign", "relu": "relu",
    "exp": "exp", "log": "log", "log1p": "log1p", "expm1": "expm1",
    "sqrt": "sqrt", "rsqrt": "rsqrt", "reciprocal": "reciprocal",
    "sin": "sin", "cos": "cos", "tanh": "tanh", "erf": "erf",
    "sigmoid": "sigmoid", "silu": "silu", "floor": "floor", "ceil": "ceil",
    "round": "round", "exp2": "exp2", "log2": "log2", "log10": "log10",
    "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan",
    "sinh": "sinh", "cosh": "cosh", "asinh": "asinh", "acosh": "acosh",
    "atanh": "atanh", "erfc": "erfc", "trunc": "trunc", "frac": "frac",
    "bitwise_not": "bitwise_not", "hardsigmoid": "hardsigmoid",
    "hardswish": "hardswish", "mish": "mish", "square": "square",
    "log_sigmoid": "log_sigmoid", "deg2rad": "deg2rad", "rad2deg": "rad2deg",
}
QUESTIONS = {"isnan": "isnan", "isinf": "isinf", "signbit": "signbit",
             "isfinite": "isfinite"}
BINARY = {
    "mul": "mul", "pow": "pow", "maximum": "maximum", "minimum": "minimum",
    "atan2": "atan2", "remainder": "remainder", "fmod": "fmod",
    "floor_divide": "floor_divide", "fmax": "fmax", "fmin": "fmin",
    "copysign": "copysign", "hypot": "hypot", "logaddexp": "logaddexp",
    "logaddexp2": "logaddexp2", "xlogy": "xlogy", "heaviside": "heaviside",
    "bitwise_and": "bitwise_and", "bitwise_or": "bitwise_or",
    "bitwise_xor": "bitwise_xor", "bitwise_left_shift": "shift_left",
    "bitwise_right_shift": "shift_right",
}
COMPARE = {"eq": "eq", "ne": "ne", "lt": "lt", "le": "le", "gt": "gt",
           "ge": "ge"}
LOGICAL = {"logical_and": "logical_and", "logical_or": "logical_or",
           "logical_xor": "logical_xor"}


def operand(e: Emitter, argument, kind: str) -> Value:
    if isinstance(argument, fx.Node):
        return e.cast(e.value(argument), kind)
    return e.constant(argument, kind)


def pointwise(e, node, name, arguments, kind=None, attributes=""):
    """Operands of one element type; the result's unless `kind` says so."""
    shape, result = e.result_type(node)
    values = [operand(e, a, kind or result) for a in arguments]
    if values[0].shape is None:  # the first one has to be a tensor
        values[0] = e.op("full", [values[0]], (), values[0].element,
                         "sizes = []")
    return e.op(name, values, shape, result, attributes)


def common_type(*arguments) -> str:
    """The element type that PyTorch compares operands in."""
    metas = [a.meta["val"] if isinstance(a, fx.Node) else
             (1 if isinstance(a, torch.SymInt) else a) for a in arguments]
    dtype = metas[0].dtype if isinstance(metas[0], torch.Tensor) else None
    if len(metas) == 1 or dtype is None and not isinstance(metas[1],
                                                           torch.Tensor):
        return element(dtype)
    return element(torch.result_type(metas[0], metas[1]))


def _unary(name):
    def handler(e, node, x):
        return pointwise(e, node, name, [x])
    return handler


def _question(name):
    def handler(e, node, x):
        return pointwise(e, node, name, [x], common_type(x))
    return handler


def _binary(name):
    def handler(e, node, a, b):
        if e.result_type(node)[1] == "i1":
            other = "logical_and" if name == "mul" else \
                "logical" + name[7:] if name.startswith("bitwise") else name
            return pointwise(e, node, other, [a, b])
        return pointwise(e, node, name, [a, b])
    return handler


def _compare(predicate):
    def handler(e, node, a, b):
        kind = common_type(a, b)
        if kind == "i1":
            kind = "i8"
        return pointwise(e, node, "compare", [a, b], kind,
                         f'predicate = "{predicate}"')
    return handler


for table, make in ((UNARY, _unary), (QUESTIONS, _question),
                    (BINARY, _binary), (COMPARE, _compare),
                    (LOGICAL, _binary)):
    for aten_name, our_name in table.items():
        if hasattr(aten, aten_name):
            for target in overloads(getattr(aten, aten_name)):
                TABLE[target] = make(our_name)


#: Powers that PyTorch computes without a power.
_POWERS = {2: "square", 0.5: "sqrt", -0.5: "rsqrt", -1: "reciprocal"}


@handles(aten.pow.Tensor_Scalar)
def _power(e, node, x, exponent):
    is_float = e.result_type(node)[1][0] in "fb"
    if is_float and isinstance(exponent, (int, float)) and exponent in _POWERS:
        return pointwise(e, node, _POWERS[exponent], [x])
    return _binary("pow")(e, node, x, exponent)


@handles(aten.logical_not.default)
def _logical_not(e, node, x):
    return pointwise(e, node, "logical_not", [x], "i1")


TABLE[aten.bitwise_not.default] = lambda e, node, x: pointwise(
    e, node, "logical_not" if e.result_type(node)[1] == "i1" else
    "bitwise_not", [x])


def _scaled(e, node, b, alpha):
    shape, kind = e.result_type(node)
    value = operand(e, b, kind)
    if alpha == 1:
        return value
    if value.shape is None:
        return e.constant(b * alpha, kind)
    return e.op("mul", [value, e.constant(alpha, kind)], value.shape, kind)


def _sum_of_two(name):
    def handler(e, node, a, b, alpha=1):
        shape, kind = e.result_type(node)
        values = [operand(e, a, kind), _scaled(e, node, b, alpha)]
        if values[0].shape is None:
            values[0] = e.op("full", [values[0]], (), kind, "sizes = []")
        if kind == "i1":
            return e.op("logical_or", values, shape, kind)
        return e.op(name, values, shape, kind)
    return handler


for target in overloads(aten.add):
    TABLE[target] = _sum_of_two("add")
for target in overloads(aten.sub):
    TABLE[target] = _sum_of_two("sub")


@handles(aten.rsub.Scalar, aten.rsub.Tensor)
def _rsub(e, node, a, b, alpha=1):
    shape, kind = e.result_type(node)
    first = operand(e, b, kind)
    if first.shape is None:
        first = e.op("full", [first], (), kind, "sizes = []")
    return e.op("sub", [first, _scaled(e, node, a, alpha)], shape, kind)


@handles(*overloads(aten.div))
def _div(e, node, a, b, rounding_mode=None):
    shape, kind = e.result_type(node)
    if rounding_mode == "floor":
        return pointwise(e, node, "floor_divide", [a, b])
    result = pointwise(e, node, "div", [a, b])
    if rounding_mode == "trunc" and kind[0] in "fb":
        return e.op("trunc", [result], shape, kind)
    return result


@handles(aten.round.decimals)
def _round(e, node, x, decimals=0):
    shape, kind = e.result_type(node)
    scale, value = e.constant(10.0 ** abs(decimals), kind), e.value(x)
    first, last = ("mul", "div") if decimals >= 0 else ("div", "mul")
    value = e.op(first, [value, scale], shape, kind)
    return e.op(last, [e.op("round", [value], shape, kind), scale], shape,
                kind)


@handles(aten.angle.default)
def _angle(e, node, x):
    shape, kind = e.result_type(node)
    value = e.cast(e.value(x), kind)
    low = e.op("compare", [value, e.constant(0, kind)], shape, "i1",
               'predicate = "lt"')
    result = e.op("where", [low, e.constant(math.pi, kind),
                            e.constant(0, kind)], shape, kind)
    nan = e.op("isnan", [value], shape, "i1")
    return e.op("where", [nan, value, result], shape, kind)


@handles(aten.gelu.default)
def _gelu(e, node, x, approximate="none"):
    return pointwise(e, node, "gelu", [x],
                     attributes=f'approximate = "{approximate}"')


@handles(aten.where.self, aten.where.ScalarOther, aten.where.ScalarSelf,
         aten.where.Scalar)
def _where(e, node, condition, a, b):
    shape, kind = e.result_type(node)
    return e.op("where", [operand(e, condition, "i1"), operand(e, a, kind),
                          operand(e, b, kind)], shape, kind)


@handles(*overloads(aten.masked_fill))
def _masked_fill(e, node, x, mask, value):
    shape, kind = e.result_type(node)
    return e.op("where", [operand(e, mask, "i1"), operand(e, value, kind),
                          operand(e, x, kind)], shape, kind)


@handles(aten.clamp.default, aten.clamp.Tensor, aten.clamp_min.default,
         aten.clamp_max.default)
def _clamp(e, node, x, low=None, high=None):
    if node.target is aten.clamp_max.default:
        low, high = None, low
    shape, kind = e.result_type(node)
    value = operand(e, x, kind)
    if low is not None:
        value = e.op("maximum", [value, operand(e, low, kind)], shape, kind)
    if high is not None:
        value = e.op("minimum", [value, operand(e, high, kind)], shape, kind)
    return value


@handles(aten.leaky_relu.default)
def _leaky_relu(e, node, x, slope=0.01):
    return pointwise(e, node, "leaky_relu", [x],
                     attributes=f"slope = {float(slope)!r} : f64")


@handles(aten.hardtanh.default)
def _hardtanh(e, node, x, low=-1.0, high=1.0):
    return _clamp(e, node, x, low, high)


@handles(aten._to_copy.default, aten._to_copy)
def _to_copy(e, node, x, dtype=None, **_):
    shape, kind = e.result_type(node)
    return e.cast(e.value(x), kind)


@handles(torch.ops.prims.convert_element_type.default)
def _convert(e, node, x, dtype):
    return e.cast(e.value(x), element(dtype))


@handles(aten.clone.default, aten.alias.default, aten.detach.default,
         aten.lift_fresh_copy.default, aten.contiguous.default)
def _same(e, node, x, **_):
    return e.value(x)


@handles(aten.copy.default)
def _copy(e, node, x, source, non_blocking=False):
    shape, kind = e.result_type(node)
    return expand_to(e, e.cast(e.value(source), kind), shape)


@handles(torch.ops.dtensor_mlir.constraint.default)
def _constraint(e, node, x, placements):
    value = e.value(x)
    result = e.new(value.shape, value.element)
    extents = ", ".join(e.symbols.text(d) for d in value.shape)
    e.write(f"{result.name} = dtensor.constraint {value.name} to "
            f"<#mesh, [{placements}], ({extents})> : {e.type(value)}")
    return result
