#!/bin/bash
# One archive that runs where no LLVM is installed:
#
#   scripts/make-dist.sh BUILD [OUTPUT-FOLDER]
#
# writes OUTPUT-FOLDER/dtensor-VERSION-linux-x86_64.tar.xz (default: dist/) and
# the same unpacked. The tools are a few lines each over libDTensorCompiler.so,
# which has the parts of LLVM, MLIR and lld that they need inside and shows
# nothing of them; they find it beside themselves, wherever the folder is. It
# takes x86-64 and glibc 2.36; ptxas and CUDA's libraries are found where they
# are installed.
#
# The build links LLVM's one big library; here the link commands of the tools
# are run once more with its static libraries in that place.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1")
out=$(realpath -m "${2:-dist}")
version=$(sed -n 's/^project(dtensor VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=dtensor-$version-linux-x86_64
limit=$((60 << 20))
tools="dtensor-compile dtensor-opt"
allocator=

llvm=$(sed -n 's/^DTENSOR_LLVM_PREFIX:[A-Z]*=//p' "$build/CMakeCache.txt")
clang=$llvm/bin/clang++
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$out/$name
rm -rf "$root"
mkdir -p "$root/bin" "$root/lib" "$root/include" "$root/share/dtensor"

# The command that links a file of the build, without what comes from `ninja`.
link_command() {
  ninja -C "$build" -t commands "$1" | tail -1 |
    sed -e 's/^: && //' -e 's/ && :$//' -e "s# -Wl,-rpath,[^ ]*##g"
}

# lld knows all targets by name and with them their code generators. Those that
# we never ask for are empty here.
write_stubs() {
  cat <<'STUBS'
#include "llvm/Plugins/PassPlugin.h"
llvm::PassPluginLibraryInfo getPollyPluginInfo() { return {}; }
#define UNUSED(T)                                                              \
  extern "C" {                                                                 \
  void LLVMInitialize##T##TargetInfo() {}                                      \
  void LLVMInitialize##T##Target() {}                                          \
  void LLVMInitialize##T##TargetMC() {}                                        \
  void LLVMInitialize##T##AsmPrinter() {}                                      \
  void LLVMInitialize##T##AsmParser() {}                                       \
  void LLVMInitialize##T##Disassembler() {}                                    \
  }
STUBS
  sed -n 's/^LLVM_TARGET(\(.*\))$/UNUSED(\1)/p' \
    "$(include_dir)/llvm/Config/Targets.def" | grep -v -e X86 -e NVPTX
}

include_dir() { "$llvm/bin/llvm-config" --includedir; }

# libDTensorCompiler.so: the C interface, every tool's objects with `main` renamed,
# and the union of the libraries that the tools link.
link_compiler() {
  local objects=() libraries=() tool word
  for tool in $tools; do
    for word in $(link_command "bin/$tool"); do
      case $word in
      *.cpp.o)
        local object=$work/$tool-$(basename "$word")
        # An extern "C" name: main is not mangled.
        "$llvm/bin/llvm-objcopy" --redefine-sym "main=${tool//-/_}_main" \
          "$build/$word" "$object"
        objects+=("$object")
        ;;
      */libLLVM.so* | */libLLVM-*.so*) ;;
      */libjemalloc*.a) allocator=$word ;; # of the program, see link_tools
      */libz.so) libraries+=(-l:libz.a) ;;
      */libzstd.so) libraries+=(-l:libzstd.a) ;;
      *.a) [[ $word == /* ]] && libraries+=("$word") ||
        libraries+=("$build/$word") ;;
      esac
    done
  done
  write_stubs >"$work/stubs.cpp"
  "$clang" -std=c++17 -O1 -fPIC -fno-rtti -I"$(include_dir)" -c \
    "$work/stubs.cpp" -o "$work/stubs.o"
  for word in $(link_command lib/libDTensorCompiler.so); do
    [[ $word == *.cpp.o ]] && objects+=("$build/$word")
  done
  printf '{ global: dtensor_*_main; dtensor_compiler_*; local: *; };\n' \
    >"$work/exports"
  "$clang" -shared -fuse-ld=lld -o "$root/lib/libDTensorCompiler.so" \
    "$work/stubs.o" "${objects[@]}" "${libraries[@]}" \
    "$("$llvm/bin/llvm-config" --libdir)"/libLLVM*.a -lpthread -ldl -lm \
    -l:libz.a -l:libzstd.a -static-libstdc++ -static-libgcc \
    -Wl,--version-script="$work/exports" -Wl,--gc-sections,--icf=all,-s \
    -Wl,--as-needed,-z,defs,-z,pack-relative-relocs,-Bsymbolic
}

# The allocator is the whole process's: only a program may bring one.
link_tools() {
  local tool
  for tool in $tools; do
    printf 'int %s_main(int, char **);
int main(int argc, char **argv) { return %s_main(argc, argv); }\n' \
      "${tool//-/_}" "${tool//-/_}" >"$work/$tool.c"
    "$llvm/bin/clang" -fuse-ld=lld -O1 "$work/$tool.c" -o "$root/bin/$tool" \
      -L"$root/lib" -lDTensorCompiler -Wl,-rpath,'$ORIGIN/../lib' -Wl,-s \
      ${allocator:+-Wl,-u,malloc "$allocator" -static-libgcc -lpthread -ldl -lm}
  done
}

# The runtime and its tool again, stripped, with the C++ library inside. It must
# not show that one: a process may have another (Python with PyTorch does), and
# streams of one with the locale of the other write no numbers.
link_runtime() {
  local flags=(-static-libstdc++ -static-libgcc -Wl,-s)
  printf '{ global: %s; %s; local: *; };\n' 'dtensor_rt_*' \
    '_mlir_memref_to_llvm_*' >"$work/runtime-exports"
  (cd "$build" &&
    eval "$(link_command lib/libdtensor_rt.so |
      sed "s# -o [^ ]*# -o '$root/lib/libdtensor_rt.so'#") ${flags[*]} \
      -Wl,--version-script='$work/runtime-exports'" &&
    eval "$(link_command bin/dtensor-run |
      sed -e "s# -o [^ ]*# -o '$root/bin/dtensor-run'#" \
        -e "s#lib/libdtensor_rt.so#'$root/lib/libdtensor_rt.so'#g") \
      ${flags[*]} -Wl,-rpath,'\$ORIGIN/../lib'")
}

# Nothing but our own functions is to be seen.
check_shown() {
  local file shown
  for file in "$root"/lib/*.so; do
    shown=$("$llvm/bin/llvm-nm" -D --defined-only --format=just-symbols "$file" |
      grep -v -e '^dtensor_' -e '^_mlir_memref_to_llvm_' -e '^PyInit_' || true)
    if [[ -n $shown ]]; then
      echo "make-dist: error: $(basename "$file") shows ${shown%%$'\n'*}" >&2
      return 1
    fi
  done
}

# Nothing but the C library and our own files.
check_needed() {
  local file needed bad=0
  for file in "$root"/bin/* "$root"/lib/*.so; do
    for needed in $("$llvm/bin/llvm-readelf" -d "$file" |
      sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
      case $needed in
      libc.so.6 | libm.so.6 | libdl.so.2 | libpthread.so.0 | ld-linux-*) ;;
      libDTensorCompiler.so | libdtensor_rt.so) ;;
      *)
        echo "make-dist: error: $(basename "$file") needs $needed" >&2
        bad=1
        ;;
      esac
    done
  done
  return $bad
}

# The tools start from a folder of another name with an empty environment, read,
# compile and run an example.
check_runs() {
  local copy=$work/"moved elsewhere"
  cp -r "$root" "$copy"
  (cd "$work" &&
    env -i "$copy/bin/dtensor-opt" "$copy/share/dtensor/embedding.mlir" \
      >/dev/null &&
    env -i "$copy/bin/dtensor-compile" "$copy/share/dtensor/embedding.mlir" \
      -o "$work/embedding.so" &&
    env -i "$copy/bin/dtensor-run" "$work/embedding.so" --entry by_word \
      --mesh tp=3 --random --dim B=2 --dim S=3 --check >/dev/null)
}

# C headers, find_package(DTensor), which gives the shared libraries, and the
# reference.
install_package() {
  cmake --install "$build" --prefix "$root" --component package \
    >"$work/install.log"
  [[ -s $root/share/doc/dtensor/reference/README.md ]]
}

# A host without MLIR builds against it.
check_cmake() {
  local source=test/Embedding/Inputs/host
  cmake -S "$source" -B "$work/host" -DCMAKE_PREFIX_PATH="$root" \
    -DCMAKE_C_COMPILER="$llvm/bin/clang" >"$work/host.log" &&
    cmake --build "$work/host" >>"$work/host.log" &&
    "$work/host/toy-host" >/dev/null
}

# The package finds the libraries in lib/ beside its folder, with what makes its
# calls faster where that was built.
cp_python() {
  local faster=$build/lib/dtensor_prepared_call.abi3.so
  if [[ -e $faster ]]; then
    cp "$faster" "$root/lib/"
    "$llvm/bin/llvm-strip" --strip-unneeded "$root/lib/${faster##*/}"
  fi
  mkdir -p "$root/python"
  (cd python && find . \( -name '*.py' -o -name '*.toml' -o -name py.typed \) \
    -exec cp --parents {} "$root/python" \;)
}

# The Python package compiles and runs, without PyTorch.
check_python() {
  PYTHONPATH=$root/python DTENSOR_CACHE=0 python3 - \
    "$root/share/dtensor/embedding.mlir" <<'CHECK'
import sys, dtensor_mlir
with open(sys.argv[1]) as file:
    bundle = dtensor_mlir.compile_text(file.read())
assert bundle.executable({"tp": 3}, "by_word").symbols
CHECK
}

link_compiler
link_tools
link_runtime
install_package
cp_python
cp examples/*.mlir "$root/share/dtensor/"
cp LICENSE "$root/"
check_needed
check_shown
check_runs
check_cmake
check_python
tar -C "$out" --sort=name --owner=0 --group=0 -cf - "$name" |
  xz -T0 "-${DTENSOR_DIST_LEVEL:-6}" >"$out/$name.tar.xz"
bytes=$(stat -c %s "$out/$name.tar.xz")
if ((bytes > limit)); then
  echo "make-dist: error: $name.tar.xz has $bytes bytes, at most $limit" >&2
  exit 1
fi
echo "$out/$name.tar.xz: $((bytes >> 20)) MiB"
