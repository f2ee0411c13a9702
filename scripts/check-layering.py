#!/usr/bin/env python3
"""Checks that every room includes only rooms below it.

usage: check-layering.py [ROOT]

A room is a folder of include/dtensor and its twin in lib. With level(r) the
position of r in ROOMS below,

    file in room r includes a header of room s  =>  level(s) < level(r) or s = r.

Three more rules: the runtime includes nothing of the compiler, of MLIR or of
LLVM; only Conversion, Target and the tools read the runtime's headers; Sharding
is pure mathematics, so of MLIR it may include Presburger only.

Tests may include what they test, whatever its level. The table of folders in
docs/phases.md has the order of ROOMS.
"""

import os
import re
import sys

ROOMS = [
    "Sharding",
    "Interfaces",
    "Dialect/DTensor/IR",
    "Dialect/DTensor/Utils",
    "Analysis",
    "Dialect/DTensor/Extensions",
    "Dialect/DTensor/Transforms",
    "Interchange/Shard",
    "Interchange/Shardy",
    "Conversion",
    "Target",
    "Pipelines",
    "Register",
    "CAPI",
    "tools",
]
READS_RUNTIME = {"Conversion", "Target", "tools", "Runtime"}
SUFFIXES = (".h", ".cpp", ".c", ".cu", ".cuh", ".td", ".inc")
INCLUDE = re.compile(r'^\s*#?\s*include\s+["<]([^">]+)[">]')


def room_of(path):
    """The room of a file or of an included header; None if not ours."""
    path = path.replace(os.sep, "/")
    if path.startswith(("include/dtensor-rt/", "lib/Runtime/", "dtensor-rt/")):
        return "Runtime"
    if path.startswith(("include/dtensor-c/", "lib/CAPI/", "dtensor-c/")):
        return "CAPI"
    if path.startswith("tools/"):
        return "tools"
    for prefix in ("include/dtensor/", "lib/", "dtensor/"):
        if path.startswith(prefix):
            rest = path[len(prefix):]
            for room in ROOMS:
                if rest.startswith((room + "/", room + ".")):
                    return room
            return "unknown"
    return None


def resolve(root, includer, header):
    """A header beside its includer is named relative to it."""
    beside = os.path.normpath(os.path.join(os.path.dirname(includer), header))
    if os.path.exists(os.path.join(root, beside)):
        return beside
    return header


def complaint(room, header, target):
    if room == "unknown":
        return "file is in no room that scripts/check-layering.py knows"
    if room == "Runtime":
        if header.startswith(("mlir/", "llvm/")) or target not in (None, room):
            return f"the runtime includes {header} of the compiler"
        return None
    if room == "Sharding" and header.startswith("mlir/") and \
            not header.startswith("mlir/Analysis/Presburger/"):
        return f"Sharding is pure mathematics, but includes {header}"
    if target is None or target == room:
        return None
    if target == "unknown":
        return f"{header} is in no known room"
    if target == "Runtime":
        return None if room in READS_RUNTIME else \
            f"{room} reads the runtime's {header}"
    if ROOMS.index(target) > ROOMS.index(room):
        return f"{room} includes {header} of {target}, a room above it"
    return None


def check_file(root, path):
    room = room_of(path)
    if room is None:
        return []
    bad = []
    with open(os.path.join(root, path), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            header = resolve(root, path, match.group(1))
            text = complaint(room, header, room_of(header))
            if text:
                bad.append(f"{path}:{number}: {text}")
    return bad


def sources(root):
    for top in ("include", "lib", "tools"):
        for folder, _, files in os.walk(os.path.join(root, top)):
            for name in sorted(files):
                if name.endswith(SUFFIXES):
                    yield os.path.relpath(os.path.join(folder, name), root)


def check_page(root):
    """The table of folders for readers has the same order."""
    path = os.path.join(root, "docs", "phases.md")
    if not os.path.exists(path):
        return []
    with open(path) as file:
        listed = re.findall(r"(?m)^\| `include/dtensor/([\w/]+)(?:\.h)?` \|",
                            file.read())
    rooms = [room for room in ROOMS if room not in ("CAPI", "tools")]
    return [] if listed == rooms else [
        f"docs/phases.md lists {listed}, not {rooms}"]


def main(argv):
    root = argv[1] if len(argv) > 1 else \
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    paths = list(sources(root))
    bad = [line for path in paths for line in check_file(root, path)]
    bad += check_page(root)
    for line in bad:
        print(line, file=sys.stderr)
    print(f"layering: {len(paths)} files, {len(bad)} violations")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
