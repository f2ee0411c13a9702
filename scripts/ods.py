"""What ODS says: the records of .td files, for the checks beside this file."""

import json
import os
import re
import subprocess
import sys

BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
# Class of a record -> what to call it
CLASSES = {
    "Op": "op",
    "AttrDef": "attribute",
    "TypeDef": "type",
    "PassBase": "pass",
    "Interface": "interface",
    "Dialect": "dialect",
}
# What to call it -> does it need an example?
KINDS = {
    "op": True,
    "attribute": True,
    "type": True,
    "pass": True,
    "interface": False,
    "dialect": False,
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
        sys.exit(f"{path}:\n{done.stderr}")
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


def blocks(record):
    """The blocks of MLIR in a record's description."""
    return [text for name, text in BLOCK.findall(record.get("description") or "")
            if name in ("", "mlir")]


def llvm_prefix(build):
    """The installation that has MLIR: MLIR_DIR is PREFIX/lib/cmake/mlir."""
    with open(os.path.join(build, "CMakeCache.txt")) as cache:
        for line in cache:
            if line.startswith("MLIR_DIR:"):
                folder = line.split("=", 1)[1].strip()
                return os.path.normpath(os.path.join(folder, "../../.."))
    sys.exit(f"{build} is no configured build folder")


def described(build, root):
    """(path, kind, name as written, record, all records of the file) of
    everything in the .td files below `root` that is defined there."""
    prefix, root = llvm_prefix(build), os.path.abspath(root)
    tblgen = os.path.join(prefix, "bin", "llvm-tblgen")
    includes = [os.path.join(prefix, "include"), root]
    for path in list_td_files(root):
        records = dump(tblgen, includes, path)
        with open(path) as file:
            lines = file.read().splitlines()
        for class_name, kind in CLASSES.items():
            for name in records["!instanceof"].get(class_name, []):
                record = records[name]
                if not record["!anonymous"] and is_from(record, path, lines):
                    yield (path, kind, name_of(record, kind, records), record,
                           records)
