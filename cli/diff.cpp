#include "traces/diff.h"

#include <fmt/core.h>

#include "cli/commands.h"
#include "cli/text/files.h"

namespace dvmsim {

int diff(const DiffOptions& options) {
  const Record before = parse_record(read_text(options.before), options.before);
  const Record after = parse_record(read_text(options.after), options.after);
  const Diff diff = compare(before, after);
  if (options.json == "-") {
    fmt::print("{}", to_json(diff));
    return kGood;
  }
  if (!options.json.empty()) write_file(options.json, to_json(diff));
  fmt::print("{}", to_text(diff, options.most));
  return kGood;
}

}  // namespace dvmsim
