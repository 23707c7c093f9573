// What products are estimated to take with what prepares them, each found once: layers of a model
// have the same ones.
#pragma once

#include <algorithm>
#include <deque>

#include "compiler/codegen/moves.h"
#include "compiler/schedule/matmul_estimate.h"
#include "compiler/schedule/matmul_tactics.h"

namespace dvmsim {

class ProductTimes {
 public:
  /// The machine outlives it.
  ProductTimes(const Machine& machine, int cores) : machine_(machine), cores_(cores) {}

  struct Time {
    double cycles = 0;      // with the launches of what is padded, but not its own
    bool in_steps = false;  // of k, a launch each
  };
  [[nodiscard]] const Time& of(const MatmulSpec& spec) {
    const auto known = std::find_if(known_.begin(), known_.end(),
                                    [&](const Known& each) { return each.spec == spec; });
    if (known != known_.end()) return known->time;
    const MatmulTactics tactics = cost_tactics(spec, machine_);
    const MatmulSpec ready = prepared(spec, tactics);
    double cycles = MatmulEstimate(ready, machine_).of(choose_cost(ready, machine_)).total;
    const auto pad = [&](bool of_a, std::int64_t row) {
      if (row == 0) return;
      cycles +=
          launch_time(machine_) + copy_time(padding(spec, of_a, row), spec.in, machine_, cores_);
    };
    pad(true, tactics.a_row);
    pad(false, tactics.b_row);
    return known_.emplace_back(Known{spec, {cycles, tactics.k_step != 0}}).time;
  }

 private:
  struct Known {
    MatmulSpec spec{};
    Time time{};
  };

  const Machine& machine_;
  int cores_;
  std::deque<Known> known_{};
};

}  // namespace dvmsim
