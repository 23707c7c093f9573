// How much slower than the best candidate, simulated, is the one the estimate picks?
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "compiler/codegen/matmul.h"
#include "compiler/schedule/matmul.h"
#include "compiler/schedule/matmul_estimate.h"
#include "sim/device/device.h"

namespace dvmsim {
namespace {

struct Case {
  std::int64_t m, k, n;
  bool trans_a = false, trans_b = false;
  std::int64_t batch = 1;
};

constexpr std::array kCases = {Case{256, 256, 256},
                               Case{1024, 1024, 1024},
                               Case{64, 4096, 4096},
                               Case{1, 4096, 4096, false, true},
                               Case{16, 4096, 1024},
                               Case{512, 512, 4096, false, true},
                               Case{2048, 512, 512},
                               Case{128, 64, 128, false, false, 32},
                               Case{512, 64, 512, false, true, 32},
                               Case{512, 512, 64, false, false, 32},
                               Case{256, 10240, 1280},
                               Case{1024, 1280, 5120},
                               Case{1000, 1000, 1000},
                               Case{300, 768, 3072, false, true},
                               Case{768, 3072, 300, true},
                               Case{4096, 128, 4096},
                               Case{128, 4096, 128},
                               Case{3000, 100, 50},
                               Case{512, 4096, 1536, true},
                               Case{1536, 1536, 1536}};

MatmulSpec spec_of(const Case& c) {
  MatmulSpec spec{};
  spec.m = c.m;
  spec.k = c.k;
  spec.n = c.n;
  spec.trans_a = c.trans_a;
  spec.trans_b = c.trans_b;
  spec.batch1 = c.batch;
  return packed(spec);
}

double simulated(const MatmulSpec& spec, const MatmulSchedule& schedule, const Machine& machine) {
  SimOptions options;
  options.mode = Mode::Timing;
  SimDevice device(machine, options);
  const MatmulAddresses at{device.allocate(Bytes(a_bytes(spec))),
                           device.allocate(Bytes(b_bytes(spec))),
                           device.allocate(Bytes(c_bytes(spec)))};
  const Program program = matmul_program(spec, schedule, machine);
  Launch launch;
  launch.program = &program;
  launch.arguments = matmul_arguments(spec, schedule, at);
  launch.cube_cores = schedule.cores;
  const LaunchReport report = device.wait(device.submit(launch));
  EXPECT_FALSE(report.fault) << report.fault.text;
  return static_cast<double>((report.end - report.begin).count());
}

TEST(MatmulRegretTest, ChosenTileIsCloseToTheBestSimulated) {
  const Machine machine = default_machine();
  for (const Case& c : kCases) {
    const MatmulSpec spec = spec_of(c);
    const MatmulEstimate estimate(spec, machine);
    const MatmulSchedule chosen = choose_cost(spec, machine);
    const double mine = simulated(spec, chosen, machine);
    double best = mine;
    MatmulSchedule which = chosen;
    for (MatmulSchedule schedule : matmul_candidates(spec, machine)) {
      choose_order(spec, machine, schedule);
      // What the estimate puts at more than half as long again is not worth simulating.
      if (estimate.of(schedule).total > 1.5 * estimate.of(chosen).total) continue;
      const double time = simulated(spec, schedule, machine);
      if (time < best) which = schedule;
      best = std::min(best, time);
    }
    EXPECT_LE(mine, 1.10 * best) << c.m << "x" << c.k << "x" << c.n << ": chose "
                                 << to_string(chosen) << ", best " << to_string(which);
  }
}

}  // namespace
}  // namespace dvmsim
