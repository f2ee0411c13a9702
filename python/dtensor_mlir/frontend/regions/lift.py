"""Calls of functions on pieces, operator by operator."""

from __future__ import annotations

import sympy
import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import (TorchDispatchMode,
                                          _disable_current_modes)

from ..layouts import UnsupportedError
from .pieces import Piece, has_piece
from .rules import on_wholes


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


class Lift:
    """Calls functions on pieces: they run once on fake tensors of the shapes of
    the pieces, and their operators then on the wholes, with gradients."""

    def __init__(self, fake_mode):
        self.fake_mode = fake_mode
        self.symbols: set[sympy.Symbol] = set()  # sizes of pieces

    def fake(self, shape, like: torch.Tensor) -> torch.Tensor:
        with _disable_current_modes(), self.fake_mode:
            return torch.empty(shape, dtype=like.dtype, device=like.device)

    def __call__(self, function, args, kwargs):
        values = {}  # id of a fake tensor -> (it, what it stands for)

        def enter(x):
            if not isinstance(x, (Piece, torch.Tensor)):
                return x
            fake = x.local if isinstance(x, Piece) else self.fake(x.shape, x)
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
        if has_piece(args, kwargs):
            return on_wholes(func, args, kwargs, made, self._call)
        return self._call(func, args, kwargs)

    def _call(self, func, args, kwargs):
        for x in pytree.tree_leaves((args, kwargs)):
            if isinstance(x, (torch.SymInt, torch.SymFloat)) and \
                    self.symbols & x.node.expr.free_symbols:
                raise UnsupportedError(
                    f"{func} takes a number that is computed from the size "
                    "of the piece of one rank")
        return func(*args, **kwargs)
