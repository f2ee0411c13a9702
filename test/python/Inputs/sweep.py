"""One operator of PyTorch's own table of samples, on simulated ranks.

    sweep.py BUILD [--ranks N] [--report FILE] [NAME...]

For every operator (all that take f32, without names) the first samples, and
one whose sizes 4 ranks do not divide, are compiled over arguments that are
sharded along their first dimension, run on all ranks, forward and backward, and
compared with PyTorch. The last line counts; the report tells why the others do
not pass: "import" when the front end or the compiler refuses it, "wrong" when a value differs, "crash" when the process ends.
"""

import argparse
import collections
import os
import signal
import sys
import tempfile

ARGUMENTS = argparse.ArgumentParser()
ARGUMENTS.add_argument("build")
ARGUMENTS.add_argument("--ranks", type=int, default=4)
ARGUMENTS.add_argument("--samples", type=int, default=3)
ARGUMENTS.add_argument("--report")
ARGUMENTS.add_argument("names", nargs="*")
ARGUMENTS = ARGUMENTS.parse_intermixed_args()
os.environ["DTENSOR_LIBRARY_PATH"] = os.path.join(
    os.path.abspath(ARGUMENTS.build), "lib")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "..", "python"))

import torch
import torch.distributed as dist
from torch import fx
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Replicate, Shard
from torch.distributed.tensor._dtensor_spec import DTensorSpec, TensorMeta
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils import _pytree as pytree

import dtensor_mlir
from dtensor_mlir.frontend.globalize import Graph
from dtensor_mlir.frontend.program import Program
from dtensor_mlir.frontend.trace import trace

dtensor_mlir.config.cache = False


class Wrong(Exception):
    """A value differs."""


def compare(actual, expected, rtol, atol):
    try:
        torch.testing.assert_close(actual, expected, rtol=rtol, atol=atol,
                                   equal_nan=True)
    except AssertionError as error:
        raise Wrong(str(error)) from error


def as_dtensor(tensor, mesh):
    """A DTensor whose piece nobody looks at."""
    placement = Shard(0) if tensor.ndim else Replicate()
    spec = DTensorSpec(mesh, (placement,), tensor_meta=TensorMeta(
        tensor.shape, tensor.stride(), tensor.dtype))
    return DTensor(tensor.detach(), spec, requires_grad=tensor.requires_grad)


def graph_of(function, tensors, count, mesh):
    """A graph that calls `function` once."""
    graph, inputs = fx.Graph(), []
    nodes = []
    for i, tensor in enumerate(tensors):
        node = graph.placeholder(f"x{i}")
        inputs.append(as_dtensor(tensor, mesh))
        node.meta["example_value"] = inputs[-1]
        nodes.append(node)
    call = graph.call_function(function, tuple(nodes))
    outs = []
    for i in range(count):
        out = graph.call_function(lambda results, i: results[i], (call, i))
        outs.append(out)
    graph.output(tuple(outs))
    return fx.GraphModule(torch.nn.Module(), graph), inputs, outs


def check(op, sample, mesh):
    flat, spec = pytree.tree_flatten((sample.input, sample.args,
                                      sample.kwargs))
    where = [i for i, v in enumerate(flat) if isinstance(v, torch.Tensor)]
    if not where:
        return False
    tensors = [flat[i].detach().contiguous().clone().requires_grad_(
        flat[i].requires_grad) for i in where]

    def function(*given):
        values = list(flat)
        for i, value in zip(where, given):
            values[i] = value
        first, args, kwargs = pytree.tree_unflatten(values, spec)
        results, _ = pytree.tree_flatten(op.op(first, *args, **kwargs))
        return [sample.output_process_fn_grad(r) for r in results
                if isinstance(r, torch.Tensor)]

    expected = function(*tensors)
    module, inputs, outs = graph_of(function, tensors, len(expected), mesh)
    for out, value in zip(outs, expected):
        out.meta["example_value"] = as_dtensor(value.detach(), mesh)
        out.meta["example_value"]._spec.placements = (Replicate(),)
    graph = Graph(module, inputs, generalize=False)
    traced = trace(graph, any(t.requires_grad for t in tensors))
    program = Program(graph, traced)
    run = program.forward.executable(simulated=True)
    shapes = [tuple(t.shape) for t in tensors]
    symbols = program._symbols(program.forward, inputs, shapes)
    results = run(*symbols, *tensors)
    for result, value in zip(results, expected):
        compare(result, value.detach(), 2e-4, 2e-5)
    if program.traced.backward is not None:
        check_backward(program, tensors, inputs, results, expected, shapes)
    return True


def check_backward(program, tensors, inputs, results, expected, shapes):
    tangents = [torch.randn_like(expected[i]) for i in program.traced.tangents]
    needed = [t for t in tensors if t.requires_grad]
    wanted = torch.autograd.grad(
        [expected[i] for i in program.traced.tangents], needed, tangents,
        allow_unused=True)
    saved = [tensors[s.argument].detach() if s.argument is not None
             else results[s.result] for s in program.saved]
    run = program.backward.executable(simulated=True)
    symbols = program._symbols(program.backward, inputs, shapes)
    found = dict(zip(program.gradients, run(*symbols, *saved, *tangents)))
    wanted = iter(wanted)
    for i, tensor in enumerate(tensors):
        if not tensor.requires_grad:
            continue
        value = next(wanted)
        if value is not None and i in found:
            compare(found[i], value, 5e-4, 5e-5)


def samples_of(op):
    """The first ones, and the first whose leading sizes are uneven."""
    chosen, uneven = [], None
    for i, sample in enumerate(op.sample_inputs(
            "cpu", torch.float32, requires_grad=op.supports_autograd)):
        if i < ARGUMENTS.samples:
            chosen.append(sample)
        elif isinstance(sample.input, torch.Tensor) and sample.input.ndim and \
                sample.input.shape[0] % ARGUMENTS.ranks:
            uneven = sample
            break
        if i > 30:
            break
    return chosen + ([uneven] if uneven else [])


def sweep_one(op, mesh):
    """("pass" | "import" | "wrong" | "skip", reason)"""
    checked = 0
    try:
        samples = samples_of(op)
    except Exception as error:
        return "skip", f"no samples: {error}"
    for sample in samples:
        torch.manual_seed(0)
        try:
            checked += check(op, sample, mesh)
        except Wrong as error:
            return "wrong", str(error)
        except Exception as error:
            return "import", f"{type(error).__name__}: {error}"
    return ("pass", "") if checked else ("skip", "no tensor argument")


def in_a_child(op, mesh):
    """A crash or a hang is the operator's alone."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(90)
        os.write(writer, "\t".join(sweep_one(op, mesh)).encode()[:4000])
        os._exit(0)
    os.close(writer)
    text = b""
    while part := os.read(reader, 4096):
        text += part
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if status:
        return "crash", f"signal {os.WTERMSIG(status)}"
    return tuple(text.decode(errors="replace").split("\t", 1))


def main():
    dist.init_process_group("fake", rank=0, world_size=ARGUMENTS.ranks)
    mesh = init_device_mesh("cpu", (ARGUMENTS.ranks,), mesh_dim_names=("tp",))
    torch.set_num_threads(1)
    counts, report = collections.Counter(), None
    if ARGUMENTS.report:
        report = open(ARGUMENTS.report, "w")
    for op in op_db:
        name = op.name + (f".{op.variant_test_name}"
                          if op.variant_test_name else "")
        if ARGUMENTS.names and name not in ARGUMENTS.names:
            continue
        if torch.float32 not in op.supported_dtypes("cpu"):
            counts["no f32"] += 1
            continue
        state, reason = in_a_child(op, mesh)
        counts[state] += 1
        reason = " ".join(reason.split())[:300]
        if report:
            print(f"{state}\t{name}\t{reason}", file=report, flush=True)
        elif state != "pass":
            print(f"{state}: {name}: {reason}")
    print(", ".join(f"{n} {k}" for k, n in sorted(counts.items())))


main()
