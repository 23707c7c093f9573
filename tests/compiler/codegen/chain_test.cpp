#include "compiler/codegen/chain.h"

#include <gtest/gtest.h>

#include "tests/compiler/codegen/product.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

MatmulSpec product_of(std::int64_t m, std::int64_t k, std::int64_t n, std::int64_t batch0 = 1,
                      std::int64_t batch1 = 1) {
  MatmulSpec spec{};
  spec.m = m;
  spec.k = k;
  spec.n = n;
  spec.batch0 = batch0;
  spec.batch1 = batch1;
  return spec;
}

ChainSpec chain_of(std::int64_t m, std::int64_t k, std::int64_t r, std::int64_t n,
                   std::int64_t batch0 = 1, std::int64_t batch1 = 1) {
  return {packed(product_of(m, k, r, batch0, batch1)), packed(product_of(m, r, n, batch0, batch1))};
}

ChainSchedule tiles(std::int64_t m, std::int64_t k, std::int64_t n, std::int64_t span, int cores,
                    bool whole = false) {
  ChainSchedule schedule;
  schedule.tile_m = m;
  schedule.tile_k = k;
  schedule.tile_n = n;
  schedule.span = span;
  schedule.cores = cores;
  schedule.whole = whole;
  return schedule;
}

/// Runs it in one order of the cores' commands and compares with plain loops.
void expect_chain(const ChainSpec& spec, const ChainSchedule& schedule, std::uint64_t seed = 0) {
  SCOPED_TRACE(to_string(schedule));
  const Machine& machine = default_machine();
  ASSERT_EQ(chain_problem(spec, machine), "");
  ASSERT_TRUE(fits(spec, schedule, machine));
  const Program program = chain_program(spec, schedule, machine);
  for (const isa::Finding& finding : isa::verify(program, machine)) {
    ADD_FAILURE() << isa::print(finding);
  }
  Reference device(machine, seed);
  HazardChecker checker(machine);
  device.listen_order(&checker);
  const product::Buffers first(spec.first, device, 16);
  product::Buffers second(spec.second, device, c_bytes(spec.second));
  Launch launch{};
  launch.program = &program;
  launch.arguments = {first.at.a,  first.at.b,    second.at.b,
                      second.at.c, first.at.bias, second.at.bias};
  launch.cube_cores = schedule.cores;
  const LaunchReport report = device.wait(device.submit(launch));
  ASSERT_FALSE(report.fault) << report.fault.text;
  product::expect_clean(checker);

  const std::vector<float> kept = product::plain(spec.first, first.a, first.b, first.bias);
  std::vector<std::byte> between(kept.size() * 2);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    product::put(between, i, spec.first.in, kept[i]);
  }
  const std::vector<float> want = product::plain(spec.second, between, second.b, second.bias);
  const auto got = product::download(device, second.at.c, c_bytes(spec.second));
  for (std::size_t i = 0; i < want.size(); ++i) {
    std::vector<std::byte> rounded(4);
    product::put(rounded, 0, spec.second.out, want[i]);
    ASSERT_EQ(product::get(got, i, spec.second.out), product::get(rounded, 0, spec.second.out))
        << "element " << i;
  }
}

TEST(ChainTest, WholeTiles) {
  for (std::uint64_t seed : {0, 1, 2}) {
    expect_chain(chain_of(64, 128, 32, 128), tiles(16, 64, 64, 2, 3), seed);
    expect_chain(chain_of(64, 128, 32, 128), tiles(16, 64, 64, 2, 3, true), seed);
  }
}

TEST(ChainTest, EdgesAlongEveryAxis) {
  for (const bool whole : {false, true}) {
    for (std::int64_t m : {1, 16, 37}) {
      for (std::int64_t k : {1, 17, 64, 130}) {
        expect_chain(chain_of(m, k, 33, 70), tiles(16, 64, 32, 3, 2, whole), 5);
        expect_chain(chain_of(m, 90, k, 49), tiles(32, 48, 16, 1, 4, whole), 6);
      }
    }
  }
}

TEST(ChainTest, MoreTilesThanBlocksAndFewer) {
  expect_chain(chain_of(40, 32, 16, 300), tiles(16, 32, 32, 10, 2));
  expect_chain(chain_of(40, 400, 16, 32), tiles(16, 32, 32, 1, 2));
  expect_chain(chain_of(40, 400, 16, 300), tiles(16, 32, 16, 7, 3, true));
}

/// 128 rows of 256 sums leave room for nothing else: two parts along k, one tile of D at a time.
TEST(ChainTest, WideFirstResultsInSeveralParts) {
  expect_chain(chain_of(200, 96, 256, 200), tiles(64, 96, 128, 1, 4));
  expect_chain(chain_of(200, 96, 250, 200), tiles(64, 96, 256, 1, 4));
  expect_chain(chain_of(70, 700, 200, 100), tiles(32, 256, 64, 2, 3, true));
}

TEST(ChainTest, TurnedOperandsBiasAndRelu) {
  for (int bits = 0; bits < 64; ++bits) {
    ChainSpec spec;
    spec.first = product_of(45, 100, 40);
    spec.second = product_of(45, 40, 75);
    spec.first.trans_a = (bits & 1) != 0;
    spec.first.trans_b = (bits & 2) != 0;
    spec.second.trans_b = (bits & 4) != 0;
    spec.first.bias = (bits & 8) != 0;
    spec.second.bias = (bits & 16) != 0;
    spec.first.post = (bits & 32) != 0 ? isa::Post::Relu : isa::Post::None;
    spec.second.post = (bits & 9) == 9 ? isa::Post::Relu : isa::Post::None;
    spec.second.out = (bits & 6) == 6 ? DType::F32 : DType::F16;
    spec = {packed(spec.first), packed(spec.second)};
    SCOPED_TRACE(bits);
    expect_chain(spec, tiles(16, 48, 32, 2, 3, bits % 3 == 0), static_cast<std::uint64_t>(bits));
  }
}

TEST(ChainTest, BatchesAndSharedOperands) {
  expect_chain(chain_of(20, 64, 16, 40, 2, 3), tiles(16, 32, 32, 2, 5), 3);
  ChainSpec shared = chain_of(20, 64, 16, 40, 2, 3);
  for (MatmulSpec* each : {&shared.first, &shared.second}) each->b_batch0 = each->b_batch1 = 0;
  expect_chain(shared, tiles(16, 32, 32, 2, 5), 3);
  expect_chain(shared, tiles(16, 32, 32, 1, 5, true), 4);
  EXPECT_FALSE(
      fits(chain_of(20, 64, 16, 40, 2, 3), tiles(16, 32, 32, 1, 5, true), default_machine()))
      << "every batch has another B";
}

TEST(ChainTest, Bfloat) {
  ChainSpec spec = chain_of(30, 50, 20, 60);
  for (MatmulSpec* each : {&spec.first, &spec.second}) each->in = each->out = DType::BF16;
  expect_chain(spec, tiles(16, 32, 32, 2, 2));
}

TEST(ChainTest, SaysWhyNot) {
  const Machine& machine = default_machine();
  const auto why = [&](auto&& change) {
    ChainSpec spec = chain_of(30, 50, 20, 60);
    change(spec);
    return chain_problem(spec, machine);
  };
  EXPECT_EQ(why([](ChainSpec&) {}), "");
  EXPECT_NE(why([](ChainSpec& spec) { spec.first.out = DType::F32; }), "");
  EXPECT_NE(why([](ChainSpec& spec) { spec.second.m = 31; }), "");
  EXPECT_NE(why([](ChainSpec& spec) { spec.second.trans_a = true; }), "");
  EXPECT_NE(why([](ChainSpec& spec) { spec.first.n = spec.second.k = 272; }), "");
  Machine without = machine;
  without.can.l0c_to_l1 = false;
  EXPECT_NE(chain_problem(chain_of(30, 50, 20, 60), without), "");
}

/// The one chosen is legal, and as a user wants it where one is asked for.
TEST(ChainTest, SchedulesFitAndFollowChoices) {
  const Machine& machine = default_machine();
  for (std::int64_t m : {1, 100, 5000}) {
    for (std::int64_t r : {1, 64, 256}) {
      const ChainSpec spec = chain_of(m, 3000, r, 1500);
      const auto schedule = schedule_chain(spec, machine, 24);
      ASSERT_TRUE(schedule.has_value());
      EXPECT_TRUE(fits(spec, *schedule, machine));
      EXPECT_LE(schedule->cores, std::min<std::int64_t>(24, items_of(spec, *schedule)));
      const ChainChoice wanted{.m = 32, .k = 128, .n = 64, .span = 5, .cores = 7};
      const auto chosen = schedule_chain(spec, machine, 24, wanted);
      ASSERT_TRUE(chosen.has_value());
      EXPECT_EQ(chosen->tile_m, 32);
      EXPECT_EQ(chosen->tile_k, 128);
      EXPECT_EQ(chosen->tile_n, 64);
      EXPECT_EQ(chosen->span, 5);
      EXPECT_GE(chosen->cycles, schedule->cycles * (1 - 1e-9));
    }
  }
  EXPECT_FALSE(schedule_chain(chain_of(9, 9, 9, 9), machine, 24, {.m = 20}).has_value());
}

}  // namespace
}  // namespace dvmsim
