#include <fmt/core.h>

#include "cli/commands.h"
#include "cli/cost.h"
#include "cli/machine.h"

namespace dvmsim {

int check_config(const std::string& file, const std::vector<std::string>& sets) {
  const Machine machine = machine_from(file, sets);
  (void)values_of(costs_of_file(file), machine);
  fmt::print("{}: good ({})\n", file, machine.name);
  return kGood;
}

}  // namespace dvmsim
