#include "cli/strategy_constants.h"

#include <gtest/gtest.h>

#include "cli/text/files.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

const std::string& own() {
  static const std::string text = read_text(DVMSIM_SOURCE_DIR "/configs/strategies.yaml");
  return text;
}

std::string with(const std::string& line, const std::string& instead) {
  std::string text = own();
  const std::size_t at = text.find(line);
  EXPECT_NE(at, std::string::npos) << line;
  return text.replace(at, line.size(), instead);
}

std::string error_of(const std::string& text) {
  try {
    (void)parse_constants(text, "s.yaml");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(StrategyConstants, of_the_project_are_read_with_their_sources) {
  const ConstantsFile file = parse_constants(own(), "s.yaml");
  EXPECT_EQ(file.constants.jit.kernel, Picoseconds(1'000'000'000'000));
  EXPECT_EQ(file.constants.jit.compiler, JitCompiler::Published);
  for (const StrategyConstant& one : file.all) {
    const bool sourced = one.source.starts_with("published") || one.source.starts_with("measured");
    EXPECT_TRUE(sourced || one.assumed) << one.key << ": " << one.source;
  }
}

TEST(StrategyConstants, without_a_source_are_told_apart) {
  const ConstantsFile file = parse_constants(own(), "s.yaml");
  const auto assumed = file.assumed_of("jit");
  EXPECT_NE(std::find(assumed.begin(), assumed.end(), "jit.trace=5ms"), assumed.end());
  EXPECT_EQ(std::find(assumed.begin(), assumed.end(), "jit.kernel=1s"), assumed.end());
}

TEST(StrategyConstants, what_is_wrong_is_refused_with_its_line) {
  EXPECT_TRUE(error_of(with("  workers: 8", "  wrokers: 8")).starts_with("s.yaml:"));
  EXPECT_NE(error_of(with("  workers: 8", "  wrokers: 8")).find("jit.wrokers"), std::string::npos);
  EXPECT_NE(error_of(with("  workers: 8", "  workers: 0")).find("at least 1"), std::string::npos);
  EXPECT_NE(error_of(with("  infer: 1us", "  infer: 1")).find("graph.infer"), std::string::npos);
  EXPECT_NE(error_of(with("  infer: 1us\n", "")).find("graph.infer is missing"), std::string::npos);
  EXPECT_NE(error_of(with("  sizes: []", "  sizes: [4, 2]")).find("grow"), std::string::npos);
  EXPECT_NE(error_of(with("  infer: 1us", "  infer: 1us\n  infer: 2us")).find("twice"),
            std::string::npos);
  EXPECT_NE(error_of(with("  infer: 1us", "  infer 1us")).find("key: value"), std::string::npos);
}

TEST(StrategyConstants, sets_change_them_and_say_so) {
  const ConstantsFile file = constants_from(DVMSIM_SOURCE_DIR "/configs/strategies.yaml",
                                            {"jit.workers=3", "bucket.sizes=[64, 128]"});
  EXPECT_EQ(file.constants.jit.workers, 3);
  EXPECT_EQ(file.constants.bucket.sizes, (std::vector<std::int64_t>{64, 128}));
  EXPECT_TRUE(file.assumed_of("bucket").size() <
              parse_constants(own(), "s").assumed_of("bucket").size());
  EXPECT_THROW((void)constants_from(DVMSIM_SOURCE_DIR "/configs/strategies.yaml", {"jit.x=1"}),
               Error);
}

TEST(StrategyConstants, of_other_sections_may_matter) {
  const ConstantsFile file = parse_constants(own(), "s");
  const auto has = [&](const std::string& strategy, const std::string& assumed) {
    const auto all = file.assumed_of(strategy);
    return std::find(all.begin(), all.end(), assumed) != all.end();
  };
  EXPECT_TRUE(has("sink", "graph.infer=1us"));    // what is captured is inferred first
  EXPECT_TRUE(has("bucket", "jit.trace=5ms"));    // buckets are compiled
  EXPECT_FALSE(has("bucket", "jit.guard=20us"));  // and never checked
  EXPECT_FALSE(has("graph", "sink.capture=1us"));
  EXPECT_TRUE(file.assumed_of("dvm").empty());
}

TEST(StrategyConstants, a_study_varies_them_and_they_stay_without_a_source) {
  const ConstantsFile file = parse_constants(own(), "s").with({"jit.trace=7ms", "bucket.least=4"});
  EXPECT_EQ(file.constants.jit.trace, Picoseconds(7'000'000'000));
  EXPECT_EQ(file.constants.bucket.least, 4);
  const auto assumed = file.assumed_of("jit");
  EXPECT_NE(std::find(assumed.begin(), assumed.end(), "jit.trace=7ms"), assumed.end());
}

TEST(StrategyConstants, are_numbers_with_units) {
  EXPECT_EQ(constant_number("jit.trace", "5ms")->value, 5e-3);
  EXPECT_EQ(constant_number("jit.trace", "5ms")->unit, "s");
  EXPECT_EQ(constant_number("sink.task", "1KiB")->value, 1024);
  EXPECT_EQ(constant_number("jit.max_autotune", "true")->value, 1);
  EXPECT_FALSE(constant_number("bucket.sizes", "[1, 2]").has_value());
  EXPECT_TRUE(is_whole_constant("jit.workers"));
  EXPECT_FALSE(is_whole_constant("jit.trace"));
}

TEST(StrategyConstants, assignments_are_told_from_those_of_a_machine) {
  const std::vector<std::string> sets = {"hbm.peak=1TB/s", "jit.workers=2"};
  EXPECT_EQ(machine_sets(sets), std::vector<std::string>{"hbm.peak=1TB/s"});
  EXPECT_EQ(strategy_sets(sets), std::vector<std::string>{"jit.workers=2"});
  RunOptions options;
  options.sets = sets;
  options.strategy = "eager";
  EXPECT_THROW((void)constants_of(options), Error);
}

}  // namespace
}  // namespace dvmsim
