// A quantity over time in a bounded number of equal windows: bytes moved (Sum) or the most in use
// (Max). When the run is longer than the windows reach, they double in width.
#pragma once

#include <cstdint>
#include <vector>

#include "vm/base/strong.h"

namespace dvmsim {

class Series {
 public:
  enum class Kind : std::uint8_t { Sum, Max };
  Series(Kind kind, Cycles origin, Cycles width, std::size_t most_windows)
      : kind_(kind), origin_(origin), width_(width), most_(most_windows) {}

  /// Sum: the amount is spread evenly over [begin, end). Max: it holds throughout. What lies before
  /// the origin is left out.
  void add(Cycles begin, Cycles end, std::int64_t amount);

  [[nodiscard]] Cycles origin() const { return origin_; }
  [[nodiscard]] Cycles width() const { return width_; }
  [[nodiscard]] const std::vector<std::int64_t>& windows() const { return windows_; }

 private:
  void reach(std::size_t window);
  void double_width();

  Kind kind_;
  Cycles origin_, width_;
  std::size_t most_;
  std::vector<std::int64_t> windows_{};
};

}  // namespace dvmsim
