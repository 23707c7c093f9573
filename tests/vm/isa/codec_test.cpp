#include "vm/isa/codec.h"

#include <gtest/gtest.h>

#include "tests/support/random_inst.h"

namespace dvmsim::isa {
namespace {

using testing::pick;
using testing::Random;
using testing::random_inst;

Inst decoded(const std::vector<std::uint64_t>& code) {
  Inst inst;
  DecodeError error;
  EXPECT_EQ(decode(code, 0, inst, error), static_cast<int>(code.size())) << error.text;
  return inst;
}

std::string_view refusal(const std::vector<std::uint64_t>& code) {
  Inst inst;
  DecodeError error;
  return decode(code, 0, inst, error) == 0 ? error.text : std::string_view("accepted");
}

std::vector<std::uint64_t> encoded(const Inst& inst) {
  std::vector<std::uint64_t> code;
  append(inst, code);
  return code;
}

Inst add() {
  Inst inst = blank(Op::vadd);
  inst.lane[0] = Lane::imm(static_cast<int>(DType::F32));
  inst.lane[1] = Lane::rotating(7, 2, 0x40, 1);
  inst.lane[2] = Lane::r(9);
  inst.lane[3] = Lane::imm(4096);
  inst.lane[4] = Lane::imm(128);
  return inst;
}

TEST(Codec, EncodesTheFieldsWhereTheTableDrawsThem) {
  Inst inst = add();
  inst.waits[0] = {true, Pipe::MTE2, 3};
  inst.sets[0] = {true, Pipe::MTE3, 5};
  inst.drain = true;
  const auto code = encoded(inst);
  ASSERT_EQ(code.size(), 4u);
  const std::uint64_t wait = 1 | 2 << 1 | 3 << 4, set = 1 | 3 << 1 | 5 << 4;
  EXPECT_EQ(code[0],
            0x40u | 4u << 8 | 0b110u << 12 | wait << 28 | set << 42 | std::uint64_t{1} << 56);
  const std::uint64_t rotating = 7 | 2 << 6 | 1 << 9 | 0x40 << 12;
  EXPECT_EQ(code[1], static_cast<std::uint64_t>(DType::F32) | rotating << 32);
  EXPECT_EQ(code[2], 9u | std::uint64_t{4096} << 32);
  EXPECT_EQ(code[3], 128u | std::uint64_t{1} << 32)
      << "rows is there, because count shares its word";
}

TEST(Codec, LeavesOutTrailingDefaultsOnly) {
  EXPECT_EQ(encoded(blank(Op::halt)).size(), 1u);
  EXPECT_EQ(encoded(blank(Op::endloop)).size(), 1u);
  Inst inst = blank(Op::load);
  inst.lane[2] = Lane::imm(64);
  EXPECT_EQ(encoded(inst).size(), 3u) << "rows = 1 is a default";
  inst.lane[5] = Lane::imm(64);
  EXPECT_EQ(encoded(inst).size(), 4u);
  EXPECT_EQ(decoded(encoded(inst)).lane[3], Lane::imm(1));
}

TEST(Codec, EveryRowComesBackFromItsWords) {
  Random random(1);
  for (const Row& row : rows()) {
    EXPECT_TRUE(malformed(blank(row.op)).empty()) << row.mnemonic;
    EXPECT_EQ(decoded(encoded(blank(row.op))), blank(row.op)) << row.mnemonic;
    for (int i = 0; i < 50; ++i) {
      const Inst inst = random_inst(row, random);
      ASSERT_EQ(decoded(encoded(inst)), inst) << row.mnemonic;
    }
  }
}

TEST(Codec, RandomInstructionsComeBack) {
  Random random(2);
  std::vector<std::uint64_t> code;
  for (int i = 0; i < 200000; ++i) {
    const Inst inst = random_inst(random);
    code.clear();
    const int words = append(inst, code);
    ASSERT_EQ(words, words_of(inst));
    Inst back;
    DecodeError error;
    ASSERT_EQ(decode(code, 0, back, error), words) << error.text;
    ASSERT_EQ(back, inst);
  }
}

/// Words that are random, or valid with a few bits flipped, so that acceptance is frequent enough.
std::vector<std::uint64_t> random_words(Random& random) {
  std::vector<std::uint64_t> code;
  if (pick(random, 0, 3) == 0) {
    for (std::int64_t i = pick(random, 0, kMaxWords); i >= 0; --i) code.push_back(random());
    return code;
  }
  append(random_inst(random), code);
  for (std::int64_t i = pick(random, 0, 2); i > 0; --i) {
    code[static_cast<std::size_t>(pick(random, 0, static_cast<std::int64_t>(code.size()) - 1))] ^=
        std::uint64_t{1} << pick(random, 0, 63);
  }
  if (pick(random, 0, 9) == 0) code.pop_back();
  return code;
}

TEST(Codec, WhatItAcceptsEncodesToTheSameWords) {
  Random random(3);
  int accepted = 0;
  for (int i = 0; i < 500000; ++i) {
    const auto code = random_words(random);
    Inst inst;
    DecodeError error;
    const int words = decode(code, 0, inst, error);
    if (words == 0) {
      ASSERT_FALSE(error.text.empty());
      continue;
    }
    ++accepted;
    ASSERT_EQ(encoded(inst), std::vector(code.begin(), code.begin() + words));
  }
  EXPECT_GT(accepted, 100000);
  EXPECT_LT(accepted, 450000);
}

TEST(Codec, RefusesWhatIsNotItsOwnEncoding) {
  const auto good = encoded(add());
  const auto with = [&](std::size_t word, std::uint64_t flip) {
    auto code = good;
    code[word] ^= flip;
    return refusal(code);
  };
  EXPECT_EQ(refusal(good), "accepted");
  EXPECT_EQ(with(0, 0x40 ^ 0x3f), "no such instruction");
  EXPECT_EQ(with(0, std::uint64_t{1} << 57), "unit flags are between mmad and fix");
  EXPECT_EQ(with(0, std::uint64_t{1} << 58), "reserved bits are not zero");
  EXPECT_EQ(with(0, std::uint64_t{1} << 63), "reserved bits are not zero");
  EXPECT_EQ(with(0, std::uint64_t{1} << (12 + 10)), "register mask names a lane that is not there");
  EXPECT_EQ(with(0, std::uint64_t{1} << 12), "operand cannot be a register") << "a type";
  EXPECT_EQ(with(0, (4u ^ 0u) << 8), "word count does not fit the instruction");
  EXPECT_EQ(with(0, (4u ^ 7u) << 8), "word count does not fit the instruction");
  EXPECT_EQ(with(0, (4u ^ 6u) << 8), "instruction is cut off");
  EXPECT_EQ(with(0, 2u << 29), "unused flag is not zero");
  EXPECT_EQ(with(0, 1u << 28 | 7u << 29), "no such pipe");
  EXPECT_EQ(with(0, std::uint64_t{1} << 35), "second flag without a first");
  EXPECT_EQ(with(1, 1), "accepted") << "F32 becomes BF16";
  EXPECT_EQ(with(1, static_cast<std::uint64_t>(DType::F32) ^ 40),
            "operand is not one of its row's types or names");
  EXPECT_EQ(with(1, std::uint64_t{3} << (32 + 6)), "rotation by one");
  EXPECT_EQ(with(1, std::uint64_t{2} << (32 + 6)), "step or loop without rotation");
  EXPECT_EQ(with(2, 1u << 12), "step or loop without rotation");
  auto longer = good;
  longer.push_back(0);
  longer[0] += 1u << 8;
  EXPECT_EQ(refusal(longer), "last word holds only defaults and should be left out");
  EXPECT_EQ(refusal({}), "end of the code inside a program");
}

TEST(Codec, RefusesAHalfWordAfterAnOddLastOperand) {
  Inst inst = blank(Op::sadd);
  inst.lane[2] = Lane::imm(5);
  auto code = encoded(inst);
  ASSERT_EQ(code.size(), 3u);
  code[2] |= std::uint64_t{1} << 40;
  EXPECT_EQ(refusal(code), "half word after the last operand");
}

TEST(Codec, RefusesARegisterInALaneThatIsLeftOut) {
  auto code = encoded(blank(Op::mov));
  code[0] |= std::uint64_t{1} << 13;
  EXPECT_EQ(refusal(code), "accepted") << "lane 1 shares the word of lane 0";
  code = encoded(blank(Op::sadd));
  code[0] |= std::uint64_t{1} << 14;
  EXPECT_EQ(refusal(code), "register in a lane that is left out");
}

TEST(Codec, GlobalMemoryIsAddressedByRegistersOnly) {
  Inst inst = blank(Op::load);
  inst.lane[1] = Lane::imm(4096);
  EXPECT_EQ(malformed(inst), "operand must be a register");
}

TEST(Codec, SaysWhichWordDoesNotDecode) {
  std::vector<std::uint64_t> code = encoded(add());
  append(blank(Op::halt), code);
  DecodeError error;
  EXPECT_TRUE(decodes(code, error));
  code.push_back(0xff);
  EXPECT_FALSE(decodes(code, error));
  EXPECT_EQ(error.offset, 5u);
}

TEST(Codec, KnowsAMalformedInstruction) {
  Inst inst = blank(Op::halt);
  inst.lane[3] = Lane::imm(1);
  EXPECT_EQ(malformed(inst), "lane after the last operand is in use");
  inst = blank(Op::mov);
  inst.lane[0] = Lane::rotating(1, 2, 1);
  EXPECT_EQ(malformed(inst), "written register cannot rotate");
  inst = blank(Op::mov);
  inst.lane[1] = Lane::r(64);
  EXPECT_EQ(malformed(inst), "no such register");
  inst.lane[1] = Lane::rotating(1, 8, 1);
  EXPECT_EQ(malformed(inst), "rotation does not fit its fields");
  inst.lane[1] = {.is_register = true, .immediate = 5};
  EXPECT_EQ(malformed(inst), "register with an immediate");
  inst.lane[1] = {.reg = 3, .immediate = 5};
  EXPECT_EQ(malformed(inst), "immediate with register fields");
  inst = blank(Op::halt);
  inst.waits[0] = {true, Pipe::Cube, 8};
  EXPECT_EQ(malformed(inst), "no such flag");
}

}  // namespace
}  // namespace dvmsim::isa
