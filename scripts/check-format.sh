#!/bin/bash
# Checks that clang-format has nothing to change; --fix lets it change.
set -euo pipefail
cd "$(dirname "$0")/.."
format=$(command -v clang-format-22 || echo clang-format)
mapfile -t files < <(scripts/list-sources.sh |
  grep -E '\.(h|cpp|cc|c|cu|cuh)$' || true)
((${#files[@]})) || exit 0
if [[ ${1:-} == --fix ]]; then
  exec "$format" -i "${files[@]}"
fi
bad=0
for file in "${files[@]}"; do
  if ! "$format" --dry-run --Werror "$file" >/dev/null 2>&1; then
    echo "$file: not formatted, run make format" >&2
    bad=$((bad + 1))
  fi
done
echo "format: ${#files[@]} files, $bad to format"
((bad == 0))
