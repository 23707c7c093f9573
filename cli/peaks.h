// What follows from a machine's numbers, as rows: what `config show` prints.
#pragma once

#include <string>
#include <vector>

#include "vm/machine/machine.h"

namespace dvmsim {

struct Peak {
  std::string what{};
  double one = 0;  // of a core; 0: shared by all
  double all = 0;
};
struct PeakGroup {
  std::string title{}, unit{};
  std::vector<Peak> peaks{};  // only what the machine has
};
/// Cube, vector and memory, in that order.
[[nodiscard]] std::vector<PeakGroup> peaks_of(const Machine& machine);

}  // namespace dvmsim
