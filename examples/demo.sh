#!/bin/bash
# Compiles each example once and runs it on meshes and shapes that the compiler
# knew nothing about. Every result is compared with that of a mesh of one.
#
#   examples/demo.sh            uses the tools in build/bin, or $DTENSOR_BUILD/bin
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${DTENSOR_BUILD:-$here/../build}/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() { # example
  local start=$EPOCHREALTIME
  "$bin/dtensor-compile" "$here/$1.mlir" -o "$work/$1.so"
  printf '\n%s.mlir: compiled once, in %.2f s\n' "$1" \
    "$(seconds "$start")"
}

seconds() { # since
  awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

# Runs, checks, prints one line. A failed check ends the demo with its message.
run() { # example entry mesh dims [option...]
  local example=$1 entry=$2 mesh=$3 dims=$4
  shift 4
  "$bin/dtensor-run" "$work/$example.so" --entry="$entry" --mesh="$mesh" \
    --random --dim="$dims" --check --stats=json "$@" >"$work/out"
  printf '  %-18s %-9s %-12s checked, %s\n' "$entry" "$mesh" "$dims" \
    "$(collectives "$work/out")"
}

collectives() { # file with statistics, a line per rank
  local found
  found=$(sed -nE 's/.*"collectives": \{([^}]*)\}.*/\1/p' "$1" | sort -u |
    paste -sd' ' | sed -E 's/"([a-z_]+)": ([0-9]+)/\2 \1/g')
  echo "${found:-nothing moved}"
}

compile embedding
for mesh in 1 2 3 4 8; do
  run embedding by_word "tp=$mesh" B=2,S=512 --range arg0=0:202048
done
run embedding by_word tp=3 B=3,S=511 --range arg0=0:202048
run embedding by_word tp=4 B=0,S=5
run embedding by_feature tp=3 B=1,S=77 --range arg0=0:202048
run embedding replicated tp=3 B=1,S=77 --range arg0=0:202048

compile mlp
for batch in 0 1 7; do
  run mlp megatron tp=3 "B=$batch"
done

compile llama_block
for tokens in 1 33 64; do
  for mesh in 1 2 4; do
    run llama_block tensor_parallel "tp=$mesh" "T=$tokens"
  done
done
for tokens in 1 33 64; do
  run llama_block sequence_parallel tp=4 "T=$tokens"
done
