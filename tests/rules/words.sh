#!/bin/sh
# Words that say something is unfinished, file names that say nothing, and headers that one of the two
# compilers lacks.
. "$(dirname "$0")/sources.sh"

unfinished='TO''DO|FIX''ME|XX''X|not ''implemented'
found=$({ sources vm compiler sim traces cli web dvmsim examples tests; page_sources; } |
  xargs grep -nE "$unfinished" /dev/null)
[ -z "$found" ] || complain "finish it, or say what is not modelled:" "$found"
found=$({ sources vm compiler sim traces cli web dvmsim examples tests; page_sources; } |
  grep -E '(^|[/_])(util|utils|common|helper|helpers|manager|misc)[._]')
[ -z "$found" ] || complain "a file is named after what it is:" "$found"
found=$(sources vm compiler sim traces cli dvmsim examples tests |
  xargs grep -nE '^ *# *include *<(format|expected|source_location)>' /dev/null)
[ -z "$found" ] || complain "missing in g++ 12 or clang 14:" "$found"
exit $failed
