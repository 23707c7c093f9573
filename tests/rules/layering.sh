#!/bin/sh
# Who may include whom: compiler -> vm, sim -> vm, traces -> vm, cli -> all, vm -> nothing else. And
# each library with heavy headers or global effect stays in one or two sources.
. "$(dirname "$0")/sources.sh"

# from: the folders that may not be included from there
check_arrow() {
  from=$1
  shift
  for to in "$@"; do
    found=$(sources "$from" | xargs -r grep -nE "^ *# *include *\"$to/" /dev/null)
    [ -z "$found" ] || complain "$from may not include $to:" "$found"
  done
}
check_arrow vm compiler sim traces cli dvmsim web tests
check_arrow compiler sim traces cli dvmsim web tests
# A graph becomes a module step by step: no step knows a later one.
later=compiler/runtime
for step in module pass codegen schedule graph; do
  # shellcheck disable=SC2086
  check_arrow compiler/$step $later compiler/import
  later="$later compiler/$step"
done
check_arrow sim compiler traces cli dvmsim web tests
check_arrow traces compiler sim cli dvmsim web tests
check_arrow cli dvmsim tests
check_arrow dvmsim web tests
check_arrow web compiler sim traces cli dvmsim tests

found=$(sources vm compiler traces cli dvmsim | xargs grep -nE '^ *# *include *[<"](systemc|tlm|sysc)' /dev/null)
[ -z "$found" ] || complain "SystemC belongs to sim/ and tests/:" "$found"

# header pattern, most sources, what
check_library() {
  users=$(sources vm compiler sim traces cli dvmsim | xargs grep -lE "^ *# *include *[<\"]$1" /dev/null)
  count=$(printf '%s' "$users" | grep -c .)
  [ "$count" -le "$2" ] || complain "$1 is included by $count sources, $2 are allowed:" "$users"
  headers=$(printf '%s' "$users" | grep '\.h$')
  [ -z "$headers" ] || complain "$1 in a header:" "$headers"
}
check_library yaml-cpp 2
check_library CLI 5
check_library nlohmann 10
check_library onnx 2
check_library protozero 2
check_library llvm-c 1
check_library libgccjit 1

# Cores run ahead of the kernel's clock: its time means nothing to them.
found=$(sources sim/core sim/unit sim/mem | xargs -r grep -nE 'sc_time_stamp|include *<systemc' /dev/null)
[ -z "$found" ] || complain "no SystemC and no kernel time in the model of a core:" "$found"
exit $failed
