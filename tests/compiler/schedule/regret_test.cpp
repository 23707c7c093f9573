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
  DType type = DType::F16;
};

/// Skinny, transposed, batched, in other types; the projections of published timings.
constexpr std::array kCases = {Case{512, 512, 512},
                               Case{1024, 1024, 1024},
                               Case{1536, 1536, 1536},
                               Case{1, 4096, 4096, false, true},
                               Case{2, 1024, 1024},
                               Case{4, 4096, 1024, false, true},
                               Case{8, 2048, 2048},
                               Case{16, 4096, 1024},
                               Case{16, 1024, 4096, false, true},
                               Case{32, 1280, 1280},
                               Case{48, 2560, 640},
                               Case{64, 4096, 4096},
                               Case{64, 512, 8192, false, true},
                               Case{128, 4096, 128},
                               Case{128, 64, 128, false, false, 32},
                               Case{512, 64, 512, false, true, 32},
                               Case{512, 512, 64, false, false, 32},
                               Case{512, 512, 4096, false, true},
                               Case{2048, 512, 512},
                               Case{4096, 128, 4096},
                               Case{2048, 64, 2048},
                               Case{300, 768, 3072, false, true},
                               Case{768, 3072, 300, true},
                               Case{512, 4096, 1536, true},
                               Case{640, 640, 640, true, true},
                               Case{1000, 1000, 1000},
                               Case{3000, 100, 50},
                               Case{512, 512, 512, false, false, 1, DType::F32},
                               Case{64, 1024, 1024, false, true, 1, DType::F32},
                               Case{1024, 1024, 1024, false, true, 1, DType::I8},
                               Case{256, 4096, 512, false, true, 1, DType::I8},
                               Case{768, 768, 768, false, false, 1, DType::BF16},
                               Case{256, 10240, 1280},
                               Case{1024, 1280, 5120},
                               Case{1024, 5120, 1280, false, true},
                               Case{2048, 2048, 2048},
                               Case{4096, 512, 2048, false, true}};

/// One wave of tiles with few blocks, everything cold: the estimate takes every load to wait as
/// long.
constexpr std::array kColdCases = {Case{256, 256, 256}, Case{96, 768, 3072}};

constexpr std::array kOddCases = {
    Case{999, 500, 777}, Case{211, 211, 230}, Case{193, 193, 193, false, true},
    Case{1, 127, 127},   Case{123, 1, 777},   Case{77, 77, 64, false, true, 12}};

MatmulSpec spec_of(const Case& c) {
  MatmulSpec spec{};
  spec.m = c.m;
  spec.k = c.k;
  spec.n = c.n;
  spec.trans_a = c.trans_a;
  spec.trans_b = c.trans_b;
  spec.batch1 = c.batch;
  spec.in = c.type;
  spec.out = c.type == DType::I8 ? DType::I32 : c.type;
  return packed(spec);
}

double simulated(const MatmulSpec& spec, const MatmulSchedule& schedule, const Machine& machine,
                 bool warm = false) {
  SimOptions options;
  options.mode = Mode::Timing;
  SimDevice device(machine, options);
  const MatmulAddresses at{device.allocate(Bytes(a_bytes(spec))),
                           device.allocate(Bytes(b_bytes(spec))),
                           device.allocate(Bytes(c_bytes(spec)))};
  if (warm) {
    device.warm(at.a, Bytes(a_bytes(spec)));
    device.warm(at.b, Bytes(b_bytes(spec)));
  }
  const Program program = matmul_program(spec, schedule, machine);
  Launch launch;
  launch.program = &program;
  launch.arguments = matmul_arguments(spec, schedule, at);
  launch.cube_cores = schedule.cores;
  const LaunchReport report = device.wait(device.submit(launch));
  EXPECT_FALSE(report.fault) << report.fault.text;
  return static_cast<double>((report.end - report.begin).count());
}

/// What the estimate puts at more than a third as long again is not worth simulating.
constexpr double kHopeless = 1.33;
constexpr double kRegret = 1.05;
/// Rows at odd addresses share lines, which L2 then reads more than once: the estimate knows less.
constexpr double kOddRegret = 1.13;
constexpr double kColdRegret = 1.07;

/// The chosen schedule's time over the best candidate's.
double regret(const Case& c, const Machine& machine, double most) {
  const MatmulSpec spec = spec_of(c);
  const MatmulEstimate estimate(spec, machine);
  const MatmulSchedule chosen = choose_cost(spec, machine);
  const double mine = simulated(spec, chosen, machine);
  const double bound = kHopeless * estimate.of(chosen).total;
  double best = mine;
  MatmulSchedule which = chosen;
  for (MatmulSchedule schedule : matmul_candidates(spec, machine)) {
    if (estimate.of(schedule).total > bound) continue;
    choose_order(spec, machine, schedule);
    const double time = simulated(spec, schedule, machine);
    if (time < best) which = schedule;
    best = std::min(best, time);
  }
  EXPECT_LE(mine, most * best) << c.m << "x" << c.k << "x" << c.n << " of " << name_of(c.type)
                               << " on " << machine.name << ": chose " << to_string(chosen)
                               << ", best " << to_string(which);
  return mine / best;
}

Machine machine_of(const char* file) {
  return load_machine(std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/" + file + ".yaml");
}

TEST(MatmulRegretTest, ChosenTileIsCloseToTheBestSimulated) {
  const Machine machine = default_machine();
  double sum = 0;
  for (const Case& c : kCases) sum += regret(c, machine, kRegret);
  EXPECT_LE(sum / static_cast<double>(kCases.size()), 1.01);
}

TEST(MatmulRegretTest, OddRowsAndColdWavesAreCloseToo) {
  for (const Case& c : kColdCases) regret(c, default_machine(), kColdRegret);
  for (const Case& c : kOddCases) regret(c, default_machine(), kOddRegret);
}

/// What a machine's cube does not multiply is left out. One product is far off: many tiles of one k
/// block each on the 910A.
TEST(MatmulRegretTest, OtherMachinesAreChosenForAsWell) {
  constexpr double kWorst = 1.28, kMean = 1.06;
  for (const char* file : {"ascend910b4", "ascend910a"}) {
    const Machine machine = machine_of(file);
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < kCases.size(); i += 3) {
      if (machine.step(kCases[i].type).k == 0) continue;
      sum += regret(kCases[i], machine, kWorst);
      ++count;
    }
    EXPECT_LE(sum, kMean * count) << machine.name;
  }
}

/// The shapes of DVM's stored timings that are quick to simulate, with what fits warm in L2.
TEST(MatmulRegretTest, IsNeverSlowerThanDvm) {
  constexpr std::array kStored = {Case{256, 10240, 1280},
                                  Case{1024, 1280, 5120},
                                  Case{1024, 5120, 1280, false, true},
                                  Case{2048, 5120, 5120, false, true},
                                  Case{2048, 2048, 8192, false, true},
                                  Case{2560, 4096, 8192, true},
                                  Case{8192, 512, 4096, false, true},
                                  Case{4096, 8192, 512, true},
                                  Case{8192, 1280, 5120, false, true}};
  const Machine machine = default_machine();
  for (const Case& c : kStored) {
    const MatmulSpec spec = spec_of(c);
    const double ours = simulated(spec, choose_cost(spec, machine), machine, true);
    for (Tiling rule : {Tiling::Dvm, Tiling::DvmV3}) {
      const double dvm = simulated(spec, choose_dvm(spec, machine, rule), machine, true);
      EXPECT_LE(ours, 1.005 * dvm) << c.m << "x" << c.k << "x" << c.n;
    }
  }
}

}  // namespace
}  // namespace dvmsim
