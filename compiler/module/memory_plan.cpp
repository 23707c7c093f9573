#include "compiler/module/memory_plan.h"

#include <algorithm>

namespace dvmsim {
namespace {

constexpr std::int64_t kAlign = 512;

std::int64_t padded(std::int64_t bytes) {
  return (bytes + kAlign - 1) / kAlign * kAlign;
}

/// The steps that touch a tensor, ascending.
using Life = std::vector<int>;

bool comes_before(const Life& a, const Life& b, const StepOrder* order) {
  if (order == nullptr || a.back() >= b.front()) return a.back() < b.front();
  return std::all_of(a.begin(), a.end(), [&](int first) {
    return std::all_of(b.begin(), b.end(),
                       [&](int second) { return order->before(first, second); });
  });
}

bool meet(const Life& a, const Life& b, const StepOrder* order) {
  return !comes_before(a, b, order) && !comes_before(b, a, order);
}

/// Numbers the steps in the order of the plan, one arm of a branch after the other: what is used in
/// one arm only may lie where the other arm has its own.
void follow(const std::vector<ModuleStep>& steps, int& now, std::vector<Life>& lives) {
  for (const ModuleStep& step : steps) {
    ++now;
    const auto mark = [&](int tensor) {
      Life& life = lives[static_cast<std::size_t>(tensor)];
      if (life.empty() || life.back() != now) life.push_back(now);
    };
    if (step.kind == ModuleStep::Kind::Branch) mark(step.condition);
    for (const ModuleArgument& argument : step.arguments) {
      if (argument.kind == ModuleArgument::Kind::Tensor) mark(argument.tensor);
    }
    follow(step.then_steps, now, lives);
    follow(step.else_steps, now, lives);
  }
}

/// The smallest gap that holds `bytes` between the tensors in `taken` (begin and end, by begin);
/// the end of all of them if there is none.
std::int64_t best_fit(const std::vector<std::pair<std::int64_t, std::int64_t>>& taken,
                      std::int64_t bytes) {
  std::int64_t end = 0, best = -1, best_size = 0;
  for (const auto& [from, to] : taken) {
    const std::int64_t gap = from - end;
    if (gap >= bytes && (best < 0 || gap < best_size)) {
      best = end;
      best_size = gap;
    }
    end = std::max(end, to);
  }
  return best < 0 ? end : best;
}

}  // namespace

void plan_memory(Module& module, const StepOrder* order) {
  std::vector<Life> lives(module.tensors.size());
  int now = -1;
  follow(module.steps, now, lives);
  module.constant_bytes = module.workspace_bytes = 0;
  std::vector<std::size_t> by_size;
  for (std::size_t i = 0; i < module.tensors.size(); ++i) {
    ModuleTensor& tensor = module.tensors[i];
    if (tensor.kind == ModuleTensor::Kind::Constant) {
      tensor.offset = module.constant_bytes;
      module.constant_bytes += padded(tensor.bytes);
    }
    if (tensor.kind == ModuleTensor::Kind::Workspace && !lives[i].empty()) by_size.push_back(i);
  }
  // The large ones first: the small ones fit between them.
  std::stable_sort(by_size.begin(), by_size.end(), [&](std::size_t a, std::size_t b) {
    return module.tensors[a].bytes > module.tensors[b].bytes;
  });
  std::vector<std::size_t> placed;  // by offset
  for (std::size_t i : by_size) {
    ModuleTensor& tensor = module.tensors[i];
    std::vector<std::pair<std::int64_t, std::int64_t>> taken;
    for (std::size_t other : placed) {
      const ModuleTensor& there = module.tensors[other];
      if (meet(lives[i], lives[other], order)) {
        taken.emplace_back(there.offset, there.offset + padded(there.bytes));
      }
    }
    tensor.offset = best_fit(taken, padded(tensor.bytes));
    const auto after = std::upper_bound(placed.begin(), placed.end(), tensor.offset,
                                        [&](std::int64_t offset, std::size_t other) {
                                          return offset < module.tensors[other].offset;
                                        });
    placed.insert(after, i);
    module.workspace_bytes = std::max(module.workspace_bytes, tensor.offset + padded(tensor.bytes));
  }
}

}  // namespace dvmsim
