#include "compiler/module/repeats.h"

namespace dvmsim {
namespace {

std::uint64_t sum_of(const VectorKernel& kernel) {
  std::uint64_t sum = kernel.values.size();
  const auto add = [&](std::int64_t number) {
    sum = (sum ^ static_cast<std::uint64_t>(number)) * 1099511628211u;
  };
  for (std::int64_t dim : kernel.dims) add(dim);
  for (const KernelStep& step : kernel.steps) add(static_cast<std::int64_t>(step.op));
  return sum;
}

}  // namespace

const Repeats::Known* Repeats::find(const VectorKernel& kernel) const {
  const auto [begin, end] = known_.equal_range(sum_of(kernel));
  for (auto at = begin; at != end; ++at) {
    if (have_same_work(*at->second.kernel, kernel)) return &at->second.known;
  }
  return nullptr;
}

void Repeats::add(const VectorKernel& kernel, const Known& known) {
  known_.emplace(sum_of(kernel), Entry{&kernel, known});
}

}  // namespace dvmsim
