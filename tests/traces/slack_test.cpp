// What the replay predicts of a faster resource, against really running the same program on a
// machine that has it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "traces/critical_path.h"

namespace dvmsim {
namespace {

struct Outcome {
  std::int64_t cycles = 0;
  CriticalPath path{};
  Module module{};
};

SimOptions timing() {
  SimOptions sim;
  sim.mode = Mode::Timing;
  return sim;
}

SessionOptions session_options() {
  SessionOptions options;
  options.mode = Mode::Timing;
  return options;
}

Module compiled(const std::string& lines, const Machine& machine) {
  SimDevice device(machine, timing());
  Session session(deduce_shapes(parse_graph("graph g\n" + lines, "slack")), machine, device,
                  session_options());
  return *session.run({}, {}).module;
}

/// The same programs, whatever machine they were compiled for.
Outcome run_on(Module module, const Machine& machine, double faster) {
  module.machine = hash_of(machine);
  SimDevice device(machine, timing());
  Replay replay(machine, {faster});
  device.listen({&replay});
  Session session(module, machine, device, session_options());
  const RunResult result = session.run({}, {});
  EXPECT_FALSE(result.fault) << result.fault.text;
  const CriticalPath path = critical_path(replay, machine, {});
  return {path.cycles, path, std::move(module)};
}

struct Faster {
  const char* resource;
  std::vector<const char*> sets;
};
/// 10 % on the default machine.
const std::vector<Faster>& all_faster() {
  static const std::vector<Faster> kAll = {
      {"mte2", {"mte2.gm_to_l1=107.8B/cycle", "mte2.gm_to_ub=68.97B/cycle"}},
      {"mte3", {"mte3.ub_to_gm=104.5B/cycle"}},
      {"fix", {"fix.l0c_to_gm=88B/cycle", "fix.l0c_to_l1=281.6B/cycle"}},
      {"mte1", {"mte1.l0a=281.6B/cycle", "mte1.l0b=140.8B/cycle"}},
      {"memory",
       {"l2.read=6.16TB/s", "l2.write=4.8158TB/s", "hbm.peak=1.98TB/s", "l2.read_latency=54.5ns",
        "l2.write_latency=59.1ns", "hbm.latency=52.7ns", "mte2.latency=102cycles",
        "mte3.latency=105cycles", "fix.latency=105cycles", "tlb.walk=109ns"}},
  };
  return kAll;
}

double predicted(const CriticalPath& path, const std::string& resource) {
  for (const auto& item : path.slack) {
    if (item.resource == resource) return item.gain;
  }
  return -1;
}

std::string square(const char* type, int size, const char* formula) {
  const std::string shape =
      std::string(type) + "[" + std::to_string(size) + ", " + std::to_string(size) + "]";
  return "input x: " + shape + "\ninput y: " + shape + "\n" + formula + "\noutput s\n";
}

struct Case {
  const char* name;
  std::string lines;
};
std::vector<Case> cases() {
  return {
      {"matmul 2048", square("f16", 2048, "s = matmul(x, y)")},
      {"matmul 512 f32", square("f32", 512, "s = matmul(x, y)")},
      {"matmul of little depth",
       "input x: f16[4096, 512]\ninput y: f16[512, 4096]\ns = matmul(x, y)\noutput s\n"},
      {"matmul of few rows",
       "input x: f16[128, 8192]\ninput y: f16[8192, 1024]\ns = matmul(x, y)\noutput s\n"},
      {"add 4096", square("f16", 4096, "s = add(x, y)")},
      {"add 512", square("f16", 512, "s = add(x, y)")},
      {"softmax 2048", square("f16", 2048, "t = add(x, y)\ns = softmax(t)")},
      {"chain 1024", square("f32", 1024, "t = exp(x)\nu = exp(t)\ns = div(u, y)")},
      {"matmul, then softmax", square("f16", 1024, "t = matmul(x, y)\ns = softmax(t)")},
  };
}

double gain_of(const Outcome& base, const Machine& machine) {
  const std::int64_t cycles = run_on(base.module, machine, 1.1).cycles;
  return static_cast<double>(base.cycles) / static_cast<double>(cycles) - 1;
}

/// Of at most 10 percent. What separates them is memory: the replay keeps who waits for it how
/// long.
constexpr double kTolerance = 0.035;
/// Of at most 100 percent.
constexpr double kToleranceOfTwice = 0.07;
/// Bank conflicts and halves of odd costs do not scale with the rates.
constexpr double kToleranceOfVectors = 0.17;

TEST(Slack, a_faster_port_or_memory_gains_what_the_replay_predicts) {
  const Machine machine = default_machine();
  for (const Case& item : cases()) {
    const Outcome base = run_on(compiled(item.lines, machine), machine, 1.1);
    for (const Faster& faster : all_faster()) {
      Machine variant = machine;
      for (const char* set : faster.sets) apply_set(variant, set);
      EXPECT_NEAR(predicted(base.path, faster.resource), gain_of(base, variant), kTolerance)
          << item.name << ", " << faster.resource;
    }
  }
}

/// Twice as fast, because a cube multiplies in whole steps.
TEST(Slack, a_cube_twice_as_fast_gains_what_the_replay_predicts) {
  const Machine machine = default_machine();
  Machine variant = machine;
  for (const char* set : {"cube.step.f16=32x16x16", "cube.step.f32=32x16x4", "cube.gap=4cycles",
                          "cube.head=13cycles"}) {
    apply_set(variant, set);
  }
  for (const Case& item : cases()) {
    const Outcome base = run_on(compiled(item.lines, machine), machine, 2);
    EXPECT_NEAR(predicted(base.path, "cube"), gain_of(base, variant), kToleranceOfTwice)
        << item.name;
  }
}

TEST(Slack, vector_units_twice_as_fast_gain_what_the_replay_predicts) {
  Machine machine = default_machine();
  for (const char* set : {"vector.fixed=22cycles", "vector.rate.reduce_repeat.b16=16",
                          "vector.rate.reduce_repeat.b32=8"}) {
    apply_set(machine, set);
  }
  Machine variant = machine;
  apply_set(variant, "vector.fixed=11cycles");
  for (VectorRate& rate : variant.vector_rate) {
    for (Rational& each : rate.by_width) each = each * Rational(2);
    rate.extra = Cycles(rate.extra.count() / 2);
  }
  for (const Case& item : cases()) {
    const Outcome base = run_on(compiled(item.lines, machine), machine, 2);
    EXPECT_NEAR(predicted(base.path, "vector"), gain_of(base, variant), kToleranceOfVectors)
        << item.name;
  }
}

}  // namespace
}  // namespace dvmsim
