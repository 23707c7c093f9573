// When one strategy is better than another. A run of known sizes takes `again_us`, a run of new
// ones `new_us`; if a share r of runs has new sizes, a run takes again + r (new - again) on
// average. Sizes that come n times each are r = 1/n.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace dvmsim {

struct Bargain {
  double new_us = 0, again_us = 0;
  [[nodiscard]] double at(double rate) const { return again_us + rate * (new_us - again_us); }
};

/// The rates in [from, to] at which a strategy is the best of all.
struct Win {
  std::size_t strategy = 0;
  double from = 0, to = 1;
};
/// From rate 0 to 1 without gaps; of equals the first wins.
[[nodiscard]] std::vector<Win> winners(const std::vector<Bargain>& bargains);

/// Where one strategy is better than another.
struct Duel {
  enum class Kind : unsigned char { Always, Never, Below, Above };
  Kind kind = Kind::Never;
  double rate = 0;  // Below: better below this rate of new sizes; Above: above it
};
[[nodiscard]] Duel duel(const Bargain& a, const Bargain& b);
/// "always", "never", "from 35 runs" of each shape (below a rate), "up to 34 runs" (above it).
[[nodiscard]] std::string text_of(const Duel& duel);

}  // namespace dvmsim
