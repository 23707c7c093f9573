// The tests' own main: linking gtest_main beside a library that also defines main would run
// nothing.
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
