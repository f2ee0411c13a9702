"""What becomes of the operators of ATen: one handler each, in `TABLE`.

A handler takes the emitter, the node and the arguments, nodes of sizes already
replaced by sizes, and gives the value of the node, or a tuple of them.
"""

from . import (factorizations, lookups, made, pointwise, products, random,
               reductions, views, windows)
from .common import TABLE

__all__ = ["TABLE", "factorizations", "lookups", "made", "pointwise", "products",
           "random", "reductions", "views", "windows"]
