// A file of schedule overrides says what is wrong with it by line, and reads what is written of a
// compilation.
#include "cli/schedule_file.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::string error_of(const std::string& text) {
  try {
    (void)parse_overrides(text, "s.yaml");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ScheduleFile, says_kernels_and_hints) {
  const ScheduleOverrides read = parse_overrides(
      "kernels:\n"
      "  - kernel: \"s, *\"\n"
      "    vector: {rows: 2, columns: 64, cores: 3, packing: best-fit, loads: 2, stores: 1}\n"
      "  - number: 4\n"
      "    matmul: {m: 16, n: 32, k: 48, k_step: 96, visit: dz, width: 2, loop: [keep, ranges]}\n"
      "partition:\n"
      "  - fuse: [a, b]\n"
      "  - split: [b, \"c d\"]\n",
      "s.yaml");
  ASSERT_EQ(read.kernels.size(), 2u);
  EXPECT_EQ(read.kernels[0].kernel, "s, *");
  EXPECT_EQ(read.kernels[0].where, "s.yaml:3");
  EXPECT_EQ(std::get<VectorChoice>(read.kernels[0].choice).rows, 2);
  EXPECT_EQ(std::get<VectorChoice>(read.kernels[0].choice).packing, Packing::BestFit);
  EXPECT_EQ(read.kernels[1].number, 4);
  EXPECT_EQ(std::get<MatmulChoice>(read.kernels[1].choice).visit, isa::Swizzle::DiagonalZ);
  EXPECT_EQ(std::get<MatmulChoice>(read.kernels[1].choice).loop,
            isa::kKeepOperands | isa::kContiguous);
  ASSERT_EQ(read.hints.size(), 2u);
  EXPECT_TRUE(read.hints[0].fuse);
  EXPECT_EQ(read.hints[1].b, "c d");
  EXPECT_EQ(read.hints[1].where, "s.yaml:8");
}

TEST(ScheduleFile, names_the_line_of_what_it_does_not_understand) {
  EXPECT_TRUE(error_of("tiles: 3\n").starts_with("s.yaml:1: ")) << error_of("tiles: 3\n");
  const auto entry = [](const std::string& words) {
    return error_of("kernels:\n  - kernel: a\n    " + words + "\n");
  };
  EXPECT_NE(entry("vector: {height: 3}").find("s.yaml:3"), std::string::npos);
  EXPECT_NE(entry("vector: {rows: 0}").find("s.yaml:3"), std::string::npos);
  EXPECT_NE(entry("vector: {packing: tight}").find("in-order or best-fit"), std::string::npos);
  EXPECT_NE(entry("vector: {cores: 99999999}").find("too much"), std::string::npos);
  EXPECT_NE(entry("matmul: {visit: spiral}").find("zn, nz, dz, dn"), std::string::npos);
  EXPECT_NE(entry("matmul: {loop: [fast]}").find("shuffle-k"), std::string::npos);
  EXPECT_NE(entry("attention: {heads: 3}").find("queries, keys"), std::string::npos);
  EXPECT_NE(entry("conv: {k: 3}").find("m, n, c, resident, by_row, visit, width and cores"),
            std::string::npos);
  EXPECT_NE(entry("window: {rows: 0}").find("s.yaml:3"), std::string::npos);
  EXPECT_NE(entry("window: {turns: 2}").find("columns"), std::string::npos);
  EXPECT_NE(entry("copy: {tile: 64}").find("s.yaml:3"), std::string::npos);
  EXPECT_NE(entry("copy: {tile: [[64], 3]}").find("s.yaml:3"), std::string::npos);
  EXPECT_NE(entry("copy: {turns: [2, 0]}").find("s.yaml:3"), std::string::npos);
  EXPECT_NE(entry("copy: {rows: 2}").find("tile, turns and cores"), std::string::npos);
  EXPECT_NE(entry("number: 3").find("either kernel or number"), std::string::npos);
  EXPECT_NE(error_of("kernels:\n  - kernel: a\n")
                .find("one of vector, matmul, attention, conv, window, copy and chain"),
            std::string::npos);
  EXPECT_NE(error_of("partition:\n  - fuse: [a]\n").find("two names"), std::string::npos);
  EXPECT_NE(error_of("partition:\n  - join: [a, b]\n").find("fuse and split"), std::string::npos);
}

TEST(ScheduleFile, reads_what_it_writes) {
  ScheduleDecision vector, product, second, attention;
  vector.number = 0;
  vector.kernel = "a \"b\" \\";
  vector.choice = VectorChoice{3, 64, Packing::InOrder, 1, 1, 7, false, {}};
  product.number = 1;
  product.kernel = second.kernel = "p";
  product.choice =
      MatmulChoice{16, 32, 48, 0, isa::Swizzle::Nz, 5, isa::kKeepOperands | isa::kEvenParts, 2};
  second = product;
  second.number = 2;
  attention.number = 3;
  attention.kernel = "mixed";
  attention.choice = AttentionChoice{128, 512, 64, 16, 32, true, 24};
  const std::string text =
      to_yaml(std::vector<ScheduleDecision>{vector, product, second, attention});
  const ScheduleOverrides read = parse_overrides(text, "s.yaml");
  ASSERT_EQ(read.kernels.size(), 4u) << text;
  EXPECT_EQ(read.kernels[0].kernel, vector.kernel);
  EXPECT_EQ(read.kernels[0].choice, vector.choice);
  EXPECT_EQ(read.kernels[1].number, 1) << "two of one name";
  EXPECT_EQ(read.kernels[2].choice, product.choice);
  EXPECT_EQ(read.kernels[3].choice, attention.choice);
}

TEST(ScheduleFile, reads_every_kind_that_it_writes) {
  using Tiles = std::vector<std::vector<std::int64_t>>;
  const std::vector<KernelChoice> choices = {
      ConvChoice{256, 64, 32, true, false, isa::Swizzle::Nz, 2, 20},
      WindowChoice{2, 14, 128, 7, 40, 2048}, CopyChoice{Tiles{{64, 128}}, {{2}}, 12},
      CopyChoice{Tiles{{64, 128}, {16}}, {{2, 1}}, 12}, CopyChoice{Tiles{{9}}, {{2}}, {}}};
  std::vector<ScheduleDecision> decisions;
  for (const KernelChoice& choice : choices) {
    ScheduleDecision decision;
    decision.number = static_cast<int>(decisions.size());
    decision.kernel = "same";
    decision.choice = choice;
    decisions.push_back(decision);
  }
  const std::string text = to_yaml(decisions);
  EXPECT_NE(text.find("copy: {tile: [[64, 128], [16]], turns: [2, 1], cores: 12}"),
            std::string::npos)
      << text;
  const ScheduleOverrides read = parse_overrides(text, "s.yaml");
  ASSERT_EQ(read.kernels.size(), choices.size()) << text;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    EXPECT_EQ(read.kernels[i].choice, choices[i]) << text;
  }
}

TEST(ScheduleFile, is_of_no_use_to_captured_calls) {
  RunOptions options;
  options.strategy = "dvm-eager";
  EXPECT_TRUE(load_overrides(options).kernels.empty());
  options.schedule = "s.yaml";
  EXPECT_THROW((void)load_overrides(options), Error);
}

}  // namespace
}  // namespace dvmsim
