// A graph with known shapes becomes a module: passes, partition, then for each group a schedule and
// a program, and a plan of where every tensor lives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/module/module.h"
#include "compiler/module/override.h"
#include "compiler/module/remarks.h"
#include "compiler/pass/feature.h"
#include "compiler/pass/partition.h"
#include "compiler/pass/pipeline.h"
#include "compiler/schedule/matmul.h"
#include "vm/machine/machine.h"

namespace dvmsim {

struct CompileOptions {
  Fusion fusion = Fusion::Patterns;
  Features features{};
  CodePath path = CodePath::Bytecode;
  Tiling tiling = Tiling::Cost;
  int cores = 0;                   // groups of cores to use at most; 0: all
  std::uint64_t machine_hash = 0;  // hash_of the machine, if the caller has it
  PassObserver observer{};
  ScheduleOverrides* overrides = nullptr;  // what a user has decided; notes what was used
  // For people: not filled if null.
  std::string* schedules = nullptr;                    // text of every schedule
  std::string* groups = nullptr;                       // of every partition
  std::vector<GraphRemarks>* remarks = nullptr;        // of the graph and of branches of its Ifs
  std::vector<ScheduleDecision>* decisions = nullptr;  // what an override could have decided
};
/// None if there are no overrides.
[[nodiscard]] FusionHints hints_of(const CompileOptions& options);

/// What a compiler of native code would have to do for a group.
struct KernelWork {
  GroupKind kind = GroupKind::Vector;
  int nests = 1;     // loop nests: one, and one for each reduction
  int programs = 0;  // that no group before it has
};

/// What the host's time is modelled from.
struct CompileWork {
  std::int64_t nodes = 0, tiles = 0, words = 0, groups = 0;
  std::int64_t alike = 0;      // kernels cut as sizes like theirs were
  std::int64_t operators = 0;  // of the framework, where each has its own launches
  std::int64_t launches = 0;   // of a run that takes the longer arm of every branch
  std::vector<KernelWork> kernels{};
};

/// `graph` is specialized. Throws Error, naming the node, for what cannot be compiled.
[[nodiscard]] Module compile(const Graph& graph, const Machine& machine,
                             const CompileOptions& options, CompileWork* work = nullptr);

/// Launches of one run, if it takes the longer arm of every branch.
[[nodiscard]] std::int64_t launches_of(const std::vector<ModuleStep>& steps);

}  // namespace dvmsim
