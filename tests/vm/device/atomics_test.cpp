// Floating-point updates of global memory give the same bits in every order of execution.
#include "vm/device/atomics.h"

#include <gtest/gtest.h>

#include <cstring>

#include "vm/base/half.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"
#include "vm/isa/text.h"

namespace dvmsim {
namespace {

struct Ran {
  std::vector<std::byte> out{}, seen{};
  std::vector<HazardChecker::Finding> findings{};
};

/// Vector cores add to `out` (arguments: x, out, seen); what they saw of it goes to `seen`.
Ran run(const std::string& code, int cores, std::uint64_t seed, const std::vector<float>& x) {
  const Machine machine = default_machine();
  Reference device(machine, seed);
  HazardChecker hazards(machine);
  device.listen_order(&hazards);
  const Program program = isa::assemble(
      ".vector\n ldarg rd=r10 index=0\n ldarg rd=r11 index=1\n ldarg rd=r12 index=2\n" + code +
          " halt\n",
      "test");
  Launch launch;
  launch.program = &program;
  launch.vector_cores = cores;
  const auto bytes = static_cast<std::int64_t>(4 * x.size());
  for (int i = 0; i < 3; ++i) launch.arguments.push_back(device.allocate(Bytes(bytes)));
  device.write(launch.arguments[0], std::as_bytes(std::span(x)));
  const Fault fault = device.wait(device.submit(launch)).fault;
  EXPECT_FALSE(fault) << fault.text;
  Ran result;
  result.findings = hazards.findings();
  result.out.resize(static_cast<std::size_t>(bytes));
  result.seen.resize(static_cast<std::size_t>(bytes));
  device.read(launch.arguments[1], result.out);
  device.read(launch.arguments[2], result.seen);
  return result;
}

float number(const std::vector<std::byte>& bytes, std::size_t index) {
  float value = 0;
  std::memcpy(&value, bytes.data() + 4 * index, 4);
  return value;
}

/// Values whose sum depends on the order.
std::vector<float> awkward(std::size_t count) {
  std::vector<float> x(count);
  for (std::size_t i = 0; i < count; ++i) {
    x[i] = (i % 3 == 0 ? 1e8f : i % 3 == 1 ? -1e8f : 1.0f) * static_cast<float>(1 + i % 7);
  }
  return x;
}

const char* const kAddOwn =
    " smul rd=r20 a=r0 b=32\n sadd rd=r20 a=r10 b=r20\n load dst=0 src=r20 len=32 set=mte3.0\n"
    " store dst=r11 src=0 len=32 dtype=f32 atomic=add wait=mte2.0\n";

TEST(Atomics, add_in_the_order_of_cores_whatever_the_interleaving) {
  const std::vector<float> x = awkward(8 * 24);
  std::vector<float> want(8);
  for (std::size_t core = 0; core < 24; ++core) {
    for (std::size_t i = 0; i < 8; ++i) want[i] += x[core * 8 + i];
  }
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const Ran result = run(kAddOwn, 24, seed, x);
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(number(result.out, i), want[i]) << seed;
    EXPECT_TRUE(result.findings.empty()) << result.findings.front().text;
  }
}

TEST(Atomics, show_when_they_are_read_in_the_same_launch) {
  const std::vector<float> x = awkward(8 * 6);
  std::vector<std::byte> first;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    // Everybody adds, everybody meets, core 0 reads 12 bytes in the middle, all add again.
    const Ran result = run(std::string(kAddOwn) +
                               " xset pipe=mte3 id=0 mode=all\n xwait pipe=mte2 id=0 mode=all\n"
                               " jnz a=r0 skip=@others\n sadd rd=r21 a=r11 b=8\n"
                               " load dst=64 src=r21 len=12 set=mte3.1\n"
                               " store dst=r12 src=64 len=12 dtype=f32 wait=mte2.1\nothers:\n"
                               " xset pipe=mte2 id=1 mode=all\n xwait pipe=mte3 id=1 mode=all\n"
                               " store dst=r11 src=0 len=32 dtype=f32 atomic=add\n",
                           6, seed, x);
    EXPECT_TRUE(result.findings.empty()) << result.findings.front().text;
    std::vector<float> sum(8);
    for (std::size_t core = 0; core < 6; ++core) {
      for (std::size_t i = 0; i < 8; ++i) sum[i] += x[core * 8 + i];
    }
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(number(result.seen, i), sum[2 + i]);
    // What nobody read in between may be added in one go; what was read, not.
    if (seed == 0) first = result.out;
    EXPECT_EQ(result.out, first) << "seed " << seed;
  }
}

TEST(Atomics, follow_program_order_inside_a_core) {
  const std::vector<float> x = {1e8f, 0, 0, 0, 0,     0, 0, 0, 1, 0, 0, 0,
                                0,    0, 0, 0, -1e8f, 0, 0, 0, 0, 0, 0, 0};
  const Ran result =
      run(" load dst=0 src=r10 len=96 set=mte3.0\n wait pipe=mte3 other=mte2 id=0\n"
          " store dst=r11 src=0 len=32 dtype=f32 atomic=add\n"
          " store dst=r11 src=32 len=32 dtype=f32 atomic=add\n"
          " store dst=r11 src=64 len=32 dtype=f32 atomic=add\n",
          1, 1, x);
  EXPECT_EQ(number(result.out, 0), 0.0f);  // 1e8 + 1 is 1e8
}

TEST(Atomics, give_way_to_a_later_plain_store) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const Ran result =
        run(" load dst=0 src=r10 len=64 set=mte3.0\n wait pipe=mte3 other=mte2 id=0\n"
            " store dst=r11 src=0 len=32 dtype=f32 atomic=add\n"
            " store dst=r11 src=32 len=16 dtype=f32 drain\n"
            " store dst=r11 src=0 len=32 dtype=f32 atomic=add drain\n",
            1, seed, {1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 30, 40, 50, 60, 70, 80});
    const float want[] = {11, 22, 33, 44, 10, 12, 14, 16};
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(number(result.out, i), want[i]);
  }
}

TEST(Atomics, check_bounds_like_any_store) {
  const Machine machine = default_machine();
  Reference device(machine);
  const Program program = isa::assemble(
      ".vector\n ldarg rd=r10 index=0\n vdup dtype=f32 dst=0 s=0 count=16 set=mte3.0\n"
      " store dst=r10 src=0 len=64 dtype=f32 atomic=add wait=vector.0\n halt\n",
      "test");
  Launch launch;
  launch.program = &program;
  launch.vector_cores = 1;
  launch.arguments = {device.allocate(Bytes(32))};
  EXPECT_EQ(device.wait(device.submit(launch)).fault.kind, FaultKind::OutOfBounds);
}

}  // namespace
}  // namespace dvmsim
