#include "tests/support/random_table.h"

#include <algorithm>

#include "vm/program/table.h"

namespace dvmsim::testing {
namespace {

constexpr std::uint64_t kSeeds = 1000;  // more than tasks of a table

/// Somewhere on the machine, as a table may place it.
Team place(const Machine& machine, const RandomProgram& program, Random& random) {
  const int ratio = std::max(1, machine.cores.per_group);
  const auto anywhere = [&](int cores, int all, int step) {
    return static_cast<int>(pick(random, 0, (all - cores) / step)) * step;
  };
  Team team{{0, program.cube_cores}, {0, program.vector_cores}};
  if (program.cube_cores > 0) {
    team.cube.first = anywhere(program.cube_cores, machine.cores.cube, 1);
    if (program.vector_cores > 0) team.vector.first = team.cube.first * ratio;
  } else {
    team.vector.first = anywhere(program.vector_cores, machine.cores.vector, ratio);
  }
  return team;
}

}  // namespace

RandomProgram random_table(const Machine& machine, std::uint64_t seed,
                           const RandomOptions& options) {
  Random random(seed);
  RandomProgram made;
  TableBuilder table;
  const auto tasks = static_cast<std::uint64_t>(pick(random, 1, 6));
  for (std::uint64_t i = 0; i < tasks; ++i) {
    RandomOptions own = options;
    if (!machine.cores.unified && chance(random, 30)) own.cube = false;
    if (own.cube && chance(random, 30)) own.vector = false;
    // Now and then the code of the task before: the two share it.
    const std::uint64_t which = i > 0 && chance(random, 25) ? i - 1 : i;
    const RandomProgram part = random_program(machine, kSeeds * seed + which, own);
    std::vector<std::uint32_t> after;
    for (std::uint32_t before = 0; before < i; ++before) {
      if (chance(random, 40)) after.push_back(before);
    }
    table.add(part.program, place(machine, part, random), after, "task " + std::to_string(i));
    made.scalars.insert(made.scalars.end(), part.scalars.begin(), part.scalars.end());
    made.contents.insert(made.contents.end(), part.contents.begin(), part.contents.end());
  }
  made.program = table.finish("random table");
  const Team whole = whole_team(made.program.tasks);
  made.cube_cores = whole.cube.count;
  made.vector_cores = whole.vector.count;
  return made;
}

}  // namespace dvmsim::testing
