# REQUIRES: python
# RUN: %python %s %obj %t
"""Training steps compute what PyTorch computes, and move what an expert would
move: counts of collectives are of one run, and the same in the plan."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

functional = torch.nn.functional


class Program:
    """One function; `values` are (name, type, placements, extents)."""

    def __init__(self, name, axes, args, results, body, hints):
        layout = lambda p, e: (f"{{dtensor.layout = #dtensor.layout<#mesh, "
                               f"[{p}], ({e})>}}")
        mesh = ", ".join(f'"{a}" = ? {facts}' for a, facts in axes.items()) \
            if isinstance(axes, dict) else \
            ", ".join(f'"{a}" = ?' for a in axes)
        inputs = ", ".join(f"%{n}: {t} {layout(p, e)}" for n, t, p, e in args)
        outputs = ", ".join(f"{t} {layout(p, e)}" for _, t, p, e in results)
        names = ", ".join(f"%{n}" for n, _, _, _ in results)
        types = ", ".join(t for _, t, _, _ in results)
        symbols = ", ".join(f"{s} = {{hint = {h}}}" for s, h in hints.items())
        self.text = (f"#mesh = #dtensor.mesh<{mesh}>\n"
                     f"func.func @{name}({inputs}) -> ({outputs}) "
                     f"attributes {{dtensor.symbols = {{{symbols}}}}} {{\n"
                     f"{body}  return {names} : {types}\n}}\n")
        self.bundle = harness.compile_text(self.text, name)
        self.name, self.results = name, results

    def check(self, mesh, args, expected, counts, tolerance=(1e-4, 1e-5)):
        results, found = self.bundle.run(mesh, *args)
        for (name, _, _, _), result, wanted in zip(self.results, results,
                                                   expected):
            harness.assert_close(result, wanted, *tolerance, name)
        several = [a for a, n in mesh.items() if n > 1]
        if counts is not None and len(several) == len(mesh):
            assert found == counts, f"{self.name} on {mesh} ran {found}"
            plan = harness.planned(harness.temp(self.name + ".mlir"))
            steps = harness.planned_steps(plan, self.name)
            assert steps == counts, f"{self.name} plans {steps}"


X = "tensor<?x256xf32>"
W = "tensor<512x256xf32>"


def linear_gradient(name, weight):
    """The gradient of the weight of a data-parallel linear layer."""
    return Program(name, ["dp"], [("g", "tensor<?x512xf32>", "shard(0)",
                                   "T, 512"), ("x", X, "shard(0)", "T, 256")],
                   [("w", W, weight, "512, 256")],
                   "  %w = dtensor.matmul %g, %x {transpose_a} : "
                   f"(tensor<?x512xf32>, {X}) -> {W}\n", dict(T=1024))


def test_the_gradient_of_a_data_parallel_linear_is_one_collective():
    for placement, counts in (("replicate", {"all_reduce": 1}),
                              ("shard(0)", {"reduce_scatter": 1})):
        program = linear_gradient("linear_" + placement[:5], placement)
        for size in sorted({harness.at_most(n) for n in (1, 2, 3)}):
            g, x = torch.randn(13, 512), torch.randn(13, 256)
            program.check({"dp": size}, (g, x), [g.T @ x], counts)


def embedding_gradient(name, axes, grad, ids, table):
    return Program(
        name, axes, [("g", "tensor<?x?x64xf32>", grad, "B, S, 64"),
                     ("ids", "tensor<?x?xi64>", ids, "B, S")],
        [("t", "tensor<3001x64xf32>", table, "3001, 64")],
        "  %t = dtensor.embedding_backward %g, %ids {size = 3001} : "
        "(tensor<?x?x64xf32>, tensor<?x?xi64>) -> tensor<3001x64xf32>\n",
        dict(B=8, S=512))


def embedding_reference(g, ids):
    return torch.zeros(3001, 64).index_add(0, ids.reshape(-1),
                                           g.reshape(-1, 64))


def test_rows_of_a_table_are_summed_where_they_are():
    """A vocabulary-parallel table with replicated tokens moves nothing; a
    replicated one with sharded tokens is one all-reduce; both at once reduce
    only along the tokens' axis, and only what a rank has."""
    for name, axes, grad, ids, table, counts in (
            ("by_word", ["tp"], "replicate", "replicate", "shard(0)", {}),
            ("by_feature", ["tp"], "shard(2)", "replicate", "shard(1)", {}),
            ("by_token", ["dp"], "shard(0)", "shard(0)", "replicate",
             {"all_reduce": 1}),
            ("by_both", ["dp", "tp"], "shard(0), replicate",
             "shard(0), replicate", "replicate, shard(0)", {"all_reduce": 1})):
        program = embedding_gradient("embedding_" + name, axes, grad, ids,
                                     table)
        for size in sorted({harness.at_most(n) for n in (2, 3)}):
            g = torch.randn(3, 17, 64)
            ids_ = torch.randint(0, 3001, (3, 17))
            program.check({a: size for a in axes}, (g, ids_),
                          [embedding_reference(g, ids_)], counts)


A, B = "tensor<256x1024xf32>", "tensor<1024x256xf32>"
F = "tensor<?x1024xf32>"
MLP = f"""
  %lr = arith.constant 0.1 : f32
  %a = dtensor.matmul %x, %w1 : ({X}, {A}) -> {F}
  %h = dtensor.gelu %a : ({F}) -> {F}
  %y = dtensor.matmul %h, %w2 : ({F}, {B}) -> {X}
  %dh = dtensor.matmul %g, %w2 {{transpose_b}} : ({X}, {B}) -> {F}
  %da = dtensor.gelu_backward %dh, %a : ({F}, {F}) -> {F}
  %dx = dtensor.matmul %da, %w1 {{transpose_b}} : ({F}, {A}) -> {X}
  %d2 = dtensor.matmul %h, %g {{transpose_a}} : ({F}, {X}) -> {B}
  %d1 = dtensor.matmul %x, %da {{transpose_a}} : ({X}, {F}) -> {A}
  %n1, %n2 = dtensor.sgd_step lr(%lr) params(%w1, %w2) grads(%d1, %d2) {{weight_decay = 0.01}} : (f32, {A}, {B}, {A}, {B}) -> ({A}, {B})
"""


def mlp(name, axes, token, w1, w2):
    state = [("w1", A, w1, "256, 1024"), ("w2", B, w2, "1024, 256")]
    data = [("x", X, token, "T, 256"), ("g", X, token, "T, 256")]
    new = [("y", X, token, "T, 256"), ("dx", X, token, "T, 256"),
           ("n1", A, w1, "256, 1024"), ("n2", B, w2, "1024, 256")]
    return Program(name, axes, data + state, new, MLP, dict(T=2048))


def mlp_arguments():
    x, g = torch.randn(11, 256), torch.randn(11, 256)
    w1, w2 = torch.randn(256, 1024) / 16, torch.randn(1024, 256) / 32
    parts = [v.clone().requires_grad_(True) for v in (x, w1, w2)]
    with torch.enable_grad():
        y = functional.gelu(parts[0] @ parts[1]) @ parts[2]
        y.backward(g)
    optimizer = torch.optim.SGD(parts[1:], lr=0.1, weight_decay=0.01)
    optimizer.step()
    return (x, g, w1, w2), [v.detach() for v in (y, parts[0].grad, *parts[1:])]


def test_both_reductions_of_a_megatron_mlp_travel_together():
    """Forward and backward: neither waits for the other, for the gradient of
    the result is an argument."""
    program = mlp("megatron", ["tp"], "replicate", "shard(1)", "shard(0)")
    args, expected = mlp_arguments()
    for size in sorted({harness.at_most(n) for n in (1, 2, 3, 4)}):
        program.check({"tp": size}, args, expected, {"all_reduce": 1},
                      (2e-4, 2e-4))


def test_with_data_parallel_tokens_the_gradients_are_reduced_in_one():
    """One buffer along "tp", and one along "dp"."""
    program = mlp("megatron_dp", ["dp", "tp"], "shard(0), replicate",
                  "replicate, shard(1)", "replicate, shard(0)")
    args, expected = mlp_arguments()
    for mesh in ({"dp": 2, "tp": 1}, {"dp": 2, "tp": 2}, {"dp": 2, "tp": 3}):
        program.check(mesh, args, expected, {"all_reduce": 2}, (2e-4, 2e-4))


def test_sharded_parameters_are_gathered_once_and_their_gradients_scattered():
    """FSDP: both weights are kept in pieces along the tokens' axis."""
    program = mlp("fsdp", ["dp"], "shard(0)", "shard(0)", "shard(0)")
    args, expected = mlp_arguments()
    for size in sorted({harness.at_most(n) for n in (1, 2, 3)}):
        program.check({"dp": size}, args, expected,
                      {"all_gather": 2, "reduce_scatter": 2}, (2e-4, 2e-4))


#===- A whole model ---------------------------------------------------------===#

V, D, H, E, FF = 4096, 512, 8, 64, 1024
BLOCK_WEIGHTS = [("table", [V, D]), ("n1", [D]), ("wq", [D, D]),
                 ("wk", [D, D]), ("wv", [D, D]), ("wo", [D, D]), ("n2", [D]),
                 ("wg", [D, FF]), ("wu", [D, FF]), ("wd", [FF, D]),
                 ("head", [D, V])]
# Megatron's placements along "tp".
TP = {"table": "shard(0)", "wq": "shard(1)", "wk": "shard(1)",
      "wv": "shard(1)", "wo": "shard(0)", "wg": "shard(1)", "wu": "shard(1)",
      "wd": "shard(0)", "head": "shard(1)"}


def spell(dims):
    return "tensor<" + "".join(f"{d}x" for d in dims) + "f32>"


class Writer:
    """Lines of a program; every value is known with its type."""

    def __init__(self, pins):
        self.lines, self.types, self.pins = [], {}, pins

    def __call__(self, results, op, operands, attributes=""):
        types = ", ".join(self.types[o] for o in operands)
        names = ", ".join("%" + r for r, _ in results)
        outs = ", ".join(t for _, t in results)
        self.types.update(results)
        values = ", ".join("%" + o for o in operands)
        self.lines.append(f"  {names} = dtensor.{op} {values} {attributes}: "
                          f"({types}) -> ({outs})")

    def pin(self, value, placements, extents):
        """What an expert states about a value that was just computed."""
        if not self.pins:
            return
        type_ = self.types[value]
        last = self.lines.pop()
        self.lines.append(last.replace(f"%{value} =", f"%{value}_ =").replace(
            f"%{value},", f"%{value}_,"))
        self.lines.append(f"  %{value} = dtensor.constraint %{value}_ to "
                          f"<#mesh, [{placements}], ({extents})> : {type_}")


def forward_and_backward(w, token):
    """A transformer of one block: RMS norm, attention, gated MLP, and
    cross-entropy over the vocabulary; what AOTAutograd writes, by hand. The
    stream between the layers has the placements `token` in both directions."""
    stream = lambda value: w.pin(value, token, f"T, {D}")
    logits_of = token[:token.rindex("replicate")] + "shard(1)"
    rows = lambda *dims: spell(("?",) + dims)
    x, f, one, logits, scalar = rows(D), rows(FF), rows(1), rows(V), spell([])
    heads, split = spell([H, "?", E]), rows(H, E)
    unflatten = f"{{dim = 1, sizes = [{H}, {E}]}} "
    t, w.types["ids"] = "{transpose_a} ", "tensor<?xi64>"
    w.types["target"], w.types["dl"] = "tensor<?xi64>", scalar
    w.types.update({n: spell(d) for n, d in BLOCK_WEIGHTS})
    w([("x", x)], "embedding", ["ids", "table"])
    stream("x")
    w([("a", x), ("r1", one)], "native_rms_norm", ["x", "n1"])
    for n in "qkv":
        w([(n + "0", x)], "matmul", ["a", "w" + n])
        w([(n + "1", split)], "unflatten", [n + "0"], unflatten)
        w([(n, heads)], "permute", [n + "1"], "{permutation = [1, 0, 2]} ")
    w([("o", heads)], "attention", ["q", "k", "v"], "{causal} ")
    w([("o1", split)], "permute", ["o"], "{permutation = [1, 0, 2]} ")
    w([("o2", x)], "flatten", ["o1"], "{start = 1, end = 2} ")
    w([("o3", x)], "matmul", ["o2", "wo"])
    w([("b", x)], "add", ["x", "o3"])
    stream("b")
    w([("c", x), ("r2", one)], "native_rms_norm", ["b", "n2"])
    w([("g", f)], "matmul", ["c", "wg"])
    w([("u", f)], "matmul", ["c", "wu"])
    w([("sg", f)], "silu", ["g"])
    w([("h", f)], "mul", ["sg", "u"])
    w([("m", x)], "matmul", ["h", "wd"])
    w([("y", x)], "add", ["b", "m"])
    stream("y")
    w([("z", logits)], "matmul", ["y", "head"])
    w.pin("z", logits_of, f"T, {V}")
    w([("loss", scalar)], "cross_entropy", ["z", "target"])

    w([("dz", logits)], "cross_entropy_backward", ["dl", "z", "target"])
    w([("d_head", spell([D, V]))], "matmul", ["y", "dz"], t)
    w([("dy", x)], "matmul", ["dz", "head"], "{transpose_b} ")
    stream("dy")
    w([("d_wd", spell([FF, D]))], "matmul", ["h", "dy"], t)
    w([("dh", f)], "matmul", ["dy", "wd"], "{transpose_b} ")
    w([("du", f)], "mul", ["dh", "sg"])
    w([("ds", f)], "mul", ["dh", "u"])
    w([("dg", f)], "silu_backward", ["ds", "g"])
    w([("d_wg", spell([D, FF]))], "matmul", ["c", "dg"], t)
    w([("d_wu", spell([D, FF]))], "matmul", ["c", "du"], t)
    w([("dc1", x)], "matmul", ["dg", "wg"], "{transpose_b} ")
    w([("dc2", x)], "matmul", ["du", "wu"], "{transpose_b} ")
    w([("dc", x)], "add", ["dc1", "dc2"])
    stream("dc")
    w([("db1", x), ("d_n2", spell([D]))], "rms_norm_backward",
      ["dc", "b", "r2", "n2"])
    w([("db", x)], "add", ["dy", "db1"])
    w([("d_wo", spell([D, D]))], "matmul", ["o2", "db"], t)
    w([("do2", x)], "matmul", ["db", "wo"], "{transpose_b} ")
    w([("do1", split)], "unflatten", ["do2"], unflatten)
    w([("do", heads)], "permute", ["do1"], "{permutation = [1, 0, 2]} ")
    w([("dq", heads), ("dk", heads), ("dv", heads)], "attention_backward",
      ["do", "q", "k", "v", "o"], "{causal} ")
    for n in "qkv":
        w([(f"d{n}1", split)], "permute", [f"d{n}"],
          "{permutation = [1, 0, 2]} ")
        w([(f"d{n}0", x)], "flatten", [f"d{n}1"], "{start = 1, end = 2} ")
        w([(f"d_w{n}", spell([D, D]))], "matmul", ["a", f"d{n}0"], t)
        w([(f"da{n}", x)], "matmul", [f"d{n}0", "w" + n], "{transpose_b} ")
    w([("da0", x)], "add", ["daq", "dak"])
    w([("da", x)], "add", ["da0", "dav"])
    stream("da")
    w([("dx1", x), ("d_n1", spell([D]))], "rms_norm_backward",
      ["da", "x", "r1", "n1"])
    w([("dx", x)], "add", ["db", "dx1"])
    w([("d_table", spell([V, D]))], "embedding_backward", ["dx", "ids"],
      f"{{size = {V}}} ")


def model(name, axes, token, placed, pins=True):
    """One AdamW step of all weights, from means and squares of 0."""
    writer = Writer(pins)
    forward_and_backward(writer, token)
    names = [n for n, _ in BLOCK_WEIGHTS]
    every = lambda p: ", ".join(f"%{p}{n}" for n in names)
    types = [spell(d) for _, d in BLOCK_WEIGHTS]
    body = (
        "  %one = arith.constant 1.0 : f32\n  %lr = arith.constant 0.01 : f32\n"
        "  %dl = dtensor.full %one : (f32) -> tensor<f32>\n"
        + "\n".join(writer.lines) + f"\n  "
        + ", ".join(f"%{p}{n}" for p in ("new_", "m_", "v_") for n in names)
        + f" = dtensor.adamw_step lr(%lr) step(%one) params({every('')}) "
        f"grads({every('d_')}) means({every('zm_')}) squares({every('zm_')}) "
        "{weight_decay = 0.1, eps = 1.0e-4} : (f32, f32, " + ", ".join(types * 4) +
        ") -> (" + ", ".join(types * 3) + ")\n")
    extents = {n: ", ".join(map(str, d)) for n, d in BLOCK_WEIGHTS}
    tokens = [(n, "tensor<?xi64>", token, "T") for n in ("ids", "target")]
    weights = [(n, spell(d), placed(n), extents[n]) for n, d in BLOCK_WEIGHTS]
    states = [("zm_" + n, t, p, e) for n, t, p, e in weights]
    new = [("new_" + n, t, p, e) for n, t, p, e in weights]
    replicated = ", ".join(["replicate"] * len(axes))
    return Program(name, axes, tokens + weights + states,
                   [("loss", "tensor<f32>", replicated, "")] + new, body,
                   dict(T=1024))


def model_reference(ids, target, weights):
    w = {n: v.clone().requires_grad_(True)
         for (n, _), v in zip(BLOCK_WEIGHTS, weights)}
    with torch.enable_grad():
        split = lambda x: x.unflatten(1, (H, E)).transpose(0, 1)
        x = w["table"][ids]
        a = functional.rms_norm(x, (D,), w["n1"], 1e-5)
        q, k, v = (split(a @ w[n]) for n in ("wq", "wk", "wv"))
        o = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        b = x + o.transpose(0, 1).flatten(1) @ w["wo"]
        c = functional.rms_norm(b, (D,), w["n2"], 1e-5)
        y = b + (functional.silu(c @ w["wg"]) * (c @ w["wu"])) @ w["wd"]
        loss = functional.cross_entropy(y @ w["head"], target)
        loss.backward()
    torch.optim.AdamW(w.values(), lr=0.01, weight_decay=0.1, eps=1e-4).step()
    return [loss.detach()] + [v.detach() for v in w.values()]


def model_arguments(count):
    weights = [torch.randn(d) / 20 if len(d) > 1 else torch.rand(d) + 0.5
               for _, d in BLOCK_WEIGHTS]
    ids, target = (torch.randint(0, V, (count,)) for _ in range(2))
    zeros = [torch.zeros_like(w) for w in weights]
    return (ids, target, *weights, *zeros), \
        model_reference(ids, target, weights)


def test_a_tensor_parallel_transformer_trains():
    """Forward: embedding, attention and MLP are one all-reduce each, the loss
    three of one number per token; backward: the logits, MLP and attention one
    each. All gradients of weights are local."""
    program = model("transformer_tp", {"tp": "{divides 8}"}, "replicate",
                    lambda n: TP.get(n, "replicate"))
    args, expected = model_arguments(29)
    for size in sorted({harness.at_most(n) for n in (1, 2, 4)}):
        program.check({"tp": size}, args, expected, {"all_reduce": 9},
                      (1e-4, 1e-4))


def test_nothing_is_stated_inside_of_a_transformer():
    """Weights and tokens alone give what an expert's placements give."""
    program = model("transformer_free", {"tp": "{divides 8}"}, "replicate",
                    lambda n: TP.get(n, "replicate"), pins=False)
    args, expected = model_arguments(29)
    program.check({"tp": harness.at_most(2)}, args, expected,
                  {"all_reduce": 9}, (1e-4, 1e-4))


def test_nothing_is_reduced_twice():
    """On two axes, with nothing stated inside, users of one pending sum want it
    in different placements."""
    program = model("transformer_free_2d", {"dp": "", "tp": "{divides 8}"},
                    "shard(0), replicate",
                    lambda n: f"replicate, {TP.get(n, 'replicate')}",
                    pins=False)
    args, expected = model_arguments(29)
    program.check({"dp": 2, "tp": 2}, args, expected, None, (1e-4, 1e-4))
    plan = harness.planned(harness.temp("transformer_free_2d.mlir"))
    reduced = [line.split()[3] for line in plan.splitlines()
               if "dtensor.redistribute" in line
               and ("all_reduce" in line or "reduce_scatter" in line)]
    assert reduced and len(set(reduced)) == len(reduced), reduced


def test_a_transformer_trains_on_a_mesh_of_two_axes():
    """One sequence with its tokens sharded along "dp": keys and values are
    gathered along it. What moves is up to the costs."""
    program = model("transformer_2d", {"dp": "", "tp": "{divides 8}"},
                    "shard(0), replicate",
                    lambda n: f"replicate, {TP.get(n, 'replicate')}")
    args, expected = model_arguments(29)
    for mesh in ({"dp": 2, "tp": 1}, {"dp": 2, "tp": 2}):
        program.check(mesh, args, expected, None, (1e-4, 1e-4))


harness.main()
