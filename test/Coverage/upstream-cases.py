# REQUIRES: python
# RUN: %python %s
"""Each of the 61 groups of upstream cases names tests that exist, or a reason."""

import os
import re
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(FOLDER, "..", "..")
GROUPS = 61


def wrong_with(place):
    path, name = place.split("::")
    path = os.path.join(ROOT, path)
    if not os.path.exists(path):
        return f"no file {place}"
    with open(path) as file:
        if not re.search(rf"\b(test_)?{name}\b", file.read()):
            return f"no test {place}"
    return None


def main():
    with open(os.path.join(FOLDER, "upstream-cases.md")) as file:
        rows = [re.split(r" \| ", line.strip("| \n"))
                for line in file if re.match(r"\| \d", line)]
    problems = []
    if [int(r[0]) for r in rows] != list(range(1, GROUPS + 1)):
        problems.append("the groups are not 1 to 61")
    for number, _, here in rows:
        places = re.findall(r"`([^`]+::[^`]+)`", here)
        problems += [f"{number}: {w}" for w in map(wrong_with, places) if w]
        reason = re.sub(r"`[^`]+`", "", here).strip(" .;:")
        if not places and len(reason) < 40:
            problems.append(f"{number}: neither test nor reason")
    print("\n".join(problems + [f"{len(rows)} groups, {len(problems)} wrong"]))
    sys.exit(1 if problems else 0)


main()
