// What vector kernels are estimated to take, each found once: layers of a model have the same ones.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "compiler/schedule/vector.h"
#include "vm/machine/machine.h"

namespace dvmsim {

class KernelTimes {
 public:
  /// The machine outlives it.
  KernelTimes(const Machine& machine, int cores) : machine_(machine), cores_(cores) {}

  /// Cycles, its launch not included; nullopt if no tile of it fits UB.
  [[nodiscard]] std::optional<double> of(VectorKernel kernel) {
    const auto known = std::find_if(known_.begin(), known_.end(), [&](const Known& each) {
      return have_same_work(each.kernel, kernel);
    });
    if (known != known_.end()) return known->time;
    std::optional<double> time;
    if (fits(kernel, machine_)) time = schedule_vector(kernel, machine_, cores_).estimate.total;
    known_.push_back({std::move(kernel), time});
    return time;
  }

 private:
  struct Known {
    VectorKernel kernel{};
    std::optional<double> time{};
  };

  const Machine& machine_;
  int cores_;
  std::vector<Known> known_{};
};

}  // namespace dvmsim
