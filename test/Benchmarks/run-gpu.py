#!/usr/bin/env python3
"""Measures ours and the peers in one go on the GPUs of this machine.

usage: run-gpu.py --dist FOLDER [--only A,B] [--world N] [--no-peers]
                  [--jax] [--time-limit SECONDS] [--out FILE]

FOLDER is what `make dist` wrote. Our bundles are compiled here, cold, which is
measured too; then our programs run with torchrun, one process per GPU, and in
one process with a thread per GPU ("ours_one_process"), then the peers with
torchrun (and JAX), one after the other on the same GPUs. Lines of JSON go to
FILE (results/gpu-DATE.jsonl), the table of ratios to standard output. Exit code
1: a demand of the table is missed or something failed.

--only takes beginnings of workload names: llama_block_tp, llama_block_sp,
mlp_tp (both also _merged), mlp_sp, mlp_data_x_1, mlp_1_x_tp, mlp_one_gpu,
vocab_parallel_xent, embedding, pointwise_chain, softmax, rms_norm.
"""

import argparse
import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "gpubench"))
import layers
import table

# Tuned on an H200; without effect on another GPU or library.
PRODUCTS = os.path.join(HERE, "products-h200.table")
# Workload names to the parts of the peers' programs.
PEERS = {"embedding": "embedding", "mlp_tp": "mlp", "mlp_sp": "mlp",
         "llama_block_tp": "block", "llama_block_sp": "block",
         "vocab_parallel_xent": "loss"}
PROGRAMS = {"llama_block_tp": ["llama_block_tp"],
            "llama_block_tp_merged": ["llama_block_tp_merged"],
            "llama_block_sp": ["llama_block_sp"],
            "mlp": ["mlp", "mlp_2d", "mlp_merged"],
            "embedding": ["embedding"],
            "vocab_parallel_xent": ["cross_entropy"],
            "pointwise_chain": ["rows"], "softmax": ["rows"],
            "rms_norm": ["rows"]}


def chosen(names, only):
    return [n for n in names if not only or any(
        n.startswith(o) or o.startswith(n) for o in only.split(","))]


class Lines:
    """Runs a command, keeps its lines of JSON, ends it when time is up."""

    def __init__(self, out, stamp):
        self.rows, self.out, self.stamp = [], out, stamp

    def add(self, row):
        self.rows.append(row)
        self.out.write(json.dumps({**row, **self.stamp}) + "\n")
        self.out.flush()
        print(json.dumps(row), flush=True)

    def run(self, command, seconds, **environment):
        if seconds <= 0:
            print(f"run-gpu: no time for {command[0]}", file=sys.stderr)
            return False
        with tempfile.TemporaryFile("w+") as text:
            process = subprocess.Popen(
                command, stdout=text, start_new_session=True,
                env={**os.environ, "NCCL_NVLS_ENABLE": "0", **environment})
            try:
                code = process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                code = "ended after its time"
            text.seek(0)
            for line in text:
                if line.startswith("{"):
                    self.add(json.loads(line))
                else:
                    print(line, end="")
        if code != 0:
            print(f"run-gpu: {' '.join(command[:3])}: {code}", file=sys.stderr)
        return code == 0


def compile_all(compiler, target, folder, only, lines):
    """Every program once, and how long compiling takes."""
    programs = sorted({p for n in chosen(PROGRAMS, only) for p in PROGRAMS[n]})
    ok = True

    def build(source, output):
        start = time.perf_counter()
        done = subprocess.run([compiler, source, f"--target={target}",
                               f"--products={PRODUCTS}", "-o", output])
        return done.returncode == 0, (time.perf_counter() - start) * 1e3

    def measure(name, source, must, goal):
        nonlocal ok
        output = os.path.join(folder, name + ".so")
        built, milliseconds = build(source, output)
        ok &= built
        if built:
            lines.add(dict(workload=name, how="ours", shape="", world=1,
                           first_ms=round(milliseconds, 1), device_ms=-1,
                           wall_ms=round(milliseconds, 1), must=must,
                           goal=goal))

    if "llama_block_tp" in programs:
        block = os.path.join(HERE, "programs", "llama_block_tp.mlir")
        deep = os.path.join(folder, "layers.mlir")
        with open(block) as source, open(deep, "w") as out:
            out.write(layers.unroll(source.read(), 32))
        measure("compile_block", block, 2.0, 1.0)
        measure("compile_32_layers", deep, 5.0, 1.5)
    for program in programs:
        built, _ = build(os.path.join(HERE, "programs", program + ".mlir"),
                         os.path.join(folder, program + ".so"))
        ok &= built
    return ok


def describe(commit):
    import torch
    return dict(date=datetime.datetime.now().isoformat(timespec="seconds"),
                gpu=torch.cuda.get_device_name(0), torch=torch.__version__,
                cuda=torch.version.cuda, commit=commit,
                nccl=".".join(map(str, torch.cuda.nccl.version())))


def find_commit():
    done = subprocess.run(["git", "-C", HERE, "rev-parse", "--short", "HEAD"],
                          capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def count_gpus():
    import torch
    return torch.cuda.device_count()


def torchrun(world):
    return [sys.executable, "-m", "torch.distributed.run", "--standalone",
            f"--nproc-per-node={world}"]


def run_ours(options, lines, folder, seconds):
    """Meshes of one GPU, then of all with a process per GPU and, if there is
    time, with one process for all."""
    script = os.path.join(HERE, "gpubench", "ours.py")
    end = time.time() + seconds
    ok = True
    for start, meshes in (([sys.executable], "one"),
                          (torchrun(options.world), "many"),
                          ([sys.executable], "many")):
        left = end - time.time()
        command = start + [
            script, options.dist, folder, "--world", str(options.world),
            "--seconds", str(left - 10), "--seed", str(int(time.time())),
            "--meshes", meshes]
        if options.only:
            command += ["--only", options.only]
        ok &= lines.run(command, left)
    return ok


def run_peers(options, lines, left):
    parts = sorted({PEERS[n] for n in chosen(PEERS, options.only)})
    peers = os.path.join(HERE, "peers")
    if not parts:
        return True
    ok = lines.run(
        torchrun(options.world) + [os.path.join(peers, "torch_dtensor.py"),
                                   "--only", ",".join(parts)],
        left())
    if options.jax:
        ok &= lines.run([sys.executable, os.path.join(peers, "jax_sharding.py"),
                         "--only", ",".join(chosen(PEERS, options.only))],
                        left())
    return ok


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dist", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--world", type=int, default=0)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--jax", action="store_true")
    parser.add_argument("--time-limit", type=float, default=3600)
    parser.add_argument("--target", default="cuda:sm_90a")
    parser.add_argument("--commit", default=find_commit())
    parser.add_argument("--out", default=os.path.join(
        HERE, "results", f"gpu-{datetime.date.today()}.jsonl"))
    options = parser.parse_args()
    options.world = options.world or count_gpus()
    end = time.time() + options.time_limit
    left = lambda: end - time.time() - 5
    os.makedirs(os.path.dirname(os.path.abspath(options.out)), exist_ok=True)
    compiler = os.path.join(options.dist, "bin", "dtensor-compile")
    with tempfile.TemporaryDirectory() as folder, \
            open(options.out, "a") as out:
        lines = Lines(out, describe(options.commit))
        ok = compile_all(compiler, options.target, folder, options.only, lines)
        # The peers need most of the time: they compile for every shape.
        share = left() if options.no_peers else left() / 2
        ok &= run_ours(options, lines, folder, share)
        if not options.no_peers:
            ok &= run_peers(options, lines, left)
    text, missed = table.table(lines.rows)
    print(text)
    print(f"{missed} demands missed")
    return 0 if ok and not missed else 1


if __name__ == "__main__":
    sys.exit(main())
