#!/usr/bin/env python3
"""A model of the shape of Llama 3 8B from Python: ours beside PyTorch's
compiler over DTensors, one module with the same parameters, in one run.

    python llama_torch.py [--world 2] [--layers N] [--tiny] [--time-limit S]
        [--only prefill,decode,train] [--lengths 16,128] [--batches 8,1]
        [--train-lengths 512,4096]
        [--peers dtensor] [--out FILE]
        [--profile FILE]

The package has to be on PYTHONPATH. One JSON object a line, of the slowest rank:
  first_ms    the first call of a shape, with what is compiled for it
  wall_ms     host time a call, many calls and one synchronisation; a step of
              decoding is one token further than the one before
  compiled    programs that one process compiled for all shapes
  compile_ms  what first calls took more than later ones, of all shapes
  err         of PyTorch: norm of the difference of its result to ours, relative

Ours is "ours". PyTorch is "dtensor": `torch.compile(dynamic=True)` of the module
that plans of `parallelize_module` made, whose keys and values are cut where they
end; and in decoding also "dtensor_graphs": the same with
`mode="reduce-overhead"`, a mask in the place of the cut, and static addresses.
At the end a table of ratios; exit code 1: a demand is missed, or a part failed.
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
PARTS = ("prefill", "decode", "train")
#: ours / "dtensor" at most
DEMANDS = {"llama8b_prefill": 1.0, "llama8b_decode": 0.4, "llama8b_train": 1.0}
COMPILATIONS = {"llama8b_prefill": 1, "llama8b_decode": 1, "llama8b_train": 2}


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--world", type=int, default=2)
    p.add_argument("--layers", type=int, default=32)
    p.add_argument("--only", default=",".join(PARTS))
    p.add_argument("--tiny", action="store_true", help="on CPUs too")
    p.add_argument("--past", type=int, default=1024)
    p.add_argument("--lengths", default="16,128,1000,2048,4097,8192")
    p.add_argument("--batches", default="8,64,1")
    p.add_argument("--train-lengths", default="512")
    p.add_argument("--peers", default="dtensor,dtensor_graphs")
    p.add_argument("--time-limit", type=float, default=1800)
    p.add_argument("--hang", type=float, default=120,
                   help="seconds after which a call is given up")
    p.add_argument("--out")
    p.add_argument("--profile")
    return p


#===- The ranks ------------------------------------------------------------===#

def start_ranks(given, parts, rows, seconds):
    """Runs the parts, adds their rows; the parts that did not come to an end."""
    with tempfile.NamedTemporaryFile("w+", suffix=".jsonl") as lines:
        command = [
            sys.executable, "-m", "torch.distributed.run", "--standalone",
            f"--nproc-per-node={given.world}",
            os.path.join(HERE, "gpubench", "llama_ranks.py"),
            f"--layers={given.layers}", f"--past={given.past}",
            f"--lengths={given.lengths}", f"--batches={given.batches}",
            f"--train-lengths={given.train_lengths}",
            f"--peers={given.peers}",
            f"--only={','.join(parts)}", f"--out={lines.name}",
            f"--hang={given.hang}", f"--time-limit={seconds - 15}"]
        command += ["--tiny"] * given.tiny
        command += [f"--profile={given.profile}"] * bool(given.profile)
        process = subprocess.Popen(
            command, start_new_session=True,
            env={"OMP_NUM_THREADS": "4", "NCCL_NVLS_ENABLE": "0",
                 "DTENSOR_CACHE": "0", **os.environ})
        try:
            process.wait(timeout=max(seconds, 1))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        found = [json.loads(line) for line in open(lines.name)]
    rows += [r for r in found if "workload" in r]
    done = {r["done"] for r in found if "done" in r}
    begun = {r["begun"] for r in found if "begun" in r}
    # What was begun and not ended is lost, the others have their turn.
    return [p for p in parts if p not in begun], [
        p for p in parts if p in begun and p not in done]


def stamp():
    import torch
    commit = subprocess.run(["git", "-C", HERE, "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True).stdout.strip()
    facts = {"date": datetime.datetime.now().isoformat(timespec="seconds"),
             "torch": torch.__version__,
             "commit": os.environ.get("DTENSOR_COMMIT") or commit}
    if torch.cuda.is_available():
        facts.update(gpu=torch.cuda.get_device_name(0),
                     cuda=torch.version.cuda)
    return facts


#===- The table ------------------------------------------------------------===#

def ratios(rows):
    """(workload, shape, peer, our value, its value, ratio, demand or None)"""
    measured = {(r["workload"], r["shape"], r["how"]): r["wall_ms"]
                for r in rows if "wall_ms" in r}
    for (workload, shape, how), wall in measured.items():
        mine = measured.get((workload, shape, "ours"))
        if how == "ours" or mine is None:
            continue
        demand = DEMANDS[workload] if how == "dtensor" else None
        yield workload, shape, how, mine, wall, mine / wall, demand
    summaries = {(r["workload"], r["how"]): r for r in rows if "compiled" in r}
    for (workload, how), row in summaries.items():
        mine = summaries.get((workload, "ours"))
        if how == "ours":
            yield (workload, "compilations", "", row["compiled"], None,
                   row["compiled"], COMPILATIONS[workload])
        elif mine:
            yield (workload, "compile_ms", how, mine["compile_ms"],
                   row["compile_ms"], mine["compile_ms"] / row["compile_ms"],
                   None)
            yield (workload, "compilations", how, mine["compiled"],
                   row["compiled"], mine["compiled"] / max(row["compiled"], 1),
                   None)


def print_table(rows):
    """Whether every demand is met."""
    good = True
    print(f"{'workload':16} {'shape':>12} {'peer':15} {'ours':>10} "
          f"{'theirs':>10} {'ratio':>7} {'at most':>8}")
    for workload, shape, how, mine, other, ratio, demand in ratios(rows):
        missed = demand is not None and not ratio <= demand
        good = good and not missed
        other = "" if other is None else f"{other:.4g}"
        print(f"{workload:16} {shape!s:>12} {how:15} {mine:10.4g} {other:>10} "
              f"{ratio:7.3f} {'' if demand is None else demand:>8}"
              f"{'  MISS' if missed else ''}")
    for row in rows:
        if "error" in row:
            print(f"{row['workload']} {row.get('shape', '')} {row['how']}: "
                  f"{row['error']}")
            good = good and row["how"] != "ours"
    return good


def main():
    given = options().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    end, rows, lost = time.time() + given.time_limit, [], []
    parts = given.only.split(",")
    while parts and time.time() < end:
        rest, failed = start_ranks(given, parts, rows, end - time.time())
        lost += failed
        if rest == parts:
            break
        parts = rest
    facts = stamp()
    if given.out:
        with open(given.out, "a") as file:
            for row in rows:
                file.write(json.dumps({**row, **facts}) + "\n")
    good = print_table(rows)
    for part in lost + parts:
        print(f"{part}: did not come to its end")
    sys.exit(0 if good and not lost and not parts else 1)


if __name__ == "__main__":
    main()
