#include "cli/table_run.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "cli/machine.h"
#include "cli/measure.h"
#include "cli/text/files.h"
#include "cli/workers.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

bool keep(const std::vector<std::string>& wanted, const std::string& value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

/// Every name asked for must be there; a misspelt one would pass by having no rows.
template <class Name>
void check_names(const Table& table, const std::vector<std::string>& wanted, const char* option,
                 Name&& name) {
  for (const std::string& each : wanted) {
    const bool known = std::any_of(table.rows.begin(), table.rows.end(),
                                   [&](const TableRow& row) { return name(row) == each; });
    if (!known) throw Error(std::string(option) + " " + each + ": " + table.path + " has none");
  }
}

Table load(const TableOptions& options) {
  const std::string path =
      options.table.empty() ? find_config("validation/published.csv") : options.table;
  std::optional<double> tolerance;
  if (!options.tolerance.empty()) tolerance = parse_percent(options.tolerance, "--tolerance");
  Table table = parse_table(read_text(path), path, tolerance);
  check_names(table, options.groups, "--group", [](const TableRow& row) { return row.group; });
  check_names(table, options.ids, "--id", [](const TableRow& row) { return row.id; });
  std::erase_if(table.rows, [&](const TableRow& row) {
    return !keep(options.groups, row.group) || !keep(options.ids, row.id);
  });
  if (table.rows.empty()) throw Error(path + ": no row is of this group and id");
  if (!options.ids.empty()) table.limits.clear();  // they are about whole groups
  return table;
}

Overrides overrides_of(const TableOptions& options) {
  Overrides overrides;
  if (!options.hardware.empty()) overrides.hardware = fs::absolute(options.hardware).string();
  overrides.sets = options.sets;
  overrides.memory = options.memory;
  // What is wrong for every case is wrong once.
  (void)machine_from(overrides.hardware, overrides.sets);
  return overrides;
}

Pool pool_of(const TableOptions& options, const std::string& folder) {
  Pool::Progress progress;
  if (isatty(STDERR_FILENO) != 0) {
    progress = [](std::size_t done, std::size_t all) {
      if (done == all) {
        fmt::print(stderr, "\r\033[K");
      } else {
        fmt::print(stderr, "\r\033[K{} of {} cases", done, all);
      }
      std::fflush(stderr);
    };
  }
  return Pool([folder](const Words& words) { return measure(words, folder); },
              worker_count(options.jobs), progress);
}

}  // namespace

TableRun::TableRun(const TableOptions& options)
    : table(load(options)),
      overrides(overrides_of(options)),
      pool(pool_of(options, table.folder)) {}

}  // namespace dvmsim
