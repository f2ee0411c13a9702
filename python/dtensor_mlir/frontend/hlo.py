"""Placements in the words of XLA, and back.

    hlo_sharding(weight)                       # of a DTensor
    "{devices=[4,1,2]<=[2,4]T(1,0) last_tile_dim_replicate}"
    from_hlo_sharding(text, mesh, weight.shape)
    (Replicate(), Shard(dim=0))
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.placement_types import (Placement, Replicate,
                                                      Shard)

from .. import _libraries as lib
from . import layouts


def _layout(mesh, shape, dims):
    sizes = lib.int64s(mesh.size(i) for i in range(mesh.ndim))
    return lib.struct(
        lib.Layout, num_axes=mesh.ndim, mesh_sizes=sizes,
        dims=(ctypes.c_int32 * max(mesh.ndim, 1))(*dims), rank=len(shape),
        shape=lib.int64s(shape))


def hlo_sharding(tensor: DTensor, list_devices: bool = False) -> str:
    """The sharding of a DTensor; `list_devices` writes devices one by one.
    Raises where XLA has no words for it."""
    dims = []
    for placement in tensor.placements:
        text = layouts.placement_text(placement, tensor.ndim)
        if placement.is_partial():
            raise layouts.UnsupportedError(f"XLA has no words for {text}")
        dims.append(placement.dim % tensor.ndim if placement.is_shard() else -1)
    layout = _layout(tensor.device_mesh, tensor.shape, dims)
    buffer = lib.struct(lib.Buffer)
    lib.compiler_call("print_hlo_sharding", ctypes.byref(layout),
                      ctypes.c_int32(list_devices), ctypes.byref(buffer))
    return lib.take(buffer)


def from_hlo_sharding(text: str, mesh: DeviceMesh, shape: Sequence[int]
                      ) -> tuple[Placement, ...]:
    """The placements of a tensor of this shape. Raises where the text is
    malformed or no placements on the mesh say the same."""
    layout = _layout(mesh, shape, [0] * mesh.ndim)
    lib.compiler_call("parse_hlo_sharding", text.encode(),
                      ctypes.byref(layout))
    return tuple(Replicate() if dim < 0 else Shard(dim)
                 for dim in layout.dims[:mesh.ndim])
