# The source files of the project, one a line, from its root. Read by the rules beside it.
cd "$(dirname "$0")/../.." || exit 2
sources() {
  find "$@" -type d \( -name node_modules -o -name 'build*' \) -prune -o -type f \
    \( -name '*.h' -o -name '*.cpp' -o -name '*.def' \) -print | LC_ALL=C sort
}
# The sources of the HTML report and its tests.
page_sources() {
  find web tests/web -type d -name node_modules -prune -o -type f \
    \( -name '*.js' -o -name '*.mjs' -o -name '*.css' -o -name '*.html' \) -print | LC_ALL=C sort
}
failed=0
complain() {
  echo "$*"
  failed=1
}
