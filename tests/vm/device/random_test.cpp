// Random legal programs: the same bytes under every interleaving, and nothing for the checker to
// find.
#include <gtest/gtest.h>

#include "tests/support/random_program.h"
#include "tests/support/random_table.h"
#include "tests/vm/device/flags.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"
#include "vm/isa/text.h"
#include "vm/isa/verify.h"

namespace dvmsim::testing {
namespace {

struct Outcome {
  Fault fault{};
  std::vector<std::byte> bytes{};
  std::vector<HazardChecker::Finding> findings{};
};

Outcome run(const RandomProgram& program, const Machine& machine, std::uint64_t seed) {
  Reference device(machine, seed);
  HazardChecker hazards(machine);
  device.listen_order(&hazards);
  const Launch launch = prepare(program, device);
  Outcome outcome;
  outcome.fault = device.wait(device.submit(launch)).fault;
  outcome.bytes = contents(program, device, launch);
  outcome.findings = hazards.findings();
  return outcome;
}

Machine small_machine() {
  Machine machine = default_machine();
  for (const char* set : {"cores.cube=3", "cores.vector=6", "queue.mte2=2", "queue.vector=3"}) {
    apply_set(machine, set);
  }
  return machine;
}

void agree(std::uint64_t program_seed, const RandomOptions& options,
           RandomProgram (*make)(const Machine&, std::uint64_t,
                                 const RandomOptions&) = random_program) {
  const Machine machine = small_machine();
  const RandomProgram program = make(machine, program_seed, options);
  ASSERT_TRUE(isa::verify(program.program, machine).empty()) << "program " << program_seed;
  const Outcome first = run(program, machine, 0);
  ASSERT_FALSE(first.fault) << "program " << program_seed << ": " << first.fault.text;
  for (std::uint64_t seed : {0, 1, 2, 3, 4}) {
    const Outcome other = run(program, machine, seed);
    ASSERT_FALSE(other.fault) << "program " << program_seed << ": " << other.fault.text;
    EXPECT_TRUE(other.bytes == first.bytes) << "program " << program_seed << ", seed " << seed;
    ASSERT_TRUE(other.findings.empty())
        << "program " << program_seed << ": " << other.findings.front().text;
  }
}

TEST(RandomProgram, means_the_same_in_every_order) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) agree(seed, {});
}

TEST(RandomProgram, means_the_same_when_it_reads_device_data) {
  RandomOptions options;
  options.device_data = true;
  options.blocks = 10;
  for (std::uint64_t seed = 100; seed <= 130; ++seed) agree(seed, options);
}

TEST(RandomTable, means_the_same_in_every_order) {
  RandomOptions options;
  options.blocks = 3;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) agree(seed, options, random_table);
}

TEST(RandomProgram, means_the_same_on_one_kind_of_core) {
  RandomOptions cube, vector;
  cube.vector = false;
  vector.cube = false;
  for (std::uint64_t seed = 200; seed <= 215; ++seed) {
    agree(seed, cube);
    agree(seed, vector);
  }
}

TEST(RandomProgram, cannot_lose_a_flag_unnoticed) {
  const Machine machine = small_machine();
  for (std::uint64_t program_seed = 300; program_seed < 312; ++program_seed) {
    const RandomProgram program = random_program(machine, program_seed, {});
    ASSERT_TRUE(isa::verify(program.program, machine).empty());
    const Outcome right = run(program, machine, 0);
    for (const Flag& flag : flags_of(program.program)) {
      RandomProgram less = program;
      less.program = without(program.program, flag);
      if (!isa::verify(less.program, machine).empty()) continue;
      const Outcome outcome = run(less, machine, 0);
      EXPECT_TRUE(outcome.fault || !outcome.findings.empty() || outcome.bytes != right.bytes)
          << "program " << program_seed << ", word " << flag.pc << ": "
          << isa::print(inst_of(program.program, flag));
    }
  }
}

}  // namespace
}  // namespace dvmsim::testing
