"""Operators of PyTorch's own table of samples, on simulated ranks.

    sweep.py BUILD [--table FILE [--every N | --update]] [NAME...]

Every operator of `op_db` that takes f32 is compiled over sharded arguments, run
on all ranks, forward and backward, and compared with plain PyTorch, in f32 or,
where that rounds more than we do, in f64: for samples of the sizes that PyTorch
uses, which 4 ranks do not divide, and for samples of sizes that they do. No
operator is run by PyTorch instead of us: what has no import is an error, and an
operator with one sample that fails has failed.

An operator is one of
  pass     every sample, every result and every gradient is equal
  import   the front end or the compiler refuses it, or its samples
  wrong    a value differs
  crash    the process ended, or took too long
  random   PyTorch's results are random, or memory as it was found
  none     no sample has a tensor of floats among its arguments and results
The table has them all, and --update writes it, or the rows of the names. With
--every N every Nth that the table knows to pass is run, and has to pass.
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
ARGUMENTS.add_argument("--samples", type=int, default=4,
                       help="of even sizes, and of others")
ARGUMENTS.add_argument("--jobs", type=int, default=1)
ARGUMENTS.add_argument("--table")
ARGUMENTS.add_argument("--every", type=int)
ARGUMENTS.add_argument("--update", action="store_true")
ARGUMENTS.add_argument("--trace", action="store_true",
                       help="print programs, and where errors come from")
ARGUMENTS.add_argument("names", nargs="*")
ARGUMENTS = ARGUMENTS.parse_intermixed_args()
os.environ["DTENSOR_LIBRARY_PATH"] = os.path.join(
    os.path.abspath(ARGUMENTS.build), "lib")
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                    "..", "")
sys.path.insert(0, os.path.join(ROOT, "python"))

import torch
import torch.distributed as dist
from torch import fx
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Replicate, Shard
from torch.distributed.tensor._dtensor_spec import DTensorSpec, TensorMeta
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils import _pytree as pytree

import dtensor_mlir
from dtensor_mlir import _libraries
from dtensor_mlir.frontend.globalize import Graph
from dtensor_mlir.frontend.program import Program
from dtensor_mlir.frontend.trace import trace

dtensor_mlir.config.cache = False
if ARGUMENTS.trace:
    dtensor_mlir.config.on_program = print

#: What the constants of the modules that make samples are for 4 ranks.
EVEN = {"L": 24, "M": 12, "S": 8, "XS": 4}
#: Results that nobody can compare: random numbers and uninitialized memory.
RANDOM = {
    "bernoulli", "cauchy", "exponential", "geometric", "log_normal", "normal",
    "normal.in_place", "normal.number_mean", "multinomial", "rand_like",
    "randint", "randint_like", "randn", "randn_like", "uniform",
    "empty", "empty_like", "empty_permuted", "empty_strided", "new_empty",
    "new_empty_strided", "nn.functional.alpha_dropout",
    "nn.functional.dropout", "nn.functional.dropout2d",
    "nn.functional.dropout3d", "nn.functional.feature_alpha_dropout.with_train",
    "nn.functional.fractional_max_pool2d",
    "nn.functional.fractional_max_pool3d", "nn.functional.rrelu",
    "nn.functional.multi_head_attention_forward", "pca_lowrank", "svd_lowrank",
}


class Wrong(Exception):
    """A value differs."""


def compare(what, actual, expected, rtol, atol):
    try:
        torch.testing.assert_close(
            actual, expected, rtol=rtol, atol=atol, equal_nan=True)
    except AssertionError as error:
        raise Wrong(f"{what}: {error}") from error


def converted(tensor, dtype):
    return tensor.to(dtype) if tensor.dtype == torch.float64 else tensor


def plain(function, tensors, which, tangents, double):
    """Results and gradients of PyTorch, computed in f64 or not."""
    given = [t.detach().to(torch.float64 if double and t.dtype == torch.float32
                           else t.dtype).requires_grad_(t.requires_grad)
             for t in tensors]
    results = function(*given)
    gradients = torch.autograd.grad(
        [results[i] for i in which], [t for t in given if t.requires_grad],
        [t.to(results[i].dtype) for i, t in zip(which, tangents)],
        allow_unused=True) if which else ()
    return [r.detach() for r in results], gradients


def as_dtensor(tensor, mesh, dim=0):
    """A DTensor whose piece nobody looks at."""
    placement = Shard(dim % tensor.ndim) if tensor.ndim else Replicate()
    spec = DTensorSpec(mesh, (placement,), tensor_meta=TensorMeta(
        tensor.shape, tensor.stride(), tensor.dtype))
    return DTensor(tensor.detach(), spec, requires_grad=tensor.requires_grad)


def graph_of(function, tensors, expected, mesh, dim):
    """A graph that calls `function` once."""
    graph, inputs, nodes, outs = fx.Graph(), [], [], []
    for i, tensor in enumerate(tensors):
        nodes.append(graph.placeholder(f"x{i}"))
        inputs.append(as_dtensor(tensor, mesh, dim))
        nodes[-1].meta["example_value"] = inputs[-1]
    call = graph.call_function(function, tuple(nodes))
    call.meta["example_value"] = getattr(function, "made", expected)
    for i, value in enumerate(expected):
        out = graph.call_function(lambda results, i: results[i], (call, i))
        meta = as_dtensor(value.detach(), mesh)
        meta._spec.placements = (Replicate(),)
        out.meta["example_value"] = meta
        outs.append(out)
    graph.output(tuple(outs))
    return fx.GraphModule(torch.nn.Module(), graph), inputs


def function_of(op, sample):
    """The operator as a function of its tensors, and these."""
    flat, spec = pytree.tree_flatten((sample.input, sample.args,
                                      sample.kwargs))
    where = [i for i, v in enumerate(flat) if isinstance(v, torch.Tensor)]
    tensors = [flat[i].detach().contiguous().clone().requires_grad_(
        flat[i].requires_grad) for i in where]

    def function(*given):
        values = list(flat)
        for i, value in zip(where, given):
            values[i] = value
        first, args, kwargs = pytree.tree_unflatten(values, spec)
        result = sample.output_process_fn_grad(op.op(first, *args, **kwargs))
        function.made = [r for r in pytree.tree_leaves(result)
                         if isinstance(r, torch.Tensor)]
        return [torch.view_as_real(r.resolve_conj()) if r.is_complex() else r
                for r in function.made]
    return function, tensors


def check(op, sample, mesh, dim):
    """Whether there was something to compare."""
    function, tensors = function_of(op, sample)
    expected = function(*tensors)
    if not tensors or not expected:
        return False
    which = [i for i, e in enumerate(expected) if e.requires_grad]
    tangents = [torch.randn_like(expected[i]) for i in which]
    results, gradients = compiled(function, tensors, expected, which, tangents,
                                  mesh, dim)
    try:
        same(function, tensors, which, tangents, results, gradients, False)
    except Wrong as error:
        # Is it PyTorch's rounding?
        try:
            same(function, tensors, which, tangents, results, gradients, True)
        except Exception:
            raise error from None
    return True


def compiled(function, tensors, expected, which, tangents, mesh, dim):
    """What our programs compute: results, and gradients by argument."""
    module, inputs = graph_of(function, tensors, expected, mesh, dim)
    graph = Graph(module, inputs, generalize=False)
    traced = trace(graph, any(t.requires_grad for t in tensors))
    if which and traced.tangents != which:
        raise Wrong(f"results with gradients: {traced.tangents}, PyTorch says "
                    f"{which}")
    program = Program(graph, traced)
    shapes = [tuple(t.shape) for t in tensors]

    def run(half, given):
        symbols = program._symbols(half, inputs, shapes)
        return half.executable(simulated=True)[0](
            *symbols, *given, *half.inner_arguments("cpu"))
    results = run(program.forward, tensors)
    if not which:
        return results, {}
    saved = [tensors[s.argument].detach() if s.argument is not None
             else results[s.result] for s in program.saved]
    gradients = run(program.backward, saved + tangents)
    return results, dict(zip(program.gradients, gradients))


def same(function, tensors, which, tangents, results, gradients, double):
    expected, wanted = plain(function, tensors, which, tangents, double)
    for i, (result, value) in enumerate(zip(results, expected)):
        value = converted(value, result.dtype) if double else value
        compare(f"result {i}", result, value, 2e-4, 2e-5)
    needing = [i for i, t in enumerate(tensors) if t.requires_grad]
    for i, value in zip(needing, wanted):
        if value is None and i in gradients:
            value = torch.zeros_like(tensors[i])
        if value is not None:
            compare(f"gradient {i}", gradients.get(i),
                    converted(value, tensors[i].dtype), 5e-4, 5e-5)


def set_sizes(even):
    """The modules that make samples have constants for sizes."""
    for name, module in list(sys.modules.items()):
        if name.startswith("torch.testing._internal"):
            for constant, size in EVEN.items():
                if isinstance(getattr(module, constant, None), int):
                    ours = module.__dict__.setdefault("_uneven_sizes", {})
                    ours.setdefault(constant, getattr(module, constant))
                    setattr(module, constant,
                            size if even else ours[constant])


def samples_of(op, even):
    """Some from the whole list."""
    set_sizes(even)
    samples = []
    for sample in op.sample_inputs("cpu", torch.float32,
                                   requires_grad=op.supports_autograd):
        samples.append(sample)
        if len(samples) >= 60:
            break
    count = min(ARGUMENTS.samples, len(samples))
    step = (len(samples) - 1) / max(count - 1, 1)
    return [samples[round(i * step)] for i in range(count)]


def sweep_one(op, mesh):
    """(state, reason)"""
    checked = 0
    for even in (True, False):
        torch.manual_seed(0)
        try:
            samples = samples_of(op, even)
        except Exception:
            if even:  # some makers of samples count on the usual sizes
                continue
            raise
        for i, sample in enumerate(samples):
            torch.manual_seed(0)
            try:
                checked += check(op, sample, mesh, -(i % 2))
            except Exception as error:
                if ARGUMENTS.trace:
                    import traceback
                    traceback.print_exc()
                    print(sample)
                size = "even" if even else "uneven"
                state = "wrong" if isinstance(error, Wrong) else "import"
                return state, (f"{size} sample {i}: "
                               f"{type(error).__name__}: {error}")
    return ("pass", "") if checked else ("none", "no tensor argument")


def in_a_child(op, mesh):
    """A crash or a hang is the operator's alone."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(240)
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


def name_of(op):
    variant = f".{op.variant_test_name}" if op.variant_test_name else ""
    return op.name + variant


def first_words(reason):
    """Without what changes from run to run, or from folder to folder."""
    reason = " ".join(reason.split()).replace(ROOT, "")
    for end in (" While executing", " no line is known", " Did you",
                " (unhinted"):
        reason = reason.split(end)[0]
    return reason[:160]


def work(ops, mesh, file):
    """One line for each operator."""
    for op in ops:
        name = name_of(op)
        gradient = "backward" if op.supports_autograd else "forward"
        if name in RANDOM:
            state, reason = "random", ""
        else:
            state, reason = in_a_child(op, mesh)
        print(name, gradient, state, first_words(reason), sep="\t", file=file,
              flush=True)


def in_processes(ops, mesh):
    """The lines of all, by `--jobs` processes."""
    if ARGUMENTS.jobs == 1:
        with tempfile.TemporaryFile("w+") as file:
            work(ops, mesh, file)
            file.seek(0)
            return file.read().splitlines()
    files, children = [], []
    for job in range(ARGUMENTS.jobs):
        files.append(tempfile.TemporaryFile("w+"))
        child = os.fork()
        if child == 0:
            work(ops[job::ARGUMENTS.jobs], mesh, files[-1])
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    lines = []
    for file in files:
        file.seek(0)
        lines += file.read().splitlines()
    return lines


def warm_up(mesh):
    """What every child would do anew."""
    _libraries.compiler()
    _libraries.runtime()
    x = torch.ones(4, requires_grad=True)
    module, inputs = graph_of(lambda x: [torch.tanh(x)], [x], [torch.tanh(x)],
                              mesh, 0)
    trace(Graph(module, inputs, generalize=False), True)


def read_table(path):
    with open(path) as file:
        return [line.rstrip("\n").split("\t") for line in file
                if not line.startswith("#")]


def count(rows):
    """Of the operators that PyTorch differentiates, and of all."""
    kinds = {}
    for kind in ("backward", "forward"):
        states = collections.Counter(r[2] for r in rows if r[1] == kind)
        kinds[kind] = states
    both = kinds["backward"]
    return (f"{both['pass']} passed / {both['pass'] + both['wrong']} "
            f"importable / {sum(both.values())} differentiable; of "
            f"{sum(kinds['forward'].values())} others "
            f"{kinds['forward']['pass']} passed")


def write_table(rows, path):
    with open(path, "w") as file:
        print("# written by sweep.py --update: operator, what is compared, "
              "state, reason", file=file)
        print(f"# {count(rows)}", file=file)
        for row in rows:
            print(*row, sep="\t", file=file)


def main():
    dist.init_process_group("fake", rank=0, world_size=ARGUMENTS.ranks)
    mesh = init_device_mesh("cpu", (ARGUMENTS.ranks,), mesh_dim_names=("tp",))
    torch.set_num_threads(1)
    ops = {name_of(op): op for op in op_db
           if torch.float32 in op.supported_dtypes("cpu")}
    names = ARGUMENTS.names or list(ops)
    if ARGUMENTS.every:
        names = [row[0] for row in read_table(ARGUMENTS.table)
                 if row[2] == "pass" and row[0] in ops][::ARGUMENTS.every]
    warm_up(mesh)
    lines = in_processes([ops[name] for name in names], mesh)
    rows = sorted(line.split("\t") for line in lines)
    if ARGUMENTS.update:
        if ARGUMENTS.names:
            rows = sorted(rows + [r for r in read_table(ARGUMENTS.table)
                                  if r[0] not in names])
        write_table(rows, ARGUMENTS.table)
    else:
        for row in rows:
            if row[2] not in ("pass", "random"):
                print(f"{row[2]}: {row[0]}: {row[3]}")
    print(count(rows))
    sys.exit(bool(ARGUMENTS.every) and any(r[2] != "pass" for r in rows))


main()
