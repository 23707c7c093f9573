#include "vm/program/program.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"
#include "vm/isa/text.h"

namespace dvmsim {
namespace {

Program sample() {
  return isa::assemble(R"(.program "two kinds" machine=0x123456789abcdef
.arg input x 4096
.arg scalar n 0 value=-7
.launch path=native cube=3
.cube
  mmad dtype=f16 m=16 k=16 n=16
  halt
.vector
.mark tile rows
  vadd dtype=f32 dst=64 count=8
  halt
)",
                       "sample");
}

std::string complaint(std::span<const std::uint8_t> bytes) {
  try {
    (void)load_program(bytes, "p.dvm");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Program, ComesBackFromItsBytes) {
  const auto bytes = save(sample());
  EXPECT_EQ(load_program(bytes, "p.dvm"), sample());
  EXPECT_EQ(save(load_program(bytes, "p.dvm")), bytes);
  EXPECT_EQ(load_program(save(Program{}), "empty"), Program{});
}

TEST(Program, EveryChangedByteIsNoticed) {
  const auto good = save(sample());
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int flip = 1; flip < 256; ++flip) {
      auto bytes = good;
      bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ flip);
      ASSERT_THROW((void)load_program(bytes, "p.dvm"), Error) << i;
    }
  }
}

TEST(Program, EveryMissingOrExtraByteIsNoticed) {
  const auto good = save(sample());
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_THROW((void)load_program(std::span(good).first(size), "p.dvm"), Error) << size;
  }
  auto longer = good;
  longer.push_back(0);
  EXPECT_THROW((void)load_program(longer, "p.dvm"), Error);
}

/// The bytes with a change and the checksum that goes with it.
std::vector<std::uint8_t> forged(std::size_t at, std::uint8_t value) {
  auto bytes = save(sample());
  bytes[at] = value;
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (std::size_t i = 0; i + 8 < bytes.size(); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[bytes.size() - 8 + i] = static_cast<std::uint8_t>(hash >> 8 * i);
  }
  return bytes;
}

TEST(Program, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(complaint({}), "p.dvm: offset 0: not a program of dvmsim");
  EXPECT_EQ(complaint(forged(0, 0)), "p.dvm: offset 4: not a program of dvmsim");
  EXPECT_EQ(complaint(forged(4, 9)), "p.dvm: offset 6: another format version; compile it again");
  EXPECT_EQ(complaint(forged(6, 1)), "p.dvm: offset 8: reserved bytes are not zero");
  auto foreign = save(sample());
  foreign[8] ^= 1;
  EXPECT_EQ(complaint(foreign), "p.dvm: offset 16: another instruction table; compile it again");
  auto damaged = save(sample());
  damaged.back() ^= 1;
  EXPECT_EQ(complaint(damaged),
            "p.dvm: offset 16: checksum differs; the file is damaged, compile it again");
  const std::size_t code = 24 + 20 + 4 + 9;
  EXPECT_EQ(complaint(forged(code, 0xff)),
            "p.dvm: offset 57: no such instruction; compile or assemble it again");
  EXPECT_EQ(complaint(forged(24 + 3, 0x7f)), "p.dvm: offset 57: the file ends here; copy it again");
}

/// Argument 0 is 4096 bytes of input x: its kind, its flag, 8 bytes, 8 of a value. The last six
/// bytes before the checksum are the launch.
TEST(Program, ValuesAndLaunchesThatAreNotThereAreZero) {
  const Program program = sample();
  const std::size_t argument = 24 + 20 + 4 + 9 + 8 * (program.cube.size() + program.vector.size());
  EXPECT_EQ(complaint(forged(argument + 1, 2)).substr(0, 6), "p.dvm:");
  EXPECT_NE(complaint(forged(argument + 1, 1)).find("a value that is no scalar's"),
            std::string::npos);
  EXPECT_NE(complaint(forged(argument + 10, 1)).find("a value that is not there is not zero"),
            std::string::npos);
  const std::size_t launch = save(program).size() - 8 - 6;
  EXPECT_NE(complaint(forged(launch, 0)).find("a launch that is not there is not zero"),
            std::string::npos);
  EXPECT_NE(complaint(forged(launch + 1, kCodePaths)).find("code path"), std::string::npos);
}

TEST(Program, CodeOfAKindOfCore) {
  const Program program = sample();
  EXPECT_EQ(program.code(CoreKind::Cube).size(), program.cube.size());
  EXPECT_EQ(program.code(CoreKind::Unified).data(), program.cube.data());
  EXPECT_EQ(program.code(CoreKind::Vector).data(), program.vector.data());
  EXPECT_EQ(program.bytes(),
            static_cast<std::int64_t>(8 * (program.cube.size() + program.vector.size())));
}

}  // namespace
}  // namespace dvmsim
