"""PyTorch programs over DTensors: `torch.compile(..., backend="dtensor_mlir")`.

To import this makes the backend's name known; where the package is installed
PyTorch finds it by itself.
"""

from .dynamo import compile_graph as backend, register
from .hlo import from_hlo_sharding, hlo_sharding
from .layouts import UnsupportedError
from .specs import Spec, from_spec_json, spec_json

__all__ = ["Spec", "UnsupportedError", "backend", "from_hlo_sharding",
           "from_spec_json", "hlo_sharding", "spec_json"]

register()
