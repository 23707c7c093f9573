#include "cli/value_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dvmsim {
namespace {

Tensor floats(DType type, std::vector<float> values) {
  return Tensor::of_floats(type, {static_cast<std::int64_t>(values.size())}, values);
}
Tensor ints(std::vector<std::int64_t> values) {
  return Tensor::of_ints(DType::I32, {static_cast<std::int64_t>(values.size())}, values);
}

TEST(ValueCheck, equal_passes_without_error) {
  const auto check = check_values({floats(DType::F16, {1, 2})}, {floats(DType::F16, {1, 2})});
  EXPECT_TRUE(check.pass);
  EXPECT_EQ(check.max_abs_err, 0);
}

TEST(ValueCheck, the_type_decides_what_is_close) {
  EXPECT_TRUE(check_values({floats(DType::F16, {1.01F})}, {floats(DType::F16, {1})}).pass);
  EXPECT_FALSE(check_values({floats(DType::F32, {1.01F})}, {floats(DType::F32, {1})}).pass);
}

TEST(ValueCheck, errors_are_the_largest_found) {
  const auto check =
      check_values({floats(DType::F32, {1, 2.5F, 9})}, {floats(DType::F32, {1, 2, 8})});
  EXPECT_FALSE(check.pass);
  EXPECT_DOUBLE_EQ(check.max_abs_err, 1);
  EXPECT_DOUBLE_EQ(check.max_rel_err, 0.125);
}

TEST(ValueCheck, nan_equals_nan_only) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(check_values({floats(DType::F32, {nan})}, {floats(DType::F32, {nan})}).pass);
  const auto check = check_values({floats(DType::F32, {nan})}, {floats(DType::F32, {1})});
  EXPECT_FALSE(check.pass);
  EXPECT_TRUE(std::isinf(check.max_abs_err));
}

TEST(ValueCheck, integers_must_be_equal) {
  EXPECT_TRUE(check_values({ints({1, 2})}, {ints({1, 2})}).pass);
  EXPECT_FALSE(check_values({ints({1, 2})}, {ints({1, 3})}).pass);
}

TEST(ValueCheck, another_shape_does_not_pass) {
  EXPECT_FALSE(check_values({floats(DType::F32, {1, 2})}, {floats(DType::F32, {1})}).pass);
}

}  // namespace
}  // namespace dvmsim
