"""dtensor: tensor programs on many devices, compiled once for every shape and
every mesh.

    import torch, dtensor_mlir
    f = torch.compile(model, backend="dtensor_mlir", fullgraph=True,
                      dynamic=True)

`compile` takes the text of a program instead; it needs no PyTorch.
"""

from __future__ import annotations

from ._libraries import CompileError, Error, LaunchError
from .compiler import Program, clear, compilations, compile_text, config
from .runtime import Bundle, Executable, Launch, Value

__version__ = "0.1.0"
__all__ = ["Bundle", "CompileError", "Error", "Executable", "Launch",
           "LaunchError", "Program", "Value", "backend", "clear",
           "compilations", "compile", "config"]


def compile(text: str, mesh: dict[str, int], entry: str | None = None,
            target: str = "cpu") -> Executable:
    """The executable of a program on a mesh; all its ranks run in this
    process."""
    backend_name = "cuda" if target.startswith("cuda") else "sim"
    return compile_text(text, target).executable(mesh, entry, backend_name)


def backend(module, inputs):
    """The backend of dynamo, also by the name "dtensor_mlir"."""
    from .frontend import backend as compile_graph
    return compile_graph(module, inputs)
