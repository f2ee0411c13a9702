#!/bin/bash
# Checks that no file of ours names a path of one machine: a checkout must work
# wherever it lies.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(scripts/list-sources.sh)
pattern='(^|[^A-Za-z0-9_.}/-])/(work|root|home|Users|mnt)/[A-Za-z0-9_.]'
if grep -nIE "$pattern" -- "${files[@]}"; then
  echo "words: the lines above name a path of one machine" >&2
  exit 1
fi
echo "words: ${#files[@]} files, no path of one machine"
