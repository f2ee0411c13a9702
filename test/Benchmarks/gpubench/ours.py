"""Runs our bundles on the GPUs of one machine, one JSON object a line.

usage: ours.py DIST BUNDLES [--only A,B] [--world N] [--seconds S] [--seed N]
               [--meshes one|many]
       torchrun --nproc-per-node N ours.py DIST BUNDLES ...

DIST is an unpacked archive of `make dist`. By itself it drives all GPUs, each by
a thread of the runtime ("ours_one_process"); under torchrun every process is a
rank on one GPU, and programs on meshes of another size are left out; --meshes
leaves out those of more than one GPU, or those of one. Weights stay on the GPUs;
a call gets the addresses of its arguments and results and the streams of its
caller. Besides the times a line has
  second_ms   the second call, which captures a graph where there is one
  setup_ms    (first shape) loading the kernels and connecting the GPUs
  host_us     one steady call, from its beginning until the work of all ranks
              is queued
  err         norm of the difference to float64, relative; peer_err: PyTorch's
  same_bits   two runs gave the same bits, and replicas are equal
and the counts of dtensor_rt_rank_stats.
"""

import argparse
import json
import math
import os
import statistics
import sys
import time

os.environ["NCCL_NVLS_ENABLE"] = "0"
import torch
import torch.distributed as dist

import timing
import workloads

PARSER = argparse.ArgumentParser()
PARSER.add_argument("dist")
PARSER.add_argument("bundles")
PARSER.add_argument("--only", default="")
PARSER.add_argument("--world", type=int, default=torch.cuda.device_count())
PARSER.add_argument("--seconds", type=float, default=300)
PARSER.add_argument("--seed", type=int, default=1)
PARSER.add_argument("--meshes", choices=["one", "many"])
options = PARSER.parse_args()
sys.path.insert(0, os.path.join(options.dist, "python"))
import dtensor_mlir

TORCH = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16,
         "bf16": torch.bfloat16, "i64": torch.int64, "i32": torch.int32}


def is_leader():
    return os.environ.get("RANK", "0") == "0"


def ours(world):
    """The `how` of our lines."""
    name = "ours_one_process" if world > 1 and "RANK" not in os.environ \
        else "ours"
    return name + ("_no_graphs" if os.environ.get("DTENSOR_GRAPHS") == "0"
                   else "")


def report(workload, shape, world, first=0.0, wall=-1.0, device=-1.0, **extra):
    how = extra.pop("how", ours(world))
    shape = list(shape) if isinstance(shape, tuple) else shape
    if is_leader():
        print(json.dumps(dict(
            workload=workload, how=how, shape=shape, first_ms=round(first, 3),
            wall_ms=round(wall, 4), device_ms=round(device, 4), world=world,
            **extra)), flush=True)


def piece(tensor, box):
    extents, offsets = box
    for dim, (extent, offset) in enumerate(zip(extents, offsets)):
        tensor = tensor.narrow(dim, offset, extent)
    return tensor


class Case:
    """One workload on one mesh, at one shape after the other."""

    def __init__(self, bundle, workload, gpus, world):
        self.workload, self.gpus, self.world = workload, gpus, world
        self.exe = bundle.executable(workload.mesh(world), workload.entry,
                                     backend="cuda")
        self.ranks = list(zip(self.exe.local_ranks, gpus.devices))
        self.weights = None

    def arguments(self, launch, shape):
        """(global arguments on the first GPU, those of each local rank); all
        processes draw the same numbers."""
        specs, fixed = self.workload.args(shape), self.workload.per_call
        first = self.gpus.devices[0]
        made = [workloads.make_tensor(s, kind, first)
                for s, kind in specs[:fixed]]
        if self.weights is None:
            weights = [workloads.make_tensor(s, kind, first)
                       for s, kind in specs[fixed:]]
            self.weights = (weights, self.distribute(launch, weights, fixed))
        parts = self.distribute(launch, made, 0)
        return made + self.weights[0], [a + b for a, b in
                                        zip(parts, self.weights[1])]

    def distribute(self, launch, tensors, first):
        return [[piece(t, launch.box(rank, first + i)).contiguous().to(device)
                 for i, t in enumerate(tensors)]
                for rank, device in self.ranks]

    def box(self, launch, rank, result):
        return launch.box(rank, len(self.exe.args) + result)

    def results(self, launch):
        return [[torch.empty(self.box(launch, rank, i)[0],
                             dtype=TORCH[value.dtype], device=device)
                 for i, value in enumerate(self.exe.results)]
                for rank, device in self.ranks]

    def prepare(self, launch, args, results):
        addresses = lambda ranks: [t.data_ptr() for ts in ranks for t in ts]
        return launch.prepare(addresses(args), addresses(results),
                              [s.cuda_stream for s in self.gpus.streams])

    def run(self, shape, is_timed=True):
        shapes = [s for s, _ in self.workload.args(shape)]
        launch = self.exe.bind(shapes)
        whole, args = self.arguments(launch, shape)
        results = self.results(launch)
        self.gpus.align()
        start = time.perf_counter()
        launch = self.exe.bind(shapes)
        call = self.prepare(launch, args, results)
        call()
        self.gpus.sync()
        first = self.gpus.largest((time.perf_counter() - start) * 1e3)
        if not is_timed:
            return first
        extra = self.check(launch, whole, results, call)
        second, wall, device = self.gpus.timed(call)
        extra.update(second_ms=round(second, 3), **self.counts(launch, call))
        return first, wall, device, extra

    def counts(self, launch, call):
        hosts = []
        # Few in a row: a full queue would make the host wait in the call.
        for _ in range(11):
            self.gpus.align()
            for _ in range(10):
                call()
                all_stats = [launch.stats(rank) for rank, _ in self.ranks]
                hosts.append(max(s.host_seconds for s in all_stats))
        self.gpus.align()
        stats = all_stats[0]
        return dict(
            host_us=round(self.gpus.largest(statistics.median(hosts)) * 1e6, 2),
            kernels=stats.kernels, library_calls=stats.library_calls,
            collectives=sum(stats.collectives), from_graph=stats.from_graph,
            peak_MiB=max(s.peak_bytes for s in all_stats) >> 20)

    def check(self, launch, whole, results, call):
        before = [[t.clone() for t in rank] for rank in results]
        call()
        self.gpus.align()
        same = all(torch.equal(a, b) for old, new in zip(before, results)
                   for a, b in zip(old, new))
        parts = self.workload.mesh(self.world).get("tp", 1)
        true = self.workload.reference(whole, torch.float64, parts)
        peer = self.workload.reference(whole, torch.bfloat16, parts)
        error = peer_error = 0.0
        for i, value in enumerate(true):
            norm = value.norm().clamp_min(1e-300)
            peer_error = max(peer_error, float(
                (peer[i].double() - value).norm() / norm))
            for (rank, _), mine in zip(self.ranks, results):
                expected = piece(value, self.box(launch, rank, i))
                part = expected.norm().clamp_min(1e-300)
                off = (mine[i].to(value.device).double() - expected).norm()
                error = max(error, float(off / part)) \
                    if off == off else float("nan")
        same &= all(self.are_replicas_equal(launch, results, i)
                    for i in range(len(true)))
        return dict(err=float(f"{self.gpus.largest(error):.3g}"),
                    same_bits=not self.gpus.largest(float(not same)),
                    peer_err=float(f"{peer_error:.3g}"))

    def are_replicas_equal(self, launch, results, i):
        """Pieces that are the same part of a result have the same bits."""
        mine = [t[i].to(self.gpus.devices[0]) for t in results]
        boxes = [self.box(launch, r, i) for r in range(self.exe.num_ranks)]
        if not self.gpus.in_job:
            return all(torch.equal(t, mine[0])
                       for t, box in zip(mine, boxes) if box == boxes[0])
        if any(box != boxes[0] for box in boxes):
            return True
        first = mine[0].clone()
        dist.broadcast(first, 0)
        return torch.equal(first, mine[0])


def run_workload(folder, workload, all_gpus, world, deadline):
    mesh = workload.mesh(world)
    ranks = math.prod(mesh.values())
    if ranks not in all_gpus or \
            options.meshes == ("many" if ranks == 1 else "one"):
        return
    try:
        bundle = dtensor_mlir.Bundle(
            os.path.join(folder, workload.program + ".so"))
        case = Case(bundle, workload, all_gpus[ranks], ranks)
        setup = case.run(warm_shape(workload), is_timed=False)
    except RuntimeError as failure:
        report(workload.name, "FAILED", ranks, error=str(failure)[:300])
        return
    for number, shape in enumerate(workload.shapes):
        if all_gpus[ranks].largest(time.time()) > deadline:
            report(workload.name, shape, ranks, error="no time left")
            continue
        try:
            first, wall, device, extra = case.run(shape)
            if number == 0:
                extra["setup_ms"] = round(setup, 1)
            report(workload.name, shape, ranks, first, wall, device,
                   mesh=mesh, **extra)
        except RuntimeError as failure:
            report(workload.name, shape, ranks, error=str(failure)[:300])
        torch.cuda.empty_cache()


def warm_shape(workload):
    """A shape that is not measured."""
    shape = workload.shapes[0]
    if isinstance(shape, tuple):
        return (2, 5)
    return 1024 if workload.program == "rows" else 33


def measure_limits(gpus, world, names):
    """The copy bandwidth, and the product inside the loss."""
    if options.meshes != "many" and \
            names & {"pointwise_chain", "softmax", "rms_norm"}:
        one = timing.Gpus([0])
        x = torch.randn(workloads.GIB_ELEMENTS, device=one.devices[0],
                        dtype=torch.bfloat16)
        y = torch.empty_like(x)
        _, wall, device = one.timed(
            lambda: one.on_each(lambda: y.copy_(x)))
        report("copy", "1 GiB", 1, 0, wall, device, how="d2d",
               GBps=round(2 * x.nbytes / device / 1e6, 1))
        del x, y
    if options.meshes != "one" and "vocab_parallel_xent" in names:
        for tokens in (128, 1000, 4097):
            pairs = [(torch.randn(tokens, workloads.MODEL, device=d,
                                  dtype=torch.bfloat16),
                      torch.randn(workloads.MODEL,
                                  workloads.VOCABULARY // world, device=d,
                                  dtype=torch.bfloat16))
                     for d in gpus.devices]

            def products():
                for (a, w), stream in zip(pairs, gpus.streams):
                    with torch.cuda.stream(stream):
                        a @ w

            _, wall, device = gpus.timed(products)
            report("xent_product", tokens, world, 0, wall, device,
                   how="cublas")


def main():
    deadline = time.time() + options.seconds
    torch.manual_seed(options.seed)
    torch.backends.cuda.matmul.allow_tf32 = False
    wanted = [w for w in workloads.all_workloads()
              if not options.only or any(
                  w.name.startswith(o) for o in options.only.split(","))]
    all_gpus = timing.all_gpus(options.world)
    if "RANK" in os.environ:
        options.world = dist.get_world_size()
    else:
        measure_limits(all_gpus[options.world], options.world,
                       {w.name for w in wanted})
    for workload in wanted:
        run_workload(options.bundles, workload, all_gpus, options.world,
                     deadline)
        torch.cuda.empty_cache()
    if "RANK" in os.environ:
        dist.destroy_process_group()


if __name__ == "__main__":
    sys.exit(main())
