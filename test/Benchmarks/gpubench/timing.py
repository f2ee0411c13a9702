"""The timing method of peers/torch_dtensor.py for one process that drives all
GPUs: the same warm-up, samples and medians, the slowest GPU counts.
"""

import statistics
import time

import torch

SPIN = 40_000_000  # cycles of device sleep, about 20 ms, for the host to be ahead
SAMPLES = 7


class Gpus:
    """The devices of a run, each with a stream of its own."""

    def __init__(self, count):
        self.devices = [torch.device("cuda", i) for i in range(count)]
        self.streams = [torch.cuda.Stream(d) for d in self.devices]

    def sync(self):
        for device in self.devices:
            torch.cuda.synchronize(device)

    def on_each(self, function):
        results = []
        for device, stream in zip(self.devices, self.streams):
            with torch.cuda.device(device), torch.cuda.stream(stream):
                results.append(function())
        return results

    def wall(self, fn, count):
        """Milliseconds of one of `count` calls."""
        self.sync()
        start = time.perf_counter()
        for _ in range(count):
            fn()
        self.sync()
        return (time.perf_counter() - start) * 1e3 / count

    def device(self, fn, count):
        self.sync()
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
        once = self.wall(fn, 10)
        count = max(10, min(200, int(40 / once)))
        queued = max(3, min(count, int(15 / once)))
        walls, devices = [], []
        for _ in range(SAMPLES):
            walls.append(self.wall(fn, count))
            devices.append(self.device(fn, queued))
        return second, statistics.median(walls), statistics.median(devices)
