#!/bin/bash
# Prints our files, one a line: those git knows or would take up, or, outside of
# a checkout, all beside build folders.
set -euo pipefail
cd "$(dirname "$0")/.."
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  git ls-files --cached --others --exclude-standard | sort -u
else
  find . -type f -not -path './build*' -printf '%P\n' | sort
fi | while read -r file; do
  if [[ -f $file ]]; then echo "$file"; fi
done
