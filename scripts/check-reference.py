#!/usr/bin/env python3
"""Checks that the reference leaves nothing out.

usage: check-reference.py BUILD ROOT FOLDER

FOLDER has the pages of make-reference.py. Every op, attribute, type, interface,
pass, option and method of the .td files below ROOT has a heading or an entry
there, and words below it. So has every pass, pipeline and option that the tools
of BUILD know of: what is registered without a .td file is found, too. Exit code
1, after a line for each that is missing.
"""

import os
import re
import subprocess
import sys

import ods

HEADINGS = {"op": "### `{}` ", "pass": "### `-{}`", "interface": "## {} ",
            "attribute": "### {}\n", "type": "### {}\n"}


def words_below(text, heading):
    """Whether `heading` stands in `text` with a sentence before the next one."""
    start = text.find("\n" + heading)
    if start < 0:
        return False
    lines = text[start + 1:].split("\n", 1)[-1]
    lines = re.split(r"(?m)^#{1,3} ", lines, maxsplit=1)[0]
    return bool(re.search(r"(?m)^_?[A-Za-z`(].* ", lines))


def heading_of(kind, name, record):
    if kind in ("attribute", "type"):
        name = record["cppClassName"]
    return HEADINGS[kind].format(name)


def parts_of(kind, record, records):
    """Entries below the heading of a record: (name, what the text has to match)."""
    if kind == "pass":
        for item in record["options"]:
            option = records[item["def"]]
            name = option["argument"]
            words = option["description"].split("\n")[0]
            yield f"-{name}", rf"(?m)^-{name} *: {re.escape(words)}"
    if kind == "interface":
        for item in record["methods"]:
            method = records[item["def"]]
            words = method["description"].strip().split("\n")[0]
            yield method["name"], (rf"(?s)#### `{method['name']}`"
                                   rf"((?!\n#).)*{re.escape(words)}")


def described(build, root, text):
    """(what, is it described?) for all that ODS defines."""
    for _, kind, name, record, records in ods.described(build, root):
        if kind == "dialect":
            yield f"dialect {name}", f"`{record['name']}`" in text
            continue
        heading = heading_of(kind, name, record)
        yield f"{kind} {name}", words_below(text, heading)
        for part, pattern in parts_of(kind, record, records):
            yield f"{part} of {name}", re.search(pattern, text)


def registered(build, tool, pattern):
    """Names of options of `tool` that match, as it lists them itself."""
    text = subprocess.run([os.path.join(build, "bin", tool), "--help"],
                          check=True, capture_output=True, text=True).stdout
    return re.findall(rf"(?m)^ +?({pattern})", text)


def check_tools(build, text):
    # Passes are indented more than what is no pass.
    for name in registered(build, "dtensor-opt", r"    --dtensor-[\w-]+"):
        name = name.strip()
        if not name.endswith("-pipeline"):
            yield f"pass {name[2:]}", words_below(text, f"### `{name[1:]}`")
    for name in registered(build, "dtensor-opt", r"--dtensor-[\w-]+"):
        yield f"dtensor-opt {name}", re.search(
            rf"(?m)^ *{name}\b(?!-).* - +\w", text)
    for tool in ("dtensor-compile", "dtensor-run"):
        for name in registered(build, tool, r"--?\w[\w-]*"):
            yield f"{tool} {name}", re.search(
                rf"(?m)^ *(--[\w=|-]+ )?{name}(?![\w-])\S*( \S+)* {{1,}}-? *\w", text)


def main(argv):
    if len(argv) != 4:
        sys.exit(__doc__)
    text = ""
    for name in sorted(os.listdir(argv[3])):
        with open(os.path.join(argv[3], name)) as file:
            text += "\n" + file.read()
    found = [*described(argv[1], argv[2], text), *check_tools(argv[1], text)]
    missing = [what for what, there in found if not there]
    for what in missing:
        print(f"{what} is not in the reference")
    print(f"reference: {len(found)} entries, {len(missing)} missing")
    return 1 if missing or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
