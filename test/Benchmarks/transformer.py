"""Writes a training step of a transformer of many layers as a program.

    transformer.py [--layers=N] [--batches=N] [--annotate=all|first]
                   [--forward] [--small]

Rotary positions, grouped heads, gated feed-forward, cross-entropy over the
vocabulary, all gradients, summed over batches of one sequence each, one AdamW
step; bf16 on weights kept in f32. Tensor
parallel over "tp" in Megatron's placements, which all weights state, or only
those outside of the layers and of the first layer, beside the inputs.
"""

import argparse
import sys

PLACED = {"wq": "shard(1)", "wk": "shard(1)", "wv": "shard(1)",
          "wo": "shard(0)", "wg": "shard(1)", "wu": "shard(1)",
          "wd": "shard(0)"}


class Writer:
    """Lines of a program; every value is known with its type. All but the
    shared ones belong to one batch."""

    def __init__(self):
        self.lines, self.types, self.shared, self.batch = [], {}, set(), ""

    def name(self, value):
        return "%" + value + ("" if value in self.shared else self.batch)

    def __call__(self, results, op, operands, attributes=""):
        types = ", ".join(self.types[o] for o in operands)
        names = ", ".join(self.name(r) for r, _ in results)
        outs = ", ".join(t for _, t in results)
        self.types.update(results)
        values = ", ".join(self.name(o) for o in operands)
        self.lines.append(f"  {names} = dtensor.{op} {values} {attributes}: "
                          f"({types}) -> ({outs})")


class Model:
    def __init__(self, layers, batches, small):
        self.layers, self.batches = layers, batches
        self.D, self.H, self.K, self.E, self.F, self.V = \
            (64, 8, 4, 8, 96, 256) if small else \
            (4096, 32, 8, 128, 14336, 128256)
        self.w = Writer()
        D, F, V = self.D, self.F, self.V
        kv = self.K * self.E
        self.layer_weights = [
            ("n1", [D]), ("wq", [D, D]), ("wk", [D, kv]), ("wv", [D, kv]),
            ("wo", [D, D]), ("n2", [D]), ("wg", [D, F]), ("wu", [D, F]),
            ("wd", [F, D])]
        self.weights = [("table", [V, D])] + [
            (f"{n}_{i}", d) for i in range(layers)
            for n, d in self.layer_weights] + [("n3", [D]), ("head", [D, V])]

    @staticmethod
    def type(dims, element="bf16"):
        return "tensor<" + "".join(f"{d}x" for d in dims) + element + ">"

    def rows(self, *dims, element="bf16"):
        return self.type(("?",) + dims, element)

    #===- Forward ------------------------------------------------------------=#

    def heads(self, name, source, count):
        """[T, count * E] -> [count, T, E]"""
        w, E = self.w, self.E
        w([(name + "s", self.rows(count, E))], "unflatten", [source],
          f"{{dim = 1, sizes = [{count}, {E}]}} ")
        w([(name + "h", self.type([count, "?", E]))], "permute", [name + "s"],
          "{permutation = [1, 0, 2]} ")
        return name + "h"

    def unheads(self, name, source, count):
        w = self.w
        w([(name + "s", self.rows(count, self.E))], "permute", [source],
          "{permutation = [1, 0, 2]} ")
        w([(name + "f", self.rows(count * self.E))], "flatten", [name + "s"],
          "{start = 1, end = 2} ")
        return name + "f"

    def rotate(self, name, source, count, inverse=False):
        """Two halves of each head, turned by the position; back by the other
        sign."""
        w, half = self.w, self.E // 2
        part = self.type([count, "?", half])
        for p, at in ("a", 0), ("b", half):
            w.types[name + p] = part
            w.lines.append(
                f"  {w.name(name + p)} = dtensor.slice {w.name(source)} "
                f"[0, 0, {at}] "
                f"[{count}, T, {half}] [1, 1, 1] : ({w.types[source]}) -> {part}")
            for f in "cos", "sin":
                w([(name + p + f, part)], "mul", [name + p, f])
        first, second = ("add", "sub") if inverse else ("sub", "add")
        w([(name + "x", part)], first, [name + "acos", name + "bsin"])
        w([(name + "y", part)], second, [name + "bcos", name + "asin"])
        w([(name + "r", self.type([count, "?", self.E]))], "concat",
          [name + "x", name + "y"], "{dim = 2} ")
        return name + "r"

    def forward_layer(self, i, x):
        w, D, F = self.w, self.D, self.F
        n = lambda name: f"{name}_{i}"
        row, one = self.rows(D), self.rows(1, element="f32")
        w([(n("a"), row), (n("r1"), one)], "native_rms_norm", [x, n("n1")])
        for p, c in ("q", self.H), ("k", self.K), ("v", self.K):
            w([(n(p), self.rows(c * self.E))], "matmul", [n("a"), n("w" + p)])
            self.heads(n(p), n(p), c)
        q = self.rotate(n("q"), n("q") + "h", self.H)
        k = self.rotate(n("k"), n("k") + "h", self.K)
        heads = self.type([self.H, "?", self.E])
        w([(n("o"), heads)], "attention", [q, k, n("v") + "h"], "{causal} ")
        o = self.unheads(n("o"), n("o"), self.H)
        w([(n("o3"), row)], "matmul", [o, n("wo")])
        w([(n("b"), row)], "add", [x, n("o3")])
        w([(n("c"), row), (n("r2"), one)], "native_rms_norm",
          [n("b"), n("n2")])
        for p in "g", "u":
            w([(n(p), self.rows(F))], "matmul", [n("c"), n("w" + p)])
        w([(n("sg"), self.rows(F))], "silu", [n("g")])
        w([(n("h"), self.rows(F))], "mul", [n("sg"), n("u")])
        w([(n("m"), row)], "matmul", [n("h"), n("wd")])
        w([(n("y"), row)], "add", [n("b"), n("m")])
        return n("y")

    def forward(self):
        w = self.w
        w([("x", self.rows(self.D))], "embedding", ["ids", "table"])
        x = "x"
        for i in range(self.layers):
            x = self.forward_layer(i, x)
        self.last = x
        w([("z0", self.rows(self.D)), ("r3", self.rows(1, element="f32"))],
          "native_rms_norm", [x, "n3"])
        w([("z1", self.rows(self.V))], "matmul", ["z0", "head"])
        w([("z", self.rows(self.V, element="f32"))], "cast", ["z1"])
        w([("loss", "tensor<f32>")], "cross_entropy", ["z", "target"])

    #===- Backward -----------------------------------------------------------=#

    def linear_backward(self, name, grad, source, weight):
        """The gradient of the weight, and of what it was multiplied with."""
        w = self.w
        w([("d_" + weight, w.types[weight])], "matmul", [source, grad],
          "{transpose_a} ")
        w([(name, w.types[source])], "matmul", [grad, weight],
          "{transpose_b} ")
        return name

    def backward_layer(self, i, x, dy):
        w, D, F = self.w, self.D, self.F
        n = lambda name: f"{name}_{i}"
        row, wide = self.rows(D), self.rows(F)
        heads = lambda c: self.type([c, "?", self.E])
        dh = self.linear_backward(n("dh"), dy, n("h"), n("wd"))
        w([(n("du"), wide)], "mul", [dh, n("sg")])
        w([(n("ds"), wide)], "mul", [dh, n("u")])
        w([(n("dg"), wide)], "silu_backward", [n("ds"), n("g")])
        g = self.linear_backward(n("dcg"), n("dg"), n("c"), n("wg"))
        u = self.linear_backward(n("dcu"), n("du"), n("c"), n("wu"))
        w([(n("dc"), row)], "add", [g, u])
        w([(n("db1"), row), ("d_" + n("n2"), self.type([D]))],
          "rms_norm_backward", [n("dc"), n("b"), n("r2"), n("n2")])
        w([(n("db"), row)], "add", [dy, n("db1")])
        do = self.linear_backward(n("do"), n("db"), n("o") + "f", n("wo"))
        do = self.heads(n("do"), do, self.H)
        w([(n("dqr"), heads(self.H)), (n("dkr"), heads(self.K)),
           (n("dvr"), heads(self.K))], "attention_backward",
          [do, n("q") + "r", n("k") + "r", n("v") + "h", n("o")], "{causal} ")
        q = self.rotate(n("dq"), n("dqr"), self.H, inverse=True)
        k = self.rotate(n("dk"), n("dkr"), self.K, inverse=True)
        grads = []
        for p, value, c in (("q", q, self.H), ("k", k, self.K),
                            ("v", n("dvr"), self.K)):
            flat = self.unheads(n("e" + p), value, c)
            grads.append(self.linear_backward(n("da" + p), flat, n("a"),
                                              n("w" + p)))
        w([(n("da0"), row)], "add", grads[:2])
        w([(n("da"), row)], "add", [n("da0"), grads[2]])
        w([(n("dx1"), row), ("d_" + n("n1"), self.type([D]))],
          "rms_norm_backward", [n("da"), x, n("r1"), n("n1")])
        w([(n("dx"), row)], "add", [n("db"), n("dx1")])
        return n("dx")

    def backward(self):
        w, V, D = self.w, self.V, self.D
        w([("dzf", w.types["z"])], "cross_entropy_backward",
          ["dl", "z", "target"])
        w([("dz1", w.types["z1"])], "cast", ["dzf"])
        self.linear_backward("dz0", "dz1", "z0", "head")
        w([("dy", self.rows(D)), ("d_n3", self.type([D]))],
          "rms_norm_backward", ["dz0", self.last, "r3", "n3"])
        dy = "dy"
        for i in reversed(range(self.layers)):
            x = f"y_{i - 1}" if i else "x"
            dy = self.backward_layer(i, x, dy)
        w([("d_table", self.type([V, D]))], "embedding_backward", [dy, "ids"],
          f"{{size = {V}}} ")

    #===- The program --------------------------------------------------------=#

    def positions(self):
        w, half = self.w, self.E // 2
        w.types.update({n: self.rows(half) for n in ("cos", "sin")})
        angle = self.rows(half, element="f32")
        w.lines.append(f"  %position = dtensor.iota {{dim = 0, sizes = "
                       f"[#dtensor.expr<T>, {half}]}} : () -> {angle}")
        w.types.update(position=angle,
                       frequencies=self.type([half], "f32"))
        w([("angle", angle)], "mul", ["position", "frequencies"])
        for f in "cos", "sin":
            w([(f + "f", angle)], f, ["angle"])
            w([(f, self.rows(half))], "cast", [f + "f"])

    def sum_gradients(self, name, type_):
        for batch in self.suffixes()[1:]:
            value = name + batch
            self.w.types[value] = type_
            self.w([(value + "s", type_)], "add", [name, value])
            name = value + "s"
        return name

    def suffixes(self):
        return [""] + [f"_b{i}" for i in range(1, self.batches)]

    def step(self):
        """All masters, means and squares at once."""
        names = [n for n, _ in self.weights]
        types = [self.type(d, "f32") for _, d in self.weights]
        every = lambda p: ", ".join(f"%{p}{n}" for n in names)
        for n, d in self.weights:
            total = self.sum_gradients("d_" + n, self.type(d))
            self.w([("g_" + n, self.type(d, "f32"))], "cast", [total])
        self.w.lines.append(
            "  " + ", ".join(f"%{p}{n}" for p in ("new_", "nm_", "nv_")
                             for n in names) +
            f" = dtensor.adamw_step lr(%lr) step(%one) params({every('p_')}) "
            f"grads({every('g_')}) means({every('m_')}) "
            f"squares({every('v_')}) {{weight_decay = 0.1}} : (f32, f32, " +
            ", ".join(types * 4) + ") -> (" + ", ".join(types * 3) + ")")

    def text(self, annotate, forward):
        w = self.w
        w.types.update(ids="tensor<?xi64>", target="tensor<?xi64>",
                       dl="tensor<f32>")
        self.positions()
        for n, d in self.weights:
            w.types["p_" + n] = self.type(d, "f32")
            w([(n, self.type(d))], "cast", ["p_" + n])
        w.shared = set(w.types) - {"ids", "target"}
        for w.batch in self.suffixes():
            self.forward()
            if not forward:
                self.backward()
        w.batch = ""
        if not forward:
            self.step()
        return "\n".join([self.header(annotate, forward)] + w.lines +
                         [self.ending(forward), "}", ""])

    def header(self, annotate, forward):
        layout = lambda p, e: (f" {{dtensor.layout = #dtensor.layout<#mesh, "
                               f"[{p}], ({e})>}}")
        arguments = [f"%{n}{b}: tensor<?xi64>{layout('replicate', 'T')}"
                     for n in ("ids", "target") for b in self.suffixes()]
        arguments.append("%frequencies: " + self.type([self.E // 2], "f32") +
                         layout("replicate", self.E // 2))
        results = ["tensor<f32>" + layout("replicate", "")] * self.batches
        for prefix in ["p_"] + ([] if forward else ["m_", "v_"]):
            for n, d in self.weights:
                where = self.placement(n, annotate)
                text = self.type(d, "f32")
                if where:
                    text += layout(where, ", ".join(map(str, d)))
                arguments.append(f"%{prefix}{n}: {text}")
                if not forward:
                    results.append(text)
        return ("#mesh = #dtensor.mesh<\"tp\" = ? {divides " +
                f"{self.K}, hint {self.K}}}>\nfunc.func @step(" +
                ",\n    ".join(arguments) + ")\n    -> (" +
                ",\n        ".join(results) +
                ")\n    attributes {dtensor.symbols = {T = {hint = 2048}}} {\n"
                "  %one = arith.constant 1.0 : f32\n"
                "  %lr = arith.constant 0.01 : f32\n"
                "  %dl = dtensor.full %one : (f32) -> tensor<f32>")

    def placement(self, name, annotate):
        if annotate == "first" and name[-2:] != "_0" and "_" in name:
            return None
        own = {"table": "shard(0)", "head": "shard(1)"}
        return own.get(name) or PLACED.get(name.split("_")[0], "replicate")

    def ending(self, forward):
        names = ["loss" + b for b in self.suffixes()]
        types = ["tensor<f32>"] * self.batches
        if not forward:
            names += [p + n for p in ("new_", "nm_", "nv_")
                      for n, _ in self.weights]
            types += [self.type(d, "f32") for _, d in self.weights] * 3
        return ("  return " + ", ".join("%" + n for n in names) + " : " +
                ", ".join(types))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--batches", type=int, default=1)
    parser.add_argument("--annotate", choices=["all", "first"], default="all")
    parser.add_argument("--forward", action="store_true")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    model = Model(options.layers, options.batches, options.small)
    sys.stdout.write(model.text(options.annotate, options.forward))


if __name__ == "__main__":
    main()
