#include "cli/strategy_constants.h"

#include <gtest/gtest.h>

#include "cli/files.h"
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
