#!/bin/sh
# Every source is built by its folder, every test is run, and every subfolder with sources has tests.
. "$(dirname "$0")/sources.sh"

for file in $(sources vm compiler sim traces cli dvmsim tests | grep '\.cpp$'); do
  top=${file%%/*}
  grep -qF "${file#*/}" "$top/CMakeLists.txt" || complain "$file is not named in $top/CMakeLists.txt"
done
for folder in $(sources vm compiler sim traces cli dvmsim | grep '\.cpp$' | xargs -n1 dirname | sort -u); do
  [ -n "$(find "tests/$folder" -maxdepth 1 -name '*_test.cpp' 2>/dev/null)" ] ||
    complain "$folder has sources, but tests/$folder has no *_test.cpp"
done
exit $failed
