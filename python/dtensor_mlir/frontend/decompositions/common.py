"""What the rules share."""

from __future__ import annotations

import functools

import torch

aten = torch.ops.aten
RULES: dict = {}


def rule(*targets):
    def register(function):
        for target in targets:
            RULES[target] = function
        return function
    return register


def in_double(function):
    """Computes in f64 and gives the element type of the first tensor."""
    @functools.wraps(function)
    def wrapped(x, *rest):
        dtype = x.dtype if x.is_floating_point() else \
            torch.get_default_dtype()
        return function(x.double(), *rest).to(dtype)
    return wrapped
