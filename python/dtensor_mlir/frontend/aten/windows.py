"""Convolutions and pooling."""

from __future__ import annotations

import math

import torch

from ..layouts import UnsupportedError
from .common import aten, cut, handles


def _each(numbers, space):
    """One number for each dimension of space."""
    numbers = [numbers] if isinstance(numbers, int) else list(numbers)
    return numbers * space if len(numbers) == 1 else numbers


def _parameters(stride, padding, dilation, space):
    return (f"stride = {_each(stride, space)}, "
            f"padding = {_each(padding, space)}, "
            f"dilation = {_each(dilation, space)}")


#===- Convolutions ---------------------------------------------------------===#

def _add_windows(e, x, stride, output_padding):
    """What a transposed convolution spreads: its result may be so long that
    more windows fit than it was given, which are 0."""
    space = len(x.shape) - 2
    more = [p // s for s, p in zip(_each(stride, space),
                                   _each(output_padding, space))]
    if not any(more):
        return x
    shape = (*x.shape[:2], *[n + m for n, m in zip(x.shape[2:], more)])
    return e.op("pad", [x, e.constant(0, x.element)], shape, x.element,
                f"low = {[0] * len(shape)}, high = {[0, 0, *more]}")


@handles(aten.convolution.default)
def _convolution(e, node, x, weight, bias, stride, padding, dilation,
                 transposed, output_padding, groups):
    shape, kind = e.result_type(node)
    attributes = _parameters(stride, padding, dilation, len(shape) - 2) + \
        f", groups = {groups}"
    values = [e.value(x), e.value(weight)]
    if not transposed:
        if bias is not None:
            values.append(e.value(bias))
        return e.op("convolution", values, shape, kind, attributes)
    values[0] = _add_windows(e, values[0], stride, output_padding)
    result = e.op("convolution_input_grad", values, shape, kind,
                  f"sizes = {e.sizes(shape[2:])}, {attributes}")
    if bias is None:
        return result
    channels = e.reshape(e.value(bias), (shape[1],) + (1,) * len(shape[2:]))
    return e.op("add", [result, channels], shape, kind)


@handles(aten.convolution_backward.default)
def _convolution_backward(e, node, grad, x, weight, bias_sizes, stride,
                          padding, dilation, transposed, output_padding,
                          groups, mask):
    grad, x, weight = e.value(grad), e.value(x), e.value(weight)
    shape = x.shape
    if transposed:
        x = _add_windows(e, x, stride, output_padding)
    kind, space = grad.element, len(grad.shape) - 2
    attributes = _parameters(stride, padding, dilation, space) + \
        f", groups = {groups}"
    results = [None, None, None]
    if mask[0]:
        name, more = ("convolution", "") if transposed else (
            "convolution_input_grad", f"sizes = {e.sizes(x.shape[2:])}, ")
        results[0] = e.op(name, [grad, weight], x.shape, kind,
                          more + attributes)
        if x.shape != shape:
            results[0] = cut(e, results[0], shape, [0] * len(shape))
    if mask[1]:
        # What a transposed convolution gives is what its gradient reads.
        values = [grad, x] if transposed else [x, grad]
        results[1] = e.op(
            "convolution_weight_grad", values, weight.shape, kind,
            f"kernel = {e.sizes(weight.shape[2:])}, {attributes}")
    if mask[2]:
        dims = [0, *range(2, len(grad.shape))]
        results[2] = e.op("sum", [grad], (grad.shape[1],), kind,
                          f"dims = {dims}")
    return tuple(results)


#===- Pooling --------------------------------------------------------------===#

class _Windows:
    """How windows lie in an operand. With `ceil_mode` the last one may reach
    beyond it, which is the same as an operand that is longer."""

    def __init__(self, space, shape, result, kernel, stride, padding,
                 ceil_mode, dilation=1):
        self.space = space
        self.kernel = _each(kernel, self.space)
        self.stride = _each(stride, self.space) if stride else self.kernel
        self.padding = _each(padding, self.space)
        self.dilation = _each(dilation, self.space)
        self.sizes = list(shape[-self.space:])
        self.longer = [self._longer(*n) if ceil_mode else 0 for n in zip(
            self.sizes, result[-self.space:], self.kernel, self.stride,
            self.padding, self.dilation)]
        self.exact = all(isinstance(n, int) and n == 0 for n in self.longer)
        self.padded = [s + n for s, n in zip(self.sizes, self.longer)]

    @staticmethod
    def _longer(size, count, kernel, stride, padding, dilation):
        needed = (count - 1) * stride + dilation * (kernel - 1) + 1
        beyond = needed - 2 * padding - size
        return max(beyond, 0) if isinstance(beyond, int) else \
            torch.sym_max(beyond, 0)

    def attributes(self):
        return f"kernel = {self.kernel}, " + _parameters(
            self.stride, self.padding, self.dilation, self.space)

    def widen(self, e, value, fill):
        """The operand with what windows reach beyond it."""
        if self.exact:
            return value
        shape = (*value.shape[:-self.space], *self.padded)
        high = [0] * (len(shape) - self.space) + self.longer
        return e.op("pad", [value, e.constant(fill, value.element)], shape,
                    value.element, f"low = {e.sizes([0] * len(shape))}, "
                    f"high = {e.sizes(high)}")

    def narrow(self, e, value, shape):
        if self.exact:
            return value
        return cut(e, value, shape, [0] * len(shape))

    def renumber(self, e, indices, before, after):
        """Row-major positions in space `before` as such in `after`."""
        if self.exact:
            return indices
        result, scale_before, scale_after = None, 1, 1
        for old, new in zip(reversed(before), reversed(after)):
            at = indices
            if scale_before != 1:
                at = e.op("floor_divide", [at, e.constant(scale_before, "i64")],
                          at.shape, "i64")
            at = e.op("remainder", [at, e.constant(old, "i64")], at.shape,
                      "i64")
            if scale_after != 1:
                at = e.op("mul", [at, e.constant(scale_after, "i64")],
                          at.shape, "i64")
            result = at if result is None else e.op(
                "add", [result, at], at.shape, "i64")
            scale_before, scale_after = scale_before * old, scale_after * new
        return result


def _max_pool(space):
    def handler(e, node, x, kernel, stride=(), padding=0, dilation=1,
                ceil_mode=False):
        value = e.value(x)
        shape = tuple(node.meta["val"][0].shape)
        w = _Windows(space, value.shape, shape, kernel, stride, padding,
                     ceil_mode, dilation)
        results = [e.new(shape, value.element), e.new(shape, "i64")]
        e.many("max_pool", [w.widen(e, value, -math.inf)], results,
               w.attributes())
        return results[0], w.renumber(e, results[1], w.padded, w.sizes)
    return handler


def _max_pool_backward(space):
    def handler(e, node, grad, x, kernel, stride, padding, dilation, ceil_mode,
                indices):
        shape, kind = e.result_type(node)
        grad = e.value(grad)
        w = _Windows(space, shape, grad.shape, kernel, stride, padding,
                     ceil_mode, dilation)
        where = w.renumber(e, e.value(indices), w.sizes, w.padded)
        result = e.op("max_pool_grad", [grad, where],
                      (*shape[:-space], *w.padded), kind,
                      f"sizes = {e.sizes(w.padded)}, {w.attributes()}")
        return w.narrow(e, result, shape)
    return handler


def _counts(e, w, kind, include_pad, divisor):
    """How many elements each window is the sum of, divided by its size; None
    where the op counts itself."""
    size = math.prod(w.kernel)
    if divisor is not None:
        return e.constant(divisor / size, kind)
    if w.exact:
        return None
    if include_pad:  # padding counts, what is beyond it does not
        ones = tuple(s + 2 * p for s, p in zip(w.sizes, w.padding))
        low, padding = [0] * w.space, [0] * w.space
    else:
        ones, low, padding = tuple(w.sizes), [0] * w.space, w.padding
    wide = tuple(s + n for s, n in zip(ones, w.longer))
    value = e.op("pad", [e.full(1, ones, kind), e.constant(0, kind)], wide,
                 kind, f"low = {low}, high = {e.sizes(w.longer)}")
    value = e.reshape(value, (1, *wide))
    counts = tuple((s + 2 * p - k) // t + 1 for s, p, k, t in zip(
        wide, padding, w.kernel, w.stride))
    return e.op("avg_pool", [value], (1, *counts), kind,
                f"kernel = {w.kernel}, stride = {w.stride}, "
                f"padding = {padding}, dilation = {[1] * w.space}")


def _avg_pool(space):
    def handler(e, node, x, kernel, stride=(), padding=0, ceil_mode=False,
                count_include_pad=True, divisor_override=None):
        shape, kind = e.result_type(node)
        value = e.value(x)
        w = _Windows(space, value.shape, shape, kernel, stride, padding,
                     ceil_mode)
        counts = _counts(e, w, kind, count_include_pad, divisor_override)
        flag = ", exclude_pad" if counts is None and not count_include_pad \
            else ""
        result = e.op("avg_pool", [w.widen(e, value, 0)], shape, kind,
                      w.attributes() + flag)
        return result if counts is None else e.op("div", [result, counts],
                                                  shape, kind)
    return handler


def _avg_pool_backward(space):
    def handler(e, node, grad, x, kernel, stride, padding, ceil_mode,
                count_include_pad, divisor_override):
        shape, kind = e.result_type(node)
        grad = e.value(grad)
        w = _Windows(space, shape, grad.shape, kernel, stride, padding,
                     ceil_mode)
        counts = _counts(e, w, kind, count_include_pad, divisor_override)
        flag = ", exclude_pad" if counts is None and not count_include_pad \
            else ""
        if counts is not None:
            grad = e.op("div", [grad, counts], grad.shape, kind)
        result = e.op("avg_pool_grad", [grad], (*shape[:-space], *w.padded),
                      kind, f"sizes = {e.sizes(w.padded)}, {w.attributes()}"
                      + flag)
        return w.narrow(e, result, shape)
    return handler


def _adaptive_avg_pool(e, node, x, sizes):
    shape, kind = e.result_type(node)
    wanted = shape[len(shape) - len(sizes):]
    if not all(isinstance(size, int) for size in wanted):
        raise UnsupportedError("adaptive pooling to a size that is no number")
    return e.op("adaptive_avg_pool", [e.value(x)], shape, kind,
                f"sizes = {list(wanted)}")


def _adaptive_avg_pool_backward(space):
    def handler(e, node, grad, x):
        shape, kind = e.result_type(node)
        return e.op("adaptive_avg_pool_grad", [e.value(grad)], shape, kind,
                    f"sizes = {e.sizes(shape[len(shape) - space:])}")
    return handler


for _space in (2, 3):
    handles(getattr(aten, f"_adaptive_avg_pool{_space}d").default)(
        _adaptive_avg_pool)
    handles(getattr(aten, f"_adaptive_avg_pool{_space}d_backward").default)(
        _adaptive_avg_pool_backward(_space))
    handles(getattr(aten, f"max_pool{_space}d_with_indices").default)(
        _max_pool(_space))
    handles(getattr(aten, f"max_pool{_space}d_with_indices_backward").default)(
        _max_pool_backward(_space))
    handles(getattr(aten, f"avg_pool{_space}d").default)(_avg_pool(_space))
    handles(getattr(aten, f"avg_pool{_space}d_backward").default)(
        _avg_pool_backward(_space))
