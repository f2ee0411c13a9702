#!/bin/bash
# Runs every benchmark program of a build folder and keeps what it measured:
#
#   scripts/run-benchmarks.sh BUILD [benchmark option...]
#
# Results go to test/Benchmarks/results/PROGRAM-DATE.json, or to
# $DTENSOR_BENCHMARK_RESULTS.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/.."
build=$1
shift
results=${DTENSOR_BENCHMARK_RESULTS:-test/Benchmarks/results}
mkdir -p "$results"
count=0
for benchmark in "$build"/test/Benchmarks/*; do
  [[ -f $benchmark && -x $benchmark ]] || continue
  name=$(basename "$benchmark")
  echo "== $name"
  "$benchmark" --benchmark_counters_tabular=true \
    --benchmark_out="$results/$name-$(date +%F).json" \
    --benchmark_out_format=json "$@"
  count=$((count + 1))
done
echo "$count benchmark programs run"
