#include "vm/machine/derived.h"

#include <gtest/gtest.h>

#include <string>

namespace dvmsim {
namespace {

Machine machine_of(const std::string& name) {
  return load_machine(std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/" + name + ".yaml");
}

TEST(Derived, peaks_of_the_910b1_are_the_published_ones) {
  const Machine machine = default_machine();
  EXPECT_NEAR(peak_cube_ops(machine, DType::F16), 363.7e12, 0.05e12);
  EXPECT_NEAR(peak_cube_ops(machine, DType::F32), 90.9e12, 0.05e12);
  EXPECT_NEAR(peak_cube_ops(machine, DType::I8), 727e12, 0.5e12);
  EXPECT_NEAR(peak_vector_ops(machine, VectorClass::simple, DType::F16), 11.4e12, 0.05e12);
  EXPECT_EQ(peak_vector_ops(machine, VectorClass::simple, DType::BF16), 0);
  EXPECT_DOUBLE_EQ(peak_hbm(machine), 1.8e12);
  EXPECT_DOUBLE_EQ(sustained_hbm_read(machine), 1.53e12);
  EXPECT_DOUBLE_EQ(l2_read(machine), 5.6e12);
  EXPECT_NEAR(balance_ops_per_byte(machine), 237.7, 0.1);
}

/// What the chip files' cores and clocks come to, in 10^12 a second; 0: not published or not
/// supported.
struct Peaks {
  const char* name;
  double f16, i8, f32, vector, hbm, l2_mib;
};
class Siblings : public ::testing::TestWithParam<Peaks> {};

TEST_P(Siblings, peaks_are_the_published_ones) {
  const Peaks& peaks = GetParam();
  Machine machine = machine_of(peaks.name);
  // Its file decides for another clock than the chip file's, and says why.
  if (machine.name == "ascend910b4") apply_set(machine, "clock.core=1500MHz");
  check(machine);
  EXPECT_EQ(machine.name, peaks.name);
  EXPECT_NEAR(peak_cube_ops(machine, DType::F16) / 1e12, peaks.f16, 0.15);
  EXPECT_NEAR(peak_cube_ops(machine, DType::I8) / 1e12, peaks.i8, 0.55);
  EXPECT_NEAR(peak_cube_ops(machine, DType::F32) / 1e12, peaks.f32, 0.06);
  EXPECT_NEAR(peak_vector_ops(machine, VectorClass::simple, DType::F16) / 1e12, peaks.vector, 0.05);
  EXPECT_NEAR(peak_hbm(machine) / 1e12, peaks.hbm, 0.001);
  EXPECT_EQ(static_cast<double>(machine.l2.size.count() >> 20), peaks.l2_mib);
}

/// L2 serves every core and cycle alike: what a machine has of both scales it.
TEST_P(Siblings, l2_scales_with_cores_and_clock) {
  const Machine machine = machine_of(GetParam().name), first = default_machine();
  if (machine.cores.unified) {
    EXPECT_DOUBLE_EQ(l2_read(machine), 110.0 * 32 * 1e9);
    EXPECT_DOUBLE_EQ(l2_write(machine), 86.0 * 32 * 1e9);
    return;
  }
  const double share = static_cast<double>(machine.cores.cube * machine.clock.core.count()) /
                       static_cast<double>(first.cores.cube * first.clock.core.count());
  EXPECT_NEAR(l2_read(machine), l2_read(first) * share, 1e9);
  EXPECT_NEAR(l2_write(machine), l2_write(first) * share, 1e9);
}

INSTANTIATE_TEST_SUITE_P(
    Chips, Siblings,
    ::testing::Values(Peaks{"ascend910a", 262, 524, 0, 4.1, 1.2, 32},
                      Peaks{"ascend910b1", 363.7, 727, 90.9, 11.4, 1.8, 192},
                      Peaks{"ascend910b2", 353.9, 708, 88.5, 11.06, 1.8, 192},
                      Peaks{"ascend910b3", 294.9, 590, 73.7, 9.2, 1.8, 192},
                      Peaks{"ascend910b4", 245.8, 492, 61.4, 7.7, 0.8, 96},
                      Peaks{"ascend910_9391", 363.7, 727, 90.9, 11.4, 1.6, 192},
                      Peaks{"ascend910_9381", 353.9, 708, 88.5, 11.06, 1.6, 192},
                      Peaks{"ascend910_9372", 294.9, 590, 73.7, 9.2, 1.6, 192},
                      Peaks{"ascend910_9362", 245.8, 492, 61.4, 7.7, 1.6, 168}),
    [](const auto& chip) { return std::string(chip.param.name); });

// Published, one core: 78.3 B/cycle from HBM to L1, 48.2 to UB; at most 95 to 100 and 62.7.
TEST(Derived, streams_from_hbm_are_bound_by_what_is_in_flight) {
  const Machine machine = machine_of("ascend910b3");
  EXPECT_NEAR(load_rate(machine, Space::L1, true).per_cycle().value(), 78.3, 1.5);
  EXPECT_NEAR(load_rate(machine, Space::UB, true).per_cycle().value(), 48.2, 1);
  EXPECT_EQ(load_rate(machine, Space::L1, false).per_cycle(), machine.mte2.gm_to_l1.per_cycle());
  EXPECT_EQ(load_rate(machine, Space::UB, false).per_cycle(), machine.mte2.gm_to_ub.per_cycle());
}

TEST(Derived, the_onnxim_machine_multiplies_16384_pairs_per_cycle_and_core) {
  const Machine machine = machine_of("onnxim_tpuv4_4x128");
  EXPECT_EQ(macs_per_cycle(machine, DType::F16), 16384);
  EXPECT_EQ(cube_steps(machine, DType::F16, 1024, 1024, 1024) / Cycles(1), 65536);
  EXPECT_DOUBLE_EQ(sustained_hbm_read(machine), 614e9);
}

TEST(Derived, cube_steps_round_each_extent_up_to_the_block_of_one_cycle) {
  const Machine machine = default_machine();
  EXPECT_EQ(cube_steps(machine, DType::F16, 128, 128, 128), Cycles(512));
  EXPECT_EQ(cube_steps(machine, DType::F16, 1, 17, 16), Cycles(2));
  EXPECT_EQ(cube_steps(machine, DType::F32, 16, 16, 16), Cycles(4));
  EXPECT_EQ(macs_per_cycle(machine, DType::I32), 0);
}

}  // namespace
}  // namespace dvmsim
