#!/bin/sh
# clang-format decides; `make format` obeys.
. "$(dirname "$0")/sources.sh"
for file in $(sources vm compiler sim traces cli web dvmsim examples tests | grep -v '\.def$'); do
  clang-format --dry-run -Werror "$file" 2>/dev/null || complain "$file is not as clang-format has it"
done
exit $failed
