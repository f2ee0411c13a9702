# RUN: %python %s %obj
"""Text nested deeper than any program is refused, not a stack overflow."""
import subprocess
import sys

compiler = sys.argv[1] + "/bin/dtensor-compile"


def compile(text):
    return subprocess.run([compiler, "-", "--emit=local", "--from-local"],
                          input=text, text=True, capture_output=True)


for opening in ("module {\n", "#x = " + "[" * 7, "tuple<", '"a"() ({'):
    run = compile(opening * 100000)
    assert run.returncode == 1, (opening, run.returncode)
    assert "input nests deeper than 256 levels" in run.stderr, run.stderr[:300]
# Brackets in strings and comments do not count, nor does an arrow.
text = '// ' + '{' * 1000 + '\nfunc.func private @g() attributes {a = "' + '[' * 1000 + '"}\n'
text += "".join(f"func.func private @f{i}(i32) -> (i32)\n" for i in range(600))
run = compile(text)
assert run.returncode == 0, run.stderr[:300]
