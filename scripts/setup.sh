#!/bin/bash
# Installs what a build needs and makes the Python environment of the tests.
#
#   scripts/setup.sh            what `make demo` needs: packages
#   scripts/setup.sh --tests    also a Python environment with numpy and torch
#
# The environment goes to $DTENSOR_VENV (build/venv). A second run finds all in
# place and does nothing. Exit code 1: something is missing, the last lines say
# what.
set -euo pipefail
cd "$(dirname "$0")/.."

llvm=22
packages=(
  "libmlir-$llvm-dev" "mlir-$llvm-tools" "llvm-$llvm-dev" "llvm-$llvm-tools"
  "clang-$llvm" "libclang-rt-$llvm-dev" "clang-format-$llvm" "clang-tidy-$llvm"
  "lld-$llvm" "liblld-$llvm-dev"
  cmake ninja-build ccache make git googletest libbenchmark-dev libjemalloc-dev
  nlohmann-json3-dev python3-dev python3-venv
  zlib1g-dev libzstd-dev libxml2-dev libedit-dev libcurl4-openssl-dev
)
venv=${DTENSOR_VENV:-build/venv}
# Debian's own interpreter: wheels and headers below are made for it.
python=${DTENSOR_HOST_PYTHON:-/usr/bin/python3}
# expecttest is asked for by the table of samples that PyTorch tests itself with.
requirements=(numpy psutil torch==2.13.0 expecttest transformers==5.23.0)

say() { echo "setup: $*" >&2; }
fail() { say "$@"; exit 1; }

missing_packages() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' \
    "${packages[@]}" 2>/dev/null || true)
  for package in "${packages[@]}"; do
    grep -qx "installed $package" <<<"$installed" || echo "$package"
  done
}

install_packages() {
  command -v dpkg-query >/dev/null ||
    fail "this is no Debian system; install by hand: ${packages[*]}"
  local missing sudo=()
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      fail "neither root nor sudo; install by hand: ${missing[*]}"
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -qq ||
    say "apt-get update failed, trying with the lists at hand"
  for package in "${missing[@]}"; do
    apt-cache show "$package" >/dev/null 2>&1 ||
      fail "apt has no package $package; packages of LLVM $llvm are in" \
        "the security archives of Debian 12 and 13"
  done
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

make_venv() {
  # The stamp is the list of what was installed, so that a change of the list
  # is an update.
  local stamp="$venv/dtensor-requirements"
  [[ -f $stamp && $(<"$stamp") == "${requirements[*]}" ]] && return 0
  [[ -x $venv/bin/python ]] || {
    say "making a Python environment in $venv"
    mkdir -p "$(dirname "$venv")"
    "$python" -m venv "$venv"
  }
  say "installing ${requirements[*]} (some minutes the first time)"
  "$venv/bin/python" -m pip install -qq "${requirements[@]}" ||
    fail "pip could not install ${requirements[*]}"
  echo "${requirements[*]}" >"$stamp"
}

install_packages
if [[ ${1:-} == --tests ]]; then
  make_venv
fi
