# REQUIRES: python
# RUN: %python %s %obj %t
"""The page of --explain: what is in it, and that its formulas are right."""

import html.parser
import itertools
import json
import os
import re
import shutil
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

COMPILE = harness.tool("dtensor-compile")
# Placements are stated, so that hints change no plan.
PROGRAM = """
#mesh = #dtensor.mesh<"dp" = ? {{hint {dp}}}, "tp" = ? {{hint {tp}}}>
#x = #dtensor.layout<#mesh, [shard(0), shard(1)], (B, K)>
#w = #dtensor.layout<#mesh, [replicate, shard(0)], (K, 6)>
#y = #dtensor.layout<#mesh, [shard(0), replicate], (B, 6)>
#nested = #dtensor.layout<#mesh, [shard(0), shard(0, unit = 1)], (B, 6)>
func.func @main(%x: tensor<?x?xf32> {{dtensor.layout = #x}},
                %w: tensor<?x6xf32> {{dtensor.layout = #w}})
    -> (tensor<?x6xf32> {{dtensor.layout = #y}},
        tensor<?x6xf32> {{dtensor.layout = #nested}})
    attributes {{dtensor.symbols = {{B = {{hint = {B}}}, K = {{hint = {K}}}}}}} {{
  %0 = dtensor.matmul %x, %w : (tensor<?x?xf32>, tensor<?x6xf32>) -> tensor<?x6xf32>
  %1 = dtensor.constraint %0 to #y : tensor<?x6xf32>
  return %1, %1 : tensor<?x6xf32>, tensor<?x6xf32>
}}
"""
BINDINGS = [dict(zip(("B", "K", "dp", "tp"), values)) for values in
            itertools.product((1, 7, 128), (5, 64), (1, 2, 3), (1, 3, 4))]
OPERATIONS = {
    "add": lambda a, b: a + b, "mul": lambda a, b: a * b,
    "floordiv": lambda a, b: a // b, "ceildiv": lambda a, b: -(-a // b),
    "mod": lambda a, b: a % b, "min": min, "max": max,
}


def write_page(source, name):
    path = harness.temp(name)
    code, out, errors = harness.command(COMPILE, f"--explain={path}", source)
    assert code == 0 and not out, errors
    with open(path, encoding="utf-8") as file:
        return file.read()


def write_program(name="program.mlir", **hints):
    path = harness.temp(name)
    with open(path, "w") as file:
        file.write(PROGRAM.format(**hints))
    return path


def data_of(page):
    start = page.index('id="data">') + len('id="data">')
    return json.loads(page[start:page.index("</script>", start)])


def evaluate(tree, values):
    if isinstance(tree, str):
        return int(tree)
    op, *operands = tree
    if op in ("symbol", "size", "index"):
        return values[op, operands[0]]
    return OPERATIONS[op](*(evaluate(o, values) for o in operands))


def environment(binding, index=(0, 0)):
    values = {("symbol", s): binding[s] for s in "BK"}
    for axis, i in zip(("dp", "tp"), index):
        values["size", axis], values["index", axis] = binding[axis], i
    return values


def program_data(**binding):
    source = write_program(**binding)
    return data_of(write_page(source, "page.html"))


class References(html.parser.HTMLParser):
    """Collects whatever could make a browser ask for something else."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        if tag in ("link", "img", "iframe", "object", "embed", "base"):
            self.found.append(tag)
        self.found += [f"{tag} {name}" for name, _ in attributes
                       if name in ("src", "href", "srcset", "action")]


def test_page_refers_to_nothing_outside():
    page = write_page(harness.example("llama_block.mlir"), "llama.html")
    references = References()
    references.feed(page)
    assert not references.found, references.found
    for word in ("://", "url(", "@import", "fetch(", "XMLHttpRequest"):
        assert word not in page, word
    assert "default-src 'none'" in page


def test_text_of_a_program_cannot_end_the_data():
    name = "</script><script>alert(1)</script>"
    source = harness.temp("names.mlir")
    with open(source, "w") as file:
        file.write(PROGRAM.format(B=4, K=4, dp=2, tp=2).replace(
            "@main", f'@"{name}"'))
    page = write_page(source, "names.html")
    assert [f["name"] for f in data_of(page)["functions"]] == [name]
    assert page.count("</script>") == 3, page.count("</script>")


def text_at_hints(**binding):
    """Total and peak bytes as the text of --explain has them."""
    code, out, errors = harness.command(COMPILE, "--explain",
                                        write_program(**binding))
    assert code == 0, errors
    lines = [line for line in out.splitlines()
             if "sent by one rank" in line or "peak memory" in line]
    return [int(re.search(r", (\d+) at ", line).group(1)) for line in lines]


def check_totals(data, binding):
    function, values = data["functions"][0], environment(binding)

    def value(number):
        return evaluate(data["formulas"][number]["tree"], values)

    total, _ = text_at_hints(**binding)
    assert value(function["bytes"]) == total, (value(function["bytes"]), total)
    parts = sum(value(m["bytes"]) for m in function["movements"])
    assert parts == total, f"movements add up to {parts}, not {total}"


def test_formulas_have_the_compilers_values_at_any_binding():
    data, cases = program_data(B=128, K=64, dp=2, tp=4), harness.Cases()
    for binding in BINDINGS:
        cases.check(binding, check_totals, data, binding)
    cases.done()


def test_peak_at_the_hints_is_that_of_the_lifetimes():
    for binding in BINDINGS[::5]:
        data = program_data(**binding)
        function, values = data["functions"][0], environment(binding)
        peak = max(
            sum(evaluate(data["formulas"][l["bytes"]]["tree"], values)
                for l in function["lifetimes"]
                if l["birth"] <= position <= l["death"])
            for position in range(function["positions"]))
        assert peak == text_at_hints(**binding)[1], binding


def check_boxes(data, bundle, binding):
    mesh = {"dp": binding["dp"], "tp": binding["tp"]}
    launch = bundle.executable(mesh).bind(
        np.zeros((binding["B"], binding["K"]), np.float32),
        np.zeros((binding["K"], 6), np.float32))
    indices = itertools.product(*(range(size) for size in mesh.values()))
    for rank, index in enumerate(indices):
        values = environment(binding, index)
        for ordinal, tensor in enumerate(data["functions"][0]["tensors"]):
            box = [tuple(evaluate(data["formulas"][d[key]]["tree"], values)
                         for d in tensor["dims"])
                   for key in ("size", "offset")]
            sizes, offsets = launch.box(rank, ordinal)
            assert box == [sizes, offsets], (rank, ordinal, box, sizes, offsets)


def test_shards_are_those_of_the_runtime():
    source = write_program(B=128, K=64, dp=2, tp=4)
    data = data_of(write_page(source, "page.html"))
    bundle, cases = harness.compile_file(source), harness.Cases()
    for binding in BINDINGS:
        cases.check(binding, check_boxes, data, bundle, binding)
    cases.done()


SCRIPT = """
const text = require("fs").readFileSync(process.argv[1], "utf8");
const cut = (from, to) => text.slice(text.indexOf(from) + from.length).split(to)[0];
const document = {getElementById: () => ({textContent: cut('id="data">', "</script>")})};
const run = new Function("document", cut('<script id="formulas">', "</script>") +
  "; return {data, valueOf};");
const {data, valueOf} = run(document);
const big = o => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, BigInt(v)]));
for (const b of JSON.parse(process.argv[2])) {
  const env = {symbol: big({B: b.B, K: b.K}), size: big({dp: b.dp, tp: b.tp}), index: {dp: 0n, tp: 0n}};
  console.log(data.formulas.map((f, i) => valueOf(i, env)).join(" "));
}
"""


def test_script_of_the_page_agrees_with_python():
    node = shutil.which("node")
    if not node:
        print("  no node on this machine, left to the test in a browser")
        return
    source = write_program(B=128, K=64, dp=2, tp=4)
    data = data_of(write_page(source, "page.html"))
    code, out, errors = harness.command(
        node, "-e", SCRIPT, harness.temp("page.html"), json.dumps(BINDINGS))
    assert code == 0, errors
    for binding, line in zip(BINDINGS, out.splitlines(), strict=True):
        wanted = [evaluate(f["tree"], environment(binding))
                  for f in data["formulas"]]
        assert [int(v) for v in line.split()] == wanted, binding


def test_page_that_cannot_be_written_is_an_error():
    code, _, errors = harness.command(
        COMPILE, "--explain=" + harness.temp("none/page.html"),
        harness.example("mlp.mlir"))
    assert code == 1 and "cannot write" in errors, errors


harness.main()
