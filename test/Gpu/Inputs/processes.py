"""One process per GPU: all of them work, or one is lost and the others say so.

usage: processes.py SELFTEST COUNT [--kill|--stop] [--in-graph]

With --kill or --stop rank 1 kills or stops itself in the middle of a
collective. Exit code 0: every other process ended by itself and found all
right.
"""

import os
import signal
import socket
import subprocess
import sys

SECONDS = 60


def free_port():
    with socket.socket() as one:
        one.bind(("", 0))
        return one.getsockname()[1]


def start(selftest, rank, count, port, options):
    place = {"RANK": rank, "WORLD_SIZE": count, "LOCAL_RANK": rank,
             "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return subprocess.Popen(
        [selftest, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ, **{key: str(value) for key, value in
                                place.items()}))


def finish(process, rank):
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output = process.communicate()[0] + f"no end within {SECONDS} s\n"
    print(f"--- rank {rank}, exit code {process.returncode}\n{output}")
    return process.returncode


def main():
    selftest, count, *options = sys.argv[1:]
    count, port = int(count), free_port()
    processes = [start(selftest, rank, count, port, options)
                 for rank in range(count)]
    lost = {1} if {"--kill", "--stop"} & set(options) else set()
    ended = [finish(process, rank) for rank, process in enumerate(processes)
             if rank not in lost]
    for rank in lost:
        processes[rank].send_signal(signal.SIGKILL)
        finish(processes[rank], rank)
    sys.exit(any(ended))


main()
