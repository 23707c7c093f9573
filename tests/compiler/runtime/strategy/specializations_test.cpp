#include "compiler/runtime/strategy/specializations.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

using enum Specializations::Verdict;

TEST(Specializations, the_second_size_makes_it_a_symbol) {
  Specializations code(true, 8);
  EXPECT_EQ(code.ask("", {4, 100}), Compile);
  EXPECT_EQ(code.ask("", {4, 100}), Known);
  EXPECT_EQ(code.ask("", {4, 200}), Compile);
  EXPECT_EQ(code.ask("", {4, 300}), Known);
  EXPECT_EQ(code.ask("", {5, 300}), Compile);  // the other size is a number until it changes
  EXPECT_EQ(code.ask("", {6, 7}), Known);
}

TEST(Specializations, zero_and_one_get_code_of_their_own) {
  Specializations code(true, 8);
  EXPECT_EQ(code.ask("", {100}), Compile);
  EXPECT_EQ(code.ask("", {200}), Compile);
  EXPECT_EQ(code.ask("", {1}), Compile);
  EXPECT_EQ(code.ask("", {0}), Compile);
  EXPECT_EQ(code.ask("", {1}), Known);
  EXPECT_EQ(code.ask("", {2}), Known);
}

TEST(Specializations, nothing_is_compiled_beyond_the_limit) {
  Specializations code(false, 2);
  EXPECT_EQ(code.ask("", {1}), Compile);
  EXPECT_EQ(code.ask("", {2}), Compile);
  EXPECT_EQ(code.ask("", {3}), GiveUp);
  EXPECT_EQ(code.ask("", {2}), Known);
  EXPECT_EQ(code.ask("/body", {3}), Compile);  // another graph counts for itself
}

}  // namespace
}  // namespace dvmsim
