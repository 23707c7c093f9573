// Who wins where: how the winner among strategies moves along the axes of a study. Plain data from
// plain data; what a winner is best in is the caller's.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace dvmsim {

struct StandingsAxis {
  std::string name{};
  std::vector<std::string> values{};  // in their order
};

/// Everything but the strategy is fixed here.
struct StandingsPoint {
  std::vector<int> values{};  // by axis: an index into its values
  std::string winner{};       // empty: nobody has a result
};

struct Standings {
  using Wins = std::vector<std::pair<std::string, int>>;  // by winner, the most wins first
  struct Level {
    std::string text{};  // a value, or "1ms..4ms"
    int points = 0;
    Wins wins{};
  };
  struct Axis {
    std::string name{};
    double moved = 0;        // the largest change of a strategy's share of wins between two levels
    bool by_chance = false;  // no more than points drawn at random differ anyway
    std::vector<Level> levels{};
  };
  int points = 0;
  Wins wins{};
  std::vector<Axis> axes{};  // the one that moves them most first
};

/// The axis whose values these are, one for each point; many numbers are ordered by size.
[[nodiscard]] StandingsAxis standings_axis(const std::string& name,
                                           const std::vector<std::string>& texts);
/// Values of an axis that are many are taken together in three runs. `drawn`: so many values of the
/// axes were drawn at random, each of which may stand for several points; what moves then is told
/// from chance. 0: none were.
[[nodiscard]] Standings standings_of(const std::vector<StandingsAxis>& axes,
                                     const std::vector<StandingsPoint>& points,
                                     std::size_t drawn = 0);
/// `of`: what is won, "least e2e_us".
[[nodiscard]] std::string to_text(const Standings& standings, const std::string& of);

}  // namespace dvmsim
