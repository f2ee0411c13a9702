"""What becomes of the operators of ATen: one handler each, in `TABLE`.

A handler takes the emitter, the node and the arguments, nodes of sizes already
replaced by sizes, and gives the value of the node, or a tuple of them.
"""

from . import lookups, made, pointwise, products, reductions, views
from .common import TABLE

__all__ = ["TABLE", "lookups", "made", "pointwise", "products", "reductions",
           "views"]
