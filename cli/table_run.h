// What validate and fit begin with: the table a command line names, reduced to the rows it asks
// for, and workers that can run its cases.
#pragma once

#include "cli/options/options.h"
#include "cli/validation/pool.h"
#include "cli/validation/score.h"
#include "cli/validation/table.h"

namespace dvmsim {

struct TableRun {
  /// Throws Error for a table, row, group or file that is not there.
  explicit TableRun(const TableOptions& options);

  Table table;
  Overrides overrides;
  Pool pool;
};

}  // namespace dvmsim
