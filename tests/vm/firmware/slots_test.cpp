// Which products may take an operand from slots of a workspace.
#include <gtest/gtest.h>

#include "vm/firmware/matmul.h"
#include "vm/isa/matmul.h"
#include "vm/machine/machine.h"

namespace dvmsim {
namespace {

template <class Change>
std::string problem(const Change& change) {
  isa::MatmulArguments args;
  args.m = args.n = args.k = 96;
  args.tile_m = args.tile_k = 64;
  args.tile_n = 32;
  args.a_stride = args.c_stride = 192;
  args.out = static_cast<std::int64_t>(DType::F16);
  args.trans_b = isa::kFromSlots;
  args.b_stride = 64;
  args.b_batch0 = 4;
  args.b_batch1 = 64 * 64;
  change(args);
  return MatmulMacro::problem(default_machine(), args, DType::F16);
}

TEST(Slots, hold_a_block_each) {
  EXPECT_EQ(problem([](auto&) {}), "");
  EXPECT_EQ(problem([](auto& a) { a.b_stride = 62; }), "rows of a block in a slot overlap");
  EXPECT_EQ(problem([](auto& a) { a.b_stride = -64; }), "rows of a block in a slot overlap");
  EXPECT_EQ(problem([](auto& a) { --a.b_batch1; }), "a block does not fit its slot");
  const auto turned = [](auto& a) {
    a.trans_b |= isa::kTransposed;
    a.b_stride = 128;
  };
  EXPECT_EQ(problem(turned), "");
  EXPECT_EQ(problem([&](auto& a) { turned(a), a.b_stride = 126; }),
            "rows of a block in a slot overlap");
  EXPECT_EQ(problem([&](auto& a) { turned(a), --a.b_batch1; }), "a block does not fit its slot");
}

TEST(Slots, hold_a_block_of_either_operand_but_not_of_both) {
  const auto of_a = [](auto& a) {
    a.trans_a = isa::kFromSlots;
    a.trans_b = 0;
    a.b_stride = 192;
    a.b_batch0 = a.b_batch1 = 0;
    a.a_stride = 128;
    a.a_batch0 = 4;
    a.a_batch1 = 64 * 128;
  };
  EXPECT_EQ(problem(of_a), "");
  EXPECT_EQ(problem([&](auto& a) { of_a(a), a.a_stride = 126; }),
            "rows of a block in a slot overlap");
  EXPECT_EQ(problem([&](auto& a) { of_a(a), --a.a_batch1; }), "a block does not fit its slot");
  EXPECT_EQ(problem([&](auto& a) { of_a(a), a.a_batch0 = 0; }),
            "no such number or size of slots of A");
  EXPECT_EQ(problem([&](auto& a) { of_a(a), a.trans_b = isa::kFromSlots; }),
            "only one operand comes through slots");
  EXPECT_EQ(problem([&](auto& a) { of_a(a), a.trans_a = 8; }), "no such layout of A");
}

TEST(Slots, are_refused_where_nobody_fills_them_or_they_are_not_for) {
  EXPECT_EQ(problem([](auto& a) { a.b_batch0 = 0; }), "no such number or size of slots of B");
  EXPECT_EQ(problem([](auto& a) { a.b_batch0 = 1000; }), "no such number or size of slots of B");
  EXPECT_EQ(problem([](auto& a) { a.loop = isa::kKeepOperands; }),
            "operands in slots are not kept");
  EXPECT_EQ(problem([](auto& a) { a.trans_b = 8; }), "no such layout of B");
}

}  // namespace
}  // namespace dvmsim
