// Stream files: what they mean and what is refused.
#include "cli/stream/stream.h"

#include <gtest/gtest.h>

#include <set>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::string error_of(const std::string& text) {
  try {
    (void)parse_stream(text, "s.stream");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Stream, says_all_it_can) {
  const Stream stream = parse_stream(R"(seed: 9
state: {"*.next": "*.now"}
initial: {past: 0}
steps:
  - repeat: 4
    dims: {batch: 2, seq: [1, 7]}
    shapes: {x: 1x3x48..64 by 8}
    inputs: {y: data/y.npy}
    seed: 3
    fresh: true
  - dims: {batch: 1}
)",
                                     "folder/s.stream");
  const auto steps = steps_of(stream);
  ASSERT_EQ(steps.size(), 5u);
  EXPECT_EQ(stream.groups[0].inputs[0].second, "folder/data/y.npy");
  EXPECT_TRUE(stream.groups[0].fresh);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(steps[i].dims[1].second, i % 2 == 0 ? 1 : 7);
    EXPECT_EQ(steps[i].seed, 3);
    const std::int64_t width = steps[i].shapes[0].second[2];
    EXPECT_TRUE(width == 48 || width == 56 || width == 64) << width;
  }
  EXPECT_NE(steps[4].seed, 3);
  EXPECT_EQ(stream.initial[0].first, "past");
}

TEST(Stream, random_sizes_follow_from_the_seed) {
  const auto widths = [](int seed) {
    const auto steps = steps_of(parse_stream(
        "seed: " + std::to_string(seed) + "\nsteps:\n  - {repeat: 1000, dims: {w: 48..320}}\n",
        "s"));
    std::vector<std::int64_t> result;
    for (const StreamStep& step : steps) result.push_back(step.dims[0].second);
    return result;
  };
  EXPECT_EQ(widths(1), widths(1));
  EXPECT_NE(widths(1), widths(2));
  const auto drawn = widths(1);
  const std::set<std::int64_t> distinct(drawn.begin(), drawn.end());
  EXPECT_GE(*distinct.begin(), 48);
  EXPECT_LE(*distinct.rbegin(), 320);
  EXPECT_GT(distinct.size(), 200u);
}

TEST(Stream, state_is_matched_by_pattern) {
  const Stream stream =
      parse_stream("state: {\"*.k_next\": \"*.k\", hn: h}\nsteps:\n  - dims: {a: 1}\n", "s.stream");
  const Named state =
      state_of(stream, {"l0.k_next", "y", "l1.k_next", "hn"}, {"l0.k", "l1.k", "h"});
  const Named expected = {{"l0.k_next", "l0.k"}, {"l1.k_next", "l1.k"}, {"hn", "h"}};
  EXPECT_EQ(state, expected);
  EXPECT_THROW((void)state_of(stream, {"l0.k_next", "hn"}, {"h"}), Error);
  EXPECT_THROW((void)state_of(stream, {"hn"}, {"h"}), Error);
}

TEST(Stream, errors_name_file_and_line) {
  EXPECT_EQ(error_of("seed: 1\nstep: []\n").substr(0, 11), "s.stream:2:");
  EXPECT_NE(error_of("seed: 1\n").find("has no steps"), std::string::npos);
  EXPECT_NE(error_of("steps:\n  - dims: {n: 5..3}\n").find("s.stream:2: n: '5..3' is no range"),
            std::string::npos);
  EXPECT_NE(
      error_of("steps:\n  - dims: {n: -4}\n").find("s.stream:2: n: a size cannot be negative"),
      std::string::npos);
  EXPECT_NE(error_of("steps:\n  - repeat: 0\n").find("s.stream:2: repeat"), std::string::npos);
  EXPECT_NE(error_of("steps:\n  - dims: {n: many}\n").find("'many' is not a whole number"),
            std::string::npos);
  EXPECT_NE(error_of("steps:\n  - width: 4\n").find("s.stream:2: 'width': unknown"),
            std::string::npos);
  EXPECT_NE(error_of("steps:\n  - {dims: {n: 1, n: 2}}\n").find("given twice"), std::string::npos);
  EXPECT_EQ(error_of("steps: [\n").substr(0, 9), "s.stream:");
  EXPECT_NE(error_of("just text").find("is no stream"), std::string::npos);
}

}  // namespace
}  // namespace dvmsim
