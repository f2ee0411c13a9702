"""Sizes that PyTorch keeps symbolic, as expressions of the compiler.

Names are given in the order of appearance, so that the text of a program does
not depend on how PyTorch counts its symbols.
"""

from __future__ import annotations

import sympy
import torch
from torch.utils._sympy import functions

from .layouts import UnsupportedError


class Symbols:
    def __init__(self, known=()):
        """`known` symbols keep their places."""
        self.names: dict[sympy.Symbol, str] = {}
        for symbol in known:
            self.name(symbol)

    def name(self, symbol: sympy.Symbol) -> str:
        return self.names.setdefault(symbol, f"s{len(self.names)}")

    def text(self, size) -> str:
        """An int or a SymInt."""
        if not isinstance(size, torch.SymInt):
            return str(int(size))
        return self._print(sympy.expand(expression(size)))

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
        if isinstance(e, (sympy.Max, functions.Max)):
            return f"max({', '.join(map(self._print, e.args))})"
        if isinstance(e, (sympy.Min, functions.Min)):
            return f"min({', '.join(map(self._print, e.args))})"
        infix = {"FloorDiv": "floordiv", "CleanDiv": "floordiv",
                 "CeilDiv": "ceildiv", "Mod": "mod", "PythonMod": "mod"}
        if type(e).__name__ in infix:
            a, b = map(self._factor, e.args)
            return f"({a} {infix[type(e).__name__]} {b})"
        raise UnsupportedError(f"no expression for the size {e}")

    def _factor(self, e) -> str:
        text = self._print(e)
        return text if isinstance(e, (sympy.Symbol, sympy.Integer)) or \
            text[0] == "(" and text[-1] == ")" and text.count("(") == 1 \
            else f"({text})"


def expression(size: torch.SymInt):
    node = size.node
    return node.shape_env.simplify(node.expr) if node.shape_env else node.expr
