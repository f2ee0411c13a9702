#!/bin/bash
# Runs every benchmark binary of a build folder: run-benchmarks.sh BUILD
set -euo pipefail
shopt -s nullglob
count=0
for benchmark in "$1"/test/Benchmarks/*; do
  [[ -f $benchmark && -x $benchmark ]] || continue
  echo "== $(basename "$benchmark")"
  "$benchmark"
  count=$((count + 1))
done
echo "$count benchmark programs run"
