# REQUIRES: python
# RUN: %python %s %obj %t
"""Steps of optimizers against torch.optim on every kind of shard."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

MN = ["M", "N"]
TOLERANT = {"f32": (1e-5, 1e-6), "f64": None, "bf16": (2e-2, 1e-2)}


def state_positive(shape, dtype, _):
    return (torch.rand(shape, dtype=torch.float64) + 0.01).to(TORCH[dtype])


def rate(shape, dtype, _):
    return torch.full(shape, 0.1, dtype=TORCH[dtype])


def steps(shape, dtype, _):
    return torch.full(shape, 4, dtype=TORCH[dtype])


def run(optimizer, params, grads, states, **options):
    """One step of torch.optim from given states; [params..., states...]."""
    wide = [p.float() if p.dtype == torch.bfloat16 else p.clone()
            for p in params]
    made = optimizer(wide, foreach=False, **options)
    for i, (p, g) in enumerate(zip(wide, grads)):
        p.grad = g.to(p.dtype)
        for name, values in states.items():
            value = values[i] if isinstance(values, list) else values
            made.state[p][name] = value.to(p.dtype).clone()
    made.step()
    found = list(wide)
    for name, values in states.items():
        if isinstance(values, list):
            found += [made.state[p][name] for p in wide]
    return [f.to(params[0].dtype) for f in found]


def sgd_case(name, dtype, attributes, momenta=True, count=2, **options):
    """`count` parameters: matrices, then vectors."""
    shapes = [MN, ["K"], ["N", 3]][:count]
    lists = 3 if momenta else 2
    args = [([], "f64" if dtype == "f64" else "f32", rate)] + [
        (s, dtype, normal) for _ in range(lists)
                                  for s in shapes]
    text = [f"%{NAMES[i]}" for i in range(1, len(args))]
    parts = [", ".join(text[i * count:(i + 1) * count]) for i in range(lists)]
    results = [tensor(s, dtype) for _ in range(lists - 1) for s in shapes]
    names = ", ".join(f"%r{i}" for i in range(len(results)))
    body = (f"{names} = dtensor.sgd_step lr(%a) params({parts[0]}) "
            f"grads({parts[1]})" +
            (f" momenta({parts[2]})" if momenta else "") + f" {attributes} : (" +
            ", ".join(f"${NAMES[i].upper()}" for i in range(len(args))) +
            ") -> (" + ", ".join(f"${i}" for i in range(len(results))) + ")")

    def compute(lr, *tensors):
        p, g, *m = [list(tensors[i:i + count])
                    for i in range(0, len(tensors), count)]
        states = {"momentum_buffer": m[0]} if m and "first" not in attributes \
            else {}
        found = run(torch.optim.SGD, p, g, states, lr=0.1, **options)
        if "first" in attributes:
            g = [x + options.get("weight_decay", 0) * y for x, y in zip(g, p)]
            found += g
        return found
    return Case(f"sgd_{name}_{dtype}", args, results, body, compute,
                tolerance=TOLERANT[dtype])


def sgd_cases(dtype):
    return [
        sgd_case("plain", dtype, "", False, 3),
        sgd_case("decay", dtype, "{weight_decay = 0.1, maximize}", False,
                 weight_decay=0.1, maximize=True),
        sgd_case("momentum", dtype, "{momentum = 0.9, dampening = 0.5}",
                 momentum=0.9, dampening=0.5),
        sgd_case("nesterov", dtype,
                 "{momentum = 0.9, nesterov, weight_decay = 0.01}",
                 momentum=0.9, nesterov=True, weight_decay=0.01),
        sgd_case("first", dtype, "{momentum = 0.9, first, weight_decay = 0.2}",
                 momentum=0.9, weight_decay=0.2),
    ]


def adam_case(kind, dtype, attributes, maxima=False, step="f32", shape=MN,
              **options):
    names = ["params", "grads", "means", "squares"] + ["maxima"] * maxima
    args = [([], "f64" if dtype == "f64" else "f32", rate),
            ([], step, steps)] + [
        (shape, dtype, state_positive if n in ("squares", "maxima") else normal)
        for n in names]
    lists = " ".join(f"{n}(%{NAMES[i + 2]})" for i, n in enumerate(names))
    results = [tensor(shape, dtype)] * (len(names) - 1)
    values = ", ".join(f"%r{i}" for i in range(len(results)))
    types = ", ".join(f"${NAMES[i].upper()}" for i in range(len(args)))
    body = (f"{values} = dtensor.{kind}_step lr(%a) step(%b) {lists} "
            f"{attributes} : ({types}) -> ("
            + ", ".join(f"${i}" for i in range(len(results))) + ")")
    optimizer = torch.optim.AdamW if kind == "adamw" else torch.optim.Adam

    def compute(lr, step, p, g, m, v, *most):
        # It counts the step before it uses it.
        states = {"step": torch.tensor(3.0), "exp_avg": [m], "exp_avg_sq": [v]}
        if most:
            states["max_exp_avg_sq"] = list(most)
        return run(optimizer, [p], [g], states, lr=0.1, amsgrad=bool(most),
                   **options)
    return Case(f"{kind}_{len(names)}_{step}_{dtype}_{len(options)}", args,
                results, body, compute, tolerance=TOLERANT[dtype])


def adam_cases(dtype):
    return [
        adam_case("adamw", dtype, "{weight_decay = 0.01}", weight_decay=0.01),
        adam_case("adamw", dtype, "{beta1 = 0.8, beta2 = 0.95, eps = 1.0e-6, "
                  "maximize}", True, "i64", betas=(0.8, 0.95), eps=1e-6,
                  maximize=True, weight_decay=0),
        adam_case("adam", dtype, "{weight_decay = 0.1}", shape=["M", "N", "K"],
                  weight_decay=0.1),
        adam_case("adam", dtype, "", True, weight_decay=0),
    ]


def test_on_one_axis():
    sweep_1d("optimizer", sgd_cases("f32") + adam_cases("f32"), count=4)


def test_on_two_axes():
    sweep_2d("optimizer", sgd_cases("f32") + adam_cases("f32"), count=3)


def test_other_types():
    sweep_1d("optimizer-types", [c for d in ("f64", "bf16") for c in
                                 sgd_cases(d)[1:4] + adam_cases(d)[:3]],
             count=1)


def test_a_step_in_place():
    """Donated parameters and states: as many results as there were before, and
    nothing is communicated when all are sharded alike."""
    layout = "#dtensor.layout<#mesh, [shard(0)], (N, 4)>"
    tensor_ = "tensor<?x4xf32>"
    arg = lambda n, d: f"%{n}: {tensor_} {{dtensor.layout = {layout}{d}}}"
    text = f"""
#mesh = #dtensor.mesh<"dp" = ?>
func.func @step({arg("p", ", dtensor.donated")}, {arg("g", "")},
    {arg("m", ", dtensor.donated")}, {arg("v", ", dtensor.donated")},
    %t: tensor<i64> {{dtensor.layout = #dtensor.layout<#mesh, [replicate], ()>}})
    -> ({tensor_}, {tensor_}, {tensor_}) {{
  %lr = arith.constant 0.001 : f32
  %0:3 = dtensor.adamw_step lr(%lr) step(%t) params(%p) grads(%g) means(%m) squares(%v) {{weight_decay = 0.01}} : (f32, tensor<i64>, {tensor_}, {tensor_}, {tensor_}, {tensor_}) -> ({tensor_}, {tensor_}, {tensor_})
  return %0#0, %0#1, %0#2 : {tensor_}, {tensor_}, {tensor_}
}}
"""
    bundle = harness.compile_text(text, "donated")
    p, g, m = (torch.randn(7, 4) for _ in range(3))
    v = torch.rand(7, 4)
    states = {"step": torch.tensor(3.0), "exp_avg": [m], "exp_avg_sq": [v]}
    expected = run(torch.optim.AdamW, [p], [g], states, lr=0.001,
                   weight_decay=0.01)
    for size in sorted({harness.at_most(n) for n in (1, 2, 3)}):
        results, collectives = bundle.run(
            {"dp": size}, p.clone(), g, m.clone(), v.clone(),
            torch.tensor(4))
        assert not collectives, collectives
        for found, wanted in zip(results, expected):
            harness.assert_close(found, wanted, 1e-5, 1e-6, "step")


harness.main()
