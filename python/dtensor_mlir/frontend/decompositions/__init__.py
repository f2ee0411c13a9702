"""Operators of ATen in terms of others, where PyTorch has no rule for it or one
that our ops cannot follow. A rule is a function of tensors, and is traced."""

from . import (diagonals, distances, factorizations, indexing, losses, orders,
               special, windows)
from .common import RULES

__all__ = ["RULES", "diagonals", "distances", "factorizations", "indexing",
           "losses", "orders", "special", "windows"]
