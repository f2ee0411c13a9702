"""Where a DTensor is, as JSON, and back.

    spec_json(weight)                            # of a DTensor
    '{"mesh":{"dim_names":["tp"],"shape":[4]},"placements":[{"dim":0,"type":"shard"}],"shape":[8,16]}'
    from_spec_json(text, mesh)
    Spec(placements=(Shard(dim=0),), shape=(8, 16))

The text is canonical: equal specs have equal texts.
"""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import torch
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.placement_types import (
    Partial, Placement, Replicate, Shard, _StridedShard)

from .. import _libraries as lib
from . import layouts

_REPLICATE, _SHARD, _PARTIAL = range(3)


class Spec(NamedTuple):
    """What a text says beside its mesh."""
    placements: tuple[Placement, ...]
    shape: torch.Size


def _struct(placement: Placement, rank: int) -> lib.Placement:
    if type(placement) is _StridedShard:
        return lib.Placement(_SHARD, placement.dim % rank,
                             placement.split_factor)
    layouts.placement_text(placement, rank)  # raises for what has no words
    if isinstance(placement, Partial):
        if type(placement) is not Partial:
            raise layouts.UnsupportedError(f"placement {placement} has a state "
                                           "of its own")
        return lib.Placement(_PARTIAL, 0, 1,
                             layouts.KINDS.index(placement.reduce_op))
    if placement.is_replicate():
        return lib.Placement(_REPLICATE)
    return lib.Placement(_SHARD, placement.dim % rank, 1)


def _placement(made: lib.Placement) -> Placement:
    if made.kind == _PARTIAL:
        return Partial(layouts.KINDS[made.reduce_op])
    if made.kind == _REPLICATE:
        return Replicate()
    if made.split_factor != 1:
        return _StridedShard(made.dim, split_factor=made.split_factor)
    return Shard(made.dim)


def _placements(tensor: DTensor) -> tuple[Placement, ...]:
    """With the order of axes in strided shards, where the spec has it apart."""
    spec = tensor._spec
    order = getattr(spec, "shard_order", None)
    if order is None or order == spec.compute_default_shard_order(
            spec.placements):
        return tensor.placements
    return spec._convert_shard_order_to_StridedShard(order, spec.placements,
                                                     spec.mesh)


def spec_json(tensor: DTensor) -> str:
    """The canonical text. Raises where a placement has no counterpart here."""
    mesh, rank = tensor.device_mesh, tensor.ndim
    names = [name.encode() for name in layouts.axis_names(mesh)]
    made = [_struct(p, rank) for p in _placements(tensor)]
    spec = lib.struct(
        lib.Spec, num_axes=mesh.ndim,
        axis_names=(ctypes.c_char_p * max(mesh.ndim, 1))(*names),
        mesh_sizes=lib.int64s(layouts.mesh_sizes(mesh).values()),
        placements=(lib.Placement * max(mesh.ndim, 1))(*made), rank=rank,
        shape=lib.int64s(tensor.shape))
    buffer = lib.struct(lib.Buffer)
    lib.compiler_call("print_dtensor_spec", ctypes.byref(spec),
                      ctypes.byref(buffer))
    return lib.take(buffer)


def from_spec_json(text: str, mesh: DeviceMesh) -> Spec:
    """What a text says. Raises where it is malformed or of another mesh, or
    where a size is no number."""
    data, handle = text.encode(), ctypes.POINTER(lib.Spec)()
    lib.compiler_call("parse_dtensor_spec", data, ctypes.c_size_t(len(data)),
                      ctypes.byref(handle))
    try:
        spec = handle.contents
        found = {spec.axis_names[i].decode(): spec.mesh_sizes[i]
                 for i in range(spec.num_axes)}
        expected = layouts.mesh_sizes(mesh)
        if list(found.items()) != list(expected.items()):
            raise layouts.UnsupportedError(
                f"the text is of mesh {found}, this one is {expected}")
        for i in range(spec.rank):
            if spec.shape[i] < 0:
                raise layouts.UnsupportedError(
                    f"dimension {i} has {spec.extents[i].decode()} elements, a "
                    "DTensor has numbers")
        return Spec(tuple(_placement(spec.placements[i])
                          for i in range(spec.num_axes)),
                    torch.Size(spec.shape[:spec.rank]))
    finally:
        lib.compiler().dtensor_compiler_spec_free(handle)
