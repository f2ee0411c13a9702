#!/usr/bin/env python3
"""Checks what the pages point at.

usage: check-links.py ROOT [FOLDER...]

The pages are all *.md of the sources below ROOT and of each FOLDER. A relative
link leads to a file, and its #anchor to a heading there; an external one is only
looked at, for there may be no network. What stands in backquotes and looks like
a path or like a source file exists: from ROOT, from the folder of the page, or
from a folder that headers are included from. Exit code 1, after a line for each
that leads nowhere.
"""

import glob
import os
import re
import subprocess
import sys
from urllib.parse import unquote, urlparse

FENCE = re.compile(r"^( *)(```+)[^\n]*\n.*?^ *\2 *$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.*-]+(/[\w.*-]+)*/?")
# A file with one of these names is somebody's source; `x.mlir` may be anybody's.
SOURCE = re.compile(r"\.(c|cpp|cu|cuh|h|td|def|py|sh)$|CMakeLists\.txt$")
INCLUDED_FROM = ["", "include", "include/dtensor", "lib", "lib/Conversion/GPU",
                 "python", "test"]


def blank(match):
    """Nothing in its place, with as many lines."""
    return "\n" * match[0].count("\n")


def anchors(page):
    """Names of a page's headings, as GitHub gives them."""
    with open(page) as file:
        text = FENCE.sub(blank, file.read())
    names = {}
    for heading in re.findall(r"(?m)^#{1,6} +(.*?) *#*$", text):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")
        count = names.get(name, 0)
        names[name] = count + 1
        if count:
            names[f"{name}-{count}"] = 1
    return names


def check_link(target, page):
    """What is wrong with a link, None if nothing."""
    url = urlparse(target)
    if url.scheme or target.startswith("//"):
        good = url.scheme in ("http", "https") and re.fullmatch(
            r"([\w-]+\.)+[a-z]{2,}(:\d+)?", url.netloc)
        return None if good else f"{target} is no address"
    path = page
    if url.path:
        path = os.path.join(os.path.dirname(page), unquote(url.path))
    if not os.path.exists(path):
        return f"there is no {target}"
    if url.fragment and url.fragment not in anchors(path):
        return f"{url.path or 'this page'} has no heading #{url.fragment}"
    return None


class Sources:
    def __init__(self, root):
        self.root = root
        listed = subprocess.run([os.path.join(root, "scripts/list-sources.sh")],
                                check=True, capture_output=True, text=True)
        self.files = listed.stdout.split()
        self.names = {os.path.basename(path) for path in self.files}
        self.tops = {path.split("/")[0] for path in self.files if "/" in path}

    def pages(self):
        return [os.path.join(self.root, path) for path in self.files
                if path.endswith(".md") and "/Inputs/" not in path]

    def is_path(self, text):
        """Whether `text` speaks of a file of ours."""
        if not PATH.fullmatch(text):
            return False
        if "/" in text:
            return text.split("/")[0] in self.tops or bool(SOURCE.search(text))
        return bool(SOURCE.search(text))

    def has(self, text, page):
        if "/" not in text:
            return any(map(re.compile(re.escape(text).replace(r"\*", ".*"))
                           .fullmatch, self.names))
        folders = [os.path.join(self.root, folder) for folder in INCLUDED_FROM]
        return any(glob.glob(os.path.join(glob.escape(folder), text))
                   for folder in folders + [os.path.dirname(page)])


def check_page(page, sources):
    """(line, what is wrong) of a page."""
    with open(page) as file:
        text = FENCE.sub(blank, file.read())
    text = re.sub(r"<!--.*?-->", blank, text, flags=re.DOTALL)
    for number, line in enumerate(text.splitlines(), 1):
        for target in LINK.findall(CODE.sub("``", line)):
            wrong = check_link(target, page)
            if wrong:
                yield number, wrong
        for code in CODE.findall(line):
            code = code.split("::")[0]  # file::test
            if sources.is_path(code) and not sources.has(code, page):
                yield number, f"there is no file {code}"


def main(argv):
    if len(argv) < 2:
        sys.exit(__doc__)
    sources = Sources(os.path.abspath(argv[1]))
    pages = sources.pages()
    for folder in argv[2:]:
        pages += sorted(glob.glob(os.path.join(folder, "*.md")))
    wrong = 0
    for page in pages:
        for number, problem in check_page(page, sources):
            print(f"{os.path.relpath(page)}:{number}: {problem}")
            wrong += 1
    print(f"links: {len(pages)} pages, {wrong} wrong")
    return 1 if wrong or not pages else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
