# REQUIRES: python
# RUN: %python %s %obj %t
"""Losses on every kind of shard; classes may be sharded."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

functional = torch.nn.functional
MN = ["M", "N"]
REDUCTIONS = ("none", "mean", "sum")
TOLERANT = {"f32": (1e-4, 1e-5), "f64": None, "bf16": (3e-2, 3e-2),
            "f16": (5e-3, 5e-3)}


def wide(function):
    def compute(*args):
        dtype = args[0].dtype
        if dtype in (torch.float16, torch.bfloat16):
            return function(*[a.float() if a.is_floating_point() else a
                              for a in args]).to(dtype)
        return function(*args)
    return compute


def probability(shape, dtype, _):
    return (torch.rand(shape, dtype=torch.float64) * 0.98 + 0.01).to(
        TORCH[dtype])


def weighted(function, *options):
    """With an optional weight, then reduced."""
    def compute(reduction):
        def run(x, t, *weight):
            loss = function(x, t, *options, reduction="none")
            for w in weight:
                loss = loss * w
            return {"none": loss, "mean": loss.mean(), "sum": loss.sum()}[
                reduction]
        return run
    return compute


def bce_with_logits(reduction):
    return lambda x, t, *w: functional.binary_cross_entropy_with_logits(
        x, t, pos_weight=w[0] if w else None, reduction=reduction)


def element_case(op, attributes, reference, values, targets, dtype, weight):
    args = [(MN, dtype, values), (MN, dtype, targets)]
    if weight:
        args.append((["N"], dtype, positive))
    names = ", ".join(f"%{NAMES[i]}" for i in range(len(args)))
    types = ", ".join(f"${NAMES[i].upper()}" for i in range(len(args)))
    body = "\n".join(
        f"%r{i} = dtensor.{op} {names} {{reduction = \"{r}\"{attributes}}} : "
        f"({types}) -> ${i}" for i, r in enumerate(REDUCTIONS))
    results = [(f"{op} {r}", tensor(MN if r == "none" else [], dtype))
               for r in REDUCTIONS]
    label = "_" + attributes.split()[1] if attributes else ""
    return Case(f"{op}{label}_{dtype}" + ("_weight" if weight else ""), args,
                results, body,
                lambda *v: [wide(reference(r))(*v) for r in REDUCTIONS],
                tolerance=TOLERANT[dtype])


def element_cases(dtype):
    log = lambda x, t, reduction: functional.kl_div(x, t, reduction=reduction,
                                                    log_target=True)
    table = [
        ("mse_loss", "", weighted(functional.mse_loss), normal, normal),
        ("l1_loss", "", weighted(functional.l1_loss), normal, normal),
        ("smooth_l1_loss", ", beta = 0.5",
         weighted(lambda x, t, reduction: functional.smooth_l1_loss(
             x, t, beta=0.5, reduction=reduction)), normal, normal),
        ("huber_loss", ", delta = 0.5",
         weighted(lambda x, t, reduction: functional.huber_loss(
             x, t, delta=0.5, reduction=reduction)), normal, normal),
        ("bce_loss", "", weighted(functional.binary_cross_entropy),
         probability, probability),
        ("bce_with_logits_loss", "", bce_with_logits, normal, probability),
        ("kl_div_loss", "", weighted(functional.kl_div), normal, probability),
        ("kl_div_loss", ", log_target", weighted(log), normal, normal),
    ]
    return [element_case(*row, dtype, weight) for row in table
            for weight in (False, True)]


def extreme(shape, dtype, _):
    return torch.randint(0, 2, shape).to(TORCH[dtype])


def extreme_cases():
    """Logarithms of 0 are cut off at -100; 0 log 0 is 0."""
    cases = [element_case("bce_loss", "",
                          weighted(functional.binary_cross_entropy), extreme,
                          extreme, "f32", False),
             element_case("kl_div_loss", "", weighted(functional.kl_div),
                          normal, extreme, "f32", False)]
    for case in cases:
        case.name = "extreme_" + case.name
    return cases


def large(shape, dtype, _):
    """Scores of which many are equal, and beside which a logarithm is nothing."""
    return (torch.randint(0, 3, shape) * 1e30).to(TORCH[dtype])


def class_case(op, dims, dtype, smoothing=0.0, weight=False, ignored=-100,
               index="i64", values=None):
    target = [d for i, d in enumerate(dims)
              if i != (0 if len(dims) == 1 else 1)]
    classes = dims[0] if len(dims) == 1 else dims[1]
    args = [(dims, dtype, values or default(dtype)),
            (target, index, targets(classes, ignored))]
    if weight:
        args.append(([classes], dtype, positive))
    names = ", ".join(f"%{NAMES[i]}" for i in range(len(args)))
    types = ", ".join(f"${NAMES[i].upper()}" for i in range(len(args)))
    extra = f", smoothing = {smoothing}" if smoothing else ""
    body = "\n".join(
        f"%r{i} = dtensor.{op} {names} {{reduction = \"{r}\", ignore_index = "
        f"{ignored}{extra}}} : ({types}) -> ${i}"
        for i, r in enumerate(REDUCTIONS))
    results = [(f"{op} {r}", tensor(target if r == "none" else [], dtype))
               for r in REDUCTIONS]

    def compute(x, t, *w):
        options = dict(weight=w[0] if w else None, ignore_index=ignored)
        function = functional.nll_loss
        if op == "cross_entropy":
            function = functional.cross_entropy
            options["label_smoothing"] = smoothing
        return [function(x, t.long(), reduction=r, **options)
                for r in REDUCTIONS]

    def halves(x, t, *w):
        if x.dtype in (torch.float16, torch.bfloat16):
            return [r.to(x.dtype) for r in
                    compute(x.float(), t, *[v.float() for v in w])]
        return compute(x, t, *w)
    name = f"{op}_{len(dims)}_{dtype}_{index}" + ("_weight" if weight else "") \
        + ("_smooth" if smoothing else "") + ("_large" if values else "")
    classes_exist = lambda **s: s[classes] > 0
    return Case(name, args, results, body, halves, when=classes_exist,
                tolerance=TOLERANT[dtype])


def class_cases(dtype):
    cases = []
    for dims in (["N"], ["M", "N"], ["M", "N", "K"]):
        for weight in (False, True):
            cases.append(class_case("nll_loss", dims, dtype, weight=weight))
            cases.append(class_case("cross_entropy", dims, dtype,
                                    weight=weight))
    for weight in (False, True):
        cases.append(class_case("cross_entropy", ["M", "N"], dtype, 0.2,
                                weight, ignored=-1))
    cases.append(class_case("cross_entropy", ["M", "N"], dtype, index="i32",
                            ignored=0))
    cases.append(class_case("cross_entropy", ["M", "N"], dtype, values=large))
    return cases


def test_elements_on_one_axis():
    sweep_1d("losses", element_cases("f32") + extreme_cases(), count=3)


def test_classes_on_one_axis():
    sweep_1d("class-losses", class_cases("f32"), count=4)


def test_all_on_two_axes():
    sweep_2d("losses", element_cases("f32")[::4] + class_cases("f32")[2:],
             count=3)
    sweep_2d("rest", element_cases("f32"), count=1,
             sizes=SIZES[:3])


def test_other_types():
    cases = [c for d in ("f64", "bf16", "f16")
             for c in element_cases(d)[::5] + class_cases(d)[2::4]]
    sweep_1d("losses-types", cases, count=1)


def test_no_rank_gathers_the_classes():
    """Whatever moves has the shape of the targets, where there are many of
    them: for a few it is cheaper to turn the logits."""
    text = """
#mesh = #dtensor.mesh<"tp" = ?>
func.func @loss(%x: tensor<?x32000xf32> {dtensor.layout =
    #dtensor.layout<#mesh, [shard(1)], (M, 32000)>}, %t: tensor<?xi64> {
    dtensor.layout = #dtensor.layout<#mesh, [replicate], (M)>})
    -> tensor<f32> attributes {dtensor.symbols = {M = {hint = 4096}}} {
  %0 = dtensor.cross_entropy %x, %t : (tensor<?x32000xf32>, tensor<?xi64>) -> tensor<f32>
  return %0 : tensor<f32>
}
"""
    bundle = harness.compile_text(text, "class-collectives")
    x, t = torch.randn(6, 32000), torch.randint(0, 32000, (6,))
    results, collectives = bundle.run({"tp": 4}, x, t)
    harness.assert_close(results[0], functional.cross_entropy(x, t), 1e-5,
                         1e-6, "loss")
    assert collectives, "a sharded loss needs a reduction"
    plan = harness.planned(harness.temp("class-collectives.mlir"))
    moved = [line for line in plan.splitlines() if "redistribute" in line]
    assert moved and not any("32000" in line for line in moved), moved


harness.main()
