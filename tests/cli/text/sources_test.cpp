#include "cli/text/sources.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

TEST(Sources, a_comment_holds_for_the_keys_below_it_in_its_section) {
  const auto lines = yaml_lines(
      "# About the file.\n"
      "name: chip\n"
      "l2:\n"
      "  # Read and write\n"
      "  # scale.\n"
      "  read: 5TB/s\n"
      "  write: 4TB/s\n"
      "  # ini.\n"
      "  size: 1MiB\n"
      "hbm:\n"
      "  peak: 1TB/s\n");
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines[2].path, "l2.read");
  EXPECT_EQ(lines[2].value, "5TB/s");
  EXPECT_EQ(lines[2].comment, "Read and write scale.");
  EXPECT_EQ(lines[2].number, 6);
  EXPECT_EQ(lines[3].comment, "Read and write scale.");
  EXPECT_EQ(lines[4].comment, "ini.");
  EXPECT_EQ(lines[6].path, "hbm.peak");
  EXPECT_EQ(lines[6].comment, "");
}

TEST(Sources, tables_nest_by_indent) {
  const auto lines = yaml_lines("vector:\n  rate:\n    copy: {b16: 128}\n  tail: 8cycles\n");
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[2].path, "vector.rate.copy");
  EXPECT_EQ(lines[2].value, "{b16: 128}");
  EXPECT_EQ(lines[3].path, "vector.tail");
}

TEST(Sources, a_file_comes_after_its_base) {
  const auto sources = sources_of(DVMSIM_SOURCE_DIR "/configs/hardware/ascend910_9381.yaml");
  EXPECT_TRUE(sources.at("clock.core").place.starts_with("ascend910_9381.yaml:"));
  EXPECT_TRUE(sources.at("hbm.peak").place.starts_with("ascend910_9391.yaml:"));
  EXPECT_TRUE(sources.at("ub.size").place.starts_with("ascend910b1.yaml:"));
}

}  // namespace
}  // namespace dvmsim
