#include "compiler/codegen/attention.h"

#include <gtest/gtest.h>

#include "tests/compiler/codegen/attention_case.h"
#include "vm/isa/text.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

AttentionSchedule tiles(std::int64_t m, std::int64_t block, std::int64_t part, std::int64_t piece,
                        int cores, std::int64_t ahead = 3) {
  AttentionSchedule schedule;
  schedule.tile_m = m;
  schedule.block_n = block;
  schedule.load_n = block > 2 * part ? 2 * part : block;
  schedule.part_n = part;
  schedule.piece_m = piece;
  schedule.add_m = m % 64 == 0 ? 2 * piece : piece;
  schedule.ahead = ahead;
  schedule.cores = cores;
  return schedule;
}

/// The program verifies, has nothing unordered under any interleaving, and gives what attention is.
void expect_program(const AttentionSpec& spec, const AttentionSchedule& schedule,
                    std::initializer_list<std::uint64_t> seeds) {
  const Machine machine = default_machine();
  SCOPED_TRACE(to_text(spec, schedule));
  ASSERT_EQ(attention_problem(spec, machine), "");
  ASSERT_TRUE(fits(spec, schedule, machine));
  const Program program = attention_program(spec, schedule, machine);
  for (const isa::Finding& finding : isa::verify(program, machine)) {
    ADD_FAILURE() << isa::print(finding);
  }
  const attention::Tensors in(spec);
  std::vector<std::byte> first;
  for (std::uint64_t seed : seeds) {
    Reference device(machine, seed);
    HazardChecker checker(machine);
    device.listen_order(&checker);
    const attention::Run run(spec, schedule, machine, program, in, device);
    ASSERT_FALSE(run.report.fault) << run.report.fault.text;
    product::expect_clean(checker);
    const auto got = product::download(device, run.at.out, attention::out_bytes(spec));
    if (first.empty()) {
      first = got;
      attention::expect_close(spec, in, got);
    }
    ASSERT_EQ(got, first) << "seed " << seed;
  }
}

/// The same of code for any sizes, and of code that knows these.
void expect_attention(const AttentionSpec& spec, const AttentionSchedule& schedule,
                      std::initializer_list<std::uint64_t> seeds = {0, 7}) {
  expect_program(spec, schedule, seeds);
  AttentionSchedule known = specialised(spec, schedule, default_machine());
  known.scales_queries = spec.scale != 1 && has_dense_queries(spec);
  expect_program(spec, known, seeds);
}

TEST(AttentionTest, one_block) {
  expect_attention(attention::sizes(16, 16, 16, 16), tiles(16, 16, 16, 8, 1));
}

/// All keys in one block: the vector cores divide, the cube core's product is the output.
TEST(AttentionTest, one_block_of_many_tiles) {
  for (std::int64_t n : {1, 31, 64, 96, 128}) {
    AttentionSpec spec = attention::sizes(70, n, 32, 48, 3, 2);
    EXPECT_TRUE(specialised(spec, tiles(32, 128, 64, 8, 4), default_machine()).one_block);
    expect_attention(spec, tiles(32, 128, 64, 8, 4));
    spec.causal = true;
    spec.reach = n - 1;
    expect_attention(spec, tiles(32, 128, 64, 8, 4));
    spec.causal = false;
    spec.mask = DType::F16;
    expect_attention(attention::packed(spec), tiles(16, 128, 128, 8, 5));
  }
  const AttentionSpec two = attention::sizes(70, 129, 32, 48);
  EXPECT_FALSE(specialised(two, tiles(32, 128, 64, 8, 4), default_machine()).one_block);
}

/// Nothing is kept for sums from block to block: there is room for larger pieces.
TEST(AttentionTest, one_block_takes_less_room) {
  const Machine machine = default_machine();
  const AttentionSpec spec = attention::sizes(64, 128, 64, 64);
  const AttentionSchedule general = tiles(64, 128, 64, 8, 1);
  const AttentionSchedule one = specialised(spec, general, machine);
  EXPECT_LT(vector_layout(spec, one, machine, 0).end, vector_layout(spec, general, machine, 0).end);
  EXPECT_LT(attention_workspace_bytes(spec, one), attention_workspace_bytes(spec, general));
}

TEST(AttentionTest, blocks_parts_and_pieces) {
  expect_attention(attention::sizes(64, 256, 32, 32), tiles(32, 64, 16, 8, 2));
  expect_attention(attention::sizes(64, 512, 64, 64), tiles(64, 128, 64, 16, 1), {0, 1, 2, 3});
}

TEST(AttentionTest, edges) {
  for (std::int64_t m : {1, 2, 15, 33, 70}) {
    expect_attention(attention::sizes(m, 77, 16, 32), tiles(32, 32, 16, 8, m > 32 ? 2 : 1));
  }
  for (std::int64_t n : {1, 2, 16, 63, 130}) {
    expect_attention(attention::sizes(20, n, 48, 16), tiles(32, 64, 32, 8, 1));
  }
}

TEST(AttentionTest, heads_and_batches_over_cores) {
  AttentionSpec spec = attention::sizes(40, 50, 32, 32, 6, 2);
  expect_attention(spec, tiles(16, 32, 16, 8, 5));
  spec.shared = 3;
  expect_attention(attention::packed(spec), tiles(16, 32, 32, 8, 4));
}

TEST(AttentionTest, causal) {
  for (std::int64_t reach : {0, 1, 13, 100}) {
    AttentionSpec spec = attention::sizes(45, 45 + reach, 16, 16, 2);
    spec.causal = true;
    spec.reach = reach;
    expect_attention(spec, tiles(16, 32, 16, 8, 3));
  }
}

TEST(AttentionTest, whole_tiles_and_blocks) {
  for (std::int64_t heads : {1, 3}) {
    AttentionSpec spec = attention::sizes(64, 256, 32, 80, heads);
    const AttentionSchedule both = tiles(32, 128, 64, 8, 2), rows = tiles(32, 96, 32, 8, 2),
                            keys = tiles(48, 64, 32, 16, 2);
    EXPECT_TRUE(specialised(spec, both, default_machine()).whole_m);
    EXPECT_TRUE(specialised(spec, both, default_machine()).whole_n);
    EXPECT_FALSE(specialised(spec, rows, default_machine()).whole_n);
    EXPECT_FALSE(specialised(spec, keys, default_machine()).whole_m);
    for (const AttentionSchedule& schedule : {both, rows, keys}) expect_attention(spec, schedule);
    spec.causal = true;
    spec.reach = 192;
    for (const AttentionSchedule& schedule : {both, keys}) expect_attention(spec, schedule);
    spec.reach = 40;
    for (const AttentionSchedule& schedule : {both, keys}) expect_attention(spec, schedule);
    spec.mask = DType::F16;
    expect_attention(attention::packed(spec), both);
  }
}

TEST(AttentionTest, causal_beyond_the_keys) {
  AttentionSpec spec = attention::sizes(45, 20, 16, 16);
  spec.causal = true;
  spec.reach = 2;
  expect_attention(spec, tiles(16, 16, 16, 8, 1));
}

TEST(AttentionTest, masks) {
  for (DType type : {DType::F16, DType::F32}) {
    AttentionSpec spec = attention::sizes(40, 100, 16, 16, 2, 2);
    spec.mask = type;
    spec = attention::packed(spec);
    expect_attention(spec, tiles(32, 64, 32, 8, 2));
    const std::int64_t row = spec.n * size_of(type);
    spec.mask_strides = {2 * row, row, 0};
    expect_attention(spec, tiles(32, 64, 32, 8, 2));
    spec.mask_strides = {row, 0, 0};
    expect_attention(spec, tiles(32, 64, 64, 16, 2));
  }
}

TEST(AttentionTest, bfloats_and_plain_scores) {
  AttentionSpec spec = attention::sizes(33, 70, 32, 16);
  spec.type = DType::BF16;
  expect_attention(attention::packed(spec), tiles(32, 32, 32, 16, 2));
  spec = attention::sizes(33, 70, 16, 80);
  spec.scale = 1;
  expect_attention(spec, tiles(48, 32, 32, 16, 1));
}

TEST(AttentionTest, blocks_ahead) {
  for (std::int64_t ahead : {1, 2, 4}) {
    expect_attention(attention::sizes(48, 200, 16, 16, 2), tiles(16, 32, 16, 8, 2, ahead));
  }
}

TEST(AttentionTest, rows_of_heads_that_share_keys) {
  AttentionSpec spec = attention::sizes(1, 90, 64, 64, 8);
  spec.shared = 4;
  spec = merged(attention::packed(spec));
  EXPECT_EQ(spec.heads, 2);
  EXPECT_EQ(spec.m, 4);
  const attention::Tensors in(spec);
  expect_attention(spec, tiles(16, 32, 32, 8, 2));
}

TEST(AttentionTest, code_does_not_depend_on_lengths) {
  const Machine machine = default_machine();
  const AttentionSchedule schedule = tiles(32, 64, 32, 8, 2);
  const Program a = attention_program(attention::sizes(40, 100, 32, 32, 2, 2), schedule, machine);
  const Program b = attention_program(attention::sizes(7, 3000, 32, 32, 2, 1), schedule, machine);
  EXPECT_EQ(a.cube, b.cube);
  EXPECT_EQ(a.vector, b.vector);
}

TEST(AttentionTest, what_cannot_be_done_is_said) {
  const Machine unified =
      load_machine(std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/ascend910a.yaml");
  AttentionSpec spec = attention::sizes(16, 16, 16, 16);
  EXPECT_NE(attention_problem(spec, unified), "");
  spec.d = 24;
  EXPECT_NE(attention_problem(spec, default_machine()), "");
  spec.d = 16;
  spec.type = DType::F32;
  EXPECT_NE(attention_problem(spec, default_machine()), "");
}

}  // namespace
}  // namespace dvmsim
