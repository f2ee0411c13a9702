"""Sweeps over redistributions: one function per pair of layouts."""

import numpy as np

import harness
import oracle
from oracle import Layout

STATES = ["R", "S0", "S1", "P(sum)", "P(max)"]
SHAPES = [(10, 5), (9, 5), (3, 5), (1, 3), (0, 4)]


def states(num_axes):
    """Every list of states; partials of two kinds are no layout."""
    lists = [[]]
    for _ in range(num_axes):
        lists = [l + [s] for l in lists for s in STATES]
    return [Layout(l) for l in lists]


def module(pairs, axes, dtype, arguments="", units=None):
    """`arguments`: more arguments for each function, such as a unit."""
    mesh = ", ".join(f'"{a}" = ?' for a in axes)
    lines = [f"#mesh = #dtensor.mesh<{mesh}>"]
    types = {}

    def type_of(layout):
        text = layout.text("#mesh", axes, ("M", "N"), units)
        if text not in types:
            types[text] = f"#l{len(types)}"
            lines.append(f"{types[text]} = {text}")
        return f"tensor<?x?x{dtype}, {types[text]}>"

    functions = []
    for i, (source, target) in enumerate(pairs):
        a, b = type_of(source), type_of(target)
        functions.append(
            f"func.func @f{i}(%x: {a}{arguments}) -> {b} {{\n"
            f"  %0 = dtensor.redistribute %x : {a} to {b}\n"
            f"  return %0 : {b}\n}}")
    return "\n".join(lines + functions) + "\n"


def check_pair(bundle, entry, source, target, shape, mesh, dtype, rng, scalars):
    """Every rank's piece, not only the collected result."""
    sizes = list(mesh.values())
    value = rng.integers(-50, 50, shape).astype(harness.NUMPY[dtype])
    pieces = oracle.distribute(value, source, sizes, rng)
    launch = bundle.executable(mesh, entry).bind(value, *scalars)
    for rank, coords in enumerate(oracle.coordinates(sizes)):
        for ordinal, layout in ((0, source), (1 + len(scalars), target)):
            box, offsets = launch.box(rank, ordinal)
            expected = layout.box(shape, sizes, coords)
            assert box == expected[0], \
                f"rank {rank} has {box}, expected {expected[0]}"
            assert 0 in box or offsets == expected[1], \
                f"rank {rank} begins at {offsets}, expected {expected[1]}"
    locals_ = launch.run_local([[p, *scalars] for p in pieces])
    actual = oracle.collect([l[0] for l in locals_], shape, target, sizes,
                            value.dtype)
    harness.assert_close(actual, value, 0, 0, "contents")
    limit = len(oracle.changed_axes(source, target, sizes))
    for rank in range(len(pieces)):
        counts = launch.collectives(rank)
        assert sum(counts.values()) <= limit, \
            f"rank {rank} ran {counts}, {limit} axes change"


def sweep(name, layouts, axes, meshes, dtype, shapes=SHAPES, pairs=None,
          arguments="", units=None, scalars=()):
    pairs = pairs or [(s, t) for s in layouts for t in layouts]
    pairs = [(s, t) for s, t in pairs if s.is_valid() and t.is_valid() and
             not oracle.forbidden(s, t)]
    bundle = harness.compile_text(
        module(pairs, axes, dtype, arguments, units), name)
    rng = np.random.default_rng(len(pairs))
    cases = harness.Cases()
    for sizes in meshes:
        mesh = dict(zip(axes, sizes))
        for i, (source, target) in enumerate(pairs):
            for shape in shapes:
                cases.check(
                    f"{source.placements} to {target.placements} {shape} "
                    f"{mesh}", check_pair, bundle, f"f{i}", source, target,
                    shape, mesh, dtype, rng, scalars)
    cases.done()


def forbidden_module(axes):
    """One pair per chunk, each with the error it must give."""
    mesh = ", ".join(f'"{a}" = ?' for a in axes)
    chunks = []
    for source in states(len(axes)):
        for target in states(len(axes)):
            if not (source.is_valid() and target.is_valid() and
                    oracle.forbidden(source, target)):
                continue
            a = source.text("#mesh", axes, ("M", "N"))
            b = target.text("#mesh", axes, ("M", "N"))
            chunks.append(
                f"#mesh = #dtensor.mesh<{mesh}>\n#a = {a}\n#b = {b}\n"
                f"func.func @f(%x: tensor<?x?xf32, #a>) -> "
                f"tensor<?x?xf32, #b> {{\n"
                f"  // expected-error @+1 {{{{cannot redistribute}}}}\n"
                f"  %0 = dtensor.redistribute %x : tensor<?x?xf32, #a> to "
                f"tensor<?x?xf32, #b>\n"
                f"  return %0 : tensor<?x?xf32, #b>\n}}\n")
    return chunks


def mixed_module(axes):
    """Layouts with two kinds of pending reductions."""
    mesh = ", ".join(f'"{a}" = ?' for a in axes)
    chunks = []
    for layout in states(len(axes)):
        if layout.is_valid():
            continue
        text = layout.text("#mesh", axes, ("M", "N"))
        chunks.append(f"#mesh = #dtensor.mesh<{mesh}>\n"
                      f"// expected-error @+1 {{{{partial}}}}\n"
                      f"func.func private @f(tensor<?x?xf32, {text}>)\n")
    return chunks


def expect_errors(chunks, name):
    path = harness.temp(name + ".mlir")
    with open(path, "w") as file:
        file.write("// -----\n".join(chunks))
    code, _, errors = harness.command(
        harness.tool("dtensor-opt"), path, "--split-input-file",
        "--verify-diagnostics", "--dtensor-plan")
    assert code == 0, errors[:3000]
    print(f"  {len(chunks)} errors")
