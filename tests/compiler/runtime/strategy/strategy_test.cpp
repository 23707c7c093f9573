#include "compiler/runtime/strategy/strategy.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

TEST(Strategy, is_found_by_its_name) {
  for (const Strategy* strategy : strategies()) {
    EXPECT_EQ(&find_strategy(strategy->name), strategy);
  }
}

TEST(Strategy, eager_is_native_per_operator_and_dvm_is_bytecode_fused) {
  EXPECT_EQ(kEager.fusion, Fusion::PerOperator);
  EXPECT_EQ(kEager.path, CodePath::Native);
  EXPECT_FALSE(kEager.compiles);
  EXPECT_EQ(kDvm.fusion, Fusion::Patterns);
  EXPECT_EQ(kDvm.path, CodePath::Bytecode);
  EXPECT_TRUE(kDvm.encodes_each_run);
}

TEST(Strategy, that_is_not_available_is_refused_with_those_that_are) {
  try {
    (void)find_strategy("jit");
    FAIL() << "jit is not available";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("eager, dvm"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace dvmsim
