# REQUIRES: python
# RUN: %python %s %obj %t
"""Gradients of losses against PyTorch's autograd; classes may be sharded."""

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


def gradient(loss, grad, x):
    """Of loss(x) * grad in x; in f32 for f16 and bf16."""
    wide = x.double() if x.dtype == torch.float64 else x.float()
    wide.requires_grad_(True)
    with torch.enable_grad():
        result = loss(wide)
        (found,) = torch.autograd.grad(result, wide, grad.to(result.dtype))
    return found.to(x.dtype)


def wide(values):
    return [v.float() if v.dtype in (torch.float16, torch.bfloat16) else v
            for v in values]


def probability(shape, dtype, _):
    return (torch.rand(shape, dtype=torch.float64) * 0.98 + 0.01).to(
        TORCH[dtype])


def unusual(shape, dtype, _):
    """No numbers, infinities, and where a slope bends."""
    values = torch.tensor([torch.nan, torch.inf, -torch.inf, -0.5, 0.0, 0.5, 2.0])
    return values[torch.randint(0, len(values), shape)].to(TORCH[dtype])


def whole(shape, dtype, _):
    return torch.randint(-1, 2, shape).to(TORCH[dtype])


def weighted(function, **options):
    def make(reduction):
        def loss(x, t, *weight):
            value = function(x, t, reduction="none", **options)
            for w in weight:
                value = value * w
            return {"none": value, "mean": value.mean(), "sum": value.sum()}[
                reduction]
        return loss
    return make


def bce_with_logits(reduction):
    return lambda x, t, *w: functional.binary_cross_entropy_with_logits(
        x, t, pos_weight=w[0] if w else None, reduction=reduction)


TABLE = [
    ("mse_loss", "", weighted(functional.mse_loss), normal, normal),
    ("l1_loss", "", weighted(functional.l1_loss), normal, normal),
    ("smooth_l1_loss", ", beta = 0.5",
     weighted(functional.smooth_l1_loss, beta=0.5), normal, normal),
    ("huber_loss", ", delta = 0.5",
     weighted(functional.huber_loss, delta=0.5), normal, normal),
    ("bce_loss", "", weighted(functional.binary_cross_entropy), probability,
     probability),
    ("bce_with_logits_loss", "", bce_with_logits, normal, probability),
    ("kl_div_loss", "", weighted(functional.kl_div), normal, probability),
    ("kl_div_loss", ", log_target",
     weighted(functional.kl_div, log_target=True), normal, normal),
]


def case(name, op, attributes, dims, target, dtype, reference, args,
         when=None):
    """One function with the gradient for every reduction."""
    args = [([], dtype, normal), (target, dtype, normal)] + args
    types = ", ".join(f"${NAMES[i].upper()}" for i in range(2, len(args)))
    names = ", ".join(f"%{NAMES[i]}" for i in range(2, len(args)))
    body = "\n".join(
        f"%r{i} = dtensor.{op}_backward %{'b' if r == 'none' else 'a'}, {names}"
        f" {{reduction = \"{r}\"{attributes}}} : "
        f"(${'B' if r == 'none' else 'A'}, {types}) -> ${i}"
        for i, r in enumerate(REDUCTIONS))

    def compute(one, each, x, *others):
        others = wide(others)
        return [gradient(lambda x: reference(r)(x, *others),
                         each if r == "none" else one, x) for r in REDUCTIONS]
    return Case(name, args, [(f"{op} {r}", tensor(dims, dtype))
                             for r in REDUCTIONS], body, compute,
                tolerance=TOLERANT[dtype], when=when)


def element_cases(dtype):
    cases = []
    for op, attributes, reference, values, targets in TABLE:
        for weight in (False, True):
            args = [(MN, dtype, values), (MN, dtype, targets)]
            if weight:
                args.append((["N"], dtype, positive))
            label = "_" + attributes.split()[1] if attributes else ""
            cases.append(case(f"{op}{label}_{dtype}_{weight}", op, attributes,
                              MN, MN, dtype, reference, args))
    for op, attributes, reference, *_ in TABLE[:4]:
        cases.append(case(f"{op}_unusual_{dtype}", op, attributes, MN, MN,
                          dtype, reference, [(MN, dtype, unusual),
                                             (MN, dtype, whole)]))
    return cases


def large(shape, dtype, _):
    """Scores of which many are equal, and beside which a logarithm is nothing."""
    return (torch.randint(0, 3, shape) * 1e9).to(TORCH[dtype])


def class_case(op, dims, dtype, smoothing=0.0, weight=False, ignored=-100,
               index="i64", values=None):
    target = [d for i, d in enumerate(dims) if i != (len(dims) > 1)]
    classes = dims[len(dims) > 1]
    args = [(dims, dtype, values or default(dtype)),
            (target, index, targets(classes, ignored))]
    if weight:
        args.append(([classes], dtype, positive))
    options = dict(ignore_index=ignored)
    function = functional.nll_loss
    if op == "cross_entropy":
        function = functional.cross_entropy
        options["label_smoothing"] = smoothing

    def reference(reduction):
        return lambda x, t, *w: function(
            x, t.long(), weight=w[0] if w else None, reduction=reduction,
            **options)
    extra = f", smoothing = {smoothing}" if smoothing else ""
    name = f"{op}_{len(dims)}_{dtype}_{index}_{weight}" + \
        ("_smooth" if smoothing else "") + ("_large" if values else "")
    # A mean of no target is NaN here and there.
    return case(name, op, f", ignore_index = {ignored}{extra}", dims, target,
                dtype, reference, args, when=lambda **s: s[classes] > 0)


def class_cases(dtype):
    cases = [class_case(op, dims, dtype, weight=weight)
             for dims in (["N"], ["M", "N"], ["M", "N", "K"])
             for weight in (False, True) for op in ("nll_loss",
                                                    "cross_entropy")]
    for weight in (False, True):
        cases.append(class_case("cross_entropy", ["M", "N"], dtype, 0.2,
                                weight, ignored=-1))
    cases.append(class_case("cross_entropy", ["M", "N"], dtype, index="i32",
                            ignored=0))
    cases.append(class_case("cross_entropy", ["M", "N"], dtype, values=large))
    return cases


def test_elements_on_one_axis():
    sweep_1d("loss-gradients", element_cases("f32"), count=3)


def test_classes_on_one_axis():
    sweep_1d("class-gradients", class_cases("f32"), count=4)


def test_all_on_two_axes():
    sweep_2d("loss-gradients", element_cases("f32")[::4] +
             class_cases("f32")[2:], count=3)
    sweep_2d("rest", element_cases("f32"), count=1,
             sizes=SIZES[:3])


def test_other_types():
    sweep_1d("loss-gradients-types", [
        c for d in ("f64", "bf16", "f16")
        for c in element_cases(d)[::5] + class_cases(d)[2::4]], count=1)


def test_no_rank_gathers_the_classes():
    """Forward and backward with sharded classes: what moves has the shape of
    the targets."""
    text = """
#mesh = #dtensor.mesh<"tp" = ?>
func.func @loss(%x: tensor<?x32000xf32> {dtensor.layout =
    #dtensor.layout<#mesh, [shard(1)], (M, 32000)>}, %t: tensor<?xi64> {
    dtensor.layout = #dtensor.layout<#mesh, [replicate], (M)>})
    -> (tensor<f32>, tensor<?x32000xf32>)
    attributes {dtensor.symbols = {M = {hint = 4096}}} {
  %one = arith.constant 1.0 : f32
  %g = dtensor.full %one : (f32) -> tensor<f32>
  %0 = dtensor.cross_entropy %x, %t : (tensor<?x32000xf32>, tensor<?xi64>) -> tensor<f32>
  %1 = dtensor.cross_entropy_backward %g, %x, %t : (tensor<f32>, tensor<?x32000xf32>, tensor<?xi64>) -> tensor<?x32000xf32>
  return %0, %1 : tensor<f32>, tensor<?x32000xf32>
}
"""
    bundle = harness.compile_text(text, "gradient-collectives")
    x, t = torch.randn(6, 32000), torch.randint(0, 32000, (6,))
    results, collectives = bundle.run({"tp": 4}, x, t)
    expected = gradient(lambda x: functional.cross_entropy(x, t),
                        torch.ones(()), x)
    harness.assert_close(results[1], expected, 1e-5, 1e-6, "gradient")
    # Maximum, sum and pick, once for both directions.
    assert collectives == {"all_reduce": 3}, collectives
    plan = harness.planned(harness.temp("gradient-collectives.mlir"))
    moved = [line for line in plan.splitlines() if "redistribute" in line]
    assert moved and not any("32000" in line for line in moved), moved


harness.main()
