"""Complex tensors as their two parts.

A rule takes the arguments of an operator, where complex tensors are `Complex`,
and `run`, which calls an operator on parts, and gives the parts of what the
operator makes. Gradients are those of the parts, which is what PyTorch's are,
too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch.utils import _pytree as pytree

from ..layouts import UnsupportedError
from .rules import MOVES

aten = torch.ops.aten
RULES: dict[object, Callable] = {}
REAL = {torch.complex32: torch.float16, torch.complex64: torch.float32,
        torch.complex128: torch.float64}
_COMPLEX = {real: number for number, real in REAL.items()}


@dataclasses.dataclass(frozen=True)
class Complex:
    """re + i im, tensors of one shape, or pieces."""
    re: object
    im: object

    @property
    def dtype(self) -> torch.dtype:
        return _COMPLEX[getattr(self.re, "whole", self.re).dtype]

    def map(self, function) -> "Complex":
        return Complex(function(self.re), function(self.im))


def is_complex(value) -> bool:
    return isinstance(value, torch.Tensor) and value.is_complex()


def parts_of(pairs) -> Complex:
    """`pairs`: of the parts, in the last dimension, as memory has them."""
    return Complex(pairs.select(-1, 0), pairs.select(-1, 1))


def on_parts(func, args, kwargs, made, run: Callable):
    rule = RULES.get(func)
    if rule is None:
        raise UnsupportedError(f"no import of {func} on complex numbers")
    return rule(run, func, args, _real_types(kwargs), made)


def _real_types(kwargs):
    return {k: REAL.get(v, v) if k == "dtype" else v
            for k, v in kwargs.items()}


def _handles(*targets):
    def register(rule):
        for target in targets:
            RULES[target] = rule
        return rule
    return register


def _re(x):
    return x.re if isinstance(x, Complex) else \
        x.real if isinstance(x, complex) else x


def _im(run, x):
    """None where it is 0 in the program's text."""
    if isinstance(x, Complex):
        return x.im
    return x.imag if isinstance(x, complex) and x.imag else None


def _zeros(run, like):
    return run(aten.zeros_like.default, like)


#===- Both parts alike -----------------------------------------------------===#

@_handles(*MOVES, aten.sum.dim_IntList, aten.sum.default, aten.mean.dim,
          aten.mean.default, aten.cumsum.default, aten.neg.default,
          aten.flip.default, aten.roll.default, aten.tril.default,
          aten.triu.default, aten.diagonal.default, aten.repeat.default,
          aten.constant_pad_nd.default, aten.index.Tensor,
          aten.index_select.default, aten.gather.default,
          aten.zeros_like.default, aten.empty_like.default,
          aten.embedding.default, aten.select_scatter.default,
          aten.slice_scatter.default, aten.lift_fresh.default,
          aten.lift_fresh_copy.default, aten.zero_.default)
def _alike(run, func, args, kwargs, made):
    tree = pytree.tree_map(lambda x: _both(run, x), (args, kwargs))
    re, im = (run(func, *a, **k) for a, k in (
        pytree.tree_map(lambda x: getattr(x, part) if isinstance(x, Complex)
                        else x, tree) for part in ("re", "im")))
    if not isinstance(re, (list, tuple)):
        return Complex(re, im)
    return type(re)(map(Complex, re, im))


def _both(run, x):
    """A real tensor of floats beside complex ones is one without im."""
    is_real = isinstance(x, torch.Tensor) and x.is_floating_point()
    return Complex(x, _zeros(run, x)) if is_real else x


@_handles(aten.ones_like.default, aten.full_like.default, aten.full.default,
          aten.ones.default, aten.zeros.default, aten.scalar_tensor.default,
          aten.empty.memory_format)
def _filled(run, func, args, kwargs, made):
    args = [x if isinstance(x, (Complex, torch.Tensor)) else _re(x)
            for x in args]
    imaginary = [x.imag for x in pytree.tree_leaves(args)
                 if isinstance(x, complex)]
    if any(imaginary):
        raise UnsupportedError(f"{func} with an imaginary number")
    re = run(func, *map(_re, args), **kwargs)
    return Complex(re, _zeros(run, re))


#===- To complex numbers and back ------------------------------------------===#

@_handles(aten.view_as_complex.default)
def _view_as_complex(run, func, args, kwargs, made):
    return Complex(*(run(aten.select.int, args[0], -1, i) for i in (0, 1)))


@_handles(aten.view_as_real.default, aten.view_as_real_copy.default)
def _view_as_real(run, func, args, kwargs, made):
    return run(aten.stack.default, [args[0].re, args[0].im], -1)


@_handles(aten.complex.default)
def _complex(run, func, args, kwargs, made):
    shapes = [getattr(x, "local", x).shape for x in args]
    return Complex(*(x if shape == made.shape
                     else run(aten.expand.default, x, made.shape)
                     for x, shape in zip(args, shapes)))


@_handles(aten.polar.default)
def _polar(run, func, args, kwargs, made):
    length, angle = args
    return Complex(*(run(aten.mul.Tensor, length, run(f.default, angle))
                     for f in (aten.cos, aten.sin)))


@_handles(aten.abs.default)
def _abs(run, func, args, kwargs, made):
    re, im = args[0].re, args[0].im
    # The gradient at 0 is 0.
    zero = run(aten.logical_and.default, run(aten.eq.Scalar, re, 0),
               run(aten.eq.Scalar, im, 0))
    length = run(aten.hypot.default, run(aten.masked_fill.Scalar, re, zero, 1),
                 im)
    return run(aten.masked_fill.Scalar, length, zero, 0)


@_handles(aten.angle.default)
def _angle(run, func, args, kwargs, made):
    return run(aten.atan2.default, args[0].im, args[0].re)


@_handles(aten._conj.default, aten._conj_physical.default,
          aten.conj_physical.default)
def _conjugate(run, func, args, kwargs, made):
    return Complex(args[0].re, run(aten.neg.default, args[0].im))


@_handles(aten.resolve_conj.default, aten.resolve_neg.default)
def _resolve(run, func, args, kwargs, made):
    return args[0]


@_handles(aten._to_copy.default)
def _to_copy(run, func, args, kwargs, made):
    x = args[0]
    re = run(func, _re(x), **kwargs)
    if not made.is_complex():
        return re
    return Complex(re, _zeros(run, re) if not isinstance(x, Complex)
                   else run(func, x.im, **kwargs))


#===- Arithmetic -----------------------------------------------------------===#

@_handles(aten.add.Tensor, aten.sub.Tensor)
def _sum(run, func, args, kwargs, made):
    a, b = args
    re, im = run(func, _re(a), _re(b), **kwargs), (_im(run, a), _im(run, b))
    if None not in im:
        return Complex(re, run(func, *im, **kwargs))
    # Of the shape of both.
    zeros = _zeros(run, re)
    return Complex(re, run(func, *(zeros if x is None else x for x in im),
                           **kwargs))


def _product(run, times, a, b):
    """a b for a `times` that is linear in both."""
    re, (x, y) = run(times, _re(a), _re(b)), (_im(run, a), _im(run, b))
    if x is not None and y is not None:
        re = run(aten.sub.Tensor, re, run(times, x, y))
    cross = [run(times, *pair) for pair in ((_re(a), y), (x, _re(b)))
             if None not in pair]
    return Complex(re, cross[0] if len(cross) == 1
                   else run(aten.add.Tensor, *cross))


@_handles(aten.mul.Tensor, aten.mm.default, aten.bmm.default, aten.mv.default,
          aten.dot.default)
def _multiply(run, func, args, kwargs, made):
    return _product(run, func, *args)


def _square(run, z):
    """|z|^2"""
    return run(aten.add.Tensor, *(run(aten.mul.Tensor, x, x)
                                  for x in (z.re, z.im)))


@_handles(aten.reciprocal.default)
def _reciprocal(run, func, args, kwargs, made):
    size = _square(run, args[0])
    return Complex(run(aten.div.Tensor, args[0].re, size),
                   run(aten.neg.default,
                       run(aten.div.Tensor, args[0].im, size)))


@_handles(aten.div.Tensor)
def _divide(run, func, args, kwargs, made):
    a, b = args
    if isinstance(b, Complex):
        return _product(run, aten.mul.Tensor, a, _reciprocal(
            run, func, (b,), {}, b))
    if isinstance(b, complex):
        return _product(run, aten.mul.Tensor, a, 1 / b)
    return a.map(lambda x: run(func, x, b))


@_handles(aten.exp.default)
def _exp(run, func, args, kwargs, made):
    return _polar(run, func, (run(func, args[0].re), args[0].im), {}, made)


@_handles(aten.eq.Tensor, aten.ne.Tensor)
def _equal(run, func, args, kwargs, made):
    a, b = (_both(run, x) for x in args)
    both = aten.logical_and if func is aten.eq.Tensor else aten.logical_or
    return run(both.default, run(func, a.re, b.re), run(func, a.im, b.im))


@_handles(aten.copy_.default)
def _copy(run, func, args, kwargs, made):
    target, source = args[0], _both(run, args[1])
    run(func, target.re, source.re)
    run(func, target.im, source.im)
    return target


@_handles(aten.fill_.Scalar, aten.fill_.Tensor)
def _fill(run, func, args, kwargs, made):
    target, number = args
    im = _im(run, number)
    run(func, target.re, _re(number))
    if im is None:
        run(aten.zero_.default, target.im)
    else:
        run(func, target.im, im)
    return target


_IN_PLACE = {aten.add_.Tensor: aten.add.Tensor,
             aten.sub_.Tensor: aten.sub.Tensor,
             aten.mul_.Tensor: aten.mul.Tensor,
             aten.div_.Tensor: aten.div.Tensor}


@_handles(*_IN_PLACE)
def _change(run, func, args, kwargs, made):
    target, func = args[0], _IN_PLACE[func]
    # Gradients need what it was.
    old = target.map(lambda x: run(aten.clone.default, x))
    result = RULES[func](run, func, (old, *args[1:]), kwargs, made)
    return _copy(run, aten.copy_.default, (target, result), {}, made)


@_handles(aten.where.self)
def _where(run, func, args, kwargs, made):
    a, b = (_both(run, x) for x in args[1:])
    return Complex(run(func, args[0], a.re, b.re),
                   run(func, args[0], a.im, b.im))


@_handles(aten.masked_fill.Scalar)
def _masked_fill(run, func, args, kwargs, made):
    z, mask, number = args
    im = number.imag if isinstance(number, complex) else 0
    return Complex(run(func, z.re, mask, _re(number)),
                   run(func, z.im, mask, im))
