"""Sizes that PyTorch keeps symbolic, as expressions of the compiler.

Names are given in the order of appearance, so that the text of a program does
not depend on how PyTorch counts its symbols.
"""

from __future__ import annotations

import sympy
import torch
from torch.utils._sympy import functions
from torch.utils._sympy.value_ranges import ValueRanges, bound_sympy

from .layouts import UnsupportedError


_LARGEST = (sympy.Max, functions.Max)
_SMALLEST = (sympy.Min, functions.Min)
_MAX_DENOMINATOR = 1024


class Symbols:
    def __init__(self, known=(), ranges=None):
        """`known` symbols keep their places. `ranges`: {symbol: where PyTorch
        guards it to be}."""
        self.names: dict[sympy.Symbol, str] = {}
        self.ranges: dict[sympy.Symbol, ValueRanges] = ranges or {}
        for symbol in known:
            self.name(symbol)

    def name(self, symbol: sympy.Symbol) -> str:
        return self.names.setdefault(symbol, f"s{len(self.names)}")

    def text(self, size) -> str:
        """An int or a SymInt."""
        if not isinstance(size, torch.SymInt):
            return str(int(size))
        return self.expression_text(expression(size))

    def expression_text(self, e: sympy.Expr) -> str:
        return self._print(sympy.expand(e).replace(
            lambda e: isinstance(e, _LARGEST + _SMALLEST), self._settle))

    def _settle(self, e):
        """A maximum without what others are never below."""
        sign = 1 if isinstance(e, _LARGEST) else -1
        kept = list(e.args)
        for a in e.args:
            if any(bound_sympy(sign * (b - a), self.ranges).lower >= 0
                   for b in kept if b is not a):
                kept.remove(a)
        return type(e)(*kept) if len(kept) > 1 else kept[0]

    def dim(self, size) -> str:
        text = self.text(size)
        return text if text.isdigit() else "?"

    def attribute(self, size) -> str:
        """An element of a list of sizes."""
        text = self.text(size)
        is_number = text.lstrip("-").isdigit()
        return text if is_number else self.extent(size)

    def extent(self, size) -> str:
        """An attribute that is one extent."""
        return f"#dtensor.expr<{self.text(size)}>"

    def _print(self, e) -> str:
        if isinstance(e, sympy.Integer):
            return str(int(e))
        if isinstance(e, sympy.Symbol):
            return self.name(e)
        if isinstance(e, sympy.Add):
            return " + ".join(f"({self._print(a)})" if isinstance(
                a, sympy.Add) else self._print(a) for a in e.args)
        if isinstance(e, sympy.Mul) and all(
                not isinstance(a, sympy.Rational) or a.is_Integer
                for a in e.args):
            return "*".join(self._factor(a) for a in e.args)
        if isinstance(e, sympy.Pow) and e.exp.is_Integer and e.exp > 0:
            return "*".join([self._factor(e.base)] * int(e.exp))
        if isinstance(e, _LARGEST):
            return f"max({', '.join(map(self._print, e.args))})"
        if isinstance(e, _SMALLEST):
            return f"min({', '.join(map(self._print, e.args))})"
        infix = {"FloorDiv": "floordiv", "CleanDiv": "floordiv",
                 "CeilDiv": "ceildiv", "Mod": "mod", "PythonMod": "mod"}
        if type(e).__name__ in infix:
            a, b = map(self._factor, e.args)
            return f"({a} {infix[type(e).__name__]} {b})"
        if type(e).__name__ in ("TruncToInt", "FloorToInt"):
            a, b = _fraction(e.args[0])
            if not a.is_nonnegative and type(e).__name__ == "TruncToInt":
                raise UnsupportedError(f"no expression for {e}, which may be "
                                       "below 0")
            return f"({self._factor(a)} floordiv {self._factor(b)})"
        raise UnsupportedError(f"no expression for the size {e}")

    def _factor(self, e) -> str:
        text = self._print(e)
        return text if isinstance(e, (sympy.Symbol, sympy.Integer)) or \
            text[0] == "(" and text[-1] == ")" and text.count("(") == 1 \
            else f"({text})"


def _fraction(e: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """(a, b) where a number in f64 that PyTorch rounds down is a / b. A factor
    that f64 has not exactly might be rounded up there, and is refused."""
    name = type(e).__name__
    if name == "ToFloat":
        return e.args[0], sympy.Integer(1)
    if name == "IntTrueDiv":
        return e.args
    factor, rest = e.as_coeff_Mul()
    top, bottom = float(factor).as_integer_ratio()
    if rest is not sympy.S.One and rest is not e and bottom <= _MAX_DENOMINATOR:
        a, b = _fraction(rest)
        return top * a, bottom * b
    raise UnsupportedError(f"no expression for the size {e}, rounded down")


def expression(size: torch.SymInt):
    node = size.node
    return node.shape_env.simplify(node.expr) if node.shape_env else node.expr
