#include "vm/machine/number.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

TEST(MachineNumber, is_in_the_unit_of_its_kind) {
  Machine machine = default_machine();
  apply_set(machine, "hbm.latency=100ns");
  apply_set(machine, "l2.read_latency=185cycles");
  const auto expect = [&](const char* key, double value, const char* unit) {
    const auto number = number_of(machine, key);
    ASSERT_TRUE(number.has_value()) << key;
    EXPECT_DOUBLE_EQ(number->value, value) << key;
    EXPECT_EQ(number->unit, unit) << key;
  };
  expect("cores.cube", 24, "");
  expect("cores.unified", 0, "");
  expect("hbm.efficiency", 0.85, "");
  expect("ub.size", 192 * 1024, "B");
  expect("clock.core", 1.85e9, "Hz");
  expect("vector.fixed", 22, "cycles");
  expect("launch.vector", 0.5e-6, "s");
  expect("hbm.latency", 100e-9, "s");
  expect("l2.read_latency", 100e-9, "s");
  expect("mte3.ub_to_gm", 100 * 1.85e9, "B/s");
  expect("hbm.peak", 1.8e12, "B/s");
  expect("cube.step.f16", 4096, "macs");
  EXPECT_FALSE(number_of(machine, "firmware.memory").has_value());
  EXPECT_FALSE(number_of(machine, "can.atomic").has_value());
  EXPECT_THROW((void)number_of(machine, "ub.no"), Error);
}

}  // namespace
}  // namespace dvmsim
