#!/bin/sh
# The package as others use it: installed below the build tree, found by the example, which is built
# and run; its answers are those of the command. Words: source folder, build folder, C++ compiler.
set -eu
source=$1
build=$2
compiler=$3
work=$build/package
rm -rf "$work"
cmake --install "$build" --prefix "$work/installed" >"$work.log" 2>&1 || { cat "$work.log"; exit 1; }
installed=$(cd "$work/installed" && find . -name '*.h' | LC_ALL=C sort)
[ "$installed" = "./include/dvmsim/cost.h" ] || { echo "headers installed: $installed"; exit 1; }
cmake -S "$source/examples/autotune" -B "$work/autotune" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$work/installed" -DCMAKE_CXX_COMPILER="$compiler" >"$work.log" 2>&1 ||
  { cat "$work.log"; exit 1; }
cmake --build "$work/autotune" >"$work.log" 2>&1 || { cat "$work.log"; exit 1; }

cd /
"$work/autotune/autotune" >"$work/answers.txt"
cat "$work/answers.txt"
dvmsim=$work/installed/bin/dvmsim
cycles=$("$dvmsim" op matmul 777x1003 1003x1501 --decode none --json - |
  sed -n 's/^  "cycles": \([0-9]*\),$/\1/p')
grep -q "^     1: *$cycles cycles" "$work/answers.txt" || { echo "the command says $cycles"; exit 1; }
grep -q '^  best: ' "$work/answers.txt"
grep -q '^smallest machine within' "$work/answers.txt"
grep -q "^refused: node 'matmul'" "$work/answers.txt"
"$work/autotune/autotune" | cmp - "$work/answers.txt"
# The installed command finds the configurations that came with it.
"$dvmsim" validate --id OD-003 >/dev/null
