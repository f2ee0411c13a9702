# RUN: %python %s %obj %t
"""Programs in the local view give what NumPy gives, on one rank and on more."""
import os
import subprocess
import sys

import numpy as np

build, temp = sys.argv[1:]
os.makedirs(temp, exist_ok=True)
random = np.random.default_rng(0)

PRODUCT = """
#mesh = #dtensor.mesh<"tp" = ?>
#a = #dtensor.layout<#mesh, [shard(0)], (M, K)>
#b = #dtensor.layout<#mesh, [replicate], {b_extents}>
#c = #dtensor.layout<#mesh, [shard(0)], (M, N)>
func.func @product(%a: tensor<?x?x{t}> {{dtensor.name = "a"}}, %b: tensor<?x?x{t}> {{dtensor.name = "b"}},
    %K: index {{dtensor.symbol = "K"}}, %M: index {{dtensor.symbol = "M"}}, %N: index {{dtensor.symbol = "N"}},
    %n: index {{dtensor.axis_size = "tp"}}, %r: index {{dtensor.axis_index = "tp"}}) -> tensor<?x?x{u}>
    attributes {{dtensor.global_type = (tensor<?x?x{t}, #a>, tensor<?x?x{t}, #b>) -> tensor<?x?x{u}, #c>,
                dtensor.symbols = {{K = {{}}, M = {{}}, N = {{}}}}}} {{
  %c0 = arith.constant 0 : index
  %zero = arith.constant {zero} : {u}
  %m = tensor.dim %a, %c0 : tensor<?x?x{t}>
  %e = tensor.empty(%m, %N) : tensor<?x?x{u}>
  %f = linalg.fill ins(%zero : {u}) outs(%e : tensor<?x?x{u}>) -> tensor<?x?x{u}>
  %p = linalg.generic {{indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> {b_map}>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}} ins(%a, %b : tensor<?x?x{t}>, tensor<?x?x{t}>) outs(%f : tensor<?x?x{u}>) {{
  ^bb0(%x: {t}, %y: {t}, %o: {u}):
    {body}
    linalg.yield %s : {u}
  }} -> tensor<?x?x{u}>
  return %p : tensor<?x?x{u}>
}}
"""
PLAIN = """%q = arith.mul{k} %x, %y : {u}
    %s = arith.add{k} %o, %q : {u}"""
WIDE = """%v = arith.extf %x : {t} to {u}
    %w = arith.extf %y : {t} to {u}
    %q = arith.mulf %v, %w : {u}
    %s = arith.addf %o, %q : {u}"""


def compile(text):
    bundle = os.path.join(temp, "program.so")
    subprocess.run([f"{build}/bin/dtensor-compile", "--from-local", "-", "-o",
                    bundle], input=text, text=True, check=True)
    return bundle


def run(bundle, ranks, **arrays):
    command = [f"{build}/bin/dtensor-run", bundle, "--mesh", f"tp={ranks}",
               "--output-dir", temp]
    for name, array in arrays.items():
        np.save(os.path.join(temp, name + ".npy"), array)
        command += ["--input", f"{name}={temp}/{name}.npy"]
    subprocess.run(command, check=True)
    return np.load(os.path.join(temp, "out0.npy"))


def check_product(t, u, transposed):
    floats = t.startswith("f")
    body = (PLAIN if t == u else WIDE).format(k="f" if floats else "i", t=t, u=u)
    bundle = compile(PRODUCT.format(
        t=t, u=u, body=body, zero="-0.0" if floats else "0",
        b_extents="(N, K)" if transposed else "(K, N)",
        b_map="(n, k)" if transposed else "(k, n)"))
    dtype = {"f16": np.float16, "f32": np.float32, "f64": np.float64,
             "i32": np.int32}[t]
    for m, n, k in ((0, 5, 3), (5, 0, 3), (4, 3, 0), (1, 1, 1), (7, 17, 300),
                    (13, 33, 513), (64, 64, 64)):
        a = (8 * random.standard_normal((m, k))).astype(dtype)
        b = (8 * random.standard_normal((k, n))).astype(dtype)
        wide = np.float64 if floats else np.int64
        expected = a.astype(wide) @ b.astype(wide)
        scale = np.abs(a.astype(wide)) @ np.abs(b.astype(wide))
        for ranks in (1, 3):
            actual = run(bundle, ranks, a=a, b=b.T if transposed else b)
            assert actual.shape == (m, n), actual.shape
            assert (np.abs(actual - expected) <= 1e-6 * scale).all(), \
                (t, u, transposed, m, n, k, ranks)


for t, u in (("f32", "f32"), ("f64", "f64"), ("i32", "i32"), ("f16", "f32")):
    for transposed in (False, True):
        check_product(t, u, transposed)
