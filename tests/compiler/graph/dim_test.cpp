#include "compiler/graph/dim.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

const Dim n = Dim::symbol("n");
const Dim m = Dim::symbol("m");

TEST(Dim, equal_expressions_compare_equal) {
  EXPECT_EQ(n + m, m + n);
  EXPECT_EQ((n + 1) * (m + 2), n * m + 2 * n + m + 2);
  EXPECT_EQ(n - n, Dim(0));
  EXPECT_EQ(floor_div(4 * n, 2), 2 * n);
  EXPECT_EQ(floor_div(n * m * 64, n * 64), m);
  EXPECT_EQ(floor_div(n + 9, 4), floor_div(n + 1, 4) + 2);
  EXPECT_EQ(floor_div(floor_div(n, 128) + 1, 2), floor_div(n + 128, 256));
  EXPECT_EQ(min(n, m), min(m, n));
  EXPECT_FALSE(n + 1 == n);
}

TEST(Dim, minima_and_maxima_vanish_where_the_order_is_sure) {
  EXPECT_EQ(min(n, n + 3), n);
  EXPECT_EQ(max(n, n + 3), n + 3);
  EXPECT_EQ(max(0, n), n);
  EXPECT_EQ(to_text(min(n, 64)), "min(n, 64)");
}

TEST(Dim, binds_like_integer_arithmetic) {
  const Bindings bindings = {{"n", 7}, {"m", 3}};
  EXPECT_EQ(resolve(n * m - 1, bindings), 20);
  EXPECT_EQ(resolve(floor_div(n, 2), bindings), 3);
  EXPECT_EQ(resolve(ceil_div(n, 2), bindings), 4);
  EXPECT_EQ(resolve(floor_div(n - 8, 2), bindings), -1);
  EXPECT_EQ(resolve(max(n - 8, m - 5), bindings), -1);
  EXPECT_EQ(resolve(floor_div(n, m) * 10, bindings), 20);
}

TEST(Dim, substitution_keeps_the_other_symbols) {
  EXPECT_EQ(substitute(n * m + floor_div(n, 2), {{"n", 4}}), 4 * m + 2);
}

TEST(Dim, an_unbound_symbol_is_an_error_that_says_what_to_do) {
  try {
    (void)resolve(n, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "dimension 'n' has no value; give --dim n=N");
  }
}

TEST(Dim, overflow_is_an_error) {
  EXPECT_THROW((void)(Dim(std::int64_t{1} << 62) * 4), Error);
  EXPECT_THROW((void)floor_div(3, 0), Error);
}

TEST(Dim, prints_canonically) {
  EXPECT_EQ(to_text(2 * n * m - 3 + m), "m + 2*m*n - 3");
  EXPECT_EQ(to_text(Dim(0) - n), "-n");
  EXPECT_EQ(to_text(Dims{1, n, 768}), "[1, n, 768]");
}

}  // namespace
}  // namespace dvmsim
