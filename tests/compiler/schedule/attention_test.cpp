#include "compiler/schedule/attention.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

AttentionSpec spec_of(std::int64_t heads, std::int64_t m, std::int64_t n, std::int64_t d) {
  AttentionSpec spec;
  spec.heads = heads;
  spec.m = m;
  spec.n = n;
  spec.d = spec.e = d;
  spec.q = spec.out = {heads * m * d * 2, m * d * 2, d * 2};
  spec.k = spec.v = {heads * n * d * 2, n * d * 2, d * 2};
  spec.scale = 0.125f;
  return spec;
}

TEST(AttentionSchedule, fits_whatever_the_sizes) {
  const Machine machine = default_machine();
  for (std::int64_t m : {1, 100, 4096}) {
    for (std::int64_t n : {1, 77, 8192}) {
      for (std::int64_t d : {16, 64, 80, 128, 256}) {
        const AttentionSpec spec = spec_of(8, m, n, d);
        ASSERT_EQ(attention_problem(spec, machine), "");
        const AttentionSchedule schedule = schedule_attention(spec, machine, 24);
        SCOPED_TRACE(to_text(spec, schedule));
        EXPECT_TRUE(fits(spec, schedule, machine));
        EXPECT_LE(schedule.cores, items_of(spec, schedule));
      }
    }
  }
}

TEST(AttentionSchedule, smaller_tiles_give_work_to_more_cores) {
  const Machine machine = default_machine();
  const AttentionSpec spec = spec_of(12, 128, 2048, 64);
  EXPECT_GT(schedule_attention(spec, machine, 24).cores, 12);
}

TEST(AttentionSchedule, smaller_buffers_make_smaller_tiles) {
  Machine machine = default_machine();
  const AttentionSpec spec = spec_of(24, 4096, 4096, 128);
  const AttentionSchedule large = schedule_attention(spec, machine, 24);
  machine.ub.size = Bytes(machine.ub.size.count() / 2);
  const AttentionSchedule small = schedule_attention(spec, machine, 24);
  EXPECT_TRUE(fits(spec, small, machine));
  EXPECT_FALSE(fits(spec, large, machine));
}

TEST(AttentionSchedule, heads_that_share_keys_become_rows) {
  AttentionSpec spec = spec_of(8, 1, 100, 64);
  spec.shared = 4;
  const AttentionSpec rows = merged(spec);
  EXPECT_EQ(rows.heads, 2);
  EXPECT_EQ(rows.m, 4);
  EXPECT_EQ(rows.q.row, spec.q.head);
  EXPECT_EQ(rows.q.head, 4 * spec.q.head);
  spec.m = 10;
  spec.q.row = 64;  // rows not at the distance that the heads have
  EXPECT_EQ(merged(spec).heads, 8);
}

TEST(AttentionSchedule, causal_heads_stay_apart) {
  AttentionSpec spec = spec_of(8, 10, 100, 64);
  spec.shared = 4;
  spec.causal = true;
  spec.reach = 90;
  EXPECT_EQ(merged(spec).heads, 8);
  spec.reach = 99;  // every query sees every key
  EXPECT_EQ(merged(spec).heads, 2);
}

}  // namespace
}  // namespace dvmsim
