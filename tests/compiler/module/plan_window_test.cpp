// Plans of convolutions and pools with symbols for images and their sides: for every set of sizes
// they can be bound to, the module that compiling with these sizes written in gives.
#include <gtest/gtest.h>

#include "tests/support/plan_check.h"

namespace dvmsim {
namespace {

using plan_check::expect_other;
using plan_check::expect_reused;
using plan_check::only;

const std::string kStem =
    "dim n, h, w\ninput x: f16[n, 3, h, w]\n"
    "const w0: f16[40, 3, 3, 3] = random(1, 0.5)\nconst b0: f16[40] = random(2, 0.5)\n"
    "const w1: f16[40, 1, 3, 3] = random(3, 0.5)\nconst w2: f16[24, 40, 1, 1] = random(4, 0.5)\n"
    "const s: f16[24, 1, 1] = random(5, 0.5)\n"
    "a = conv(x, w0, b0) {pads=[1, 1, 1, 1], strides=[2, 2]}\nr = hard_swish(a)\n"
    "d = conv(r, w1) {pads=[1, 1, 1, 1], groups=40}\ne = relu(d)\n"
    "p = conv(e, w2)\nm = mul(p, s)\n"
    "q = max_pool(m) {kernel=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]}\n";

TEST(PlanOfWindows, ServesEveryNumberOfImagesAndEverySide) {
  expect_reused(kStem + "output q\n",
                {{2, 30, 37}, {7, 64, 99}, {5, 200, 97}, {13, 18, 51}, {64, 222, 226}});
  expect_reused(kStem + "output q\noutput r\n", {{2, 30, 37}, {7, 64, 99}, {5, 200, 97}});
}

TEST(PlanOfWindows, ServesEveryNumberOfImagesOfKnownSides) {
  expect_reused(
      "dim n\ninput x: f16[n, 16, 14, 14]\nconst w: f16[32, 16, 3, 3] = random(1, 0.5)\n"
      "const v: f16[32, 32, 1, 1] = random(2, 0.5)\nconst f: f16[1568, 10] = random(3, 0.5)\n"
      "a = conv(x, w) {pads=[1, 1, 1, 1], strides=[2, 2]}\nb = relu(a)\nc = conv(b, v)\n"
      "d = add(c, b)\ne = sum_pool(d) {kernel=[2, 2], scale=0.25}\n"
      "g = reduce_mean(e) {axes=[2, 3]}\nh = reshape(d) {shape=[n, 1568]}\n"
      "y = matmul(h, f)\noutput y\noutput g\n",
      {{2}, {5}, {33}, {128}});
}

TEST(PlanOfWindows, RefusesWhatMakesOneImageOrNone) {
  const std::string lines = kStem + "output q\n";
  expect_other(lines, {2, 30, 37}, {1, 30, 37});
  expect_other(lines, {2, 30, 37}, {0, 30, 37});
  expect_other(lines, {2, 30, 37}, {2, 1, 37});
  expect_reused(lines, {{1, 30, 37}, {1, 64, 99}});
}

TEST(PlanOfWindows, RefusesMapsThatAKernelIsLargerThan) {
  const std::string lines =
      "dim n, h\ninput x: f16[n, 16, h, 99]\nconst w: f16[32, 16, 5, 5] = random(1, 0.5)\n"
      "a = conv(x, w) {strides=[2, 2]}\noutput a\n";
  expect_reused(lines, {{2, 30}, {3, 7}, {5, 1000}});
  expect_other(lines, {2, 30}, {2, 4});
  expect_other(lines, {2, 30}, {2, 3});
}

// A tile of the whole width of the map does not fit L1: tiles lie in its rows.
TEST(PlanOfWindows, RefusesMapsOfWhichTilesLieOtherwise) {
  const std::string lines =
      "dim n, h, w\ninput x: f16[n, 64, h, w]\nconst k: f16[64, 64, 3, 3] = random(1, 0.5)\n"
      "a = conv(x, k) {pads=[1, 1, 1, 1]}\nb = exp(a)\noutput b\n";
  expect_reused(lines, {{2, 30, 37}, {3, 7, 99}, {5, 41, 1000}});
  expect_other(lines, {2, 30, 37}, {2, 30, 100000});
  expect_reused(lines, {{2, 30, 100000}, {3, 17, 90000}});
  expect_other(lines, {2, 30, 100000}, {2, 30, 37});
}

// As large as before with a stride of 2: the border depends on whether the side is even.
TEST(PlanOfWindows, AsksAboutBordersThatDependOnSizes) {
  const std::string lines =
      "dim h\ninput x: f16[2, 16, h, 99]\nconst w: f16[32, 16, 3, 3] = random(1, 0.5)\n"
      "a = conv(x, w) {strides=[2, 2], pads=[0, 1, 2*floordiv(h + 1, 2) - h + 1, 1]}\n"
      "b = exp(a)\noutput b\n";
  expect_reused(lines, {{30}, {8}, {1000}});
  expect_other(lines, {30}, {31});
  expect_reused(lines, {{31}, {9}, {1001}});
}

TEST(PlanOfWindows, ServesMovesOfMapsWithChannelsLast) {
  const std::string lines =
      "dim n, h, w\ninput x: f16[n, 16, h, w]\nconst k: f16[48, 16, 3, 3] = random(1, 0.5)\n"
      "a = conv(x, k) {pads=[1, 1, 1, 1]}\nb = pad(a) {mode=reflect, pads=[0, 0, 2, 0, 0, 0, 3, "
      "0]}\nc = slice(b) {starts=[1], ends=[h], axes=[2]}\n"
      "p, q = split(c) {axis=1, sizes=[32, 16]}\n"
      "d = depth_to_space(p) {block=[2, 2]}\nu = concat(q, q) {axis=1}\n"
      "v = sigmoid(u)\noutput d\noutput v\n";
  expect_reused(lines, {{2, 30, 37}, {7, 65, 99}, {5, 200, 97}});
  expect_other(lines, {2, 30, 37}, {2, 3, 37});
}

TEST(PlanOfWindows, ServesLinesAndQuantizedMaps) {
  expect_reused(
      "dim n, l\ninput x: f16[n, 16, l]\nconst w: f16[32, 16, 5] = random(1, 0.5)\n"
      "const b: f16[32] = random(2, 0.5)\n"
      "a = conv(x, w, b) {pads=[2, 2], strides=[2]}\nc = gelu(a)\noutput c\n",
      {{2, 30}, {5, 77}, {33, 1000}});
  expect_reused(
      "dim n, h\ninput x: i8[n, 16, h, 99]\nconst w: i8[32, 16, 3, 3] = random(1, 5)\n"
      "a = conv(x, w) {to=i32}\noutput a\n",
      {{2, 30}, {5, 77}, {33, 55}});
}

TEST(PlanOfWindows, ServesMeansOverMaps) {
  const std::string lines =
      "dim n, h, w\ninput x: f16[n, 16, h, w]\nconst k: f16[40, 16, 3, 3] = random(1, 0.5)\n"
      "const f: f16[40, 10] = random(3, 0.5)\na = conv(x, k) {pads=[1, 1, 1, 1]}\nb = relu(a)\n"
      "c = reduce_mean(b) {axes=[2, 3]}\nd = reshape(c) {shape=[n, 40]}\ne = matmul(d, f)\n"
      "g = sigmoid(c)\ns = mul(b, g)\noutput e\noutput s\n";
  expect_reused(lines, {{2, 20, 31}, {7, 22, 29}, {5, 24, 24}});
  expect_other(lines, {2, 20, 31}, {2, 40, 31});
  expect_reused(lines, {{2, 40, 31}, {7, 31, 40}});  // a mean in pieces, of as many pixels
  expect_reused(lines, {{2, 30, 37}, {7, 65, 99}}, plan_check::only(Feature::LongReduce));
}

// Windows at the border count fewer pixels: how many is a pool of ones as large as the map.
TEST(PlanOfWindows, ServesMeansOfWindowsAtTheBorder) {
  expect_reused(
      "dim n, h\ninput x: f16[n, 16, h, 99]\nconst one: f16[] = [1]\n"
      "o = expand(one) {shape=[1, 1, h, 99]}\n"
      "c = sum_pool(o) {kernel=[3, 3], pads=[1, 1, 1, 1]}\n"
      "s = sum_pool(x) {kernel=[3, 3], pads=[1, 1, 1, 1]}\ny = div(s, c)\noutput y\n",
      {{2, 30}, {5, 77}, {33, 16}});
}

TEST(PlanOfWindows, ServesRepeatedPixels) {
  const std::string lines =
      "dim n, h, w\ninput x: f16[n, 16, h, w]\nconst k: f16[48, 16, 3, 3] = random(1, 0.5)\n"
      "a = conv(x, k) {pads=[1, 1, 1, 1]}\n";
  const std::vector<plan_check::Sizes> sizes = {{2, 30, 37}, {7, 65, 99}, {5, 200, 97}};
  expect_reused(lines +
                    "u = resize(a) {scales=[1, 1, 2, 2], coordinates=asymmetric, "
                    "nearest=floor}\noutput u\n",
                sizes);
  expect_reused(lines + "u = resize(a) {sizes=[n, 48, 2*h, 3*w]}\nr = relu(u)\noutput r\n", sizes);
  // Between neighbours the border differs with the size.
  const Graph graph =
      plan_check::graph_of(lines + "u = resize(a) {scales=[1, 1, 2, 2], mode=linear}\noutput u\n");
  EXPECT_FALSE(Plan(graph, sizes[0], plan_check::machine(), {}).symbolic());
}

TEST(PlanOfWindows, ServesThemWithEveryFeature) {
  expect_reused(kStem + "output q\n", {{2, 30, 37}, {7, 64, 99}, {5, 200, 97}},
                plan_check::all_but_parametric());
}

TEST(PlanOfWindows, OfChannelsThatAreNotKnownIsForTheseSizes) {
  const Graph graph = plan_check::graph_of(
      "dim c\ninput x: f16[2, c, 9, 9]\nconst w: f16[32, 16, 3, 3] = random(1, 0.5)\n"
      "a = conv(x, w)\noutput a\n");
  EXPECT_FALSE(Plan(graph, plan_check::Sizes{16}, plan_check::machine(), {}).symbolic());
}

}  // namespace
}  // namespace dvmsim
