"""dtensor: tensor programs on many devices, compiled once for every shape and
every mesh.

    import torch, dtensor_mlir
    f = torch.compile(model, backend="dtensor_mlir", fullgraph=True,
                      dynamic=True)

`compile` takes a module of one process and where its tensors lie, or the text of
a program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from ._libraries import CompileError, Error, LaunchError
from .compiler import Program, clear, compilations, compile_text, config
from .runtime import Bundle, Executable, Launch, Value

if TYPE_CHECKING:
    import torch
    from torch.distributed.device_mesh import DeviceMesh
    from torch.distributed.tensor.placement_types import Placement

__version__ = "0.1.0"
__all__ = ["Bundle", "CompileError", "Error", "Executable", "Launch",
           "LaunchError", "Program", "Value", "backend", "clear",
           "compilations", "compile", "config"]


@overload
def compile(program: str, mesh: dict[str, int], *, entry: str | None = None,
            target: str = "cpu") -> Executable: ...


@overload
def compile(program: torch.nn.Module | Callable[..., Any],
            mesh: DeviceMesh | dict[str, int],
            placements: Mapping[str, Sequence[Placement]] | None = None,
            dynamic_shapes: dict[str, Any] | None = None
            ) -> Callable[..., Any]: ...


def compile(program: Any, mesh: Any, placements: Any = None,
            dynamic_shapes: dict[str, Any] | None = None, *,
            entry: str | None = None, target: str = "cpu") -> Any:
    """A module, a function or a text on a mesh.

    A module or a function is that of one process; `placements` says by name,
    {"*.up.weight": [Shard(0)], "tokens": [Replicate()]}, where parameters and
    arguments lie, the first pattern that fits; "results" is the name of what it
    gives. All else is replicated. On a DeviceMesh parameters become DTensors,
    and what is called takes DTensors, or pieces of this rank, and gives
    DTensors. On sizes of axes, {"tp": 2}, all ranks run in this process and
    tensors are whole. `dynamic_shapes` is that of torch.export; without it
    every size of an argument may vary.

    Of a text comes the `Executable` of an entry for a target; a text needs no
    PyTorch, and its `mesh` are sizes of axes."""
    if isinstance(program, str):
        backend_name = "cuda" if target.startswith("cuda") else "sim"
        return compile_text(program, target).executable(mesh, entry,
                                                        backend_name)
    from .frontend.export import Compiled
    return Compiled(program, mesh, placements, dynamic_shapes)


def backend(module: torch.fx.GraphModule, inputs: Sequence[Any],
            options: dict[str, bool] | None = None) -> Callable[..., Any]:
    """The backend of dynamo, also by the name "dtensor_mlir"."""
    from .frontend import backend as compile_graph
    return compile_graph(module, inputs, options)
