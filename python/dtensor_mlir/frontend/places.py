"""Where the ranks of a DeviceMesh run.

A rank on a CPU is this process, and torch.distributed moves the bytes; on GPUs
the runtime has communicators of its own. A mesh of one needs nobody. A
LocalTensor holds the pieces of all ranks: they run as threads of this process,
on GPUs each on its own. So do those of a `LocalMesh`, over whole tensors.
"""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import math

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.distributed_c10d import _resolve_process_group
from torch.utils.weak import WeakIdKeyDictionary

from .. import compiler
from .._libraries import LaunchError
from ..runtime import Bundle, Executable
from .layouts import mesh_sizes

try:
    from torch.distributed._local_tensor import LocalTensor
except ImportError:  # older than the idea
    class LocalTensor:  # type: ignore[no-redef]
        """Nothing is one."""


class LocalMesh:
    """A mesh whose ranks all run in this process, {"dp": 2, "tp": 4}. What is
    called with it takes and gives whole tensors."""

    def __init__(self, sizes: dict[str, int], device_type: str = "cpu"):
        self.sizes, self.device_type = dict(sizes), device_type
        self.mesh_dim_names, self.ndim = tuple(sizes), len(sizes)

    def size(self, dim: int | None = None) -> int:
        values = list(self.sizes.values())
        return math.prod(values) if dim is None else values[dim]


@dataclasses.dataclass
class Pieces:
    """What the ranks of this process have of a tensor."""
    tensors: list[torch.Tensor]

    @property
    def dtype(self):
        return self.tensors[0].dtype


@dataclasses.dataclass
class Zeros:
    """A tensor that is not made yet."""
    dtype: torch.dtype


def target_of(mesh: DeviceMesh) -> str:
    if mesh.device_type != "cuda":
        return "cpu"
    major, minor = torch.cuda.get_device_capability()
    return f"cuda:sm_{major}{minor}" + ("a" if major >= 9 else "")


def compile_for(mesh: DeviceMesh, text: str, key: str, hints="") -> Bundle:
    return compiler.compile_text(text, target_of(mesh), key, hints)


class _Groups:
    """Process groups of lists of mesh ranks, by name: a group that is still
    referred to after `destroy_process_group` keeps its threads, which abort the
    process if they outlive the interpreter."""

    def __init__(self, mesh: DeviceMesh):
        self.mesh = mesh
        self.ranks = mesh.mesh.flatten().tolist()
        self.names: dict = {}

    def get(self, members: tuple[int, ...]):
        """(group, members in its order)"""
        if members not in self.names:
            group, order = self._find(members)
            self.names[members] = group.group_name, order
        name, order = self.names[members]
        return _resolve_process_group(name), order

    def _find(self, members):
        wanted = sorted(self.ranks[m] for m in members)
        for dim in range(self.mesh.ndim):
            group = self.mesh.get_group(dim)
            if sorted(dist.get_process_group_ranks(group)) == wanted:
                return group, dist.get_process_group_ranks(group)
        if wanted == list(range(dist.get_world_size())):
            return dist.group.WORLD, wanted
        group = dist.new_group(wanted, use_local_synchronization=True)
        return group, wanted


def _bytes_at(address: int, size: int) -> torch.Tensor:
    return torch.frombuffer((ctypes.c_char * size).from_address(address),
                            dtype=torch.uint8)


@functools.cache
def _gather_over(mesh: DeviceMesh):
    groups = _Groups(mesh)

    def gather(members, position, send, size, receive):
        group, order = groups.get(members)
        # Memory of the compiled program, not of PyTorch.
        received = _bytes_at(receive, size * len(members)).view(-1, size)
        place = {groups.ranks[m]: i for i, m in enumerate(members)}
        pieces = [received[place[rank]] for rank in order]
        dist.all_gather(pieces, _bytes_at(send, size), group=group)
    return gather


def _mesh_rank(mesh: DeviceMesh) -> int:
    coordinate = mesh.get_coordinate()
    if coordinate is None:
        raise RuntimeError(f"rank {dist.get_rank()} is not in {mesh}")
    rank = 0
    for dim, at in enumerate(coordinate):
        rank = rank * mesh.size(dim) + at
    return rank


def open_executable(mesh: DeviceMesh, bundle: Bundle, simulated: bool
                    ) -> Executable:
    sizes = mesh_sizes(mesh)
    if mesh.device_type == "cuda":
        return bundle.executable(sizes, backend="cuda")
    if simulated or mesh.size() == 1:
        return bundle.executable(sizes)
    return bundle.executable(sizes, backend="process",
                             mesh_rank=_mesh_rank(mesh),
                             gather=_gather_over(mesh))


@functools.cache
def _check_seeds(mesh: DeviceMesh) -> None:
    """Ranks that draw different numbers would compute different programs."""
    if isinstance(mesh, LocalMesh) or mesh.size() == 1 or \
            dist.get_backend() == "fake":
        return
    for dim in range(mesh.ndim):
        seeds: list = [None] * mesh.size(dim)
        dist.all_gather_object(seeds, torch.initial_seed(),
                               group=mesh.get_group(dim))
        if len(set(seeds)) > 1:
            raise RuntimeError(
                "the ranks of a mesh draw one sequence of random numbers, but "
                f"have the seeds {sorted(set(seeds))}; call torch.manual_seed "
                "with the same number on all")


def draw_seed(mesh: DeviceMesh) -> torch.Tensor:
    """For the random ops of one call; `torch.manual_seed` decides it."""
    _check_seeds(mesh)
    return torch.randint(2**63 - 1, (), dtype=torch.int64)


def is_simulated(mesh, tensors) -> bool:
    """Whether this process runs all ranks."""
    return isinstance(mesh, LocalMesh) or any(
        isinstance(t, LocalTensor) for t in tensors)


def devices_of(mesh, ranks, simulated: bool):
    """Where the ranks that run in this process have their memory."""
    if mesh.device_type != "cuda":
        return [torch.device("cpu")] * len(ranks)
    if simulated:
        return [torch.device("cuda", rank) for rank in ranks]
    return [torch.device("cuda", torch.cuda.current_device())]


def streams_of(devices):
    """The streams that work is queued on; None for memory of the host."""
    if devices[0].type != "cuda":
        return None
    # PyTorch says 0 for the default stream, the runtime's name of it is 1.
    return [torch.cuda.current_stream(d).cuda_stream or 1 for d in devices]


class Scatter:
    """Row-major pieces of whole tensors. Those of parameters are kept until
    the parameter changes."""

    def __init__(self):
        self._kept = WeakIdKeyDictionary()

    def __call__(self, tensor: torch.Tensor, boxes, devices):
        if not isinstance(tensor, torch.nn.Parameter):
            return self._cut(tensor, boxes, devices)
        stamp = (tensor._version, tensor.data_ptr(), boxes)
        kept = self._kept.get(tensor)
        if kept is None or kept[0] != stamp:
            kept = stamp, self._cut(tensor, boxes, devices)
            self._kept[tensor] = kept
        return kept[1]

    @staticmethod
    def _cut(tensor, boxes, devices):
        pieces, tensor = [], tensor.detach()
        for (extents, offsets), device in zip(boxes, devices):
            piece = tensor
            for dim, (size, start) in enumerate(zip(extents, offsets)):
                piece = piece.narrow(dim, start, size)
            pieces.append(piece.to(device).contiguous())
        return pieces


def gather(pieces: Pieces, boxes, shape, device) -> torch.Tensor:
    """The whole tensor."""
    first = pieces.tensors[0]
    if tuple(first.shape) == tuple(shape):
        return first.to(device)
    whole = torch.empty(shape, dtype=first.dtype, device=device)
    for piece, (extents, offsets) in zip(pieces.tensors, boxes):
        part = whole
        for dim, (size, start) in enumerate(zip(extents, offsets)):
            part = part.narrow(dim, start, size)
        part.copy_(piece)
    return whole


def pieces_of(tensor, ranks, devices, boxes, scatter) -> list[torch.Tensor]:
    """The row-major pieces of the ranks that run in this process."""
    if len(ranks) == 1 and type(tensor) is torch.Tensor and \
            tensor.is_contiguous() and tensor.device == devices[0]:
        return [tensor]
    if isinstance(tensor, Pieces):
        return tensor.tensors
    if isinstance(tensor, Zeros):
        return [torch.zeros(box[0], dtype=tensor.dtype, device=device)
                for box, device in zip(boxes, devices)]
    if isinstance(tensor, LocalTensor):
        return [tensor._local_tensors[r].to(d).contiguous()
                for r, d in zip(ranks, devices)]
    if scatter:
        return scatter(tensor, boxes, devices)
    tensor = tensor.detach().contiguous()
    return [_move_number(tensor, devices[0])] if len(ranks) == 1 else \
        [tensor.to(d) for d in devices]


def _move_number(tensor, device):
    """A tensor of one number on the CPU goes with any, as in PyTorch."""
    if tensor.device != device and tensor.ndim:
        raise LaunchError(f"a tensor of shape {tuple(tensor.shape)} is on "
                          f"{tensor.device}, its rank is on {device}")
    return tensor.to(device)


def own_pieces(tensor, pieces: list[torch.Tensor]) -> list[torch.Tensor]:
    """Pieces that may be written to: ranks of one process share none."""
    return pieces if len(pieces) == 1 and type(tensor) is torch.Tensor else \
        [p.clone() for p in pieces]


def write_back(tensor, pieces: list[torch.Tensor], ranks, boxes) -> None:
    """After the pieces of a tensor were changed."""
    with torch.no_grad():
        if isinstance(tensor, LocalTensor):
            for rank, piece in zip(ranks, pieces):
                tensor._local_tensors[rank].copy_(piece)
        elif len(pieces) > 1:
            tensor.copy_(gather(Pieces(pieces), boxes, tensor.shape,
                                tensor.device))
        elif pieces[0].data_ptr() != tensor.data_ptr():
            tensor.copy_(pieces[0])
        else:
            torch.autograd.graph.increment_version(tensor)


def join_pieces(pieces: list[torch.Tensor], ranks, simulated: bool, whole):
    if whole:
        return Pieces(pieces)
    if simulated:  # a LocalTensor is on one device
        return LocalTensor({r: p.to(pieces[0].device)
                            for r, p in zip(ranks, pieces)})
    return pieces[0]
