// What must come after what among the launches of a module: those that follow one another without a
// decision of the host between them need only the order of what they read and write.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/module/module.h"

namespace dvmsim {

/// Steps are numbered in the order of the plan, one arm of a branch after the other, branches
/// themselves too. A step that the host waits for, and one on either side of such a step, comes
/// after all before it.
class StepOrder {
 public:
  /// Looks at tensors, not at where they lie.
  explicit StepOrder(const Module& module);

  /// Must `first` be over before `second` begins?
  [[nodiscard]] bool before(int first, int second) const {
    return before_[static_cast<std::size_t>(second)][static_cast<std::size_t>(first)];
  }
  /// Those that the step comes after, ascending, without the ones that follow from the others.
  [[nodiscard]] const std::vector<int>& after(int step) const {
    return after_[static_cast<std::size_t>(step)];
  }

 private:
  void add(const Module& module, const std::vector<ModuleStep>& steps);
  void add(const Module& module, const ModuleStep& step, int run);

  struct Access {
    int tensor = 0;
    bool writes = false;
  };
  [[nodiscard]] static std::vector<Access> accesses_of(const Module& module,
                                                       const ModuleStep& step);
  [[nodiscard]] bool conflict(std::size_t a, std::size_t b) const;

  std::vector<std::vector<Access>> accesses_{};  // by step
  std::vector<std::vector<bool>> before_{};      // by step: every earlier one it comes after
  std::vector<std::vector<int>> after_{};
};

/// May the step be a task, so that only what it touches orders it?
[[nodiscard]] inline bool may_be_task(const ModuleStep& step) {
  return step.kind == ModuleStep::Kind::Launch && step.path != CodePath::Native;
}

}  // namespace dvmsim
