#include "vm/machine/derived.h"

#include <algorithm>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::int64_t blocks(std::int64_t amount, int step) {
  return (amount + step - 1) / step;
}

}  // namespace

std::int64_t macs_per_cycle(const Machine& machine, DType type) {
  const CubeStep step = machine.step(type);
  return std::int64_t{step.m} * step.n * step.k;
}

Cycles cube_steps(const Machine& machine, DType type, std::int64_t m, std::int64_t n,
                  std::int64_t k) {
  const CubeStep step = machine.step(type);
  DVMSIM_ASSERT(step.k > 0, "the cube is only asked about types it multiplies");
  return Cycles(blocks(m, step.m) * blocks(n, step.n) * blocks(k, step.k));
}

double peak_cube_ops(const Machine& machine, DType type) {
  const std::int64_t macs = macs_per_cycle(machine, type) * machine.cores.cube;
  return 2.0 * static_cast<double>(macs) * static_cast<double>(machine.clock.core.count());
}

double peak_vector_ops(const Machine& machine, VectorClass which, DType type) {
  if (!machine.supports(which, type)) return 0;
  const int cores = machine.cores.unified ? machine.cores.cube : machine.cores.vector;
  return machine.rate(which, type).value() * cores *
         static_cast<double>(machine.clock.core.count());
}

double peak_hbm(const Machine& machine) {
  return per_second(machine, machine.hbm.peak);
}

double sustained_hbm_read(const Machine& machine) {
  return per_second(machine, hbm_read_rate(machine));
}

double l2_read(const Machine& machine) {
  return per_second(machine, machine.l2.read);
}

double l2_write(const Machine& machine) {
  return per_second(machine, machine.l2.write);
}

double per_second(const Machine& machine, Rate rate) {
  return rate.per_cycle().value() * static_cast<double>(machine.clock.core.count());
}

Rate load_rate(const Machine& machine, Space to, bool from_hbm) {
  const auto& mte2 = machine.mte2;
  const bool l1 = to == Space::L1;
  const std::int64_t line = std::min(machine.dma.request, machine.l2.line).count();
  std::int64_t latency = (mte2.latency + machine.l2.read_latency.cycles()).count();
  if (from_hbm) {
    const Rational channel = hbm_read_rate(machine).per_cycle() / Rational(machine.hbm.channels);
    latency += machine.hbm.latency.cycles().count() + channel.ceil_of(line);
  }
  const Rational in_flight(line * (l1 ? mte2.outstanding_l1 : mte2.outstanding_ub),
                           std::max<std::int64_t>(1, latency));
  const Rational hit = (l1 ? mte2.gm_to_l1 : mte2.gm_to_ub).per_cycle();
  const Rational miss = (l1 ? mte2.gm_to_l1_miss : mte2.gm_to_ub_miss).per_cycle();
  return Rate(std::min({hit, in_flight, from_hbm ? miss : hit}));
}

Rate hbm_read_rate(const Machine& machine) {
  return Rate(machine.hbm.peak.per_cycle() * machine.hbm.efficiency);
}

double balance_ops_per_byte(const Machine& machine) {
  return peak_cube_ops(machine, DType::F16) / sustained_hbm_read(machine);
}

}  // namespace dvmsim
