// Buffers by best fit and in copies that take turns: values as the evaluator says them, in any
// legal interleaving, to the byte on the simulator, and to the cycle against the oracle.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/compile.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "tests/agree/compare_module.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"
#include "vm/isa/codec.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

/// Many tiles for each of two cores.
constexpr const char* kChain = R"(graph g
input x: f16[300, 1024]
input y: f16[300, 1024]
input z: f16[300, 1024]
a = add(x, y)
b = mul(a, z)
c = relu(b)
d = sub(c, x)
output d
output b
)";
constexpr const char* kRows = R"(graph g
input x: f32[3, 400, 500]
input s: f32[3, 400, 1]
input g: f32[500]
a = mul(x, s)
b = layer_norm(a, g)
m = gt(b, x)
c = select(m, a, b)
output c
)";

/// The scale and the shift are the same for all tiles, and wide.
constexpr const char* kWide = R"(graph g
input x: f16[200, 4000]
input r: f16[200, 4000]
input g: f16[4000]
input h: f16[4000]
a = add(x, r)
b = layer_norm(a, g, h)
output a
output b
)";

Features only_buffers() {
  Features features;
  features.set(Feature::Buffers, true);
  return features;
}

Module compiled(const char* text, const Machine& machine, Features features) {
  CompileOptions options;
  options.features = features;
  options.cores = machine.cores.unified ? 2 : 1;
  return compile(deduce_shapes(parse_graph(text, "buffers.graph")), machine, options);
}

int rotating_operands(const Module& module) {
  int found = 0;
  for (const Program& program : module.programs) {
    isa::Inst inst;
    isa::DecodeError error;
    for (std::size_t at = 0; at < program.vector.size();) {
      const int words = isa::decode(program.vector, at, inst, error);
      if (words == 0) break;
      for (const isa::Lane& lane : inst.lane) found += lane.modulo > 1 ? 1 : 0;
      at += static_cast<std::size_t>(words);
    }
  }
  return found;
}

TEST(BuffersFeature, copies_take_turns_where_waiting_costs_more) {
  const Machine machine = default_machine();
  EXPECT_EQ(rotating_operands(compiled(kChain, machine, {})), 0);
  EXPECT_GT(rotating_operands(compiled(kChain, machine, only_buffers())), 5);
}

TEST(BuffersFeature, what_is_the_same_for_all_tiles_is_computed_once) {
  const Machine machine = default_machine();
  std::string schedules;
  CompileOptions options;
  options.features = only_buffers();
  options.schedules = &schedules;
  const Graph graph = deduce_shapes(parse_graph(kWide, "buffers.graph"));
  (void)compile(graph, machine, options);
  EXPECT_NE(schedules.find("once, before the first tile: 2 steps"), std::string::npos) << schedules;
  schedules.clear();
  options.features = {};
  (void)compile(graph, machine, options);
  EXPECT_EQ(schedules.find("once"), std::string::npos) << schedules;
}

TEST(BuffersFeature, values_are_those_of_the_evaluator_and_both_devices_agree) {
  for (const char* text : {kChain, kRows, kWide}) {
    const Graph graph = deduce_shapes(parse_graph(text, "buffers.graph"));
    std::map<std::string, Tensor> inputs;
    for (ValueId id : graph.inputs) {
      const Value& value = graph.value(id);
      inputs[value.name] = filled(value.type.dtype, resolve(*value.type.shape, {}),
                                  {Fill::Kind::Random, id + 1, 1.5});
    }
    const std::vector<Tensor> wanted = evaluate(graph, inputs);
    const Machine machine = default_machine();
    SessionOptions options;
    options.features = only_buffers();
    options.cores = 1;
    SimDevice simulator(machine);
    Session simulated(graph, machine, simulator, options);
    const std::vector<Tensor> timed = simulated.run({}, inputs).outputs;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      Reference reference(machine, seed);
      HazardChecker hazards(machine);
      reference.listen_order(&hazards);
      Session session(graph, machine, reference, options);
      const RunResult result = session.run({}, inputs);
      ASSERT_FALSE(result.fault) << result.fault.text;
      for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
      for (const Program& program : result.module->programs) {
        for (const auto& found : isa::verify(program, machine)) ADD_FAILURE() << print(found);
      }
      EXPECT_EQ(result.outputs, timed) << "the simulator and the reference differ";
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const double bound = wanted[i].dtype() == DType::F32 ? 1e-4 : 1e-2;
      const auto a = timed[i].floats(), b = wanted[i].floats();
      for (std::size_t at = 0; at < a.size(); ++at) ASSERT_NEAR(a[at], b[at], bound) << at;
    }
  }
}

TEST(BuffersFeature, the_engine_and_the_oracle_agree_to_the_cycle) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const Machine machine = seed == 0 ? default_machine() : testing::random_machine(seed);
    const char* text = seed % 3 == 0 ? kChain : seed % 3 == 1 ? kRows : kWide;
    const Module module = compiled(text, machine, only_buffers());
    for (const testing::Verdict& verdict : testing::compare(machine, module)) {
      EXPECT_EQ(verdict.difference, "") << "seed " << seed;
      EXPECT_EQ(verdict.fault, "");
    }
  }
}

}  // namespace
}  // namespace dvmsim
