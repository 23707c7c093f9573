#include "cli/machine.h"

namespace dvmsim {

Machine machine_from(const std::string& file, const std::vector<std::string>& sets) {
  Machine machine = file.empty() ? default_machine() : load_machine(file);
  for (const std::string& set : sets) apply_set(machine, set);
  check(machine);
  return machine;
}

}  // namespace dvmsim
