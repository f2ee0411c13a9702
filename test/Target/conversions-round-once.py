# RUN: %python %s %obj %t
"""f64 to f16 is rounded once, and integer powers and expm1 are exact enough."""
import os
import subprocess
import sys

import numpy as np

build, temp = sys.argv[1:]
os.makedirs(temp, exist_ok=True)
np.seterr(all="ignore")
BODY = """
  %d{i} = tensor.empty(%m) : tensor<?x{u}>
  %r{i} = linalg.generic {{indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}}
      ins(%x, %k : tensor<?xf64>, tensor<?xi64>) outs(%d{i} : tensor<?x{u}>) {{
  ^bb0(%a: f64, %b: i64, %o: {u}):
    {op}
    linalg.yield %s : {u}
  }} -> tensor<?x{u}>"""
OPS = [("f16", "%s = arith.truncf %a : f64 to f16"),
       ("f64", "%s = math.expm1 %a : f64"),
       ("f64", "%s = math.log1p %a : f64"),
       ("i64", "%c3 = arith.constant 3 : i64\n"
               "    %s = math.ipowi %b, %c3 : i64")]
types = ", ".join(f"tensor<?x{u}>" for u, _ in OPS)
layouts = ", ".join(f"tensor<?x{u}, #l>" for u, _ in OPS)
text = f"""
#id = affine_map<(i) -> (i)>
#l = #dtensor.layout<#dtensor.mesh<"tp" = ?>, [shard(0)], (N)>
func.func @f(%x: tensor<?xf64> {{dtensor.name = "x"}}, %k: tensor<?xi64> {{dtensor.name = "k"}},
    %N: index {{dtensor.symbol = "N"}}) -> ({types})
    attributes {{dtensor.global_type = (tensor<?xf64, #l>, tensor<?xi64, #l>) -> ({layouts}),
                dtensor.symbols = {{N = {{}}}}}} {{
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?xf64>
{"".join(BODY.format(i=i, u=u, op=op) for i, (u, op) in enumerate(OPS))}
  return {", ".join(f"%r{i}" for i in range(len(OPS)))} : {types}
}}
"""
bundle = os.path.join(temp, "f.so")
subprocess.run([f"{build}/bin/dtensor-compile", "--from-local", "-", "-o",
                bundle], input=text, text=True, check=True)
random = np.random.default_rng(0)
x = np.concatenate([random.standard_normal(500) * s for s in (1e-9, 1e-6, 1, 3e4)]
                   + [[0, np.inf, -np.inf, np.nan, 65504, 65519.999, 65520,
                       1e300, 2.0**-25, 2.0**-25 * (1 + 1e-12), 1 + 2.0**-11,
                       1 + 2.0**-11 + 2.0**-40]])
k = random.integers(-1000, 1000, x.size)
np.save(f"{temp}/x.npy", x)
np.save(f"{temp}/k.npy", k)
subprocess.run([f"{build}/bin/dtensor-run", bundle, "--mesh", "tp=2", "--input",
                f"x={temp}/x.npy", "--input", f"k={temp}/k.npy",
                "--output-dir", temp], check=True)
half, expm1, log1p, power = (np.load(f"{temp}/out{i}.npy") for i in range(4))
np.testing.assert_array_equal(half, x.astype(np.float16))
np.testing.assert_allclose(expm1, np.expm1(x), rtol=1e-14)
np.testing.assert_allclose(log1p, np.log1p(x), rtol=1e-14)
np.testing.assert_array_equal(power, k**3)
