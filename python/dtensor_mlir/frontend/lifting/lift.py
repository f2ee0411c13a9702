"""Calls of functions on pieces and on complex tensors, operator by operator."""

from __future__ import annotations

import sympy
import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import (TorchDispatchMode,
                                          _disable_current_modes)

from ..layouts import UnsupportedError
from . import complex_numbers, rules
from .complex_numbers import Complex
from .pieces import Piece


class _Recorder(TorchDispatchMode):
    """The operators of ATen that a function is made of."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if any(isinstance(x, torch.Tensor) for x in pytree.tree_leaves(result)):
            self.calls.append((func, args, kwargs, result))
        return result


def _has(kind, tree) -> bool:
    return any(isinstance(x, kind) for x in pytree.tree_leaves(tree))


def is_lifted(arguments, made=()) -> bool:
    """Whether a call that makes `made` is one for `Lift`."""
    return _has((Piece, Complex), arguments) or any(
        isinstance(x, torch.Tensor) and x.is_complex()
        for x in pytree.tree_leaves(made))


def _check_gradients(args, kwargs):
    """Where a tensor that every rank has whole meets pieces, each rank finds a
    part of its gradient, and PyTorch leaves it at that."""
    if any(isinstance(x, torch.Tensor) and x.requires_grad
           for x in pytree.tree_leaves((args, kwargs))):
        raise UnsupportedError(
            "every rank would have a part of the gradient of a tensor that it "
            "has whole; give it as a DTensor, and take its to_local with "
            "grad_placements=[Partial()]")


class Lift:
    """Calls a function: it runs once on fake tensors of the shapes and elements
    that it knows, and its operators then on what stands for them, with
    gradients."""

    def __init__(self, fake_mode, axis_of):
        self.fake_mode, self.axis_of = fake_mode, axis_of
        self.symbols: set[sympy.Symbol] = set()  # sizes of pieces
        self.with_gradients = False

    def fake(self, shape, dtype, device) -> torch.Tensor:
        with _disable_current_modes(), self.fake_mode:
            return torch.empty(shape, dtype=dtype, device=device)

    def _fake_of(self, x) -> torch.Tensor:
        if isinstance(x, Complex):
            part = self._fake_of(x.re)
            return self.fake(part.shape, x.dtype, part.device)
        return x.local if isinstance(x, Piece) else \
            self.fake(x.shape, x.dtype, x.device)

    def __call__(self, function, args, kwargs):
        values = {}  # id of a fake tensor -> (it, what it stands for)

        def enter(x):
            if not isinstance(x, (Piece, Complex, torch.Tensor)):
                return x
            fake = self._fake_of(x)
            values[id(fake)] = fake, x
            return fake

        def leave(x):
            # One that no operator made is a number in the program's text.
            return values.get(id(x), (x, x))[1]

        recorder = _Recorder()
        given = pytree.tree_map(enter, (args, kwargs))
        with _disable_current_modes(), self.fake_mode, recorder, \
                torch.no_grad():
            result = function(*given[0], **given[1])
        for func, args, kwargs, made in recorder.calls:
            args, kwargs = pytree.tree_map(leave, (args, kwargs))
            found = self._run(func, args, kwargs, made)
            for fake, value in zip(pytree.tree_leaves(made),
                                   pytree.tree_leaves(found)):
                if isinstance(fake, torch.Tensor):
                    values[id(fake)] = fake, value
        return pytree.tree_map(leave, result)

    def _run(self, func, args, kwargs, made):
        if _has(Complex, (args, kwargs)) or is_lifted((), made):
            return complex_numbers.on_parts(func, args, kwargs, made,
                                            self._on_parts)
        if _has(Piece, (args, kwargs)):
            if self.with_gradients:
                _check_gradients(args, kwargs)
            return rules.on_wholes(func, args, kwargs, made, self._call,
                                   self.axis_of)
        return self._call(func, args, kwargs)

    def _on_parts(self, func, *args, **kwargs):
        if _has(Piece, (args, kwargs)):
            return self(func, args, kwargs)
        return self._call(func, args, kwargs)

    def _call(self, func, args, kwargs):
        for x in pytree.tree_leaves((args, kwargs)):
            if isinstance(x, (torch.SymInt, torch.SymFloat)) and \
                    self.symbols & x.node.expr.free_symbols:
                raise UnsupportedError(
                    f"{func} takes a number that is computed from the size "
                    "of the piece of one rank")
        return func(*args, **kwargs)
