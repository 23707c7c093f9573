#include "compiler/runtime/next_sizes.h"

#include <algorithm>

namespace dvmsim {

void NextSizes::saw(const Sizes& sizes) {
  Sizes step;
  for (std::size_t i = 0; i < sizes.size() && sizes.size() == last_.size(); ++i) {
    step.push_back(sizes[i] - last_[i]);
  }
  again_ = !step.empty() && step == step_;
  step_ = std::move(step);
  last_ = sizes;
}

std::optional<NextSizes::Sizes> NextSizes::guess() const {
  const auto moves = [](std::int64_t step) { return step != 0; };
  if (!again_ || std::none_of(step_.begin(), step_.end(), moves)) return std::nullopt;
  Sizes next = last_;
  for (std::size_t i = 0; i < next.size(); ++i) next[i] += step_[i];
  const bool sizes = std::all_of(next.begin(), next.end(), [](std::int64_t n) { return n > 0; });
  return sizes ? std::optional(next) : std::nullopt;
}

}  // namespace dvmsim
