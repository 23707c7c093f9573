// What every instruction does with operands that are wrong: a fault, and memory as it was.
#include <gtest/gtest.h>

#include "tests/vm/exec/shapes.h"

namespace dvmsim {
namespace {

using namespace bench;

std::vector<std::byte> everything(Bench& bench, std::int64_t gm) {
  std::vector<std::byte> all;
  for (int i = 0; i < kSpaces; ++i) {
    const auto part = bench.bytes(static_cast<Space>(i));
    all.insert(all.end(), part.begin(), part.end());
  }
  const std::byte* from = bench.global.at(static_cast<std::uint64_t>(gm), 4096);
  all.insert(all.end(), from, from + 4096);
  return all;
}

class Faults : public testing::Test {
 protected:
  Faults() : gm(static_cast<std::int64_t>(bench.global.allocate(Bytes(4096), true))) {}
  void expect_out_of_bounds(const isa::Row& row, std::size_t operand, std::int64_t value) {
    isa::Command command = sound_command(row, gm);
    command.pc = 7;
    command.operand[operand] = value;
    const auto before = everything(bench, gm);
    const Fault fault = execute(command, bench.core, bench.global);
    EXPECT_EQ(fault.kind, FaultKind::OutOfBounds)
        << row.mnemonic << " " << row.operand[operand].name << " at " << value;
    EXPECT_EQ(fault.pc, 7u);
    EXPECT_NE(fault.text.find(row.mnemonic), std::string::npos) << fault.text;
    EXPECT_NE(fault.text.find("'" + std::string(row.operand[operand].name) + "'"),
              std::string::npos)
        << fault.text;
    EXPECT_TRUE(everything(bench, gm) == before) << row.mnemonic << " changed memory";
  }

  Bench bench;
  std::int64_t gm;
};

TEST_F(Faults, every_memory_operand_of_every_instruction_is_checked_at_both_ends) {
  int checked = 0;
  for (const isa::Row& row : isa::rows()) {
    if (row.pipe == Pipe::Scalar) continue;
    ASSERT_FALSE(execute(sound_command(row, gm), bench.core, bench.global)) << row.mnemonic;
    for (std::size_t i = 0; i < static_cast<std::size_t>(row.operands); ++i) {
      const isa::Operand& operand = row.operand[i];
      if (operand.kind != isa::OperandKind::Memory) continue;
      const bool is_global = operand.space == Space::GM;
      const std::int64_t end = is_global ? gm + 4096 : bench.core.size_of(operand.space).count();
      expect_out_of_bounds(row, i, end);
      expect_out_of_bounds(row, i, end - 4);
      expect_out_of_bounds(row, i, is_global ? gm - 4 : -4);
      expect_out_of_bounds(row, i, INT64_MAX - 3);
      ++checked;
    }
  }
  EXPECT_GT(checked, 100);
}

TEST_F(Faults, the_text_names_the_range_and_the_size) {
  const Fault fault =
      bench.run(Op::vadds, {{"dtype", code(DType::F16)}, {"a", 196600}, {"count", 100}, {"s", 0}});
  EXPECT_EQ(fault.text,
            "vadds: operand 'a' touches ub bytes [196600, 196800), but ub has 196608 bytes");
}

TEST_F(Faults, strides_count_in_the_range) {
  EXPECT_EQ(
      bench
          .run(Op::load, {{"src", gm}, {"len", 64}, {"rows", 65}, {"dstride", 64}, {"sstride", 64}})
          .kind,
      FaultKind::OutOfBounds);
  EXPECT_EQ(bench.run(Op::load, {{"src", gm}, {"len", 64}, {"rows", 2}, {"dstride", -64}}).kind,
            FaultKind::OutOfBounds);
  EXPECT_EQ(
      bench
          .run(Op::vexp,
               {{"dtype", code(DType::F32)}, {"count", 8}, {"rows", 3}, {"astride", INT64_MAX - 3}})
          .kind,
      FaultKind::OutOfBounds);
}

TEST_F(Faults, elements_lie_at_multiples_of_their_size) {
  EXPECT_EQ(bench.run(Op::vexp, {{"dtype", code(DType::F32)}, {"a", 2}, {"count", 8}}).kind,
            FaultKind::Misaligned);
  EXPECT_EQ(
      bench.run(Op::vexp, {{"dtype", code(DType::F16)}, {"count", 8}, {"rows", 2}, {"dstride", 17}})
          .kind,
      FaultKind::Misaligned);
}

TEST_F(Faults, counts_types_and_matrices_that_make_no_sense_are_refused) {
  const auto kind = [&](Op op, const Operands& operands) { return bench.run(op, operands).kind; };
  EXPECT_EQ(kind(Op::vadd, {{"dtype", code(DType::F32)}, {"count", -1}}),
            FaultKind::BadInstruction);
  EXPECT_EQ(kind(Op::vexp, {{"dtype", code(DType::I32)}, {"count", 1}}), FaultKind::BadInstruction);
  EXPECT_EQ(kind(Op::vexp, {{"dtype", 77}, {"count", 1}}), FaultKind::BadInstruction);
  EXPECT_EQ(kind(Op::loadnz, {{"dtype", code(DType::F16)},
                              {"src", gm},
                              {"rows", 17},
                              {"cols", 4},
                              {"prows", 16},
                              {"stride", 8}}),
            FaultKind::BadInstruction);
  EXPECT_EQ(
      kind(Op::l0a, {{"dtype", code(DType::F16)}, {"m", 10}, {"k", 4}, {"prows", 16}, {"m0", 7}}),
      FaultKind::BadInstruction);
  const auto windows = [&](const Operands& other) {
    Operands all = {{"dtype", code(DType::F16)},
                    {"m", 16},
                    {"k", 16},
                    {"prows", 16},
                    {"h", 4},
                    {"w", 4},
                    {"ow", 4}};
    all.insert(all.end(), other.begin(), other.end());
    return kind(Op::img2col, all);
  };
  EXPECT_EQ(windows({}), FaultKind::None);
  EXPECT_EQ(windows({{"w", 5}}), FaultKind::BadInstruction);
  EXPECT_EQ(windows({{"k0", 8}}), FaultKind::BadInstruction);
  EXPECT_EQ(windows({{"kernel", -1}}), FaultKind::BadInstruction);
  EXPECT_EQ(windows({{"k0", 16 << 16}}), FaultKind::OutOfBounds);
  EXPECT_EQ(kind(Op::loadfm, {{"dtype", code(DType::F16)},
                              {"src", gm},
                              {"w", 17},
                              {"cols", 4},
                              {"prows", 16},
                              {"stride", 8}}),
            FaultKind::BadInstruction);
  EXPECT_EQ(kind(Op::fixq, {{"dtype", code(DType::I8)},
                            {"dst", gm},
                            {"m", 1},
                            {"n", 1},
                            {"from", code(DType::F16)}}),
            FaultKind::BadInstruction);
  EXPECT_EQ(kind(Op::store, {{"dst", gm}, {"len", 3}, {"atomic", 1}, {"dtype", code(DType::F16)}}),
            FaultKind::BadInstruction);
}

}  // namespace
}  // namespace dvmsim
