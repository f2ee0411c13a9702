# RUN: %python %s %obj/bin/dtensor-lsp-server
"""A session with dtensor-lsp-server: an editor opens a program, asks, edits."""

import glob
import json
import os
import re
import subprocess
import sys

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
URI = "file:///program.mlir"
PROGRAM = """\
#world = #dtensor.mesh<"tp" = ? {hint 4}>
#x = #dtensor.layout<#world, [replicate], (B, 128)>
#w = #dtensor.layout<#world, [shard(0)], (4096, 128)>
#y = #dtensor.layout<#world, [shard(1)], (B, 4096)>
func.func @f(%x: tensor<?x128xf32> {dtensor.layout = #x},
             %w: tensor<4096x128xf32> {dtensor.layout = #w})
    -> (tensor<?x4096xf32> {dtensor.layout = #y}) {
  %0 = dtensor.linear %x, %w : (tensor<?x128xf32>, tensor<4096x128xf32>) -> tensor<?x4096xf32>
  %1 = dtensor.relu %0 : (tensor<?x4096xf32>) -> tensor<?x4096xf32>
  return %1 : tensor<?x4096xf32>
}
"""


class Client:
    def __init__(self, tool):
        self.server = subprocess.Popen([tool], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        self.calls = 0

    def send(self, method, params, **more):
        text = json.dumps({"jsonrpc": "2.0", "method": method,
                           "params": params, **more}).encode()
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(text) + text)
        self.server.stdin.flush()

    def receive(self):
        size = 0
        while (line := self.server.stdout.readline().strip()):
            name, value = line.split(b":")
            if name == b"Content-Length":
                size = int(value)
        return json.loads(self.server.stdout.read(size))

    def call(self, method, params):
        self.calls += 1
        self.send(method, params, id=self.calls)
        answer = self.receive()
        assert answer["id"] == self.calls, answer
        return answer["result"]

    def ask(self, what, place):
        return self.call("textDocument/" + what, {
            "textDocument": {"uri": URI}, "position": place})


def place_of(text, after=""):
    """Of the first `text`; with `after`, of the first one behind that."""
    at = PROGRAM.index(text, PROGRAM.index(after))
    line = PROGRAM.count("\n", 0, at)
    return {"line": line, "character": at - (PROGRAM.rfind("\n", 0, at) + 1)}


def says(hover, *parts):
    for part in parts:
        assert part in hover["contents"]["value"], (part, hover)


def begins_at(locations, place):
    assert [l["range"]["start"] for l in locations] == [place], locations


client = Client(sys.argv[1])
capabilities = client.call("initialize", {"capabilities": {}})["capabilities"]
assert capabilities["hoverProvider"] and capabilities["definitionProvider"]
client.send("initialized", {})
client.send("textDocument/didOpen", {"textDocument": {
    "uri": URI, "languageId": "mlir", "version": 1, "text": PROGRAM}})
assert client.receive()["params"]["diagnostics"] == []

# A layout that nobody wrote, the extents of one device, and the reason.
says(client.ask("hover", place_of("%0")), "[shard(1)], (B, 4096)",
     "min(", "size(tp)", 'linear at /program.mlir:8:8 gives [shard(1)]',
     'it runs sharded along', 'on "tp"')
# An argument says what it was given.
says(client.ask("hover", place_of("%x")), "tensor<?x128xf32>", "[replicate]",
     "argument 0 of @f")
# A mesh, where it is used.
says(client.ask("hover", place_of("#world", "#w =")),
     '#world = #dtensor.mesh<"tp" = ? {hint 4}>')
assert client.ask("hover", place_of("return")) is not None
assert client.ask("hover", {"line": 99, "character": 0}) is None

begins_at(client.ask("definition", place_of("#world", "#w =")),
          place_of("#world"))
begins_at(client.ask("definition", place_of("#w}")), place_of("#w ="))
begins_at(client.ask("definition", place_of("%0 :")), place_of("%0"))
begins_at(client.ask("definition", place_of("%w :")), place_of("%w"))
assert client.ask("definition", {"line": 99, "character": 0}) == []

# A name that a loop carries, and a name of a type.
LOOP = """\
#mesh = #dtensor.mesh<"x" = 4>
!rows = tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>
func.func @f(%x: !rows, %n: index) -> !rows {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%v = %x) -> !rows {
    %0 = dtensor.exp %v : (!rows) -> !rows
    scf.yield %0 : !rows
  }
  return %r : !rows
}
"""


def open_other(uri, text):
    client.send("textDocument/didOpen", {"textDocument": {
        "uri": uri, "languageId": "mlir", "version": 1, "text": text}})
    assert client.receive()["params"]["diagnostics"] == []


def ask_other(what, uri, line, character):
    return client.call("textDocument/" + what, {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character}})


open_other("file:///loop.mlir", LOOP)
for line, text in (5, "%v"), (6, "%v"):
    says(ask_other("hover", "file:///loop.mlir", line,
                   LOOP.split("\n")[line].index(text)),
         "[shard(0)], (B)", "on one device")
type_name = LOOP.split("\n")[6].index("!rows")
says(ask_other("hover", "file:///loop.mlir", 6, type_name),
     "!rows = tensor<?xf32, #dtensor.layout<")
begins_at(ask_other("definition", "file:///loop.mlir", 6, type_name),
          {"line": 1, "character": 0})

# Every name in the examples: it is known what it is and where it is defined.
NAME = re.compile(r"(?<!\w)[%#@!](?!dtensor)\w+")
names = 0
for path in sorted(glob.glob(os.path.join(SOURCE, "examples", "*.mlir"))):
    with open(path) as file:
        program = file.read()
    open_other("file://" + path, program)
    for number, line in enumerate(program.split("\n")):
        for name in NAME.finditer(line.split("//")[0]):
            place = "file://" + path, number, name.start()
            hover = ask_other("hover", *place)
            assert hover, (place, name)
            assert len(ask_other("definition", *place)) == 1, (place, name)
            text = hover["contents"]["value"]
            if name[0][0] == "%" and "tensor<" in text:
                says(hover, "layout: ", "on one device: ")
            names += 1
assert names > 500, names

# An edit that breaks the program: the error is at the op, in the new text.
start = place_of("%w :")
client.send("textDocument/didChange", {
    "textDocument": {"uri": URI, "version": 2},
    "contentChanges": [{"range": {"start": start, "end": {
        "line": start["line"], "character": start["character"] + 2}},
        "text": "%q"}]})
told = client.receive()["params"]
assert told["version"] == 2 and len(told["diagnostics"]) == 1, told
assert "undeclared SSA value" in told["diagnostics"][0]["message"], told
assert told["diagnostics"][0]["range"]["start"] == start, told

# Whatever is sent, the server lives: a text that is no program, and none.
for text in ("((((" * 1000, "", "\0"):
    client.send("textDocument/didChange", {
        "textDocument": {"uri": URI, "version": 3},
        "contentChanges": [{"text": text}]})
    client.receive()
client.send("textDocument/didClose", {"textDocument": {"uri": URI}})
assert client.receive()["params"]["diagnostics"] == []
assert client.ask("hover", place_of("%0")) is None

client.call("shutdown", None)
client.send("exit", None)
assert client.server.wait(timeout=20) == 0
