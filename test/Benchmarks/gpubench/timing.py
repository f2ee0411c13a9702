"""The timing method of peers/torch_dtensor.py: the same warm-up, samples and
medians, the slowest GPU counts. This process drives all GPUs of a mesh, or one
GPU of a job of such processes, as the peers' programs do.
"""

import os
import statistics
import time

import torch
import torch.distributed as dist

SPIN = 40_000_000  # cycles of device sleep, about 20 ms, for the host to be ahead
SAMPLES = 7


class Gpus:
    """The devices of this process, each with a stream of its own."""

    def __init__(self, numbers, in_job=False):
        self.devices = [torch.device("cuda", i) for i in numbers]
        self.streams = [torch.cuda.Stream(d) for d in self.devices]
        self.in_job = in_job

    def sync(self):
        for device in self.devices:
            torch.cuda.synchronize(device)

    def align(self):
        """All processes are here, and all GPUs idle."""
        self.sync()
        if self.in_job:
            dist.barrier()
            self.sync()

    def largest(self, value):
        """Of all processes; not a number when it is none in one of them."""
        if not self.in_job:
            return value
        values = torch.tensor([value if value == value else float("inf")],
                              device=self.devices[0], dtype=torch.float64)
        dist.all_reduce(values, op=dist.ReduceOp.MAX)
        found = values.item()
        return found if found < float("inf") else float("nan")

    def on_each(self, function):
        results = []
        for device, stream in zip(self.devices, self.streams):
            with torch.cuda.device(device), torch.cuda.stream(stream):
                results.append(function())
        return results

    def wall(self, fn, count):
        """Milliseconds of one of `count` calls."""
        self.align()
        start = time.perf_counter()
        for _ in range(count):
            fn()
        self.sync()
        return (time.perf_counter() - start) * 1e3 / count

    def device(self, fn, count):
        self.align()
        starts, ends = ([torch.cuda.Event(True) for _ in self.devices]
                        for _ in range(2))
        self.on_each(lambda: torch.cuda._sleep(SPIN))
        for event, stream in zip(starts, self.streams):
            event.record(stream)
        for _ in range(count):
            fn()
        for event, stream in zip(ends, self.streams):
            event.record(stream)
        self.sync()
        return max(s.elapsed_time(e) for s, e in zip(starts, ends)) / count

    def timed(self, fn):
        """(second_ms, wall_ms, device_ms); the first call was before. The
        second one captures a graph where the runtime does."""
        second = self.wall(fn, 1)
        for _ in range(4):
            fn()
        once = self.largest(self.wall(fn, 10))
        count = max(10, min(200, int(40 / once)))
        queued = max(3, min(count, int(15 / once)))
        walls, devices = [], []
        for _ in range(SAMPLES):
            walls.append(self.wall(fn, count))
            devices.append(self.device(fn, queued))
        return tuple(self.largest(v) for v in (
            second, statistics.median(walls), statistics.median(devices)))


def all_gpus(count):
    """{number of ranks: Gpus}: of one process for 1 and for `count` GPUs; in a
    job, of its one mesh."""
    if "RANK" not in os.environ:
        return {n: Gpus(range(n)) for n in {1, count}}
    local = int(os.environ["LOCAL_RANK"])
    torch.cuda.set_device(local)
    dist.init_process_group("nccl", device_id=torch.device("cuda", local))
    return {dist.get_world_size(): Gpus([local], in_job=True)}
