#include "compiler/runtime/next_sizes.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

using Sizes = NextSizes::Sizes;

std::optional<Sizes> after(const std::vector<Sizes>& seen) {
  NextSizes next;
  for (const Sizes& sizes : seen) next.saw(sizes);
  return next.guess();
}

TEST(NextSizes, a_step_made_twice_is_made_again) {
  EXPECT_EQ(after({{4, 1}, {5, 1}, {6, 1}}), (Sizes{7, 1}));
  EXPECT_EQ(after({{9}, {40}, {32}, {24}}), (Sizes{16}));
}

TEST(NextSizes, nothing_is_guessed_of_less) {
  EXPECT_EQ(after({}), std::nullopt);
  EXPECT_EQ(after({{4}}), std::nullopt);
  EXPECT_EQ(after({{4}, {5}}), std::nullopt);
  EXPECT_EQ(after({{4}, {5}, {7}}), std::nullopt);
}

TEST(NextSizes, sizes_that_stay_are_no_step) {
  EXPECT_EQ(after({{4}, {4}, {4}}), std::nullopt);
}

TEST(NextSizes, what_would_be_no_size_is_not_guessed) {
  EXPECT_EQ(after({{5}, {3}, {1}}), std::nullopt);
}

}  // namespace
}  // namespace dvmsim
