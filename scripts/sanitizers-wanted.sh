#!/bin/bash
# Exit code 0: what sanitizers look at is not what it was when they last passed.
#
#   scripts/sanitizers-wanted.sh STAMP     STAMP has the commit of that time
#
# Run at the top of a checkout. They look at C and C++ and at how it is built. A
# checkout where they never passed is compared with where its branch left main,
# or with the commit before. Without a history nothing says what changed, and
# they are not wanted: two more builds of everything would double the time of
# each check of an archive. DTENSOR_CHECK_SAN=always or never decides otherwise.
set -u
sources=(CMakeLists.txt cmake include lib tools test/CAPI test/Gpu test/Unit)

is_commit() { git rev-parse -q --verify "$1^{commit}" >/dev/null 2>&1; }

last_good() {
  local base
  base=$(cat "$1" 2>/dev/null)
  [[ -n $base ]] && is_commit "$base" && echo "$base" && return
  base=$(git merge-base HEAD origin/main 2>/dev/null)
  [[ -n $base && $base != $(git rev-parse HEAD) ]] && echo "$base" && return
  echo "HEAD^"
}

case ${DTENSOR_CHECK_SAN:-} in
  always) exit 0 ;;
  never) exit 1 ;;
esac
base=$(last_good "$1")
is_commit "$base" && ! git diff --quiet "$base" -- "${sources[@]}"
