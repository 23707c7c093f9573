// The device as the host sees it: buffers, caches that live from launch to launch, refusals.
#include <gtest/gtest.h>

#include "tests/sim/rig.h"
#include "vm/base/error.h"
#include "vm/isa/text.h"

namespace dvmsim::testing {
namespace {

const Program& load_program_of_a_page() {
  static const Program program = isa::assemble(R"(.arg input x 4096
.vector
ldarg rd=r4 index=0
load dst=0 src=r4 len=4096
halt
)",
                                               "load");
  return program;
}

TEST(SimDevice, cache_survives_from_launch_to_launch_until_it_is_flushed) {
  Recorder record;
  SimDevice device(quiet_machine());
  const std::uint64_t address = device.allocate(Bytes(4096));
  const Launch launch{&load_program_of_a_page(), {address}, CodePath::Bytecode, 0, 1, "load"};
  device.submit(launch);
  device.listen({&record});
  device.submit(launch);
  EXPECT_EQ(record.bytes[Place::HbmRead], 0);
  device.flush();
  device.submit(launch);
  EXPECT_EQ(record.bytes[Place::HbmRead], 4096);
}

TEST(SimDevice, warmed_ranges_are_hits) {
  Recorder record;
  SimDevice device(quiet_machine());
  device.listen({&record});
  const std::uint64_t address = device.allocate(Bytes(4096));
  device.warm(address, Bytes(4096));
  device.submit({&load_program_of_a_page(), {address}, CodePath::Bytecode, 0, 1, "load"});
  EXPECT_EQ(record.bytes[Place::HbmRead], 0);
  EXPECT_EQ(record.bytes[Place::L2Hit], 4096);
}

TEST(SimDevice, refuses_what_the_machine_does_not_have) {
  const Program program = busy_program(1);
  SimDevice device(host_machine());
  Launch launch = on_one_core(program);
  launch.vector_cores = 3;
  EXPECT_THROW(device.submit(launch), Error);
  launch.vector_cores = 1;
  launch.cube_cores = 1;
  EXPECT_THROW(device.submit(launch), Error);  // no code for it
  std::vector<std::byte> bytes(8);
  EXPECT_THROW(device.read(64, bytes), Error);
  EXPECT_THROW(device.write(64, bytes), Error);
}

TEST(SimDevice, timing_mode_has_no_data_to_read) {
  SimOptions options;
  options.mode = Mode::Timing;
  SimDevice device(host_machine(), options);
  const std::uint64_t address = device.allocate(Bytes(std::int64_t{32} << 20));
  std::vector<std::byte> bytes(8);
  device.write(address, bytes);
  EXPECT_THROW(device.read(address, bytes), Error);
}

TEST(SimDevice, later_launches_run_after_a_fault) {
  const Program stuck = isa::assemble(".vector\nwait pipe=vector other=mte2 id=0\nhalt\n", "stuck");
  const Program program = busy_program(1);
  SimDevice device(host_machine());
  EXPECT_EQ(device.wait(device.submit(on_one_core(stuck))).fault.kind, FaultKind::Deadlock);
  EXPECT_FALSE(device.wait(device.submit(on_one_core(program))).fault);
}

}  // namespace
}  // namespace dvmsim::testing
