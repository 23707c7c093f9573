#include <fmt/core.h>

#include "cli/commands.h"
#include "cli/machine.h"
#include "vm/machine/derived.h"

namespace dvmsim {
namespace {

std::string peaks(const Machine& machine) {
  std::string text = "# What follows from these numbers:\n";
  for (DType type : {DType::F16, DType::F32, DType::I8}) {
    const double ops = peak_cube_ops(machine, type);
    if (ops > 0) text += fmt::format("#   cube {:4}  {:8.1f} Tops/s\n", name_of(type), ops / 1e12);
  }
  const double adds = peak_vector_ops(machine, VectorClass::simple, DType::F16);
  text += fmt::format("#   vector f16 {:6.1f} Gelements/s\n", adds / 1e9);
  text += fmt::format("#   HBM peak   {:6.1f} GB/s, {:.1f} sustained when reading\n",
                      peak_hbm(machine) / 1e9, sustained_hbm_read(machine) / 1e9);
  text += fmt::format("#   L2 read    {:6.1f} GB/s\n", l2_read(machine) / 1e9);
  text += fmt::format("#   f16 operations per byte of HBM at balance: {:.0f}\n",
                      balance_ops_per_byte(machine));
  return text;
}

}  // namespace

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

int show_config(const std::string& file, const std::vector<std::string>& sets) {
  const Machine machine = machine_from(file, sets);
  fmt::print("{}{}", dump(machine, true), peaks(machine));
  return kGood;
}

}  // namespace dvmsim
