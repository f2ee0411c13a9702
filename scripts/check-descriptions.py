#!/usr/bin/env python3
"""Checks that everything a user can write is described where it is defined.

usage: check-descriptions.py BUILD ROOT

Reads every .td file below ROOT, with the llvm-tblgen that BUILD is configured
for. A dialect, an op, an attribute, a type, a pass and its options, an
interface and its methods need a description. An op, an attribute, a type and a
pass need an example too: a block

    ```mlir
    ...
    ```

and an op's example has the op. Exit code 1, after a line for each that lacks
something.
"""

import json
import os
import re
import subprocess
import sys

BLOCK = re.compile(r"```(?:mlir)?\n(.*?)```", re.DOTALL)
# Class of a record -> (what to call it, does it need an example?)
KINDS = {
    "Op": ("op", True),
    "AttrDef": ("attribute", True),
    "TypeDef": ("type", True),
    "PassBase": ("pass", True),
    "Interface": ("interface", False),
    "Dialect": ("dialect", False),
}


def list_td_files(root):
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            if name.endswith(".td"):
                yield os.path.join(folder, name)


def dump(tblgen, includes, path):
    command = [tblgen, "--dump-json", path, "-o", "-"]
    command += [f"-I{directory}" for directory in includes]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"check-descriptions: {path}:\n{done.stderr}")
    return json.loads(done.stdout)


def is_from(record, path, lines):
    """Whether `record` is defined in the file at `path` itself. Locations have
    the name of a file and no folder, so the line must define it, too."""
    for location in record["!locs"]:
        name, line = location.rsplit(":", 2)[:2]
        if name == os.path.basename(path) and int(line) <= len(lines):
            if re.search(rf"\bdef\s+{record['!name']}\b",
                         lines[int(line) - 1]):
                return True
    return False


def name_of(record, kind, records):
    """How a program writes it."""
    if kind == "op":
        dialect = records[record["opDialect"]["def"]]
        return dialect["name"] + "." + record["opName"]
    if kind in ("attribute", "type") and record.get("mnemonic"):
        dialect = records[record["dialect"]["def"]]
        return dialect["name"] + "." + record["mnemonic"]
    if kind == "pass":
        return record["argument"]
    return record["!name"]


def lacks(record, kind, name, needs_example):
    """What `record`, written `name`, lacks; None if nothing."""
    text = (record.get("description") or "").strip()
    if not text:
        return "a description"
    if not needs_example:
        return None
    code = "\n".join(BLOCK.findall(text))
    if not code:
        return "an example"
    # Attributes may stand in an op without their prefix, passes stand nowhere.
    if kind == "op" and not re.search(re.escape(name) + r"(?![\w.])", code):
        return f"an example that has {name}"
    return None


def check_parts(record, kind, records):
    """Options of a pass and methods of an interface: (what, name) that lack a
    description."""
    if kind == "pass":
        parts = record["options"] + record["statistics"]
        for part in (records[item["def"]] for item in parts):
            if not (part.get("description") or part.get("desc") or "").strip():
                yield "option", part.get("argument") or part["!name"]
    if kind == "interface":
        for part in (records[item["def"]] for item in record["methods"]):
            if not (part.get("description") or "").strip():
                yield "method", part["name"]


def check_file(path, records, found):
    problems = []
    with open(path) as file:
        lines = file.read().splitlines()
    for class_name, (kind, needs_example) in KINDS.items():
        for name in records["!instanceof"].get(class_name, []):
            record = records[name]
            if record["!anonymous"] or not is_from(record, path, lines):
                continue
            found[kind] = found.get(kind, 0) + 1
            label = name_of(record, kind, records)
            missing = lacks(record, kind, label, needs_example)
            if missing:
                problems.append(f"{path}: {kind} {label} lacks {missing}")
            for part, part_name in check_parts(record, kind, records):
                problems.append(f"{path}: {part} {part_name} of {kind} {label} "
                                "lacks a description")
    return problems


def llvm_prefix(build):
    """The installation that has MLIR: MLIR_DIR is PREFIX/lib/cmake/mlir."""
    with open(os.path.join(build, "CMakeCache.txt")) as cache:
        for line in cache:
            if line.startswith("MLIR_DIR:"):
                folder = line.split("=", 1)[1].strip()
                return os.path.normpath(os.path.join(folder, "../../.."))
    sys.exit(f"check-descriptions: {build} is no configured build folder")


def main(argv):
    if len(argv) != 3:
        sys.exit(__doc__)
    prefix, root = llvm_prefix(argv[1]), os.path.abspath(argv[2])
    tblgen = os.path.join(prefix, "bin", "llvm-tblgen")
    includes = os.path.join(prefix, "include")
    problems, found = [], {}
    for path in list_td_files(root):
        records = dump(tblgen, [includes, root], path)
        problems += check_file(path, records, found)
    for problem in problems:
        print(os.path.relpath(problem, root), file=sys.stderr)
    counts = ", ".join(f"{kind} {found[kind]}" for kind in sorted(found))
    print(f"descriptions: {counts}; {len(problems)} missing")
    return 1 if problems or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
