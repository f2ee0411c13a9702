"""What one rank of `llama_torch.py` does; started by it with torchrun."""

import faulthandler
import json
import os
import statistics
import sys
import time
import traceback

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Replicate, Shard

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import dtensor_mlir
import dtensor_mlir.frontend
import llama
import llama_profile
from llama_torch import options

A = options().parse_args()
END = time.time() + A.time_limit
RANK, WORLD = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cuda":
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
DTYPE = torch.bfloat16 if DEVICE == "cuda" else torch.float32
SHAPE = llama.TINY if A.tiny else llama.Shape(layers=A.layers)


def write(**row):
    if RANK == 0:
        line = json.dumps(row)
        print(line, flush=True)
        with open(A.out, "a") as file:
            file.write(line + "\n")


def report(workload, how, **row):
    write(workload=workload, how=how, **row, world=WORLD, layers=SHAPE.layers)


#===- Measuring ------------------------------------------------------------===#

def sync():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def slowest(value):
    t = torch.tensor(value, dtype=torch.float64)
    dist.all_reduce(t, op=dist.ReduceOp.MAX)
    return t.item()


def repeat(call, count):
    """(milliseconds of a call, the last result)"""
    sync()
    dist.barrier()
    start = time.perf_counter()
    for _ in range(count):
        result = call()
    sync()
    return (time.perf_counter() - start) * 1e3 / count, result


def timed(call):
    """(the first result, milliseconds of the first call, of later ones)"""
    first, result = repeat(call, 1)
    result = result.detach().clone()
    repeat(call, 3)
    count = max(3, min(100, int(300 / slowest(repeat(call, 3)[0]))))
    return result, slowest(first), slowest(statistics.median(
        repeat(call, count)[0] for _ in range(3)))


class Counts:
    """Graphs that PyTorch compiles, programs that we do."""

    def __init__(self):
        torch._dynamo.reset()
        torch._dynamo.utils.counters.clear()
        self.before = dtensor_mlir.compilations()

    def of(self, how):
        ours = dtensor_mlir.compilations() - self.before
        theirs = torch._dynamo.utils.counters["stats"].get("unique_graphs", 0)
        return int(slowest(ours if how == "ours" else theirs))


def text_of(error):
    text = (str(error).strip().splitlines() or [""])[0][:300]
    return f"{type(error).__name__}: {text}"


def relative(result, other):
    a, b = (r.full_tensor() if isinstance(r, DTensor) else r
            for r in (result, other))
    a, b = a.float(), b.float()
    return float(f"{((a - b).norm() / b.norm()):.3g}")


def compare(workload, shapes, systems):
    """`systems`: {name: shape -> a function without arguments}."""
    results, good = {}, []
    for how, make in systems.items():
        counts, spent, failed = Counts(), 0.0, False
        for shape in shapes:
            if slowest(time.time()) > END:
                report(workload, how, shape=shape, error="no time left")
                failed = True
                break
            # A rank that waits for ever takes the process with it.
            faulthandler.dump_traceback_later(A.hang, exit=True)
            try:
                row = measure(workload, how, shape, make, results)
            except Exception as error:
                traceback.print_exc()
                report(workload, how, shape=shape, error=text_of(error))
                failed = True
                break
            finally:
                faulthandler.cancel_dump_traceback_later()
            report(workload, how, shape=shape, **row)
            spent += row["first_ms"] - row["wall_ms"]
        if not failed:
            report(workload, how, compiled=counts.of(how),
                   compile_ms=round(spent, 1))
            good.append(how)
    for how in good if A.profile and DEVICE == "cuda" else ():
        profile(workload, how, shapes, systems[how])


def measure(workload, how, shape, make, results):
    torch.manual_seed(shape)
    call = make(shape)
    result, first, wall = timed(call)
    row = {"first_ms": round(first, 1), "wall_ms": round(wall, 4)}
    if shape in results:
        row["err"] = relative(result, results[shape])
    results.setdefault(shape, result)
    return row


def profile(workload, how, shapes, make):
    """After all that is timed: a profiler does not leave a process as it
    was."""
    for shape in shapes:
        torch.manual_seed(shape)
        call = make(shape)
        repeat(call, 3)
        llama_profile.profile(call, A.profile, f"{workload}-{shape}-{how}",
                              RANK, sync)


#===- The model ------------------------------------------------------------===#

def build():
    """The module for one process."""
    torch.manual_seed(0)
    torch.set_default_dtype(DTYPE)
    with torch.device(DEVICE):
        model = llama.Llama(SHAPE)
    torch.set_default_dtype(torch.float32)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.02) if p.ndim > 1 else \
            torch.nn.init.ones_(p)
    return model


def share(model):
    """PyTorch's module over DTensors, with the parameters of `model`, which are
    DTensors; those of norms are plain, as the plan leaves them."""
    with torch.device("meta"):
        peer = llama.Llama(SHAPE)
    for part, other in zip(model.modules(), peer.modules()):
        for key, p in part._parameters.items():
            if p is not None:
                other._parameters[key] = p if p.ndim > 1 else \
                    torch.nn.Parameter(p.detach().to_local())
    return llama.parallelize(peer, MESH)


def everywhere(tensor):
    return DTensor.from_local(tensor, MESH, [Replicate()], run_check=False)


def tokens(batch, length):
    t = torch.randint(0, SHAPE.words, (batch, length))
    dist.broadcast(t, 0)
    return t.to(DEVICE)


def no_grad(call):
    def run():
        with torch.no_grad():
            return call()
    return run


#===- The parts ------------------------------------------------------------===#

def prefill():
    lengths = (4, 7, 16) if A.tiny else numbers(A.lengths)
    mine = dtensor_mlir.compile(MODEL, MESH,
                                {**PLACES, "results": [Shard(2)]})
    theirs = torch.compile(PEER, dynamic=True, fullgraph=True)

    def make(call, wrap):
        def of(length):
            given = [wrap(t) for t in (
                tokens(1, length), torch.arange(length, device=DEVICE))]
            return no_grad(lambda: call(*given))
        return of
    compare("llama8b_prefill", lengths,
            systems(ours=make(mine, everywhere),
                    dtensor=make(theirs, lambda t: t)))


def systems(ours, **peers):
    return {"ours": ours, **{k: v for k, v in peers.items()
                             if k in A.peers.split(",")}}


def numbers(text):
    return tuple(map(int, text.split(",")))


def make_caches(batch, capacity):
    """Of this rank, with values that the whole determines."""
    def cache():
        local = torch.randn(batch, SHAPE.groups // WORLD, capacity, SHAPE.head,
                            device=DEVICE, dtype=DTYPE)
        return local
    return [(cache(), cache()) for _ in range(SHAPE.layers)]


def decode():
    heads = [Shard(1)]
    past, capacity = (5, 1024) if A.tiny else (A.past, 2 * A.past)
    mine = dtensor_mlir.compile(MODEL, MESH, {
        **PLACES, "caches.*": heads, "results": [Shard(2)]})
    cut = torch.compile(PEER, dynamic=True, fullgraph=True)
    graphs = torch.compile(PEER, dynamic=True, fullgraph=True,
                           mode="reduce-overhead")

    def make(call, wrap, place, is_cut=False, is_static=False):
        def of(batch):
            torch.manual_seed(1000 * RANK + batch)
            caches = make_caches(batch, capacity)
            token, at = tokens(batch, 1), torch.full((1,), past,
                                                     device=DEVICE)
            if is_static:
                for t in (token, at, *sum(caches, ())):
                    torch._dynamo.mark_static_address(t)
            caches = [tuple(map(place, pair)) for pair in caches]
            given, length = (wrap(token), wrap(at), caches), [past]

            def step():
                length[0] += 1
                result = call(*given, length[0]) if is_cut else call(*given)
                at.add_(1)
                if length[0] == capacity:  # as well as any other
                    length[0] = past
                    at.fill_(past)
                return result
            # cuDNN would plan anew for every length.
            torch.backends.cuda.enable_cudnn_sdp(not is_cut)
            return no_grad(step)
        return of
    same = lambda t: t
    placed = lambda t: DTensor.from_local(t, MESH, heads, run_check=False)
    # A batch of 1 would be taken for a number by all compilers.
    compare("llama8b_decode", numbers(A.batches), systems(
        ours=make(mine, everywhere, placed),
        dtensor=make(cut, same, same, is_cut=True),
        dtensor_graphs=make(graphs, same, same, is_static=True)))


def train():
    lengths = (6, 9) if A.tiny else numbers(A.train_lengths)
    mine = dtensor_mlir.compile(llama.Loss(MODEL), MESH, {
        f"model.{k}" if k[0] != "*" else k: v for k, v in PLACES.items()})
    theirs = torch.compile(llama.Loss(PEER), dynamic=True, fullgraph=True)

    def make(call, wrap, model):
        def of(length):
            given = [wrap(t) for t in (
                tokens(2, length), torch.arange(length, device=DEVICE),
                tokens(2, length))]
            # Parameters stay as they are, so that results can be compared.
            parameters = list(model.parameters())
            optimizer = torch.optim.AdamW([
                {"params": [p for p in parameters if isinstance(p, DTensor)]},
                {"params": [p for p in parameters
                            if not isinstance(p, DTensor)]}],
                lr=0.0, fused=True)

            def step():
                loss = call(*given)
                loss.backward()
                norms = [loss.detach()] if step.norms is None else None
                if norms:
                    norms += [p.grad.norm() for p in model.parameters()]
                    step.norms = torch.stack([
                        n.full_tensor().float() if isinstance(n, DTensor)
                        else n.float() for n in norms])
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                return step.norms
            step.norms = None
            return step
        return of
    compare("llama8b_train", lengths, systems(
        ours=make(mine, everywhere, MODEL),
        dtensor=make(theirs, lambda t: t, PEER)))


dist.init_process_group("cpu:gloo,cuda:nccl" if DEVICE == "cuda" else "gloo")
MESH = init_device_mesh(DEVICE, (WORLD,), mesh_dim_names=("tp",))
PLACES = llama.placements()
MODEL = build()
dtensor_mlir.compile(MODEL, MESH, PLACES)  # parameters become DTensors
PEER = share(MODEL)
for part in A.only.split(","):
    write(begun=part)
    {"prefill": prefill, "decode": decode, "train": train}[part]()
    write(done=part)
sys.stdout.flush()
os._exit(0)
