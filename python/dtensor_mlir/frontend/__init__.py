"""PyTorch programs over DTensors: `torch.compile(..., backend="dtensor_mlir")`.

To import this makes the backend's name known; where the package is installed
PyTorch finds it by itself.
"""

from .dynamo import compile_graph as backend, register
from .hlo import from_hlo_sharding, hlo_sharding
from .layouts import UnsupportedError

__all__ = ["UnsupportedError", "backend", "from_hlo_sharding", "hlo_sharding"]

register()
