"""Special functions, computed in f64."""

from __future__ import annotations

import math

import torch

from .common import aten, in_double, rule

# Bernoulli's numbers B2, B4, ...
_BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6,
              -3617 / 510]
_SHIFT = 9  # from here on asymptotic series have the precision of f64


def _polynomial(x, coefficients):
    """The first is that of x^0."""
    result = torch.full_like(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        result = result * x + c
    return result


def _sine_of_pi(x):
    return torch.sin(math.pi * (x - 2 * torch.round(x / 2)))


def _lgamma_above_zero(x):
    small = x < _SHIFT
    product = x
    for i in range(1, _SHIFT):
        product = product * (x + i)
    z = torch.where(small, x + _SHIFT, x)
    series = _polynomial(1 / (z * z), [
        b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI, 1)]) / z
    result = (z - 0.5) * z.log() - z + 0.5 * math.log(2 * math.pi) + series
    result = result - torch.where(small, product, 1.0).log()
    return torch.where(x == math.inf, math.inf, result)


@rule(aten.lgamma.default)
@in_double
def lgamma(x):
    reflected = x < 0.5
    result = _lgamma_above_zero(torch.where(reflected, 1 - x, x))
    other = (math.pi / _sine_of_pi(x).abs()).log() - result
    whole = (x <= 0) & (x == x.floor())
    return torch.where(whole, math.inf, torch.where(reflected, other, result))


def _digamma_above_zero(x):
    small = x < _SHIFT
    z = torch.where(small, x + _SHIFT, x)
    square = 1 / (z * z)
    series = _polynomial(square, [
        b / (2 * k) for k, b in enumerate(_BERNOULLI, 1)]) * square
    steps = 1 / x
    for i in range(1, _SHIFT):
        steps = steps + 1 / (x + i)
    return z.log() - 0.5 / z - series - torch.where(small, steps, 0.0)


@rule(aten.digamma.default, aten.special_digamma.default
      if hasattr(aten, "special_digamma") else aten.digamma.default)
@in_double
def digamma(x):
    reflected = x < 0.5
    result = _digamma_above_zero(torch.where(reflected, 1 - x, x))
    turn = math.pi * (x - torch.round(x))
    result = torch.where(reflected, result - math.pi / torch.tan(turn), result)
    whole = (x <= 0) & (x == x.floor())
    pole = torch.where(x == 0, -torch.copysign(torch.full_like(x, math.inf),
                                               x), math.nan)
    return torch.where(whole, pole, result)


def _zeta_above_zero(s, q):
    """The sum of (q + k)^-s for all k, s a whole number above 1: the first
    ones, and the rest by the formula of Euler and Maclaurin."""
    total = q.pow(-s)
    for k in range(1, _SHIFT):
        total = total + (q + k).pow(-s)
    z = q + _SHIFT
    total = total + z.pow(1 - s) / (s - 1) + 0.5 * z.pow(-s)
    factor, power = float(s), z.pow(-s - 1)
    for j, b in enumerate(_BERNOULLI, 1):
        total = total + (b * factor / math.factorial(2 * j)) * power
        factor *= (s + 2 * j - 1) * (s + 2 * j)
        power = power / (z * z)
    return total


def _derivative_of_cotangent(n, turn):
    """The nth derivative of cot(pi x): a polynomial in cot(pi x)."""
    coefficients = [0.0, 1.0]
    for _ in range(n):
        slope = [i * c for i, c in enumerate(coefficients)][1:]
        coefficients = [-math.pi * (a + b) for a, b in zip(
            slope + [0.0, 0.0], [0.0, 0.0] + slope)]
    return _polynomial(1 / torch.tan(turn), coefficients)


@rule(aten.polygamma.default)
def polygamma(n, x):
    return digamma(x) if n == 0 else _polygamma(x, n)


@in_double
def _polygamma(x, n):
    sign = -1.0 if n % 2 == 0 else 1.0
    reflected = x < 0.5
    y = torch.where(reflected, 1 - x, x)
    result = sign * math.factorial(n) * _zeta_above_zero(n + 1, y)
    turn = math.pi * (x - torch.round(x))
    other = -sign * result - math.pi * _derivative_of_cotangent(n, turn)
    whole = (x <= 0) & (x == x.floor())
    result = torch.where(reflected, other, result)
    return torch.where(whole, sign * math.inf, result)


def _solve(start, residual):
    """y with residual(y) = 0, whose slope is that of erf, by Halley."""
    y = start
    for _ in range(3):
        u = residual(y) * (math.sqrt(math.pi) / 2) * (y * y).exp()
        y = y - u / (1 + y * u)
    return y


def _guess(log_rest):
    """Winitzki's: where erf is sqrt(1 - exp(log_rest))."""
    a = 0.147
    t = 2 / (math.pi * a) + log_rest / 2
    return ((t * t - log_rest / a).sqrt() - t).clamp(min=0).sqrt()


@rule(aten.erfinv.default)
@in_double
def erfinv(x):
    size = x.abs()
    y = _solve(_guess(((1 - size) * (1 + size)).log()), lambda y: torch.where(
        size < 0.5, torch.erf(y) - size, (1 - size) - torch.erfc(y)))
    y = torch.where(size == 1, math.inf, torch.where(size > 1, math.nan, y))
    return torch.copysign(y, x)


@rule(aten.special_ndtri.default)
@in_double
def ndtri(p):
    tail = 2 * torch.minimum(p, 1 - p)
    y = _solve(_guess((tail * (2 - tail)).log()),
               lambda y: tail - torch.erfc(y))
    y = torch.where(tail == 0, math.inf, torch.where(tail < 0, math.nan, y))
    return math.sqrt(2) * torch.where(p < 0.5, -y, y)


@rule(aten.special_erfcx.default)
@in_double
def erfcx(x):
    near = torch.clamp(x, max=20.0)
    square = 1 / (x * x)
    far = _polynomial(square, [1.0, -1 / 2, 3 / 4, -15 / 8, 105 / 16]) / (
        x * math.sqrt(math.pi))
    return torch.where(x > 20, far, (near * near).exp() * torch.erfc(near))


def _bessel_i(order, x):
    """exp(-|x|) times the modified function of the first kind."""
    size = x.abs()
    near = size.clamp(max=20.0)
    square = near * near / 4
    series = _polynomial(square, [1 / (math.factorial(k) * math.factorial(
        k + order)) for k in range(45)]) * (near / 2) ** order
    coefficients, term = [1.0], 1.0
    for k in range(1, 22):
        term *= -(4 * order * order - (2 * k - 1) ** 2) / (8 * k)
        coefficients.append(term)
    far = size.clamp(min=20.0)
    asymptotic = _polynomial(1 / far, coefficients) / (
        2 * math.pi * far).sqrt()
    result = torch.where(size > 20, asymptotic, series * (-near).exp())
    return torch.copysign(result, x) if order % 2 else result


@rule(aten.special_i0e.default)
@in_double
def i0e(x):
    return _bessel_i(0, x)


@rule(aten.i0.default, aten.special_modified_bessel_i0.default)
@in_double
def i0(x):
    return _bessel_i(0, x) * x.abs().exp()


@rule(aten.special_i1e.default)
@in_double
def i1e(x):
    return _bessel_i(1, x)


@rule(aten.special_i1.default, aten.special_modified_bessel_i1.default)
@in_double
def i1(x):
    return _bessel_i(1, x) * x.abs().exp()
