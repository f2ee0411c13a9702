# REQUIRES: python
# RUN: rm -rf %t && env DTENSOR_LIBRARY_PATH=%obj/lib DTENSOR_CACHE_DIR=%t/cache %python %s %t
"""Texts of programs, compiled and run with all ranks in this process."""

import gc
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "python"))
import dtensor_mlir

PROGRAM = """#world = #dtensor.mesh<"tp" = ?>
func.func @product(
    %a: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#world, [shard(1)], (M, K)>},
    %b: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#world, [shard(0)], (K, N)>},
    %f: f32) -> (tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#world, [replicate], (M, N)>}) {
  %0 = dtensor.matmul %a, %b : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %1 = dtensor.mul %0, %f : (tensor<?x?xf32>, f32) -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}
"""


def fails(kind, function, *words):
    try:
        function()
    except kind as error:
        for word in words:
            assert word in str(error), error
        return
    raise AssertionError("this should have failed")


def test_numpy_arrays_on_four_meshes_from_one_compilation():
    rng = np.random.default_rng(0)
    before = dtensor_mlir.compilations()
    for ranks in (1, 2, 3, 4):
        product = dtensor_mlir.compile(PROGRAM, {"tp": ranks})
        for m, k, n in ((3, 5, 2), (1, 1, 1), (0, 4, 2), (4, 8, 4)):
            a, b = rng.random((m, k), "f4"), rng.random((k, n), "f4")
            (result,) = product(a, b, 0.5)
            np.testing.assert_allclose(result, a @ b / 2, rtol=1e-5)
    assert dtensor_mlir.compilations() == before + 1


def test_an_executable_tells_what_it_takes():
    product = dtensor_mlir.compile(PROGRAM, {"tp": 2})
    assert [v.extents for v in product.args] == ["M, K", "K, N", ""]
    assert product.args[1].placements == ("shard(0)",)
    assert product.results[0].placements == ("replicate",)
    assert product.args[2].is_scalar
    assert set(product.symbols) == {"K", "M", "N"}
    launch = product.bind([(2, 5), (5, 3), 1.0])
    assert launch.box(1, 0) == ((2, 2), (0, 3))


def test_a_prepared_call_runs_on_the_same_memory_again_and_again():
    check_prepared_call()


def test_a_prepared_call_needs_nothing_in_c():
    from dtensor_mlir import _libraries
    found = _libraries.prepared_call
    assert found() is not None
    _libraries.prepared_call = lambda: None
    check_prepared_call()
    _libraries.prepared_call = found


def check_prepared_call():
    product = dtensor_mlir.compile(PROGRAM, {"tp": 2})
    launch = product.bind([(3, 4), (4, 5), 2.0])
    rng = np.random.default_rng(0)
    a, b = ([np.empty(launch.arg_boxes[r][i][0], "f4") for r in range(2)]
            for i in range(2))
    out = [np.empty((3, 5), "f4") for _ in range(2)]
    call = launch.prepare(
        [array.ctypes.data if array is not None else 0
         for r in range(2) for array in (a[r], b[r], None)],
        [array.ctypes.data for array in out])
    for _ in range(3):
        for array in a + b:
            array[...] = rng.random(array.shape, "f4")
        assert call() is None
        wanted = 2 * (np.concatenate(a, 1) @ np.concatenate(b, 0))
        for array in out:
            np.testing.assert_allclose(array, wanted, rtol=1e-5)
    assert launch.stats().collectives[1] == 1
    # Memory that overlaps is refused with the runtime's words.
    same = launch.prepare([a[0].ctypes.data, b[0].ctypes.data, 0,
                           a[1].ctypes.data, b[1].ctypes.data, 0],
                          [out[0].ctypes.data, out[0].ctypes.data])
    fails(dtensor_mlir.LaunchError, same, "shares memory")
    # The call keeps what it needs.
    del launch, product, same
    gc.collect()
    assert call() is None


def test_phases_are_texts():
    program = dtensor_mlir.Program(PROGRAM)
    assert "all_reduce" in program.emit("planned")
    assert "dtensor.all_reduce" in program.emit("local")


def test_errors_are_exceptions_with_places():
    fails(dtensor_mlir.CompileError,
          lambda: dtensor_mlir.Program("func.func @", "a.mlir"), "a.mlir:1:")
    product = dtensor_mlir.compile(PROGRAM, {"tp": 2})
    x = np.ones((2, 3), "f4")
    fails(dtensor_mlir.LaunchError, lambda: product(x, x, 1.0), "3", "2")
    fails(dtensor_mlir.LaunchError, lambda: product(x), "1 arguments")
    fails(dtensor_mlir.LaunchError,
          lambda: product(x.astype("f8"), x.T, 1.0), "float64", "f32")
    fails(dtensor_mlir.LaunchError,
          lambda: dtensor_mlir.compile(PROGRAM, {"dp": 2}), "dp")


def test_a_damaged_file_of_the_cache_is_written_anew():
    folder = dtensor_mlir.config.cache_dir
    for name in os.listdir(folder):
        if name.endswith(".so"):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(b"nothing")
    before = dtensor_mlir.compilations()
    dtensor_mlir.clear()
    dtensor_mlir.compile(PROGRAM, {"tp": 2})
    assert dtensor_mlir.compilations() == before + 1
    assert "torch" not in sys.modules


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
        print(f"{name}: passed")
