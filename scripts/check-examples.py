#!/usr/bin/env python3
"""Checks that every example in ODS is a program and does what it says.

usage: check-examples.py BUILD ROOT

The examples are the blocks of `mlir` in the descriptions of dialects, ops,
attributes, types and passes in the .td files below ROOT. BUILD/bin/dtensor-opt parses and
verifies each one. In that of an op or of an attribute, values that are used and
not defined are of the type that the example uses them with, and a `#mesh` that
is not defined is `#dtensor.mesh<"tp" = ?>`.

A pass has two blocks: the first is a program, on which the pass is run; the
second tells what comes out: its lines stand there in this order. In them `...`
is any text, names of values may differ, and aliases are what the first block
or the output says they are. A second block without `mlir` is of the diagnostics.
A pass that tells an `error:` there fails.
Between the two, `option=value` in backquotes is how the pass is called. Further
blocks come in pairs as well.

Exit code 1: an example fails, the last lines say which.
"""

import bisect
import os
import re
import subprocess
import sys
import tempfile

import ods

VALUE = re.compile(r"%[A-Za-z0-9_$-]+")
ALIAS = re.compile(r"^\s*([#!][A-Za-z_]\w*) = (.*)$", re.MULTILINE)
MESH = '#mesh = #dtensor.mesh<"tp" = ?>\n'
CALL = re.compile(r"`([\w-]+=[^`]*)`")


def opt(build, arguments, text):
    with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(
            [os.path.join(build, "bin", "dtensor-opt"), file.name, *arguments],
            capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr.replace(file.name, "example")


def undefined(text):
    """Values that `text` uses and does not define."""
    text = re.sub(r'"[^"\n]*"', '""', text)
    results = re.findall(r"^\s*((?:%[\w:]+\s*,?\s*)+)=", text, re.MULTILINE)
    arguments = re.findall(r"(%\w+): ", text)
    defined = set(VALUE.findall(" ".join(results))) | set(arguments)
    return sorted(set(VALUE.findall(text)) - defined)


class Example:
    """One block of an op, an attribute or a type as a program of its own. A
    top-level region is a graph, so that values may be defined after their uses,
    and the parser says which type a value has been used with."""

    def __init__(self, label, kind, block):
        self.label, self.block, self.errors = label, block, []
        self.is_op = kind in ("op", "dialect")
        self.types = dict.fromkeys(undefined(block) if self.is_op else [],
                                   "none")

    def text(self):
        head = "" if "#mesh = " in self.block else MESH
        if self.is_op:
            values = "".join(f'{name} = "example.value"() : () -> {type}\n'
                             for name, type in self.types.items())
            return head + self.block + values
        alias = ALIAS.search(self.block)
        value = alias[1] if alias else self.block.strip()
        return (head + (self.block if alias else "") +
                f"module attributes {{builtin.example = {value}}} {{}}\n")


def learn(examples, starts, stderr):
    """Types that the parser told; errors stay with their examples."""
    learned, defining = False, None
    for line in stderr.splitlines():
        match = re.match(r"example:(\d+):\d+: (?:error|note): (.*)", line)
        if not match:
            continue
        example = examples[bisect.bisect_right(starts, int(match[1])) - 1]
        redefined = re.match(r"definition of SSA value '(%[^#']+)#0'", match[2])
        use = re.match(r"previously used here with type '(.*)'$", match[2])
        if redefined:
            defining = redefined[1]
        elif use and defining:
            example.types[defining] = use[1]
            learned, defining = True, None
        elif not match[2].startswith("see current operation"):
            example.errors.append(match[2])
    return learned


def check_programs(build, examples):
    """(label, what is wrong) of examples of ops, attributes and types."""
    learned = True
    while learned:
        text, starts = "", []
        for example in examples:
            starts.append(text.count("\n") + 1)
            text += example.text() + "// -----\n"
            example.errors = []
        _, _, stderr = opt(build, ["-split-input-file", "-o", "/dev/null",
                                   "-allow-unregistered-dialect"], text)
        learned = learn(examples, starts, stderr)
    return [(example.label, error) for example in examples
            for error in example.errors]


def expand(text, aliases):
    """`text` with every alias replaced, spaces made one and those left out that
    only ODS needs."""
    for _ in range(len(aliases) + 1):
        before = text
        for name, value in aliases.items():
            text = re.sub(re.escape(name) + r"(?![\w.])", lambda _: value, text)
        if text == before:
            break
    return re.sub(r"\s+", " ", text).replace("} ]", "}]").strip()


def find_line(line, names, output, start):
    """Index after the line of `output` that `line` describes, from `start` on;
    `names` learns what its values are called there."""
    pattern, fresh = "", []
    for part in re.split(r"(%[A-Za-z0-9_$-]+(?:#\d+)?|\.\.\.)", line):
        if part == "...":
            pattern += ".*"
        elif not VALUE.match(part):
            pattern += re.escape(part)
        elif part in names:
            pattern += re.escape(names[part]) + r"(?![\w#])"
        elif part in fresh:
            pattern += rf"(?P=v{fresh.index(part)})"
        else:
            pattern += rf"(?P<v{len(fresh)}>%[\w#]+)(?::\d+)?"
            fresh.append(part)
    for index in range(start, len(output)):
        match = re.search(pattern, output[index])
        if match:
            names.update(zip(fresh, match.groups()))
            return index + 1
    return None


def check_pass(build, call, block, language, wanted):
    """What is wrong with an example of a pass, None if nothing."""
    block = block if "#mesh = " in block else MESH + block
    code, stdout, stderr = opt(build, ["--" + call, "-allow-unregistered-dialect"],
                               block)
    if (code == 0) == ("error:" in wanted):
        return f"exit code {code}\n{stderr}"
    text = stdout if language else stderr
    aliases = dict(ALIAS.findall(block + wanted))
    aliases |= dict(ALIAS.findall(stdout))
    output = [expand(line, aliases) for line in text.splitlines()]
    names, start = {}, 0
    for line in ALIAS.sub("", wanted).splitlines():
        line = expand(line, aliases)
        if not line or line == "..." or line.startswith("//"):
            continue
        start = find_line(line, names, output, start)
        if start is None:
            return f"no line is, in its place,\n  {line}\nin\n{text}"
    return None


def check_passes(build, name, description):
    """(label, what is wrong) of the examples of one pass."""
    pieces = ods.BLOCK.split(description)
    if len(pieces) % 6 != 1:
        return [(f"pass {name}", "blocks of code that are no pairs")]
    problems = []
    for _, block, between, language, wanted, _ in zip(*[iter(pieces[1:])] * 6):
        call = CALL.search(between)
        wrong = check_pass(build, f"{name}={call[1]}" if call else name, block,
                           language, wanted)
        if wrong:
            problems.append((f"pass {name}", wrong))
    return problems


def main(argv):
    if len(argv) != 3:
        sys.exit(__doc__)
    build, examples, problems, passes = argv[1], [], [], 0
    for path, kind, name, record, _ in ods.described(build, argv[2]):
        if kind == "pass":
            passes += 1
            problems += check_passes(build, name, record["description"])
        elif kind != "interface":
            label = f"{os.path.relpath(path, argv[2])}: {kind} {name}"
            examples += [Example(label, kind, block)
                         for block in ods.blocks(record)]
    problems += check_programs(build, examples)
    for label, error in problems:
        print(f"{label}: {error}")
    print(f"examples: {len(examples)} programs, {passes} passes, "
          f"{len(problems)} fail")
    return 1 if problems or not examples else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
