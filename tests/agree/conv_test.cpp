// The conv macro against the oracle: the same cycles in every row, on random machines.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "tests/agree/chaos.h"
#include "tests/agree/compare.h"
#include "tests/support/random_program.h"
#include "vm/isa/conv.h"
#include "vm/isa/text.h"
#include "vm/isa/window.h"

namespace dvmsim::testing {
namespace {

isa::ConvArguments random_convolution(Random& random) {
  isa::ConvArguments a;
  const isa::Window window{pick(random, 1, 3), pick(random, 1, 3), pick(random, 1, 2),
                           pick(random, 1, 4), pick(random, 1, 2), 1};
  a.images = pick(random, 1, 2);
  a.groups = pick(random, 1, 2);
  a.channels = pick(random, 1, 40);
  a.outputs = pick(random, 1, 40);
  a.in_h = pick(random, 6, 14);
  a.in_w = pick(random, 6, 30);
  a.pad_top = a.pad_left = pick(random, 0, 2);
  const auto outputs = [&](std::int64_t size, std::int64_t kernel, std::int64_t stride,
                           std::int64_t dilation) {
    return (size + 2 * a.pad_top - (kernel - 1) * dilation - 1) / stride + 1;
  };
  a.out_h = outputs(a.in_h, window.kernel_h, window.stride_h, window.dilation_h);
  a.out_w = outputs(a.in_w, window.kernel_w, window.stride_w, window.dilation_w);
  a.kernel = isa::pack_kernel(window);
  a.steps = isa::pack_steps(window);
  a.x_pixel = a.groups * a.channels * 2;
  a.out = static_cast<std::int64_t>(chance(random, 50) ? DType::F16 : DType::F32);
  a.y_pixel = a.groups * a.outputs * size_of(static_cast<DType>(a.out));
  a.tile_m = 16 * pick(random, 1, 6);
  a.tile_n = 16 * pick(random, 1, 3);
  a.tile_c = 16 * pick(random, 1, 2);
  a.by_row = pick(random, 0, 1);
  a.resident = pick(random, 0, 1);
  return a;
}

Verdict compare_convolution(std::uint64_t seed) {
  Random random(seed);
  const Machine machine = random_machine(seed);
  const isa::ConvArguments a = random_convolution(random);
  const Program program = isa::assemble(
      ".program p\n.arg workspace w 1000000\n.cube\nconv dtype=f16 index=0\nhalt\n", "p");
  std::array<std::uint64_t, isa::kConvWords> words{};
  std::memcpy(words.data(), &a, sizeof a);
  Trial trial{&program, {}, machine.cores.cube, 0};
  const bool biased = chance(random, 40), scaled = chance(random, 30);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool address = i < 3 || (i == 3 && biased) || (i == 4 && scaled);  // x, w, y, ...
    trial.arguments.push_back({address ? 1'000'000 : 0, words[i]});
  }
  return compare(machine, trial);
}

TEST(Agreement, the_conv_macro_takes_the_same_cycles) {
  int ran = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Verdict verdict = compare_convolution(seed);
    EXPECT_EQ(verdict.difference, "") << "seed " << seed;
    ran += verdict.fault.empty() ? 1 : 0;  // some fit no random machine
  }
  EXPECT_GT(ran, 30);
}

}  // namespace
}  // namespace dvmsim::testing
