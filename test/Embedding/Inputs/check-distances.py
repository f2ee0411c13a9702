"""Runs the distances of the outside compiler and compares with NumPy.

Arguments: dtensor-run, the folder with program.so.
"""

import subprocess
import sys

import numpy as np

run, folder = sys.argv[1:]
for entry in ("by_center", "by_width"):
    for size in (1, 2, 3, 4):
        for t, n, d in ((5, 4, 7), (1, 2, 3), (8, 8, 8)):
            rng = np.random.default_rng(size)
            tokens = rng.standard_normal((t, d), dtype=np.float32)
            centers = rng.standard_normal((n, d), dtype=np.float32)
            np.save(f"{folder}/t.npy", tokens)
            np.save(f"{folder}/c.npy", centers)
            subprocess.run(
                [run, f"{folder}/program.so", f"--entry={entry}",
                 f"--mesh=tp={size}", "--input", f"arg0={folder}/t.npy",
                 "--input", f"arg1={folder}/c.npy", "--output",
                 f"out0={folder}/out.npy"], check=True)
            apart = tokens[:, None].astype(np.float64) - centers[None]
            np.testing.assert_allclose(np.load(f"{folder}/out.npy"),
                                       (apart**2).sum(-1), rtol=1e-5,
                                       atol=1e-5)
