// Whole operators on the default machine reach what its numbers allow, and no more: cold L2, timing
// mode, from the launch's beginning.
#include <gtest/gtest.h>

#include <string>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "vm/machine/derived.h"

namespace dvmsim {
namespace {

double seconds_of(const std::string& lines, const Machine& machine = default_machine()) {
  SimOptions sim;
  sim.mode = Mode::Timing;
  SimDevice device(machine, sim);
  SessionOptions options;
  options.mode = Mode::Timing;
  Session session(deduce_shapes(parse_graph("graph g\n" + lines, "rates")), machine, device,
                  options);
  const RunResult result = session.run({}, {});
  Cycles cycles;
  for (const LaunchReport& launch : result.launches) cycles += launch.end - launch.begin;
  return static_cast<double>(cycles.count()) / static_cast<double>(machine.clock.core.count());
}

/// What HBM sustains for so many bytes read and written, all of the latter written back.
double sustained_seconds(double read, double written) {
  const Machine machine = default_machine();
  const double rate =
      machine.hbm.peak.per_second(machine.clock.core).value() * machine.hbm.efficiency.value();
  return (read + written * machine.hbm.write_cost.value()) / rate;
}

constexpr double kElements = 8192.0 * 8192.0;

TEST(Rates, an_addition_streams_at_85_percent_of_its_mix_or_more) {
  const double took =
      seconds_of("input x: f16[8192, 8192]\ninput y: f16[8192, 8192]\ns = add(x, y)\noutput s\n");
  EXPECT_LT(took, sustained_seconds(4 * kElements, 2 * kElements) / 0.85);
  EXPECT_GT(took, sustained_seconds(4 * kElements, 0));
}

TEST(Rates, a_softmax_streams_at_85_percent_of_its_mix_or_more) {
  const double took = seconds_of("input x: f16[16384, 8192]\ns = softmax(x)\noutput s\n");
  EXPECT_LT(took, sustained_seconds(4 * kElements, 4 * kElements) / 0.85);
  EXPECT_GT(took, sustained_seconds(4 * kElements, 0));
}

/// Published plateaus: 76 % for DVM's own tiles, 85 to 95 % for tuned libraries.
TEST(Rates, a_matmul_of_our_tiles_reaches_85_to_95_percent_of_the_cube) {
  const double took = seconds_of(
      "input x: f16[4096, 4096]\ninput y: f16[4096, 4096]\ns = matmul(x, y)\noutput s\n");
  const double share =
      2.0 * 4096 * 4096 * 4096 / took / peak_cube_ops(default_machine(), DType::F16);
  EXPECT_GE(share, 0.85);
  EXPECT_LE(share, 0.95);
}

/// Eight maps of 64 x 56 x 56 through 3 x 3 kernels, behind a first convolution: the layers of a
/// chain take maps as they come.
TEST(Rates, a_convolution_reaches_two_fifths_of_the_cube_launch_included) {
  const auto chain = [](int layers) {
    std::string text = "input x: f16[8, 64, 56, 56]\n", last = "x";
    for (int i = 0; i < layers; ++i) {
      const std::string n = std::to_string(i);
      text += "const w" + n + ": f16[64, 64, 3, 3] = random(" + n + ", 0.1)\ny" + n + " = conv(" +
              last + ", w" + n + ") {pads=[1, 1, 1, 1]}\nr" + n + " = relu(y" + n + ")\n";
      last = "r" + n;
    }
    return text + "output " + last + "\n";
  };
  const auto layer = [&](const Machine& machine) {
    return (seconds_of(chain(5), machine) - seconds_of(chain(1), machine)) / 4;
  };
  const double took = layer(default_machine());
  const double ops = 2.0 * 8 * 56 * 56 * 64 * 64 * 9;
  const double share = ops / took / peak_cube_ops(default_machine(), DType::F16);
  EXPECT_GE(share, 0.42);
  EXPECT_LE(share, 0.9);
  Machine plain = default_machine();
  plain.can.img2col = false;
  EXPECT_GT(layer(plain), 5 * took) << "columns gathered in memory";
}

}  // namespace
}  // namespace dvmsim
