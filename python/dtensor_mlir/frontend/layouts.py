"""Placements and meshes of DTensor, in the compiler's words and back."""

from __future__ import annotations

import torch
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor.placement_types import (Partial, Placement,
                                                      Replicate, Shard)

from .._libraries import Error

KINDS = ("sum", "avg", "max", "min", "product")


class UnsupportedError(Error):
    """The front end has no way to say this to the compiler. `trace` is where
    in the user's program, as PyTorch tells it."""

    def __init__(self, message: str, trace: str = ""):
        super().__init__(message)
        self.trace = trace


ELEMENTS = {torch.float64: "f64", torch.float32: "f32", torch.float16: "f16",
            torch.bfloat16: "bf16", torch.int64: "i64", torch.int32: "i32",
            torch.int16: "i16", torch.int8: "i8", torch.bool: "i1"}
DTYPES = {name: dtype for dtype, name in ELEMENTS.items()}


def element(dtype: torch.dtype) -> str:
    if dtype not in ELEMENTS:
        raise UnsupportedError(f"elements of type {dtype} are not supported")
    return ELEMENTS[dtype]


def axis_names(mesh: DeviceMesh) -> tuple[str, ...]:
    names = mesh.mesh_dim_names
    return tuple(names) if names else tuple(f"d{i}" for i in range(mesh.ndim))


def mesh_sizes(mesh: DeviceMesh) -> dict[str, int]:
    return {n: mesh.size(i) for i, n in enumerate(axis_names(mesh))}


def mesh_text(mesh: DeviceMesh) -> str:
    """Sizes are left open: one program serves every size."""
    axes = ", ".join(f'"{name}" = ?' for name in axis_names(mesh))
    return f"#dtensor.mesh<{axes}>"


def placement_text(placement: Placement, rank: int) -> str:
    if placement.is_replicate():
        return "replicate"
    if isinstance(placement, Partial):
        if placement.reduce_op in KINDS:
            return f"partial({placement.reduce_op})"
    elif type(placement) is Shard or (isinstance(placement, Shard)
                                      and placement.is_shard()):
        if type(placement).__name__ == "Shard":
            return f"shard({placement.dim % rank if rank else 0})"
    raise UnsupportedError(f"placement {placement} has no counterpart in the "
                           "compiler")


def placements_text(placements, rank: int) -> str:
    return ", ".join(placement_text(p, rank) for p in placements)


def plain(placements) -> tuple[Placement, ...]:
    """Without hidden state: a masked sum is a sum."""
    return tuple(Partial(p.reduce_op) if isinstance(p, Partial) else p
                 for p in placements)


def for_gradient(placements) -> tuple[Placement, ...]:
    """Those of the gradient of a value with these: a pending reduction has a
    replicated one."""
    return tuple(Replicate() if p.is_partial() else p for p in placements)


def from_manifest(value: dict, axes) -> str:
    """The placements of a result in a bundle, with the order of the axes."""
    texts = []
    for placement in value["placements"]:
        kind = placement["kind"]
        if kind == "shard":
            unit = placement.get("unit")
            kind += f"({placement['dim']}" + \
                (f", unit = {unit})" if unit else ")")
        elif kind == "partial":
            kind += f"({placement['reduce']})"
        texts.append(kind)
    order = ", ".join(f'"{axes[a]}"' for a in value.get("order", ()))
    return f"[{', '.join(texts)}]" + (f" order = [{order}]" if order else "")
