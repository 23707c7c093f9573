#include "tests/support/oracle.h"

#include <algorithm>
#include <memory>
#include <systemc>

#include "sim/kernel/scope.h"
#include "tests/support/oracle_core.h"
#include "vm/isa/cost.h"

namespace dvmsim::testing {
namespace {

/// When core number i of the launch starts its scalar unit.
Time core_start(const Machine& machine, const Launch& launch, Time begin, int i) {
  const auto& m = machine.launch;
  const int cores = launch.cube_cores + launch.vector_cores;
  const bool mixed = launch.cube_cores > 0 && launch.vector_cores > 0;
  const Picoseconds fixed = launch.path == CodePath::Native ? m.native
                            : mixed                         ? m.mix
                            : launch.cube_cores > 0         ? m.cube
                                                            : m.vector;
  const Cycles head = cycles_in(fixed + m.per_core * cores, machine.clock.core);
  const Cycles skew = cycles_in(m.skew, machine.clock.core);
  return begin + head.count() + (cores > 1 ? skew.count() * i / (cores - 1) : 0);
}

/// The queues a core of this kind has.
std::vector<Pipe> queues_of(CoreKind kind) {
  if (kind == CoreKind::Vector) return {Pipe::MTE2, Pipe::Vector, Pipe::MTE3};
  if (kind == CoreKind::Cube) return {Pipe::MTE1, Pipe::MTE2, Pipe::Cube, Pipe::Fix};
  return {Pipe::MTE1, Pipe::MTE2, Pipe::MTE3, Pipe::Cube, Pipe::Vector, Pipe::Fix};
}

}  // namespace

void append(OracleRows& rows, const RowId& row, const OracleSpan& span) {
  if (span.end <= span.begin || span.reason == Reason::Idle) return;
  std::vector<OracleSpan>& spans = rows[row];
  const bool join = span.reason != Reason::Work || row.pipe == Pipe::Scalar;
  if (join && !spans.empty() && spans.back().reason == span.reason &&
      spans.back().end == span.begin) {
    spans.back().end = span.end;
  } else {
    spans.push_back(span);
  }
}

OracleResult Oracle::run(const Launch& launch, std::int64_t begin, std::int64_t cube_code,
                         std::int64_t vector_code) {
  OracleResult result;
  const SimScope scope;
  const SimScope::Entered entered(scope);
  const CostModel costs(machine_);
  Waiting waiting;
  Board board(machine_, launch, waiting);
  Server server(memory_, waiting);
  sc_core::sc_spawn([&server] { server.run(); });
  std::vector<std::unique_ptr<OracleCore>> cores;
  for (int i = 0; i < launch.cube_cores + launch.vector_cores; ++i) {
    const bool vector = i >= launch.cube_cores;
    const CoreKind kind = vector                   ? CoreKind::Vector
                          : machine_.cores.unified ? CoreKind::Unified
                                                   : CoreKind::Cube;
    const CoreId id{kind, vector ? i - launch.cube_cores : i};
    const std::vector<Task>& tasks = launch.program->tasks;
    const bool takes_part =
        tasks.empty() ||
        std::any_of(tasks.begin(), tasks.end(), [&](const Task& t) { return t.team.has(id); });
    if (!takes_part) continue;
    cores.push_back(std::make_unique<OracleCore>(
        costs, launch, id, core_start(machine_, launch, begin, i), vector ? vector_code : cube_code,
        board, server, waiting, result.rows));
    OracleCore* const core = cores.back().get();
    sc_core::sc_spawn([core] { core->scalar(); });
    for (Pipe pipe : queues_of(kind)) {
      sc_core::sc_spawn([core, pipe] { core->pipe(pipe); });
    }
  }
  sc_core::sc_start();
  waiting.end();
  sc_core::sc_start();
  for (const std::unique_ptr<OracleCore>& core : cores) {
    core->leave();
    core->add_to(result);
    core->describe_blocked(result.blocked);
  }
  return result;
}

}  // namespace dvmsim::testing
