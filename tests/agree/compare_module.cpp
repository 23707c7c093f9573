#include "tests/agree/compare_module.h"

namespace dvmsim::testing {

std::vector<Verdict> compare(const Machine& machine, const Module& module) {
  std::vector<Verdict> verdicts;
  for (const ModuleStep& step : module.steps) {
    Trial trial;
    trial.program = &module.programs[static_cast<std::size_t>(step.program)];
    trial.cube_cores = step.cube_cores;
    trial.vector_cores = step.vector_cores;
    for (const ModuleArgument& argument : step.arguments) {
      if (argument.kind == ModuleArgument::Kind::Scalar) {
        trial.arguments.push_back({0, static_cast<std::uint64_t>(argument.value)});
        continue;
      }
      const auto tensor = static_cast<std::size_t>(argument.tensor);
      trial.arguments.push_back({module.tensors[tensor].bytes, 0});
    }
    verdicts.push_back(compare(machine, trial));
  }
  return verdicts;
}

}  // namespace dvmsim::testing
