// A guess at the sizes of the next run, from those of the last ones: a step that was made twice is
// made again. One sequence grows by a token, one width is swept.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace dvmsim {

class NextSizes {
 public:
  using Sizes = std::vector<std::int64_t>;
  /// These are run now.
  void saw(const Sizes& sizes);
  /// Nullopt unless the last two steps were the same, and not none.
  [[nodiscard]] std::optional<Sizes> guess() const;

 private:
  Sizes last_{}, step_{};
  bool again_ = false;  // the step before was the same
};

}  // namespace dvmsim
