# REQUIRES: python
# RUN: %python %s %obj %t
"""Wrong arrays, meshes, bundles and paths given to dtensor-run."""

import os
import shutil
import struct
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

PROGRAM = """
#mesh = #dtensor.mesh<"tp" = ? {divides 4}>
#x = #dtensor.layout<#mesh, [shard(0)], (B, 4)>
#y = #dtensor.layout<#mesh, [shard(0)], (B)>
#z = #dtensor.layout<#mesh, [replicate], (2*B)>
func.func @f(%x: tensor<?x4xf32> {dtensor.layout = #x, dtensor.name = "x"},
             %y: tensor<?xf32> {dtensor.layout = #y, dtensor.name = "y"},
             %z: tensor<?xf32> {dtensor.layout = #z, dtensor.name = "z"})
    -> (tensor<?x4xf32> {dtensor.layout = #x, dtensor.name = "out"})
    attributes {dtensor.symbols = {B = {min = 2, max = 64, multiple_of = 2}}} {
  %0 = dtensor.unsqueeze %y {dims = [1]} : (tensor<?xf32>) -> tensor<?x1xf32>
  %1 = dtensor.add %x, %0 : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}
"""
FIXED = """
#mesh = #dtensor.mesh<"tp" = 2>
#x = #dtensor.layout<#mesh, [shard(0)], (B)>
func.func @f(%x: tensor<?xf32, #x>) -> tensor<?xf32, #x> {
  return %x : tensor<?xf32, #x>
}
"""


def bundle(text=PROGRAM, name="program"):
    return harness.compile_text(text, name).path


def arrays(batch=4):
    return {"x": np.ones((batch, 4), np.float32),
            "y": np.ones(batch, np.float32),
            "z": np.ones(2 * batch, np.float32)}


def run(inputs, *options, program=None, mesh="tp=2"):
    arguments = []
    for name, value in inputs.items():
        path = value
        if not isinstance(value, str):
            path = harness.temp(name + ".npy")
            np.save(path, value)
        arguments += ["--input", f"{name}={path}"]
    return harness.command(harness.tool("dtensor-run"), program or bundle(),
                           f"--mesh={mesh}", *arguments, *options)


def expect(result, *words):
    code, out, errors = result
    assert code == 1, f"exit code {code}: {out}{errors}"
    lines = errors.strip().splitlines()
    assert len(lines) == 1, f"not one line:\n{errors}"
    assert lines[0].startswith("dtensor-run: error: "), lines[0]
    for word in words:
        assert word in lines[0], f"no {word!r} in: {lines[0]}"


def test_the_right_input_runs():
    path = harness.temp("right.npy")
    code, _, errors = run(arrays(), "--output", f"out={path}")
    assert code == 0, errors
    assert (np.load(path) == 2).all()


def test_a_missing_argument():
    inputs = arrays()
    del inputs["y"]
    expect(run(inputs), "y")


def test_an_argument_too_many():
    expect(run({**arrays(), "w": np.ones(3, np.float32)}), "w")


def test_another_rank():
    expect(run({**arrays(), "x": np.ones((4, 4, 1), np.float32)}), "x", "3",
           "2")


def test_another_element_type():
    expect(run({**arrays(), "x": np.ones((4, 4), np.float64)}), "x", "f64",
           "f32")


def test_a_truncated_array():
    path = harness.temp("short.npy")
    np.save(path, np.ones((4, 4), np.float32))
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) - 5)
    expect(run({**arrays(), "x": path}), "short.npy", "64", "59")


def test_a_file_that_is_no_array():
    path = harness.temp("text.npy")
    with open(path, "w") as file:
        file.write("rows: 4, columns: 4, and so on\n" * 10)
    expect(run({**arrays(), "x": path}), "text.npy")
    expect(run({**arrays(), "x": harness.temp("absent.npy")}), "absent.npy")


def test_an_empty_file_and_a_folder():
    path = harness.temp("empty.npy")
    open(path, "w").close()
    expect(run({**arrays(), "x": path}), "empty.npy")
    expect(run({**arrays(), "x": harness.TEMP}), harness.TEMP)


def test_a_symbol_bound_twice():
    expect(run({**arrays(), "y": np.ones(6, np.float32)}), '"B"', '"x"', "4",
           '"y"', "6")


def test_an_extent_that_is_not_its_expression():
    expect(run({**arrays(), "z": np.ones(9, np.float32)}), '"z"', "9", "2*B",
           "8")


def test_a_static_dimension_of_another_size():
    expect(run({**arrays(), "x": np.ones((4, 5), np.float32)}), '"x"', "5",
           "4")


def test_declared_facts_of_symbols():
    expect(run(arrays(5)), '"B"', "5", "multiple of 2")
    expect(run(arrays(0)), '"B"', "0", "2")
    expect(run(arrays(66)), '"B"', "66", "64")


def test_declared_facts_of_the_mesh():
    expect(run(arrays(), mesh="tp=3"), "tp", "3", "4")
    expect(run({"arg0": np.ones(4, np.float32)}, mesh="tp=3",
               program=bundle(FIXED, "fixed")), "tp", "3", "2")


def test_axes_that_are_not_there():
    expect(run(arrays(), mesh="dp=2"), "tp")
    expect(run(arrays(), mesh="tp=2,dp=2"), "dp")
    expect(run(arrays(), mesh="tp=0"), "0")
    expect(run(arrays(), mesh="tp=two"), "two")
    expect(run(arrays(), mesh="tp=99999999999999999999"), "tp")


def test_an_entry_that_is_not_there():
    expect(run(arrays(), "--entry=g"), "g", "f")


def test_bundles_that_are_none():
    good = open(bundle(), "rb").read()
    cases = {"empty": b"", "text": b"func.func @f()\n" * 100,
             "cut": good[:-7], "half": good[:len(good) // 2],
             "head": good[:1000],
             "version": good[:-56] + struct.pack("<I", 999) + good[-52:],
             "flipped": good[:1999] + bytes([good[1999] ^ 1]) + good[2000:]}
    for name, content in cases.items():
        path = harness.temp(name + ".so")
        with open(path, "wb") as file:
            file.write(content)
        ours = str(harness.library().dtensor_rt_abi_version())
        words = ["999", ours] if name == "version" else []
        expect(run(arrays(), program=path), name + ".so", *words)
    expect(run(arrays(), program=harness.temp("absent.so")), "absent.so")
    expect(run(arrays(), program=harness.TEMP), harness.TEMP)


def test_an_elf_that_is_no_bundle():
    path = harness.temp("library.so")
    shutil.copy(os.path.join(harness.BUILD, "lib", "libdtensor_rt.so"), path)
    expect(run(arrays(), program=path), "library.so", "bundle")


def test_an_output_that_cannot_be_written():
    target = harness.temp("no/such/folder/out.npy")
    expect(run(arrays(), "--output", f"out={target}"), target)
    expect(run(arrays(), "--output", f"out={harness.TEMP}"), harness.TEMP)
    expect(run(arrays(), "--output", f"nothing={harness.temp('n.npy')}"),
           "nothing")


def test_a_failed_run_leaves_no_output():
    target = harness.temp("never.npy")
    expect(run({**arrays(), "y": np.ones(6, np.float32)}, "--output",
               f"out={target}"))
    left = [f for f in os.listdir(harness.TEMP) if f.startswith("never")]
    assert not left, left


harness.main()
