#!/bin/sh
# No file over 500 lines, no function over 80: what is longer has more than one idea. (A function is
# what starts in column 0, or two columns in within a class, and ends with a brace there.)
. "$(dirname "$0")/sources.sh"

for file in $(sources vm compiler sim traces cli web dvmsim examples tests | grep -v '\.def$') $(page_sources); do
  lines=$(wc -l <"$file")
  [ "$lines" -le 500 ] || complain "$file: $lines lines, 500 are allowed"
done
long=$(sources vm compiler sim traces cli dvmsim examples tests | grep -v '\.def$' | xargs awk '
  FNR == 1 { start[0] = start[1] = 0 }
  {
    depth = match($0, /[^ ]/) - 1
    if (depth != 0 && depth != 2) next
    d = depth / 2
    if ($0 ~ /^ *(}|#|\/\/|namespace|class|struct|enum|union|public:|private:|constexpr|inline constexpr|static const|const )/) {
      if ($0 ~ /^ *}/ && start[d] && FNR - start[d] + 1 > 80)
        print FILENAME ":" start[d] ": a function of " FNR - start[d] + 1 " lines, 80 are allowed"
      start[d] = 0
    } else if (!start[d] && $0 !~ /;$/) start[d] = FNR
    else if ($0 ~ /;$/) start[d] = 0
  }')
[ -z "$long" ] || complain "$long"
exit $failed
