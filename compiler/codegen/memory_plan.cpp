#include "compiler/codegen/memory_plan.h"

#include <algorithm>

namespace dvmsim {
namespace {

constexpr std::int64_t kAlign = 512;

struct Life {
  int first = -1, last = -1;
  [[nodiscard]] bool meets(const Life& other) const {
    return first <= other.last && other.first <= last;
  }
};

/// Marks what a step touches as alive at `at`, the number of its outermost step.
void touch(const ModuleStep& step, int at, std::vector<Life>& lives) {
  const auto mark = [&](int tensor) {
    Life& life = lives[static_cast<std::size_t>(tensor)];
    if (life.first < 0) life.first = at;
    life.last = at;
  };
  if (step.kind == ModuleStep::Kind::Branch) mark(step.condition);
  for (const ModuleArgument& argument : step.arguments) {
    if (argument.kind == ModuleArgument::Kind::Tensor) mark(argument.tensor);
  }
  for (const ModuleStep& inner : step.then_steps) touch(inner, at, lives);
  for (const ModuleStep& inner : step.else_steps) touch(inner, at, lives);
}

}  // namespace

void plan_memory(Module& module) {
  std::vector<Life> lives(module.tensors.size());
  for (std::size_t i = 0; i < module.steps.size(); ++i) {
    touch(module.steps[i], static_cast<int>(i), lives);
  }
  const auto padded = [](std::int64_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; };
  std::vector<std::size_t> placed;  // by offset
  module.constant_bytes = module.workspace_bytes = 0;
  for (std::size_t i = 0; i < module.tensors.size(); ++i) {
    ModuleTensor& tensor = module.tensors[i];
    if (tensor.kind == ModuleTensor::Kind::Constant) {
      tensor.offset = module.constant_bytes;
      module.constant_bytes += padded(tensor.bytes);
    }
    if (tensor.kind != ModuleTensor::Kind::Workspace || lives[i].first < 0) continue;
    tensor.offset = 0;  // the lowest gap between tensors alive at the same time
    for (std::size_t other : placed) {
      const ModuleTensor& there = module.tensors[other];
      if (!lives[i].meets(lives[other])) continue;
      if (tensor.offset + padded(tensor.bytes) <= there.offset) break;
      tensor.offset = std::max(tensor.offset, there.offset + padded(there.bytes));
    }
    const auto after = std::upper_bound(placed.begin(), placed.end(), tensor.offset,
                                        [&](std::int64_t offset, std::size_t other) {
                                          return offset < module.tensors[other].offset;
                                        });
    placed.insert(after, i);
    module.workspace_bytes = std::max(module.workspace_bytes, tensor.offset + padded(tensor.bytes));
  }
}

}  // namespace dvmsim
