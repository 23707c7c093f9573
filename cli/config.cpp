#include <fmt/core.h>

#include "cli/commands.h"
#include "cli/machine.h"

namespace dvmsim {

Machine machine_from(const std::string& file, const std::vector<std::string>& sets) {
  Machine machine = file.empty() ? default_machine() : load_machine(file);
  for (const std::string& set : sets) apply_set(machine, set);
  check(machine);
  return machine;
}

int check_config(const std::string& file, const std::vector<std::string>& sets) {
  const Machine machine = machine_from(file, sets);
  fmt::print("{}: good ({})\n", file, machine.name);
  return kGood;
}

}  // namespace dvmsim
