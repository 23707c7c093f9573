// What the cores of a launch know of one another: the flags of each team, and which tasks are over.
// Pure arithmetic on time stamps.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "sim/core/cross.h"
#include "sim/core/times.h"
#include "vm/device/device.h"

namespace dvmsim {

class Teams {
 public:
  /// `neighbours` is told which cores a flag or the end of a task was delivered to.
  Teams(const Machine& machine, Neighbours& neighbours)
      : machine_(machine), neighbours_(neighbours) {}

  void begin(const Launch& launch);
  /// Of a team of the launch. Tasks of one team share them: each leaves all flags as it found them,
  /// and a core is in one task at a time.
  [[nodiscard]] CrossBoard& flags(const Team& team) { return *flags_.at(team); }
  /// A core has ended its part of a task; others can know it at `token.time`.
  void end(std::uint32_t task, const CrossToken& token);
  /// Is the task over? If not, core number `core` is woken when it is.
  [[nodiscard]] bool over(std::uint32_t task, int core);
  /// Of a task that is over: who ended it last, and when that can be known.
  [[nodiscard]] const CrossToken& token(std::uint32_t task) const { return ends_[task].latest; }

 private:
  struct End {
    int missing = 0;  // cores
    CrossToken latest{kNever, {}};
    std::vector<int> waiting{};
  };

  const Machine& machine_;
  Neighbours& neighbours_;
  std::map<Team, std::unique_ptr<CrossBoard>> flags_{};
  std::vector<End> ends_{};  // by task
};

}  // namespace dvmsim
