#include "compiler/module/step_order.h"

#include <algorithm>

namespace dvmsim {

StepOrder::StepOrder(const Module& module) {
  add(module, module.steps);
}

void StepOrder::add(const Module& module, const std::vector<ModuleStep>& steps) {
  int run = static_cast<int>(accesses_.size());  // where the launches in a row begin
  for (const ModuleStep& step : steps) {
    const auto number = static_cast<int>(accesses_.size());
    if (!may_be_task(step)) run = number;
    add(module, step, run);
    add(module, step.then_steps);
    add(module, step.else_steps);
    if (!may_be_task(step)) run = static_cast<int>(accesses_.size());
  }
}

/// Everything before `run` is over; from there on it depends.
void StepOrder::add(const Module& module, const ModuleStep& step, int run) {
  const std::size_t own = accesses_.size();
  accesses_.push_back(accesses_of(module, step));
  std::vector<bool> before(own);
  std::vector<int> after;
  for (std::size_t j = own; j-- > 0;) {
    const bool in_run = j >= static_cast<std::size_t>(run);
    if (before[j] || (in_run && !conflict(own, j))) continue;
    before[j] = true;
    if (in_run) after.insert(after.begin(), static_cast<int>(j));
    for (std::size_t k = 0; k < j; ++k) {
      if (before_[j][k]) before[k] = true;
    }
  }
  before_.push_back(std::move(before));
  after_.push_back(std::move(after));
}

/// Constants are only read, so they order nothing.
std::vector<StepOrder::Access> StepOrder::accesses_of(const Module& module,
                                                      const ModuleStep& step) {
  std::vector<Access> accesses;
  if (step.kind == ModuleStep::Kind::Branch) return {{step.condition, false}};
  const Program& program = module.programs[static_cast<std::size_t>(step.program)];
  for (std::size_t i = 0; i < step.arguments.size(); ++i) {
    const ModuleArgument& argument = step.arguments[i];
    if (argument.kind != ModuleArgument::Kind::Tensor) continue;
    const ModuleTensor& tensor = module.tensors[static_cast<std::size_t>(argument.tensor)];
    if (tensor.kind == ModuleTensor::Kind::Constant) continue;
    accesses.push_back({argument.tensor, program.arguments[i].kind != Argument::Kind::Input});
  }
  return accesses;
}

bool StepOrder::conflict(std::size_t a, std::size_t b) const {
  return std::any_of(accesses_[a].begin(), accesses_[a].end(), [&](const Access& x) {
    return std::any_of(accesses_[b].begin(), accesses_[b].end(), [&](const Access& y) {
      return x.tensor == y.tensor && (x.writes || y.writes);
    });
  });
}

}  // namespace dvmsim
