#!/bin/bash
# Builds with sanitizers and runs what they are for.
#
#   scripts/check-sanitizers.sh BUILD [address|thread]
#
# BUILD is a configured plain build; the sanitized ones are BUILD-asan and
# BUILD-tsan beside it.
#
#   address, undefined   all unit tests; every IR test; the tools and the C
#                        interfaces; broken programs
#   thread               the runtime, whose simulated ranks are threads, and the
#                        mathematics; many compilations at once in one process
#
# What only starts Python with our libraries inside is left to the plain build.
# Last line: N passed, N failed. Budget: 30 minutes on two cores, builds
# included; a build that ccache knows takes 2 of them.
set -uo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1")
only=${2:-}
passed=0 failed=0

# Where the signal stack of the sanitizer is smaller than LLVM's, which depends on
# the processor, LLVM puts its own in the place, and the sanitizer would unmap it.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}use_sigaltstack=0

# Sanitizers do not look into kernels of GPUs: those of the plain build serve.
kernels=$build/lib/Runtime/kernels.fatbin
[[ -f $kernels ]] || kernels=

configure() { # sanitizers
  mkdir -p "$folder"
  [[ -f $folder/build.ninja ]] ||
    cmake -G Ninja -S . -B "$folder" -DDTENSOR_SANITIZE="$1" \
      -DDTENSOR_KERNELS="$kernels" \
      -DDTENSOR_PYTHON="$build/venv/bin/python" >"$folder/configure.log" ||
    { cat "$folder/configure.log"; return 1; }
}

run() { # sanitizers, filter of tests, targets...
  local sanitizers=$1 filter=$2 log counts
  shift 2
  if ! { configure "$sanitizers" && ninja -C "$folder" "$@"; }; then
    echo "sanitizers: no build with $sanitizers"
    failed=$((failed + 1))
    return
  fi
  log=$(mktemp)
  scripts/run-tests.py "$folder" --filter "$filter" | tee "$log"
  counts=$(tail -1 "$log")
  rm -f "$log"
  passed=$((passed + ${counts%% passed*}))
  counts=${counts#* passed, }
  failed=$((failed + ${counts%% failed*}))
}

units=(DTensorShardingTests DTensorRuntimeTests DTensorRuntimeInsideTests)
tools=(dtensor-opt dtensor-compile dtensor-run dtensor-reduce
  dtensor-lsp-server)
clients=(capi-compiler capi-custom-op capi-many-threads)

address='dtensor-unit|Analysis/|CAPI/|Conversion/|Dialect/|Target/|Tools/|fuzz-parser'
address+='|Integration/(commands|pipes|bad-programs)'
if [[ $only != thread ]]; then
  folder=$build-asan
  run address,undefined "$address" "${units[@]}" "${tools[@]}" "${clients[@]}" \
    capi-mlir fake_cuda
fi
if [[ $only != address ]]; then
  folder=$build-tsan
  run thread 'dtensor-unit|CAPI/(compiler|custom-op|many-threads)' "${units[@]}" \
    "${clients[@]}" dtensor-run fake_cuda
fi

echo "sanitizers: $((SECONDS / 60)) of 30 minutes"
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
