"""Tests of the Python package: test functions on every rank of a gloo group.

`main(2, 3)` runs every function of the calling script whose name begins with
`test_` on groups of 2 and of 3 processes, all functions of a size in one group.
A function takes the DeviceMesh; functions with `mesh_2d` in their name run on
2x2. With device="cuda" a rank has a GPU of its own. `argv`: the build folder, then
a folder for files.
"""

import os
import sys
import tempfile
import time
import traceback

BUILD = os.path.abspath(sys.argv[1])
TEMP = sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp()
os.makedirs(TEMP, exist_ok=True)
os.environ["DTENSOR_LIBRARY_PATH"] = os.path.join(BUILD, "lib")
os.environ["DTENSOR_CACHE_DIR"] = tempfile.mkdtemp(dir=TEMP)
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "..", "python"))

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import (DTensor, Partial, Replicate, Shard,
                                      distribute_tensor)

import dtensor_mlir
import dtensor_mlir.frontend


def compiled(function, **options):
    return torch.compile(function, backend="dtensor_mlir", fullgraph=True,
                         dynamic=True, **options)


def replicated(tensor, mesh):
    return DTensor.from_local(tensor, mesh, [Replicate()] * mesh.ndim)


def shard_parameters(module, mesh, plan):
    """Every parameter becomes a DTensor of the placements plan(module's name,
    parameter's name)."""
    for path, part in module.named_modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            placements = plan(path, name)
            part.register_parameter(name, torch.nn.Parameter(
                distribute_tensor(parameter.data, mesh, placements)))
    return module


class Count:
    """How many programs all ranks together compile in a `with` block."""

    def __enter__(self):
        self.start = dtensor_mlir.compilations()
        return self

    def __exit__(self, *_):
        if sys.exc_info()[0]:
            return
        count = torch.tensor(dtensor_mlir.compilations() - self.start)
        dist.all_reduce(count)
        self.value = int(count)


def fails(function, *words):
    """Runs `function`; its error has all the words."""
    try:
        function()
    except Exception as error:
        for word in words:
            assert word in str(error), f"no {word!r} in:\n{error}"
        return
    raise AssertionError("this should have failed")


def _run_tests(line, tests, device):
    names = ("dp", "tp") if len(line) == 2 else ("tp",)
    mesh = init_device_mesh(device, line, mesh_dim_names=names)
    failed = []
    for test in tests:
        torch._dynamo.reset()
        torch.manual_seed(0)
        start = time.time()
        try:
            test(mesh)
        except Exception:
            failed.append(test.__name__)
            print(f"rank {dist.get_rank()} of {line}: {test.__name__}\n"
                  f"{traceback.format_exc()}", flush=True)
            break  # the other ranks may wait for this one
        if dist.get_rank() == 0:
            print(f"{test.__name__} on {line}: {time.time() - start:.1f} s",
                  flush=True)
    return failed


def _use_gpu(rank):
    torch.cuda.set_device(rank)
    torch.backends.cuda.matmul.allow_tf32 = False


def _rank(rank, size, line, tests, device, port_file):
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(size),
                      LOCAL_RANK=str(rank))
    torch.set_num_threads(1)
    store = dist.FileStore(port_file, size)
    if device == "cuda":
        _use_gpu(rank)
    dist.init_process_group(
        "gloo" if device == "cpu" else "cpu:gloo,cuda:nccl", store=store,
        rank=rank, world_size=size)
    failed = _run_tests(line, tests, device)
    if not failed:
        dist.barrier()
        dist.destroy_process_group()
    os._exit(1 if failed else 0)


def _tests_of(script, axes):
    return [f for n, f in script.items() if n.startswith("test_")
            and ("mesh_2d" in n) == (axes == 2)]


def main(*sizes, device="cpu"):
    """One process per rank, forked before anything runs threads."""
    os.environ.setdefault("NCCL_NVLS_ENABLE", "0")
    script = sys.modules["__main__"].__dict__
    meshes = [(n,) for n in sizes]
    if _tests_of(script, 2):
        meshes.append((2, 2))
    for mesh in meshes:
        size = mesh[0] * (mesh[1] if len(mesh) > 1 else 1)
        store = tempfile.mktemp(dir=TEMP)
        children = []
        for rank in range(size):
            child = os.fork()
            if child == 0:
                try:
                    _rank(rank, size, mesh, _tests_of(script, len(mesh)),
                          device, store)
                finally:
                    os._exit(2)
            children.append(child)
        good = True
        for _ in range(size):
            child, status = os.wait()
            children.remove(child)
            if status != 0 and good:
                good = False
                for other in children:
                    os.kill(other, 9)
        if not good:
            sys.exit(f"failed on {mesh}")
    print("passed")
