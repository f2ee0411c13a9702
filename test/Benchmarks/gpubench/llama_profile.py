"""Where the time of a call goes: kernels on the device, functions on the
host."""

import cProfile
import io
import pstats

import torch


def profile(call, file, name, rank, sync, count=5):
    """Every rank calls, rank 0 appends to a file."""
    sync()
    with torch.profiler.profile(activities=[
            torch.profiler.ProfilerActivity.CPU,
            torch.profiler.ProfilerActivity.CUDA]) as found:
        for _ in range(count):
            call()
        sync()
    host = cProfile.Profile()
    host.enable()
    for _ in range(count):
        call()
    host.disable()
    sync()
    if rank:
        return
    text = io.StringIO()
    text.write(f"== {name}: of {count} calls, microseconds a call\n")
    kernels, ranges = {}, []
    for event in found.events():
        if event.device_type == torch.autograd.DeviceType.CUDA:
            time, number = kernels.get(event.name, (0, 0))
            kernels[event.name] = time + event.device_time_total, number + 1
            ranges.append(event.time_range)
    for key, (time, number) in sorted(kernels.items(),
                                      key=lambda k: -k[1][0])[:60]:
        text.write(f"{time / count:10.1f} {number / count:7.1f}  "
                   f"{key[:120]}\n")
    text.write(f"{sum(t for t, _ in kernels.values()) / count:10.1f} "
               "in all\n")
    if ranges:
        span = max(r.end for r in ranges) - min(r.start for r in ranges)
        text.write(f"{span / count:10.1f} from the first to the last\n\n")
    pstats.Stats(host, stream=text).sort_stats("tottime").print_stats(25)
    with open(file, "a") as out:
        out.write(text.getvalue())
