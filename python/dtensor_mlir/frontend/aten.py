"""What becomes of the operators of ATen: one handler each.

A handler takes the emitter, the node and the arguments, nodes of sizes already
replaced by sizes, and gives the value of the node, or a tuple of them.
"""

from __future__ import annotations

import math

import torch
from torch import fx

from . import operators  # noqa: F401, registers what `torch.ops` has below
from .emit import Emitter, Value, element
from .layouts import UnsupportedError

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


#===- Element by element ---------------------------------------------------===#

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
        if name.startswith("bitwise") and e.result_type(node)[1] == "i1":
            return pointwise(e, node, "logical" + name[7:], [a, b])
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
    return _expand_to(e, e.cast(e.value(source), kind), shape)


@handles(torch.ops.dtensor_mlir.constraint.default)
def _constraint(e, node, x, placements):
    value = e.value(x)
    result = e.new(value.shape, value.element)
    extents = ", ".join(e.symbols.text(d) for d in value.shape)
    e.write(f"{result.name} = dtensor.constraint {value.name} to "
            f"<#mesh, [{placements}], ({extents})> : {e.type(value)}")
    return result


#===- Views ----------------------------------------------------------------===#

@handles(aten.view.default, aten.reshape.default, aten._unsafe_view.default,
         aten.view_copy.default)
def _view(e, node, x, shape):
    return e.reshape(e.value(x), e.result_type(node)[0])


def _expand_to(e, value, shape):
    if len(shape) == len(value.shape) and all(
            e.symbols.text(a) == e.symbols.text(b)
            for a, b in zip(shape, value.shape)):
        return value
    return e.op("expand", [value], shape, value.element,
                f"sizes = {e.sizes(shape)}")


@handles(aten.expand.default, aten.expand_copy.default)
def _expand(e, node, x, sizes, **_):
    return _expand_to(e, e.value(x), e.result_type(node)[0])


@handles(aten.permute.default)
def _permute(e, node, x, dims):
    shape, kind = e.result_type(node)
    dims = [normalize(d, len(shape)) for d in dims]
    return e.op("permute", [e.value(x)], shape, kind, f"permutation = {dims}")


@handles(aten.t.default, aten.transpose.int)
def _transpose(e, node, x, a=0, b=1):
    rank = len(e.result_type(node)[0])
    if rank < 2:
        return e.value(x)
    dims = list(range(rank))
    a, b = normalize(a, rank), normalize(b, rank)
    dims[a], dims[b] = dims[b], dims[a]
    return _permute(e, node, x, dims)


@handles(aten.unsqueeze.default)
def _unsqueeze(e, node, x, dim):
    shape, kind = e.result_type(node)
    return e.op("unsqueeze", [e.value(x)], shape, kind,
                f"dims = [{normalize(dim, len(shape))}]")


@handles(aten.squeeze.dim, aten.squeeze.dims, aten.squeeze.default)
def _squeeze(e, node, x, dims=None):
    return e.reshape(e.value(x), e.result_type(node)[0])


@handles(aten.select.int)
def _select(e, node, x, dim, index):
    shape, kind = e.result_type(node)
    value = e.value(x)
    dim = normalize(dim, len(value.shape))
    if _is_negative(index):
        index = value.shape[dim] + index
    return e.op("select", [value], shape, kind,
                f"dim = {dim}, index = {e.symbols.attribute(index)}")


def _is_negative(number):
    return isinstance(number, int) and number < 0


def _slice(e, value, shape, dim, start, step):
    text = e.symbols.text
    starts = ["0"] * len(shape)
    steps = ["1"] * len(shape)
    starts[dim], steps[dim] = text(start), text(step)
    result = e.new(shape, value.element)
    e.write(f"{result.name} = dtensor.slice {value.name} "
            f"[{', '.join(starts)}] [{', '.join(map(text, shape))}] "
            f"[{', '.join(steps)}] : ({e.type(value)}) -> {e.type(result)}")
    return result


def _start_of(value, dim, start):
    start = 0 if start is None else start
    return value.shape[dim] + start if _is_negative(start) else start


@handles(aten.slice.Tensor)
def _slice_tensor(e, node, x, dim=0, start=None, end=None, step=1):
    value = e.value(x)
    dim = normalize(dim, len(value.shape))
    shape = e.result_type(node)[0]
    if e.symbols.text(shape[dim]) == e.symbols.text(value.shape[dim]):
        return value
    return _slice(e, value, shape, dim, _start_of(value, dim, start), step)


@handles(aten.slice_scatter.default)
def _slice_scatter(e, node, x, source, dim=0, start=None, end=None, step=1):
    if step != 1:
        raise UnsupportedError(f"slice_scatter with step {step}")
    value, piece = e.value(x), e.value(source)
    dim = normalize(dim, len(value.shape))
    total = value.shape[dim]
    start = _start_of(value, dim, start)
    end = start + piece.shape[dim]
    parts = []
    if e.symbols.text(start) != "0":
        head = list(value.shape)
        head[dim] = start
        parts.append(_slice(e, value, head, dim, 0, 1))
    parts.append(piece)
    if e.symbols.text(end) != e.symbols.text(total):
        tail = list(value.shape)
        tail[dim] = total - end
        parts.append(_slice(e, value, tail, dim, end, 1))
    if len(parts) == 1:
        return piece
    return e.op("concat", parts, value.shape, value.element, f"dim = {dim}")


@handles(aten.select_scatter.default)
def _select_scatter(e, node, x, source, dim, index):
    value, piece = e.value(x), e.value(source)
    dim = normalize(dim, len(value.shape))
    shape = list(value.shape)
    shape[dim] = 1
    wide = e.op("unsqueeze", [piece], shape, piece.element, f"dims = [{dim}]")
    if _is_negative(index):
        index = value.shape[dim] + index
    return _replace(e, value, wide, dim, index)


def _replace(e, value, piece, dim, start):
    parts, end = [], start + piece.shape[dim]
    for begin, stop in ((0, start), (None, None), (end, value.shape[dim])):
        if begin is None:
            parts.append(piece)
        elif e.symbols.text(begin) != e.symbols.text(stop):
            shape = list(value.shape)
            shape[dim] = stop - begin
            parts.append(_slice(e, value, shape, dim, begin, 1))
    if len(parts) == 1:
        return parts[0]
    return e.op("concat", parts, value.shape, value.element, f"dim = {dim}")


@handles(aten.cat.default)
def _cat(e, node, tensors, dim=0):
    shape, kind = e.result_type(node)
    values = [e.cast(e.value(t), kind) for t in tensors]
    values = [v for v in values if len(v.shape) == len(shape)]
    if len(values) == 1:
        return values[0]
    return e.op("concat", values, shape, kind,
                f"dim = {normalize(dim, len(shape))}")


@handles(aten.split_with_sizes.default, aten.split.Tensor)
def _split(e, node, x, sizes, dim=0):
    value, start, parts = e.value(x), 0, []
    dim = normalize(dim, len(value.shape))
    for meta in node.meta["val"]:
        parts.append(_slice(e, value, tuple(meta.shape), dim, start, 1))
        start = start + meta.shape[dim]
    return tuple(parts)


@handles(aten.constant_pad_nd.default)
def _pad(e, node, x, pad, value=0):
    shape, kind = e.result_type(node)
    rank = len(shape)
    low, high, source = [0] * rank, [0] * rank, e.value(x)
    for i in range(len(pad) // 2):
        dim, before, after = rank - 1 - i, pad[2 * i], pad[2 * i + 1]
        if _is_negative(before) or _is_negative(after):  # cuts
            kept = list(source.shape)
            kept[dim] = kept[dim] + min(before, 0) + min(after, 0)
            source = _slice(e, source, kept, dim, max(-before, 0), 1)
            before, after = max(before, 0), max(after, 0)
        low[dim], high[dim] = before, after
    return e.op("pad", [source, e.constant(value, kind)], shape, kind,
                f"low = {e.sizes(low)}, high = {e.sizes(high)}")


@handles(aten.flip.default)
def _flip(e, node, x, dims):
    shape, kind = e.result_type(node)
    dims = [normalize(d, len(shape)) for d in dims]
    return e.op("flip", [e.value(x)], shape, kind, f"dims = {dims}")


@handles(aten.repeat.default)
def _repeat(e, node, x, repeats):
    shape, kind = e.result_type(node)
    value = e.value(x)
    if len(value.shape) < len(shape):
        ones = (1,) * (len(shape) - len(value.shape))
        value = e.reshape(value, ones + value.shape)
    return e.op("repeat", [value], shape, kind,
                f"repeats = {e.sizes(repeats)}")


#===- From nothing ---------------------------------------------------------===#

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
         aten.new_empty.default, aten.empty_strided.default)
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


#===- Reductions -----------------------------------------------------------===#

def reduce(e, node, name, x, dims, keepdim, kind=None, attributes=""):
    shape, result = e.result_type(node)
    value = e.cast(e.value(x), kind or result)
    rank = len(value.shape)
    dims = list(range(rank)) if dims is None or dims == [] else \
        [dims] if isinstance(dims, int) else dims
    dims = sorted(normalize(d, rank) for d in dims)
    if rank == 0:
        return e.cast(value, result)
    flag = ", keepdim" if keepdim else ""
    return e.op(name, [value], shape, result,
                f"dims = {dims}{flag}{attributes}")


@handles(aten.sum.dim_IntList, aten.sum.default, aten.mean.dim,
         aten.mean.default, aten.amax.default, aten.amin.default)
def _reduction(e, node, x, dims=None, keepdim=False, dtype=None):
    name = node.target.__name__.split(".")[0]
    return reduce(e, node, name, x, dims, keepdim)


@handles(aten.max.default, aten.min.default)
def _extremum(e, node, x):
    name = "amax" if node.target is aten.max.default else "amin"
    return reduce(e, node, name, x, None, False)


@handles(aten.prod.default, aten.prod.dim_int)
def _prod(e, node, x, dim=None, keepdim=False, dtype=None):
    return reduce(e, node, "prod", x, dim, keepdim)


@handles(aten.any.default, aten.any.dim, aten.any.dims, aten.all.default,
         aten.all.dim, aten.all.dims)
def _truth(e, node, x, dims=None, keepdim=False):
    name = node.target.__name__.split(".")[0]
    return reduce(e, node, name, x, dims, keepdim, "i1")


@handles(aten.var.correction, aten.std.correction)
def _var(e, node, x, dims=None, correction=1, keepdim=False):
    name = node.target.__name__.split(".")[0]
    correction = 1 if correction is None else correction
    return reduce(e, node, name, x, dims, keepdim,
                  attributes=f", correction = {float(correction)!r} : f64")


@handles(aten.var_mean.correction)
def _var_mean(e, node, x, dims=None, correction=1, keepdim=False):
    value = e.value(x)
    rank = len(value.shape)
    dims = sorted(normalize(d, rank) for d in dims or range(rank))
    shape = tuple(node.meta["val"][0].shape)
    results = [e.new(shape, value.element) for _ in range(2)]
    correction = 1.0 if correction is None else float(correction)
    flag = ", keepdim" if keepdim else ""
    e.many("var_mean", [value], results,
           f"dims = {dims}{flag}, correction = {correction!r} : f64")
    return tuple(results)


@handles(torch.ops.prims.var.default)
def _prims_var(e, node, x, dims, correction=1, **_):
    return _var(e, node, x, dims, correction)


@handles(torch.ops.prims.broadcast_in_dim.default)
def _broadcast_in_dim(e, node, x, sizes, dims):
    value, shape = e.value(x), e.result_type(node)[0]
    wide = [1] * len(shape)
    for d, size in zip(dims, value.shape):
        wide[d] = size
    return _expand_to(e, e.reshape(value, wide), shape)


@handles(torch.ops.prims.view_of.default)
def _view_of(e, node, x):
    return e.value(x)


@handles(torch.ops.prims.sum.default)
def _prims_sum(e, node, x, dims, **_):
    return reduce(e, node, "sum", x, dims, False)


@handles(aten.max.dim, aten.min.dim)
def _extremum_along(e, node, x, dim, keepdim=False):
    value = e.value(x)
    if not value.shape:
        return value, e.full(0, (), "i64")
    dim = normalize(dim, len(value.shape))
    name = node.target.__name__.split(".")[0]
    shape = tuple(node.meta["val"][0].shape)
    flag = ", keepdim" if keepdim else ""
    values = e.op("a" + name, [value], shape, value.element,
                  f"dims = [{dim}]{flag}")
    return values, e.op("arg" + name, [value], shape, "i64",
                        f"dim = {dim}{flag}")


@handles(aten.argmax.default, aten.argmin.default)
def _arg(e, node, x, dim=None, keepdim=False):
    name = node.target.__name__.split(".")[0]
    shape, kind = e.result_type(node)
    value = e.value(x)
    if dim is None:
        if len(value.shape) != 1:
            size = math.prod(value.shape)
            value = e.reshape(value, (size,))
        dim = 0
    flag = ", keepdim" if keepdim and len(shape) == len(value.shape) else ""
    return e.op(name, [value], shape, kind,
                f"dim = {normalize(dim, len(value.shape))}{flag}")


@handles(aten.cumsum.default, aten.cumprod.default)
def _cumulative(e, node, x, dim, dtype=None):
    name = node.target.__name__.split(".")[0]
    shape, kind = e.result_type(node)
    value = e.cast(e.value(x), kind)
    if not shape:
        return value
    return e.op(name, [value], shape, kind,
                f"dim = {normalize(dim, len(shape))}")


@handles(aten._softmax.default, aten._log_softmax.default)
def _softmax(e, node, x, dim, half_to_float):
    name = node.target.__name__.split(".")[0][1:]
    shape, kind = e.result_type(node)
    if not shape:
        return e.full(1 if name == "softmax" else 0, (), kind)
    return e.op(name, [e.cast(e.value(x), kind)], shape, kind,
                f"dim = {normalize(dim, len(shape))}")


@handles(aten.topk.default)
def _topk(e, node, x, k, dim=-1, largest=True, sorted=True):
    value = e.value(x)
    shape = tuple(node.meta["val"][0].shape)
    results = [e.new(shape, value.element), e.new(shape, "i64")]
    flag = "" if largest else ", smallest"
    e.many("topk", [value], results,
           f"dim = {normalize(dim, len(shape))}, k = {k}{flag}")
    return tuple(results)


@handles(aten.sort.default, aten.sort.stable)
def _sort(e, node, x, dim=-1, descending=False, stable=None):
    value = e.value(x)
    results = [e.new(value.shape, value.element), e.new(value.shape, "i64")]
    flag = ", descending" if descending else ""
    e.many("sort", [value], results,
           f"dim = {normalize(dim, len(value.shape))}{flag}")
    return tuple(results)


#===- Products and attention -----------------------------------------------===#

@handles(aten.mm.default, aten.bmm.default)
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


@handles(torch.ops.dtensor_mlir.attention.default)
def _attention(e, node, q, k, v, causal, scale):
    shape, kind = e.result_type(node)
    values = [e.value(q), e.value(k), e.value(v)]
    flags = f"scale = {scale!r} : f64" + (", causal" if causal else "")
    lengths = [e.symbols.text(v.shape[-2]) for v in values[:2]]
    if causal and lengths[0] != lengths[1]:
        # Aligned at the first key, not at the last: query i sees keys up to i.
        zero = e.new(None, "index")
        e.write(f"{zero.name} = arith.constant 0 : index")
        values.append(zero)
    return e.op("attention", values, shape, kind, flags)


#===- Look-ups -------------------------------------------------------------===#

@handles(aten.embedding.default)
def _embedding(e, node, table, ids, padding_idx=-1, *_, **__):
    shape, kind = e.result_type(node)
    return e.op("embedding", [e.value(ids), e.value(table)], shape, kind)


@handles(aten.embedding_dense_backward.default)
def _embedding_backward(e, node, grad, ids, num_weights, padding_idx, scale):
    if scale:
        raise UnsupportedError("embedding with scale_grad_by_freq")
    shape, kind = e.result_type(node)
    rows, where = e.value(grad), e.value(ids)
    if padding_idx >= 0:
        keep = e.op("compare", [where, e.constant(padding_idx, where.element)],
                    where.shape, "i1", 'predicate = "ne"')
        keep = e.op("unsqueeze", [keep], (*where.shape, 1), "i1",
                    f"dims = [{len(where.shape)}]")
        rows = e.op("where", [keep, rows, e.constant(0, kind)], rows.shape,
                    kind)
    count = math.prod(where.shape)
    rows = e.reshape(rows, (count, rows.shape[-1]))
    where = e.reshape(where, (count,))
    zeros = e.full(0, shape, kind)
    return e.op("index_add", [zeros, where, rows], shape, kind, "dim = 0")


def _wrapped(e, index: Value, extent):
    """Negative indices count from the end."""
    zero = e.constant(0, index.element)
    low = e.op("compare", [index, zero], index.shape, "i1",
               'predicate = "lt"')
    moved = e.op("add", [index, e.constant(extent, index.element)],
                 index.shape, index.element)
    return e.op("where", [low, moved, index], index.shape, index.element)


@handles(aten.index.Tensor, aten._unsafe_index.Tensor)
def _index(e, node, x, indices):
    value = e.value(x)
    dims = [d for d, i in enumerate(indices) if i is not None]
    used = [indices[d] for d in dims]
    if any(i.meta["val"].dtype == torch.bool for i in used):
        raise UnsupportedError("indexing by a mask: the size of the result "
                               "depends on data")
    first, last = dims[0], dims[-1]
    if last - first + 1 != len(dims):
        raise UnsupportedError("indexing by tensors that stand apart")
    wanted = torch.broadcast_shapes(*[i.meta["val"].shape for i in used])
    where = None  # in the dimensions taken as one, row-major
    for d, index in zip(dims, used):
        part = _wrapped(e, e.cast(e.value(index), "i64"), value.shape[d])
        part = _expand_to(e, part, wanted)
        if where is not None:
            extent = e.constant(value.shape[d], "i64")
            where = e.op("mul", [where, extent], wanted, "i64")
            part = e.op("add", [where, part], wanted, "i64")
        where = part
    size = math.prod(value.shape[first:last + 1])
    value = e.reshape(value, (*value.shape[:first], size,
                              *value.shape[last + 1:]))
    shape, kind = e.result_type(node)
    return e.op("index_select", [value, where], shape, kind, f"dim = {first}")


@handles(aten.index_select.default)
def _index_select(e, node, x, dim, index):
    shape, kind = e.result_type(node)
    value = e.value(x)
    return e.op("index_select", [value, e.value(index)], shape, kind,
                f"dim = {normalize(dim, len(value.shape))}")


@handles(aten.gather.default)
def _gather(e, node, x, dim, index, sparse_grad=False):
    shape, kind = e.result_type(node)
    return e.op("gather", [e.value(x), e.value(index)], shape, kind,
                f"dim = {normalize(dim, len(shape))}")


@handles(aten.scatter_add.default)
def _scatter_add(e, node, x, dim, index, source):
    shape, kind = e.result_type(node)
    return e.op("scatter_add", [e.value(x), e.value(index), e.value(source)],
                shape, kind, f"dim = {normalize(dim, len(shape))}")


@handles(aten.scatter.src, aten.scatter.value)
def _scatter(e, node, x, dim, index, source):
    shape, kind = e.result_type(node)
    where = e.value(index)
    if not isinstance(source, fx.Node):
        source = e.full(source, where.shape, kind)
    else:
        source = e.value(source)
    return e.op("scatter", [e.value(x), where, source], shape, kind,
                f"dim = {normalize(dim, len(shape))}")


@handles(aten.index_put.default, aten._unsafe_index_put.default)
def _index_put(e, node, x, indices, values, accumulate=False):
    shape, kind = e.result_type(node)
    value = e.value(x)
    if any(i is None for i in indices):
        raise UnsupportedError("index_put that leaves a dimension out")
    wanted = torch.broadcast_shapes(*[i.meta["val"].shape for i in indices])
    where = [_wrapped(e, _expand_to(e, e.value(i), wanted), value.shape[d])
             for d, i in enumerate(indices)]
    rest = (*wanted, *value.shape[len(indices):])
    given = _expand_to(e, e.cast(e.value(values), kind), rest)
    return e.op("index_put", [value, given, *where], shape, kind,
                "accumulate" if accumulate else "")
