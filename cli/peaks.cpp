#include "cli/peaks.h"

#include "vm/machine/derived.h"

namespace dvmsim {
namespace {

void add(PeakGroup& group, const std::string& what, double one, int cores) {
  if (one > 0 && cores > 0) group.peaks.push_back({what, one, one * cores});
}
void add_shared(PeakGroup& group, const std::string& what, double all) {
  group.peaks.push_back({what, 0, all});
}

/// Cores with a vector unit.
int vector_units(const Machine& machine) {
  return machine.cores.unified ? machine.cores.cube : machine.cores.vector;
}

PeakGroup cube_of(const Machine& machine) {
  PeakGroup group{"Cube, a multiply-accumulate is two", "TFLOP/s; integers Top/s"};
  const int cubes = machine.cores.cube;
  for (DType type : kDTypes) {
    add(group, std::string(name_of(type)), peak_cube_ops(machine, type) / 1e12 / cubes, cubes);
  }
  return group;
}

PeakGroup vector_of(const Machine& machine) {
  PeakGroup group{"Vector: add, max, ... and exp, div, ...", "Gelements/s"};
  const int units = vector_units(machine);
  if (units == 0) return group;
  for (VectorClass which : {VectorClass::simple, VectorClass::special}) {
    for (DType type : {DType::F16, DType::F32}) {
      const std::string name = which == VectorClass::simple ? "add " : "exp ";
      add(group, name + std::string(name_of(type)),
          peak_vector_ops(machine, which, type) / 1e9 / units, units);
    }
  }
  return group;
}

PeakGroup memory_of(const Machine& machine) {
  PeakGroup group{"Memory", "GB/s"};
  const int cubes = machine.cores.cube, units = vector_units(machine);
  const auto rate = [&](Rate each) { return per_second(machine, each) / 1e9; };
  const double sustained = sustained_hbm_read(machine) / 1e9;
  add_shared(group, "HBM peak", peak_hbm(machine) / 1e9);
  add_shared(group, "HBM sustained, reading", sustained);
  add_shared(group, "HBM sustained, copying (both ways)",
             2 * sustained / (1 + machine.hbm.write_cost.value()));
  if (machine.l2.size > Bytes(0)) {
    add_shared(group, "L2 read", l2_read(machine) / 1e9);
    add_shared(group, "L2 write", l2_write(machine) / 1e9);
  }
  add(group, "GM to L1, from HBM", rate(load_rate(machine, Space::L1, true)), cubes);
  add(group, "GM to L1, from L2", rate(load_rate(machine, Space::L1, false)), cubes);
  add(group, "GM to UB, from HBM", rate(load_rate(machine, Space::UB, true)), units);
  add(group, "GM to UB, from L2", rate(load_rate(machine, Space::UB, false)), units);
  add(group, "UB to GM", rate(machine.mte3.ub_to_gm), units);
  add(group, "L0C to GM, accumulators of 4 bytes", rate(machine.fix.l0c_to_gm), cubes);
  add(group, "L1 to L0A", rate(machine.mte1.l0a), cubes);
  add(group, "L1 to L0B", rate(machine.mte1.l0b), cubes);
  add(group, "UB, each operand of an addition",
      rate(Rate(machine.rate(VectorClass::simple, DType::F16) * Rational(2))), units);
  return group;
}

}  // namespace

std::vector<PeakGroup> peaks_of(const Machine& machine) {
  return {cube_of(machine), vector_of(machine), memory_of(machine)};
}

}  // namespace dvmsim
