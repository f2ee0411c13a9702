#!/usr/bin/env python3
"""Gradients of attention on one GPU: ours beside the kernels that PyTorch has
for them, FlashAttention 2 and cuDNN, in one run.

    python attention_backward.py [--out FILE] [--rounds N]

The package has to be on PYTHONPATH. Operands lie [batch, T, heads, depth], as
projections leave them. One JSON object a line:
  shape      batch, heads, heads of keys, T, depth, element type, causal
  device_ms  median; ours with the row sums of gradient times output, as
             PyTorch's
  tflops     counting the five products of what is seen
  err        largest relative norm of the differences to float64, of dq, dk, dv,
             for T <= 2048
  same_bits  of two runs
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import warnings

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

import dtensor_mlir

warnings.filterwarnings("ignore")
DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
PEERS = {"flash": SDPBackend.FLASH_ATTENTION,
         "cudnn": SDPBackend.CUDNN_ATTENTION}
SHAPES = [(1, 32, 8, t, 128, "bf16", causal) for causal in (True, False)
          for t in (128, 1000, 2048, 4096, 8192)]
SHAPES += [(4, 16, 16, 4096, 128, "bf16", True),
           (2, 32, 32, 4096, 64, "bf16", True),
           (1, 16, 4, 2048, 128, "bf16", True),
           (1, 32, 8, 2048, 128, "f32", True)]

PROGRAM = """
#mesh = #dtensor.mesh<"x" = 1>
#q = #dtensor.layout<#mesh, [replicate], (B, T, {heads}, {depth})>
#kv = #dtensor.layout<#mesh, [replicate], (B, T, {groups}, {depth})>
!q = tensor<?x?x{heads}x{depth}x{dtype}>
!kv = tensor<?x?x{groups}x{depth}x{dtype}>
!hq = tensor<?x{heads}x?x{depth}x{dtype}>
!hkv = tensor<?x{groups}x?x{depth}x{dtype}>
func.func @main(%g: !q {{dtensor.layout = #q}}, %q: !q {{dtensor.layout = #q}},
                %k: !kv {{dtensor.layout = #kv}}, %v: !kv {{dtensor.layout = #kv}},
                %y: !q {{dtensor.layout = #q}})
    -> (!q {{dtensor.layout = #q}}, !kv {{dtensor.layout = #kv}},
        !kv {{dtensor.layout = #kv}}) {{
  %hg = dtensor.permute %g {{permutation = [0, 2, 1, 3]}} : (!q) -> !hq
  %hq = dtensor.permute %q {{permutation = [0, 2, 1, 3]}} : (!q) -> !hq
  %hk = dtensor.permute %k {{permutation = [0, 2, 1, 3]}} : (!kv) -> !hkv
  %hv = dtensor.permute %v {{permutation = [0, 2, 1, 3]}} : (!kv) -> !hkv
  %hy = dtensor.permute %y {{permutation = [0, 2, 1, 3]}} : (!q) -> !hq
  %a, %b, %c = dtensor.attention_backward %hg, %hq, %hk, %hv, %hy {attributes}
      : (!hq, !hq, !hkv, !hkv, !hq) -> (!hq, !hkv, !hkv)
  %dq = dtensor.permute %a {{permutation = [0, 2, 1, 3]}} : (!hq) -> !q
  %dk = dtensor.permute %b {{permutation = [0, 2, 1, 3]}} : (!hkv) -> !kv
  %dv = dtensor.permute %c {{permutation = [0, 2, 1, 3]}} : (!hkv) -> !kv
  return %dq, %dk, %dv : !q, !kv, !kv
}}
"""


def median_ms(call, rounds):
    for _ in range(3):
        call()
    times = []
    for _ in range(rounds):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        call()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return sorted(times)[rounds // 2]


class Case:
    def __init__(self, shape):
        self.shape = shape
        batch, heads, groups, length, depth, dtype, self.causal = shape
        make = lambda h: torch.randn(batch, length, h, depth, device="cuda",
                                     dtype=DTYPES[dtype])
        self.q, self.k, self.v = make(heads), make(groups), make(groups)
        self.grad = make(heads)
        self.output = self.forward(*self.operands).detach()
        self.true = None
        if length <= 2048:
            wide = [t.double().requires_grad_() for t in self.operands]
            y = self.forward(*wide)
            self.true = torch.autograd.grad(y, wide, self.grad.double())

    @property
    def operands(self):
        return self.q, self.k, self.v

    def forward(self, q, k, v):
        """Of rows in front of heads."""
        return F.scaled_dot_product_attention(
            *(t.transpose(1, 2) for t in (q, k, v)), is_causal=self.causal,
            enable_gqa=True).transpose(1, 2)

    def peer(self, kernel):
        """What computes the gradients, or None."""
        given = [t.clone().requires_grad_() for t in self.operands]
        try:
            with sdpa_kernel(kernel):
                output = self.forward(*given)
        except RuntimeError:
            return None
        return lambda: torch.autograd.grad(output, given, self.grad,
                                           retain_graph=True)

    def ours(self):
        batch, heads, groups, length, depth, dtype, causal = self.shape
        text = PROGRAM.format(heads=heads, groups=groups, depth=depth,
                              dtype=dtype,
                              attributes="{causal}" if causal else "")
        exe = dtensor_mlir.compile(text, {"x": 1}, target="cuda")
        given = [t.contiguous() for t in (self.grad, *self.operands,
                                          self.output)]
        results = [torch.empty_like(t) for t in self.operands]
        call = exe.bind([tuple(t.shape) for t in given]).prepare(
            [t.data_ptr() for t in given], [t.data_ptr() for t in results],
            [torch.cuda.current_stream().cuda_stream])

        def run(operands=given):  # which live as long as it is called
            call()
            return results
        return run

    def report(self, how, call, rounds):
        first = [t.clone() for t in call()]
        batch, heads, _, length, depth, _, causal = self.shape
        pairs = length * (length + 1) / 2 if causal else length * length
        ms = median_ms(call, rounds)
        row = dict(workload="attention_backward", how=how, shape=self.shape,
                   device_ms=round(ms, 4),
                   tflops=round(10e-9 * batch * heads * pairs * depth / ms, 1),
                   same_bits=all(map(torch.equal, first, call())))
        if self.true:
            row["err"] = float("%.3g" % max(
                float((a.double() - b).norm() / b.norm())
                for a, b in zip(first, self.true)))
        return row


def stamp():
    here = os.path.dirname(os.path.abspath(__file__))
    commit = os.environ.get("DTENSOR_COMMIT") or subprocess.run(
        ["git", "-C", here, "rev-parse", "--short", "HEAD"],
        capture_output=True, text=True).stdout.strip()
    return dict(date=datetime.datetime.now().isoformat(timespec="seconds"),
                torch=torch.__version__, commit=commit, cuda=torch.version.cuda,
                gpu=torch.cuda.get_device_name(0))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--out")
    options = parser.parse_args()
    with torch.cuda.stream(torch.cuda.Stream()):
        for shape in SHAPES:
            case = Case(shape)
            calls = {"ours": case.ours(), **{n: case.peer(k)
                                             for n, k in PEERS.items()}}
            for how, call in calls.items():
                if call is None:
                    continue
                row = {**case.report(how, call, options.rounds), **stamp()}
                print(json.dumps(row), flush=True)
                if options.out:
                    with open(options.out, "a") as file:
                        file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    sys.exit(main())
