// Plans of what works along an axis (the largest elements, elements by number, running sums) and of
// rows by number, with symbols for sizes: as long as rows fit UB for every length, then for one.
#include <gtest/gtest.h>

#include "tests/support/plan_check.h"

namespace dvmsim {
namespace {

using plan_check::expect_other;
using plan_check::expect_reused;

TEST(PlanOfTop, ServesEveryRowThatCanBeSorted) {
  const std::string lines =
      "dim n, m\ninput x: f16[n, m]\nv, p = top_k(x) {k=[5]}\nr = relu(v)\noutput r\noutput p\n";
  expect_reused(lines, {{7, 100}, {20, 33}, {1000, 9}, {9, 4000}});
  expect_other(lines, {7, 100}, {7, 4});
  expect_other(lines, {7, 100}, {1, 100});
  expect_other(lines, {7, 100}, {7, 100000});
  expect_reused(lines, {{7, 100000}, {20, 100000}, {9, 100000}});
  expect_other(lines, {7, 100000}, {7, 100001});
}

TEST(PlanOfTop, ServesOtherAxesThanTheLast) {
  const std::string lines =
      "dim n, m, b\ninput x: f32[b, m, n]\nv, p = top_k(x) {k=[3], axis=1}\noutput v\noutput p\n";
  expect_reused(lines, {{7, 100, 2}, {20, 33, 4}, {1000, 9, 6}});
  expect_other(lines, {7, 100, 2}, {1, 100, 2});
}

TEST(PlanOfTop, OfANumberThatIsASymbolIsForThatNumber) {
  const std::string lines =
      "dim n, k\ninput x: f16[n, 300]\ninput y: f16[n, k]\nv, p = top_k(x) {k=[k]}\n"
      "s = add(v, y)\noutput s\noutput p\n";
  expect_reused(lines, {{7, 5}, {20, 5}, {33, 5}});
  expect_other(lines, {7, 5}, {7, 6});
}

TEST(PlanOfGatheredElements, ServesEveryRowThatATableHolds) {
  const std::string lines =
      "dim n, m\ninput x: f16[n, m]\ninput i: i64[n, 12]\ny = gather_elements(x, i) {axis=1}\n"
      "z = exp(y)\noutput z\n";
  expect_reused(lines, {{7, 100}, {20, 33}, {1000, 9}});
  expect_other(lines, {7, 100}, {7, 300000});
  expect_reused(lines, {{7, 300000}});
  expect_other(lines, {7, 300000}, {8, 300000});
}

TEST(PlanOfGatheredElements, ServesOtherAxesAndDataThatIsWider) {
  const std::string lines =
      "dim n, m, p\ninput x: f16[n, m]\ninput i: i64[12, p]\n"
      "y = gather_elements(x, i) {axis=0}\noutput y\n";
  expect_reused(lines, {{7, 100, 30}, {20, 33, 21}, {1000, 19, 3}});
  expect_other(lines, {7, 100, 30}, {7, 100, 100});
  expect_other(lines, {7, 100, 30}, {7, 100, 101});
}

TEST(PlanOfSums, ServesEveryLineThatATileHolds) {
  const std::string rows =
      "dim n, m\ninput x: f16[n, m]\ny = cum_sum(x) {axis=1}\nz = exp(y)\noutput z\n";
  expect_reused(rows, {{7, 100}, {20, 33}, {1000, 9}, {3, 4000}});
  expect_other(rows, {7, 100}, {7, 100000});
  expect_reused(rows, {{7, 100000}, {20, 100000}});
  expect_other(rows, {7, 100000}, {7, 100001});
  const std::string columns = "dim n, m\ninput x: f32[m, n]\ny = cum_sum(x) {axis=0}\noutput y\n";
  expect_reused(columns, {{47, 100}, {60, 33}, {1000, 9}});
  expect_other(columns, {47, 100}, {47, 4000});
  expect_reused(columns, {{47, 4000}, {9, 3999}});
}

TEST(PlanOfScatteredRows, ServesEveryNumberOfThem) {
  const std::string lines =
      "dim n, m, k\ninput x: f16[n, m]\ninput i: i64[k]\ninput u: f16[k, m]\n"
      "y = scatter_rows(x, i, u) {reduction=add}\nz = relu(y)\noutput z\n";
  expect_reused(lines, {{7, 100, 3}, {20, 33, 4}, {1000, 19, 99}});
  expect_other(lines, {7, 100, 3}, {7, 100, 0});
}

TEST(PlanOfGatheredRows, ServesOtherAxesThanThatOfKnownNumbers) {
  expect_reused(
      "dim n, m\ninput x: f16[n, 9, m]\nconst i: i64[3] = [7, 0, 2]\n"
      "y = gather(x, i) {axis=1}\nz = exp(y)\noutput z\n",
      {{7, 100}, {20, 33}, {1000, 5}, {3, 1000}});
}

}  // namespace
}  // namespace dvmsim
