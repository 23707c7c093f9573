#include "cli/regression/cases.h"

#include <gtest/gtest.h>

#include <cmath>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::string error_of(const std::string& text) {
  try {
    (void)parse_cases(text, "c.yaml");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

TEST(Cases, choices_multiply_and_names_say_which) {
  const auto cases = parse_cases(
      "cases:\n  - model: a/enc.graph\n    dims: {n: [1, 2], m: 3}\n    strategies: [eager, dvm]\n"
      "    hardware: [hw/x.yaml, y.yaml]\n    set: {clock.core: 1GHz}\n"
      "    options: [--l2 warm, --repeat 2]\n",
      "c.yaml");
  ASSERT_EQ(cases.size(), 8u);
  EXPECT_EQ(cases[0].name, "enc n=1 m=3 eager x");
  EXPECT_EQ(cases[7].name, "enc n=2 m=3 dvm y");
  EXPECT_EQ(joined(cases[0].words),
            "run a/enc.graph --dim n=1 --dim m=3 --strategy eager --hw hw/x.yaml --set "
            "clock.core=1GHz --l2 warm --repeat 2");
  EXPECT_EQ(cases[0].place, "c.yaml:2");
}

TEST(Cases, an_operator_has_shapes_and_attributes) {
  const auto cases = parse_cases(
      "cases:\n  - {op: softmax, shapes: [4x8], dtype: f32, attrs: {axis: 0}, tolerance: {cycles: "
      "1.5%, host: ignore, e2e_us: exact}}\n",
      "c.yaml");
  ASSERT_EQ(cases.size(), 1u);
  EXPECT_EQ(cases[0].name, "softmax 4x8 f32 dvm");
  EXPECT_EQ(joined(cases[0].words), "op softmax 4x8 --dtype f32 --attr axis=0 --strategy dvm");
  ASSERT_EQ(cases[0].tolerances.size(), 3u);
  EXPECT_EQ(cases[0].tolerances[0].share, 0.015);
  EXPECT_TRUE(std::isinf(cases[0].tolerances[1].share));
  EXPECT_EQ(cases[0].tolerances[2].share, 0);
}

TEST(Cases, what_is_wrong_is_named_with_its_line) {
  const std::string op = "cases:\n  - op: add\n    shapes: [4]\n";
  EXPECT_EQ(error_of("cases: 3\n").find("c.yaml:1: cases: write a list"), 0u);
  EXPECT_EQ(error_of("cases: []\n"), "c.yaml:1: cases: write a list, [one, two]");
  EXPECT_EQ(error_of("{}\n").find("c.yaml:1: no cases"), 0u);
  EXPECT_EQ(error_of("cases:\n  - [\n").find("c.yaml:3: "), 0u) << error_of("cases:\n  - [\n");
  EXPECT_EQ(error_of("cases:\n  - add\n").find("c.yaml:2: a case: write "), 0u);
  EXPECT_EQ(error_of(op + "    colour: red\n").find("c.yaml:4: "), 0u);
  EXPECT_EQ(error_of(op + "    op: sub\n"), "c.yaml:4: 'op' is given twice");
  EXPECT_EQ(error_of(op + "    model: m.graph\n"), "c.yaml:2: a case has a model or an op");
  EXPECT_EQ(error_of("cases:\n  - dtype: f16\n"), "c.yaml:2: a case has a model or an op");
  EXPECT_EQ(error_of("cases:\n  - op: add\n"), "c.yaml:2: an op has shapes: [64x128]");
  EXPECT_EQ(error_of(op + "    dims: {n: 1}\n").find("c.yaml:2: dims and shape are of a model"),
            0u);
  EXPECT_EQ(
      error_of("cases:\n  - model: m\n    attrs: {a: 1}\n").find("c.yaml:2: shapes and attrs"), 0u);
  EXPECT_EQ(error_of(op + "    strategies: []\n"),
            "c.yaml:4: strategies: write a list, [one, two]");
  EXPECT_EQ(error_of(op + "    tolerance: {cycles: 5}\n").find("c.yaml:4: tolerance '5': write"),
            0u);
  EXPECT_EQ(error_of(op + "    tolerance: {cycles: -1%}\n").find("c.yaml:4: tolerance '-1%'"), 0u);
  EXPECT_EQ(error_of(op + "    tolerance: {cycles: few}\n").find("c.yaml:4: tolerance 'few'"), 0u);
  EXPECT_EQ(error_of(op + "  - {op: add, shapes: [4]}\n"),
            "c.yaml:4: case 'add 4 dvm' is also at c.yaml:2; give one of them a name");
}

}  // namespace
}  // namespace dvmsim
