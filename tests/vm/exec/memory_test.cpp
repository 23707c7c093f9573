#include "vm/exec/memory.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

TEST(GlobalMemory, addresses_are_aligned_zeroed_and_never_null) {
  GlobalMemory memory(Bytes(1 << 20));
  for (int size : {0, 1, 511, 512, 513, 4000}) {
    const std::uint64_t address = memory.allocate(Bytes(size), true);
    EXPECT_NE(address, 0u);
    EXPECT_EQ(address % 512, 0u);
    for (int i = 0; i < size; ++i) {
      EXPECT_EQ(*memory.at(address + static_cast<std::uint64_t>(i), 1), std::byte{0});
    }
  }
}

TEST(GlobalMemory, an_access_may_not_leave_its_range) {
  GlobalMemory memory(Bytes(1 << 20));
  const std::uint64_t a = memory.allocate(Bytes(512), true);
  const std::uint64_t b = memory.allocate(Bytes(512), true);
  EXPECT_GT(b, a + 512);
  EXPECT_NE(memory.at(a, 512), nullptr);
  EXPECT_EQ(memory.at(a, 513), nullptr);
  EXPECT_EQ(memory.at(a + 512, 1), nullptr);
  EXPECT_EQ(memory.at(b - 1, 1), nullptr);
  EXPECT_EQ(memory.at(a - 1, 2), nullptr);
  EXPECT_EQ(memory.at(0, 1), nullptr);
  EXPECT_EQ(memory.at(a, -1), nullptr);
  EXPECT_EQ(memory.at(~std::uint64_t{0}, 1), nullptr);
}

TEST(GlobalMemory, the_first_hole_that_fits_is_used_again) {
  GlobalMemory memory(Bytes(1 << 20));
  const std::uint64_t a = memory.allocate(Bytes(4096), true);
  const std::uint64_t b = memory.allocate(Bytes(512), true);
  memory.release(a);
  EXPECT_EQ(memory.at(a, 1), nullptr);
  EXPECT_GT(memory.allocate(Bytes(8192), true), b);
  EXPECT_EQ(memory.allocate(Bytes(1024), true), a);
  EXPECT_EQ(memory.allocate(Bytes(512), true), a + 1024 + 512);
}

TEST(GlobalMemory, unbacked_ranges_have_an_address_but_no_storage) {
  GlobalMemory memory(Bytes(std::int64_t{1} << 36));
  const std::uint64_t a = memory.allocate(Bytes(std::int64_t{1} << 35), false);
  EXPECT_TRUE(memory.contains(a, std::int64_t{1} << 35));
  EXPECT_FALSE(memory.contains(a, (std::int64_t{1} << 35) + 1));
  EXPECT_EQ(memory.at(a, 1), nullptr);
}

TEST(GlobalMemory, counts_what_is_used_and_refuses_more_than_its_capacity) {
  GlobalMemory memory(Bytes(4096));
  const std::uint64_t a = memory.allocate(Bytes(3000), false);
  EXPECT_THROW((void)memory.allocate(Bytes(1025), false), Error);
  memory.release(a);
  EXPECT_EQ(memory.used(), Bytes(0));
  (void)memory.allocate(Bytes(100), false);
  EXPECT_EQ(memory.peak(), Bytes(3072));
}

TEST(CoreMemory, a_core_has_the_buffers_of_its_kind_full_of_nan) {
  const Machine machine = default_machine();
  CoreMemory cube(machine, CoreKind::Cube), vector(machine, CoreKind::Vector);
  EXPECT_EQ(cube.size_of(Space::UB), Bytes(0));
  EXPECT_EQ(vector.size_of(Space::L1), Bytes(0));
  EXPECT_EQ(vector.size_of(Space::UB), machine.ub.size);
  EXPECT_EQ(*cube.at(Space::L0C, 0, 4), std::byte{0xff});
  EXPECT_EQ(vector.at(Space::UB, machine.ub.size.count() - 3, 4), nullptr);
  EXPECT_EQ(vector.at(Space::UB, -1, 4), nullptr);
  for (std::int64_t at : {std::int64_t{5000}, std::int64_t{0}}) {
    *vector.at(Space::UB, at, 1) = std::byte{0};
    vector.poison();
    EXPECT_EQ(*vector.at(Space::UB, at, 1), std::byte{0xff});
  }
}

}  // namespace
}  // namespace dvmsim
