// The rows of machine.def as one list, each able to read and print its member of a Machine: what
// the YAML reader, --set, the dump, the hash and the documentation walk over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vm/machine/machine.h"

namespace dvmsim {

struct MachineField {
  Parameter about;
  void (*set)(const MachineField&, Machine&, std::string_view text);  // throws Error without place
  std::string (*print)(const Machine&);
  void (*rescale)(Machine&, Hertz from, Hertz to);
};

/// In the order of machine.def; the clock precedes everything that depends on it.
[[nodiscard]] const std::vector<MachineField>& machine_fields();
/// Sets one parameter, keeping rates and delays given in time when it is the clock. Throws Error
/// (without a place) on an unknown key, a malformed value or one out of range.
void set_field(Machine& machine, std::string_view key, std::string_view text);

}  // namespace dvmsim
