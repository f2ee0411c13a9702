# REQUIRES: python, chromium
# RUN: %python %s %obj %t %chromium
"""The page of --explain in a real browser."""

import os
import re
import struct
import sys
import zlib

BROWSER = sys.argv.pop(3)
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu",
         "--virtual-time-budget=5000"]


def page():
    path = harness.temp("mlp.html")
    code, _, errors = harness.command(harness.tool("dtensor-compile"),
                                      f"--explain={path}",
                                      harness.example("mlp.mlir"))
    assert code == 0, errors
    return "file://" + os.path.abspath(path)


def browse(*flags):
    profile = "--user-data-dir=" + harness.temp("profile")
    code, out, errors = harness.command(BROWSER, *FLAGS, profile, *flags)
    assert code == 0, errors
    return out


def dom(state):
    return browse("--dump-dom", page() + "#" + state)


def summary(text):
    return int(re.search(r'id="summary" data-bytes="(\d+)"', text).group(1))


def test_bytes_follow_the_symbols():
    for batch, size in ((1, 2), (7, 3), (128, 4), (1000, 8)):
        text = dom(f"f=megatron&B={batch}&size.tp={size}")
        wanted = 8 * (size - 1) * -(-batch // size)
        assert summary(text) == wanted, (batch, size, summary(text), wanted)


def test_graph_shows_ops_placements_and_the_collective():
    text = dom("f=megatron")
    nodes = re.findall(r'<g class="node" data-kind="(\w+)"', text)
    assert nodes.count("argument") == 5 and nodes.count("result") == 1, nodes
    assert nodes.count("collective") == 1 and nodes.count("op") == 5, nodes
    for word in ("all_reduce sum", "partial(sum)", "rejected"):
        assert word in text, word


def test_shards_of_an_uneven_cut():
    text = dom("f=megatron&B=7&size.tp=3")
    start = text.index('data-name="argument 1"')
    end = text.index('data-name="argument 2"')
    boxes = re.findall(r'data-box="([^"]*)"', text[start:end])
    assert boxes == ["22@0,128@0", "22@22,128@0", "20@44,128@0"], boxes


def test_nothing_goes_wrong_in_the_script():
    path = harness.temp("llama.html")
    code, _, errors = harness.command(harness.tool("dtensor-compile"),
                                      f"--explain={path}",
                                      harness.example("llama_block.mlir"))
    assert code == 0, errors
    code, out, log = harness.command(
        BROWSER, *FLAGS, "--user-data-dir=" + harness.temp("profile"),
        "--enable-logging=stderr", "--dump-dom",
        "file://" + os.path.abspath(path) + "#f=sequence_parallel")
    assert code == 0 and "CONSOLE" not in log, log
    assert out.count("<details") == out.count("data-bytes=") - 1, "movements"


def pixels(path):
    """Distinct byte values of a PNG's picture; a blank one has few."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, body = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            body += data[at + 8:at + 8 + size]
        at += size + 12
    return len(set(zlib.decompress(body)))


def test_picture_is_not_blank():
    path = harness.temp("page.png")
    browse(f"--screenshot={path}", "--window-size=1400,2400",
           page() + "#f=megatron")
    assert pixels(path) > 50, pixels(path)


harness.main()
