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
  EXPECT_DOUBLE_EQ(sustained_hbm_read(machine), 1.566e12);
  EXPECT_DOUBLE_EQ(l2_read(machine), 5.6e12);
  EXPECT_NEAR(balance_ops_per_byte(machine), 232.3, 0.1);
}

TEST(Derived, peaks_of_the_siblings_are_the_published_ones) {
  EXPECT_NEAR(peak_cube_ops(machine_of("ascend910b3"), DType::F16), 294.9e12, 0.05e12);
  EXPECT_NEAR(peak_cube_ops(machine_of("ascend910b4"), DType::F16), 245.8e12, 0.05e12);
  EXPECT_NEAR(peak_cube_ops(machine_of("ascend910a"), DType::F16), 262e12, 0.2e12);
  EXPECT_NEAR(peak_vector_ops(machine_of("ascend910a"), VectorClass::simple, DType::F16), 4.1e12,
              0.01e12);
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
