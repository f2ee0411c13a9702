# REQUIRES: python
# RUN: %python %s %obj %t
"""Random numbers are the same on every mesh: those of Philox in NumPy."""

import os
import re
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
import philox
from conform import *

MN = ["M", "N"]
FLOATS = ("f32", "f64", "f16", "bf16")
SIZES_MN = "sizes = [#dtensor.expr<M>, #dtensor.expr<N>]"


def number(shape, dtype, _):
    """Any 64 bits."""
    return torch.randint(-2**63, 2**63 - 1, shape, dtype=torch.int64)


SEED, OFFSET = ([], "i64", number), ([], "i64", number)


def scalar(value):
    return int(value.reshape(()))


def rand(x, seed, offset, dtype):
    drawn = philox.draw(tuple(x.shape), scalar(seed), scalar(offset))
    return torch.from_numpy(philox.uniform(drawn, dtype)).to(TORCH[dtype])


def randn(x, seed, offset, dtype):
    drawn = philox.draw(tuple(x.shape), scalar(seed), scalar(offset))
    return torch.from_numpy(philox.normal(drawn, dtype)).to(TORCH[dtype])


def uniform_cases(dtype):
    """An operand binds the sizes and asks for a placement."""
    t = tensor(MN, dtype)
    return [
        Case(f"rand_{dtype}", [(MN, dtype), SEED, OFFSET], [t, t],
             f"%r0 = dtensor.rand %b, %c {{{SIZES_MN}}} : ($B, $C) -> $0\n"
             "%r1 = dtensor.sub %a, %r0 : ($A, $0) -> $1",
             lambda x, s, o: [rand(x, s, o, dtype),
                              x - rand(x, s, o, dtype)],
             tolerance=(0, 0)),
        Case(f"randn_{dtype}", [(MN, dtype), SEED, OFFSET], t,
             f"%0 = dtensor.randn %b, %c {{{SIZES_MN}}} : ($B, $C) -> $0\n"
             "%r0 = dtensor.add %a, %0 : ($A, $0) -> $0",
             lambda x, s, o: x + randn(x, s, o, dtype),
             tolerance=(2e-2, 2e-2) if dtype == "bf16" else None if
             dtype != "f32" else (1e-5, 5e-6)),
    ]


def bernoulli(p, seed, offset):
    wide = "f64" if p.dtype == torch.float64 else "f32"
    drawn = philox.draw(tuple(p.shape), scalar(seed), scalar(offset))
    return torch.from_numpy(philox.uniform(drawn, wide)) < p.double()


def probability(shape, dtype, _):
    return torch.rand(shape, dtype=torch.float64).to(TORCH[dtype])


def bernoulli_cases(dtype):
    return [Case(f"bernoulli_{dtype}_{to}", [(MN, dtype, probability), SEED,
                                             OFFSET], tensor(MN, to),
                 "%r0 = dtensor.bernoulli %a, %b, %c : ($A, $B, $C) -> $0",
                 bernoulli, tolerance=(0, 0)) for to in (dtype, "i1", "i32")]


def dropout(p):
    def compute(x, seed, offset):
        drawn = philox.draw(tuple(x.shape), scalar(seed), scalar(offset))
        kept = torch.from_numpy(philox.uniform(drawn, "f32") >=
                                np.float32(p))
        scale = 1 / (1 - p) if p < 1 else 0
        wide = x if x.dtype == torch.float64 else x.float()
        zero = torch.zeros((), dtype=wide.dtype)
        g = torch.ones_like(x)
        back = torch.ops.aten.native_dropout_backward(g, kept, scale)
        return [torch.where(kept, wide * scale, zero).to(x.dtype), kept, back]
    return compute


def dropout_cases(dtype, ps=(0.25, 0.0, 1.0)):
    t = tensor(["B", "M", "N"], dtype)
    return [Case(
        f"dropout_{p}_{dtype}".replace(".", "_"),
        [(["B", "M", "N"], dtype, normal), SEED, OFFSET],
        [t, tensor(["B", "M", "N"], "i1"), t],
        f"%r0, %r1 = dtensor.dropout %a, %b, %c {{p = {p}}} : ($A, $B, $C) -> "
        "($0, $1)\n"
        "%one = arith.constant 1.0 : " + dtype + "\n"
        "%g = dtensor.full %one {sizes = [#dtensor.expr<B>, #dtensor.expr<M>, "
        f"#dtensor.expr<N>]}} : ({dtype}) -> $2\n"
        "%r2 = dtensor.dropout_backward %g, %r1 {scale = "
        f"{1 / (1 - p) if p < 1 else 0.0}}} : ($2, $1) -> $2",
        dropout(p)) for p in ps]


def test_the_oracle_knows_the_published_numbers():
    for counter, key, expected in philox.KNOWN:
        found = tuple(int(w) for w in philox.words(counter, key))
        assert found == expected, f"{found} is not {expected}"


def test_the_first_number_is_published():
    """f64 shows 53 bits of the first two words."""
    text = """
#mesh = #dtensor.mesh<"tp" = ?>
func.func @known(%x: tensor<?xf64> {dtensor.layout =
    #dtensor.layout<#mesh, [shard(0)], (N)>}) -> tensor<?xf64> {
  %zero = arith.constant 0 : i64
  %0 = dtensor.rand %zero, %zero {sizes = [#dtensor.expr<N>]} : (i64, i64) -> tensor<?xf64>
  return %0 : tensor<?xf64>
}
"""
    bundle = harness.compile_text(text, "known")
    for size in sorted({harness.at_most(n) for n in (1, 2, 3)}):
        (result,), _ = bundle.run({"tp": size}, np.zeros(5))
        word = philox.KNOWN[0][2]
        bits = (word[0] << 32 | word[1]) >> 11
        assert result[0] == bits * 2.0 ** -53, result[0]


def test_positions_have_64_bits():
    """The program of one rank, told that its rows begin past element 2^32: too
    many to be drawn all."""
    text = """
#mesh = #dtensor.mesh<"tp" = ?>
func.func @far(%x: tensor<?xf32> {dtensor.layout =
    #dtensor.layout<#mesh, [shard(0)], (N)>}) -> tensor<?x64xf64> {
  %seed = arith.constant 81985529216486895 : i64
  %offset = arith.constant -3 : i64
  %0 = dtensor.rand %seed, %offset {sizes = [#dtensor.expr<N>, 64]} : (i64, i64) -> tensor<?x64xf64>
  return %0 : tensor<?x64xf64>
}
"""
    path, rows = harness.temp("far.mlir"), 2**26 + 5
    with open(path, "w") as file:
        file.write(text)
    code, local, errors = harness.command(harness.tool("dtensor-compile"), path,
                                          "--emit=local", "-o", "-")
    assert code == 0, errors
    shifted, count = re.subn(
        r"(%\w+ = linalg.index 0 : index\n\s*)(%\w+) = arith.addi",
        rf"\1%rows = arith.constant {rows} : index\n"
        r"%near = arith.addi %first, %rows : index\n\2 = arith.addi", local)
    assert count == 1, local
    shifted = re.sub(r"(%near = arith.addi )%first(.*\n.*= arith.addi )(%\w+)",
                     r"\1\3\2%near", shifted)
    with open(path, "w") as file:
        file.write(shifted)
    bundle = harness.compile_file(path, "--from-local")
    (result,), _ = bundle.run({"tp": 1}, np.zeros(4, np.float32))
    drawn = philox.draw((4, 64), 81985529216486895, -3, first=rows * 64)
    assert rows * 64 > 2**32
    assert (result == philox.uniform(drawn, "f64")).all()


def test_on_one_axis():
    sweep_1d("random", uniform_cases("f32") + bernoulli_cases("f32") +
             dropout_cases("f32"), count=3)


def test_on_two_axes():
    sweep_2d("random", uniform_cases("f32") + bernoulli_cases("f32")[:1] +
             dropout_cases("f32")[:1], count=3)


def test_other_types():
    sweep_1d("random-types", [c for d in FLOATS[1:] for c in
                              uniform_cases(d) + bernoulli_cases(d)[:1] +
                              dropout_cases(d)[:1]], count=1)


def test_the_numbers_look_random():
    """Of 10^6 numbers: moments within five standard errors."""
    text = """
#mesh = #dtensor.mesh<"tp" = ?>
func.func @moments(%x: tensor<?xf32> {dtensor.layout =
    #dtensor.layout<#mesh, [shard(0)], (N)>}, %seed: tensor<i64> {
    dtensor.layout = #dtensor.layout<#mesh, [replicate], ()>})
    -> (tensor<?xf32>, tensor<?xf32>) {
  %one = arith.constant 1 : i64
  %two = arith.constant 2 : i64
  %0 = dtensor.rand %seed, %one {sizes = [#dtensor.expr<N>]} : (tensor<i64>, i64) -> tensor<?xf32>
  %1 = dtensor.randn %seed, %two {sizes = [#dtensor.expr<N>]} : (tensor<i64>, i64) -> tensor<?xf32>
  return %0, %1 : tensor<?xf32>, tensor<?xf32>
}
"""
    bundle, count = harness.compile_text(text, "moments"), 10**6
    (u, n), _ = bundle.run({"tp": 2}, np.zeros(count, np.float32),
                           np.array(7, np.int64))
    error = 5 / np.sqrt(count)
    assert 0 <= u.min() and u.max() < 1
    assert abs(u.mean() - 0.5) < error * np.sqrt(1 / 12)
    assert abs(n.mean()) < error and abs(n.var() - 1) < error * np.sqrt(2)
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < error
    assert abs(np.corrcoef(u, n)[0, 1]) < error


harness.main()
