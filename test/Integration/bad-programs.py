# REQUIRES: python-tools
# RUN: %python %s %obj %t
"""Wrong programs: one clear message with a place and numbers, nothing written."""

import os
import re
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

MESH = '#mesh = #dtensor.mesh<"tp" = ?>\n'
ROWS = "#rows = #dtensor.layout<#mesh, [shard(0)], (B, 4)>\n"
WHOLE = "#whole = #dtensor.layout<#mesh, [replicate], (B, 4)>\n"


def layout(placements, extents="B, 4", mesh="#mesh"):
    return f"#l = #dtensor.layout<{mesh}, [{placements}], ({extents})>\n"


IDENTITY = """func.func @f(%x: tensor<?x4xf32, #l>) -> tensor<?x4xf32, #l> {
  return %x : tensor<?x4xf32, #l>
}
"""


def compile_bad(text, name, *options):
    """The messages of a compilation that must fail."""
    path, target = harness.temp(name + ".mlir"), harness.temp(name + ".so")
    with open(path, "w") as file:
        file.write(text)
    if os.path.exists(target):
        os.remove(target)
    code, _, errors = harness.command(harness.tool("dtensor-compile"), path,
                                      "-o", target, *options)
    assert code == 1, f"exit code {code}: {errors[:1000]}"
    left = [f for f in os.listdir(harness.TEMP) if f.startswith(name + ".so")]
    assert not left, f"left behind: {left}"
    return errors


def expect(text, name, *words):
    errors = compile_bad(text, name)
    lines = [l for l in errors.splitlines() if "error:" in l]
    assert len(lines) == 1, f"not one error:\n{errors[:2000]}"
    assert re.search(rf"{name}\.mlir:\d+:\d+: error: ", lines[0]), \
        f"no place: {lines[0]}"
    message = lines[0].split("error: ", 1)[1]
    # A note may hold one of the two values.
    notes = "\n".join(l for l in errors.splitlines() if "note:" in l)
    for word in words:
        assert word in message or word in notes, \
            f"no {word!r} in: {message}\n{notes}"
    assert not message.endswith("."), message


def test_a_placement_too_many():
    expect(MESH + layout("shard(0), replicate") + IDENTITY, "too_many", "2",
           "1", "placements")


def test_a_placement_too_few():
    mesh = '#mesh = #dtensor.mesh<"dp" = 2, "tp" = ?>\n'
    expect(mesh + layout("shard(0)") + IDENTITY, "too_few", "1", "2")


def test_a_shard_of_a_dimension_that_is_not_there():
    expect(MESH + layout("shard(2)") + IDENTITY, "dim", "shard", "2", "rank 2")


def test_extents_of_another_rank():
    expect(MESH + layout("shard(0)", "B") + IDENTITY, "rank", "1", "2")


def test_a_static_size_that_contradicts_its_extent():
    expect(MESH + layout("shard(0)", "B, 5") + IDENTITY, "static", "4", "5")


def test_an_unknown_axis_in_the_order():
    mesh = '#mesh = #dtensor.mesh<"dp" = 2, "tp" = ?>\n'
    expect(mesh + '#l = #dtensor.layout<#mesh, [shard(0), shard(0)] order = '
           '["tp", "xp"], (B, 4)>\n' + IDENTITY, "order", "xp")


def test_an_unknown_axis_in_a_declaration():
    text = MESH + layout("shard(0)") + IDENTITY.replace(
        " {\n", ' attributes {dtensor.symbols = {B = {multiple_of = "xp"}}} '
        "{\n", 1)
    expect(text, "declared", "xp")


def test_two_meshes_in_one_op():
    expect(MESH + '#other = #dtensor.mesh<"tp" = 4>\n' + ROWS +
           "#l = #dtensor.layout<#other, [shard(0)], (B, 4)>\n"
           "func.func @f(%x: tensor<?x4xf32, #rows>) -> tensor<?x4xf32, #l> {\n"
           "  %0 = dtensor.redistribute %x : tensor<?x4xf32, #rows> to "
           "tensor<?x4xf32, #l>\n"
           "  return %0 : tensor<?x4xf32, #l>\n}\n", "meshes", "mesh")


def test_two_meshes_among_plain_arguments():
    expect('#one = #dtensor.mesh<"tp" = 2>\n#two = #dtensor.mesh<"tp" = 4>\n'
           "func.func @f(%x: tensor<?xf32> {dtensor.layout = "
           "#dtensor.layout<#one, [shard(0)], (B)>}, %y: tensor<?xf32> "
           "{dtensor.layout = #dtensor.layout<#two, [shard(0)], (B)>}) -> "
           "tensor<?xf32> {\n"
           "  %0 = dtensor.add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> "
           "tensor<?xf32>\n  return %0 : tensor<?xf32>\n}\n", "plain_meshes",
           "mesh")


def test_a_forbidden_redistribution():
    expect(MESH + ROWS + "#sum = #dtensor.layout<#mesh, [partial(sum)], (B, 4)>"
           "\nfunc.func @f(%x: tensor<?x4xf32, #rows>) -> "
           "tensor<?x4xf32, #sum> {\n"
           "  %0 = dtensor.redistribute %x : tensor<?x4xf32, #rows> to "
           "tensor<?x4xf32, #sum>\n  return %0 : tensor<?x4xf32, #sum>\n}\n",
           "forbidden", "shard(0)", "partial(sum)", '"tp"')


def product(k1, k2, kinds=("?", "?")):
    def l(*extents):
        return f"#dtensor.layout<#mesh, [replicate], ({', '.join(extents)})>"
    a, b = f"tensor<?x{kinds[0]}xf32>", f"tensor<{kinds[1]}x?xf32>"
    return (MESH + f"func.func @f(%a: {a} {{dtensor.layout = {l('M', k1)}}}, "
            f"%b: {b} {{dtensor.layout = {l(k2, 'N')}}}) -> tensor<?x?xf32> {{\n"
            f"  %0 = dtensor.matmul %a, %b : ({a}, {b}) -> tensor<?x?xf32>\n"
            "  return %0 : tensor<?x?xf32>\n}\n")


def test_contracting_extents_that_differ():
    expect(product("3", "4", ("3", "4")), "static_k", "3", "4")


def test_contracting_extents_that_differ_for_every_k():
    expect(product("K", "K + 1"), "symbolic_k", "K", "K + 1")


def test_a_broadcast_of_a_symbol():
    # Only a literal 1 broadcasts.
    def l(extent):
        return f"{{dtensor.layout = #dtensor.layout<#mesh, [replicate], ({extent})>}}"
    expect(MESH + f"func.func @f(%a: tensor<5xf32> {l(5)}, %b: tensor<3xf32> "
           f"{l(3)}) -> tensor<5xf32> {{\n"
           "  %0 = dtensor.add %a, %b : (tensor<5xf32>, tensor<3xf32>) -> "
           "tensor<5xf32>\n  return %0 : tensor<5xf32>\n}\n", "broadcast", "5",
           "3")


def test_a_symbol_that_nothing_binds():
    expect(MESH + "#two = #dtensor.layout<#mesh, [shard(0)], (2*K)>\n"
           "func.func @f(%x: tensor<?xf32, #two>) -> tensor<?xf32, #two> {\n"
           "  return %x : tensor<?xf32, #two>\n}\n", "unbound", '"K"')


def test_an_op_without_a_rule():
    expect(MESH + "func.func @f(%x: tensor<?xf32> {dtensor.layout = "
           "#dtensor.layout<#mesh, [shard(0)], (B)>}, %i: tensor<1x1xindex>, "
           "%y: tensor<1xf32>) -> tensor<?xf32> {\n"
           "  %0 = tensor.scatter %y into %x[%i] scatter_dims([0]) unique : "
           "(tensor<1xf32>, tensor<?xf32>, tensor<1x1xindex>) -> tensor<?xf32>"
           "\n  return %0 : tensor<?xf32>\n}\n", "no_rule", "tensor.scatter")


def test_a_pending_partial_that_the_boundary_does_not_declare():
    expect(MESH + WHOLE +
           "#sum = #dtensor.layout<#mesh, [partial(sum)], (B, 4)>\n"
           "func.func @f(%x: tensor<?x4xf32, #sum>) -> tensor<?x4xf32, #whole> "
           "{\n  return %x : tensor<?x4xf32, #sum>\n}\n", "pending",
           "partial(sum)", "replicate")


def test_a_collective_that_not_every_rank_joins():
    text = (MESH + ROWS + WHOLE +
            "func.func @f(%x: tensor<?x4xf32, #rows>, %y: tensor<?x4xf32, "
            "#whole>) -> tensor<?x4xf32, #whole> {\n"
            '  %r = dtensor.axis_index #mesh "tp"\n'
            "  %zero = arith.constant 0 : index\n"
            "  %first = arith.cmpi eq, %r, %zero : index\n"
            "  %0 = scf.if %first -> tensor<?x4xf32, #whole> {\n"
            "    %1 = dtensor.redistribute %x : tensor<?x4xf32, #rows> to "
            "tensor<?x4xf32, #whole>\n"
            "    scf.yield %1 : tensor<?x4xf32, #whole>\n  } else {\n"
            "    scf.yield %y : tensor<?x4xf32, #whole>\n  }\n"
            "  return %0 : tensor<?x4xf32, #whole>\n}\n")
    expect(text, "divergent", "uniform")


def test_recursion():
    expect(MESH + "#l = #dtensor.layout<#mesh, [shard(0)], (B)>\n"
           "func.func @f(%x: tensor<?xf32, #l>) -> tensor<?xf32, #l> {\n"
           "  %0 = func.call @f(%x) : (tensor<?xf32, #l>) -> tensor<?xf32, #l>"
           "\n  return %0 : tensor<?xf32, #l>\n}\n", "recursion", "recurs")


def test_a_file_that_is_not_there():
    code, _, errors = harness.command(harness.tool("dtensor-compile"),
                                      harness.temp("absent.mlir"), "-o",
                                      harness.temp("absent.so"))
    assert code == 1 and "absent.mlir" in errors, errors


def test_an_output_that_cannot_be_written():
    target = harness.temp("no/such/folder/out.so")
    code, _, errors = harness.command(
        harness.tool("dtensor-compile"), harness.example("mlp.mlir"), "-o",
        target)
    assert code == 1 and target in errors, errors


def test_an_output_that_is_no_file_stays_what_it_is():
    # As /dev/null: written to, and not replaced.
    pipe = harness.temp("pipe")
    if os.path.exists(pipe):
        os.remove(pipe)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    code, _, errors = harness.command(
        harness.tool("dtensor-compile"), harness.example("distribute.mlir"),
        "--emit=planned", "-o", pipe)
    text = os.read(reader, 1 << 16) if code == 0 else b""
    os.close(reader)
    assert stat.S_ISFIFO(os.stat(pipe).st_mode), "the pipe was replaced"
    assert code == 1 or b"func.func" in text, errors


def test_deep_nesting_is_refused():
    for name, text in (
            ("brackets", "func.func @f() attributes {a = " + "[\n" * 100000),
            ("types", "func.func private @f(" + "tuple<\n" * 100000),
            ("regions", "func.func @f() {\n" + '"a.b"() ({\n' * 100000),
            ("sums", MESH + "#l = #dtensor.layout<#mesh, [replicate], (" +
             "(\n" * 100000)):
        errors = compile_bad(text, "deep_" + name)
        assert "error:" in errors and len(errors) < 5000, errors[:500]


def test_deep_nesting_that_closes_is_refused():
    n = 100000
    errors = compile_bad("func.func @f() {\n" + '"a.b"() ({\n' * n +
                         "}) : () -> ()\n" * n + "return\n}\n", "deep_closed")
    assert "error:" in errors, errors[:500]


harness.main()
