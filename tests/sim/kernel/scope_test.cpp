// Many simulations in one process.
#include <gtest/gtest.h>

#include "tests/sim/rig.h"

namespace dvmsim::testing {
namespace {

TEST(SimScope, devices_take_turns) {
  const Program program = busy_program(9);
  SimDevice alone(host_machine());
  std::vector<Cycles> expected;
  for (int i = 0; i < 3; ++i)
    expected.push_back(alone.wait(alone.submit(on_one_core(program))).end);
  SimDevice a(host_machine()), b(host_machine());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(a.wait(a.submit(on_one_core(program))).end, expected[static_cast<std::size_t>(i)]);
    EXPECT_EQ(b.wait(b.submit(on_one_core(program))).end, expected[static_cast<std::size_t>(i)]);
  }
}

TEST(SimScope, many_devices_in_one_process) {
  const Program program = busy_program(1);
  Cycles end{};
  for (int i = 0; i < 50; ++i) {
    SimDevice device(host_machine());
    const Cycles now = device.wait(device.submit(on_one_core(program))).end;
    if (i == 0) end = now;
    EXPECT_EQ(now, end);
  }
}

}  // namespace
}  // namespace dvmsim::testing
