// From a command line to what can be executed: the model, operator or program with its inputs, the
// machine, and the options as they hold for it.
#pragma once

#include "cli/execute.h"
#include "cli/options/options.h"
#include "vm/machine/machine.h"

namespace dvmsim {

struct Prepared {
  Job job{};
  Machine machine{};
  RunOptions options{};
};

/// A graph with its inputs: those that --input names, the others random.
[[nodiscard]] Job job_of(std::string name, Graph graph, const RunOptions& options);
/// For the verbs run and op. Throws Error for whatever cannot be run.
[[nodiscard]] Prepared prepare(const CommandLine& line);

}  // namespace dvmsim
