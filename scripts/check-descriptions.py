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

and an op's example has the op; check-examples.py runs them. Exit code 1, after a
line for each that lacks something.
"""

import os
import re
import sys

import ods


def lacks(record, kind, name, needs_example):
    """What `record`, written `name`, lacks; None if nothing."""
    text = (record.get("description") or "").strip()
    if not text:
        return "a description"
    if not needs_example:
        return None
    code = "\n".join(ods.blocks(record))
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


def problems_of(path, kind, name, record, records):
    missing = lacks(record, kind, name, ods.KINDS[kind])
    if missing:
        yield f"{path}: {kind} {name} lacks {missing}"
    for part, part_name in check_parts(record, kind, records):
        yield f"{path}: {part} {part_name} of {kind} {name} lacks a description"


def main(argv):
    if len(argv) != 3:
        sys.exit(__doc__)
    problems, found = [], {}
    for item in ods.described(argv[1], argv[2]):
        found[item[1]] = found.get(item[1], 0) + 1
        problems += problems_of(*item)
    for problem in problems:
        print(os.path.relpath(problem, os.path.abspath(argv[2])),
              file=sys.stderr)
    counts = ", ".join(f"{kind} {found[kind]}" for kind in sorted(found))
    print(f"descriptions: {counts}; {len(problems)} missing")
    return 1 if problems or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
