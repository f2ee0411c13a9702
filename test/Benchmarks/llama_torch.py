"""A model of the shape of Llama 3 8B from Python: ours beside PyTorch's
compiler over DTensors, with the same parameters, in one run.

    torchrun --standalone --nproc-per-node=2 llama_torch.py [--layers N]
        [--only prefill,decode,train] [--tiny] [--no-peer] [--out FILE]

The package has to be on PYTHONPATH. One JSON object a line, of the slowest rank:
  first_ms    the first call of a program, with its compilation
  wall_ms     host time a call, many calls and one synchronisation
  compiled    programs that one process compiled for all shapes
  err         of PyTorch: norm of the difference of its result to ours, relative
"""

import argparse
import json
import os
import statistics
import sys
import time

os.environ.setdefault("NCCL_NVLS_ENABLE", "0")
os.environ.setdefault("DTENSOR_CACHE", "0")
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Replicate, Shard

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "gpubench"))
import dtensor_mlir
import dtensor_mlir.frontend
import llama

P = argparse.ArgumentParser()
P.add_argument("--layers", type=int, default=32)
P.add_argument("--only", default="prefill,decode,train")
P.add_argument("--tiny", action="store_true", help="small sizes, on CPUs too")
P.add_argument("--no-peer", action="store_true")
P.add_argument("--past", type=int, default=1024)
P.add_argument("--seconds", type=float, default=1e9)
P.add_argument("--out")
A = P.parse_args()

END = time.time() + A.seconds
RANK, WORLD = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cuda":
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
DTYPE = torch.bfloat16 if DEVICE == "cuda" else torch.float32


def sync():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def slowest(value):
    t = torch.tensor(value, dtype=torch.float64)
    dist.all_reduce(t, op=dist.ReduceOp.MAX)
    return t.item()


def timed(call):
    """(the result, milliseconds of the first call, of later ones)"""
    def once(count):
        sync()
        dist.barrier()
        start = time.perf_counter()
        for _ in range(count):
            result = call()
        sync()
        return (time.perf_counter() - start) * 1e3 / count, result
    first, result = once(1)
    result = result.detach()
    once(3)
    count = max(3, min(100, int(300 / slowest(once(3)[0]))))
    return result, slowest(first), slowest(statistics.median(
        once(count)[0] for _ in range(3)))


def report(**row):
    if RANK == 0:
        line = json.dumps(dict(row, world=WORLD, layers=SHAPE.layers))
        print(line, flush=True)
        if A.out:
            with open(A.out, "a") as file:
                file.write(line + "\n")


def build():
    """(the plain model, that of DTensors): one set of parameters."""
    torch.manual_seed(0)
    with torch.device(DEVICE):
        torch.set_default_dtype(DTYPE)
        plain = llama.Llama(SHAPE)
        torch.set_default_dtype(torch.float32)
    for p in plain.parameters():
        torch.nn.init.normal_(p, std=0.02) if p.ndim > 1 else \
            torch.nn.init.ones_(p)
    return plain


def share(plain):
    """The model over DTensors, with the parameters of `plain`."""
    with torch.device("meta"):
        peer = llama.Llama(SHAPE, is_dtensor=True)
    for (name, part), other in zip(plain.named_modules(), peer.modules()):
        for key, parameter in part._parameters.items():
            if parameter is not None:
                other._parameters[key] = parameter
    return peer


def everywhere(tensor):
    return DTensor.from_local(tensor, MESH, [Replicate()], run_check=False)


def tokens(batch, length):
    t = torch.randint(0, SHAPE.words, (batch, length))
    dist.broadcast(t, 0)
    return t.to(DEVICE)


def positions(first, length):
    return llama.angles(first, length, SHAPE.head, DEVICE, DTYPE)


class Counts:
    """Graphs that PyTorch compiles, programs that we do."""

    def __enter__(self):
        torch._dynamo.reset()
        torch._dynamo.utils.counters.clear()
        self.before = dtensor_mlir.compilations()
        return self

    def __exit__(self, *_):
        self.peer = torch._dynamo.utils.counters["stats"].get(
            "unique_graphs", 0)
        self.ours = int(slowest(dtensor_mlir.compilations() - self.before))


def compare(workload, shapes, make, systems):
    """Every system on every shape: {name: function of the arguments}."""
    results = {}
    for how, function in systems.items():
        with Counts() as counts:
            for shape in shapes:
                if slowest(time.time()) > END:
                    report(workload=workload, how=how, shape=shape,
                           error="no time left")
                elif not measure(workload, how, shape, make, function,
                                 results):
                    break
        report(workload=workload, how=how,
               compiled=counts.ours if how == "ours" else counts.peer)


def measure(workload, how, shape, make, function, results):
    try:
        torch.manual_seed(shape)
        arguments = make(shape)
        result, first, wall = timed(lambda: function(*arguments))
    except Exception as error:
        text = (str(error).strip().splitlines() or [""])[0][:300]
        report(workload=workload, how=how, shape=shape,
               error=f"{type(error).__name__}: {text}")
        if os.environ.get("LLAMA_TRACE"):
            raise
        return False
    extra = {}
    if shape in results:
        a, b = (r.full_tensor().float() for r in (result, results[shape]))
        extra["err"] = float(f"{((a - b).norm() / b.norm()):.3g}")
    results[shape] = result
    report(workload=workload, how=how, shape=shape, first_ms=round(first, 1),
           wall_ms=round(wall, 4), **extra)
    return True


def prefill():
    plain_call = dtensor_mlir.compile(PLAIN, MESH, {
        **PLACES, "results*": [Shard(2)]})
    peer_call = torch.compile(PEER, dynamic=True, fullgraph=True)
    lengths = (16, 128, 1000, 2048, 4097, 8192) if not A.tiny else (4, 7, 16)

    def make(length):
        return tokens(1, length), *positions(0, length)

    def ours(*arguments):
        with torch.no_grad():
            return plain_call(*map(everywhere, arguments))[0]

    def peer(*arguments):
        with torch.no_grad():
            return peer_call(*map(everywhere, arguments))[0]
    compare("llama8b_prefill", lengths, make,
            {"ours": ours, "dtensor": peer} if PEER else {"ours": ours})


def decode():
    heads = [Shard(1)]
    plain_call = dtensor_mlir.compile(PLAIN, MESH, {
        **PLACES, "past.*": heads, "results.0": [Shard(2)],
        "results.*": heads})
    peer_call = torch.compile(PEER, dynamic=True, fullgraph=True)

    def make(batch):
        def cache():
            local = torch.randn(batch, SHAPE.groups // WORLD, A.past,
                                SHAPE.head, device=DEVICE, dtype=DTYPE)
            return DTensor.from_local(local, MESH, heads, run_check=False)
        past = [(cache(), cache()) for _ in range(SHAPE.layers)]
        return (*map(everywhere, (tokens(batch, 1), *positions(A.past, 1))),
                past)

    def ours(*arguments):
        with torch.no_grad():
            return plain_call(*arguments)[0]

    def peer(*arguments):
        with torch.no_grad():
            return peer_call(*arguments)[0]
    # A batch of 1 would be taken for a number by all compilers.
    compare("llama8b_decode", (8, 64, 1), make,
            {"ours": ours, "dtensor": peer} if PEER else {"ours": ours})


def train():
    plain_call = dtensor_mlir.compile(llama.Loss(PLAIN), MESH, PLACES)
    peer_call = torch.compile(llama.Loss(PEER), dynamic=True,
                              fullgraph=True) if PEER else None

    def make(length):
        return tokens(2, length), *positions(0, length), tokens(2, length)

    def step(call):
        def run(*arguments):
            loss = call(*map(everywhere, arguments))
            loss.backward()
            for p in PLAIN.parameters():
                p.grad = None
            return loss.detach()
        return run
    systems = {"ours": step(plain_call)}
    if PEER:
        systems["dtensor"] = step(peer_call)
    compare("llama8b_train", (512,) if not A.tiny else (6, 9), make, systems)


dist.init_process_group("cpu:gloo,cuda:nccl" if DEVICE == "cuda" else "gloo")
MESH = init_device_mesh(DEVICE, (WORLD,), mesh_dim_names=("tp",))
SHAPE = llama.TINY if A.tiny else llama.Shape(layers=A.layers)
PLACES = llama.placements()
PLAIN = build()
dtensor_mlir.compile(PLAIN, MESH, PLACES)  # parameters become DTensors
PEER = None if A.no_peer else share(PLAIN)
for part in A.only.split(","):
    {"prefill": prefill, "decode": decode, "train": train}[part]()
os._exit(0)
