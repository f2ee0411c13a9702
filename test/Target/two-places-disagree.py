# RUN: %python %s %obj %t
"""A symbol that two arguments name must be the same in both."""
import os
import subprocess
import sys

import numpy as np

build, temp = sys.argv[1:]
os.makedirs(temp, exist_ok=True)
program = """
#l = #dtensor.layout<#dtensor.mesh<"tp" = ?>, [replicate], (B)>
func.func @f(%x: tensor<?xf32> {dtensor.name = "x"}, %y: tensor<?xf32> {dtensor.name = "y"},
    %B: index {dtensor.symbol = "B"}) -> tensor<?xf32>
    attributes {dtensor.global_type = (tensor<?xf32, #l>, tensor<?xf32, #l>) -> tensor<?xf32, #l>,
                dtensor.symbols = {B = {}}} {
  return %x : tensor<?xf32>
}
"""
bundle = os.path.join(temp, "f.so")
subprocess.run([f"{build}/bin/dtensor-compile", "--from-local", "-", "-o",
                bundle], input=program, text=True, check=True)
for name, size in (("x", 3), ("y", 4)):
    np.save(os.path.join(temp, name + ".npy"), np.zeros(size, np.float32))
run = subprocess.run([f"{build}/bin/dtensor-run", bundle, "--mesh", "tp=1",
                      "--input", f"x={temp}/x.npy", "--input",
                      f"y={temp}/y.npy"], capture_output=True, text=True)
expected = ('symbol "B" is 3 from argument "x" dim 0, but argument "y" dim 0 '
            'is 4')
assert run.returncode == 1 and expected in run.stderr, run
