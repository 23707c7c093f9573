#include "cli/comparison/break_even.h"

#include <fmt/format.h>

#include <cmath>

namespace dvmsim {
namespace {

/// The rate above `from` at which b becomes better than a; nullopt if it never does.
std::optional<double> crossing(const Bargain& a, const Bargain& b, double from) {
  const double slope = (a.new_us - a.again_us) - (b.new_us - b.again_us);
  if (slope <= 0) return {};
  const double rate = (b.again_us - a.again_us) / slope;
  return rate >= from && rate < 1 ? std::optional(rate) : std::nullopt;
}

/// Best at a rate, and of those that are equal there the one that grows least.
std::size_t best_at(const std::vector<Bargain>& bargains, double rate) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < bargains.size(); ++i) {
    const double here = bargains[i].at(rate), there = bargains[best].at(rate);
    const bool flatter =
        bargains[i].new_us - bargains[i].again_us < bargains[best].new_us - bargains[best].again_us;
    if (here < there || (here == there && flatter)) best = i;
  }
  return best;
}

}  // namespace

std::vector<Win> winners(const std::vector<Bargain>& bargains) {
  std::vector<Win> wins;
  if (bargains.empty()) return wins;
  std::size_t best = best_at(bargains, 0);
  double from = 0;
  for (;;) {
    std::size_t next = best;
    double at = 1;
    for (std::size_t i = 0; i < bargains.size(); ++i) {
      const auto rate = i == best ? std::nullopt : crossing(bargains[best], bargains[i], from);
      if (!rate || *rate > at) continue;
      const bool flatter = next == best || *rate < at ||
                           bargains[i].new_us - bargains[i].again_us <
                               bargains[next].new_us - bargains[next].again_us;
      if (!flatter) continue;
      next = i;
      at = *rate;
    }
    if (next == best) {
      wins.push_back({best, from, 1});
      return wins;
    }
    if (at > from) wins.push_back({best, from, at});
    best = next;
    from = at;
  }
}

Duel duel(const Bargain& a, const Bargain& b) {
  const double known = a.again_us - b.again_us, fresh = a.new_us - b.new_us;
  if (known < 0 && fresh < 0) return {Duel::Kind::Always, 0};
  if (known >= 0 && fresh >= 0) return {Duel::Kind::Never, 0};
  const double rate = known / (known - fresh);
  return {known < 0 ? Duel::Kind::Below : Duel::Kind::Above, rate};
}

std::string text_of(const Duel& duel) {
  // Runs of each shape are whole, and the rate is between two of them.
  switch (duel.kind) {
    case Duel::Kind::Always:
      return "always";
    case Duel::Kind::Never:
      return "never";
    case Duel::Kind::Below:
      return duel.rate <= 0 ? "never" : fmt::format("from {:.0f}", std::floor(1 / duel.rate) + 1);
    case Duel::Kind::Above:
      return duel.rate <= 0 ? "always" : fmt::format("up to {:.0f}", std::ceil(1 / duel.rate) - 1);
  }
  return "";
}

}  // namespace dvmsim
