// What the feature `parametric` makes the host do, run by run, and that values do not depend on it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "compiler/graph/eval.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

constexpr const char* kBlock =
    "graph block\ndim n\ninput x: f16[n, 64]\ninput w: f16[64, 128]\ninput b: f16[128]\n"
    "a = matmul(x, w)\nc = add(a, b)\ny = softmax(c)\noutput y\n";

class Runs {
 public:
  explicit Runs(bool parametric)
      : device_(machine_), session_(graph_, machine_, device_, of(parametric)) {}

  RunResult run(std::int64_t n) { return session_.run({{"n", n}}, {}); }
  [[nodiscard]] std::size_t ready() const { return session_.ready(); }
  [[nodiscard]] std::int64_t encoding(std::int64_t words, std::int64_t kernels) const {
    return (machine_.host.word.count() * words + machine_.host.patch.count() * kernels) / 1000;
  }
  [[nodiscard]] std::int64_t lookup() const { return machine_.host.lookup.count() / 1000; }

 private:
  static SessionOptions of(bool parametric) {
    SessionOptions options;
    options.mode = Mode::Timing;
    Features features;
    features.set(Feature::Parametric, parametric);
    options.features = features;
    return options;
  }
  Machine machine_ = default_machine();
  Graph graph_ = parse_graph(kBlock, "test.graph");
  Reference device_;
  Session session_;
};

TEST(Parametric, sizes_seen_before_cost_a_look_up) {
  Runs with(true), without(false);
  const std::int64_t first = with.run(100).encode_ns;
  EXPECT_EQ(with.run(100).encode_ns, with.lookup());
  const std::int64_t before = without.run(100).encode_ns;
  EXPECT_GT(first, with.lookup());
  EXPECT_EQ(without.run(100).encode_ns, before) << "encoded for every launch";
}

TEST(Parametric, sizes_like_known_ones_are_not_ranked) {
  Runs with(true), without(false);
  (void)with.run(200);
  const RunResult known = with.run(199);
  EXPECT_TRUE(known.compiled);
  // Its two programs are encoded and its two kernels cut, and nothing else.
  const std::int64_t wanted = with.encoding(known.program_bytes / 8, 2);
  EXPECT_LE(known.encode_ns, wanted);
  EXPECT_GE(known.encode_ns, wanted - 2) << "each launch has its share, rounded down";
  EXPECT_LT(known.encode_ns, without.run(199).encode_ns);
}

TEST(Parametric, what_a_graph_repeats_is_encoded_once) {
  const auto encoding = [](int layers) {
    std::string lines = "graph layers\ninput x: f16[64, 64]\nv0 = identity(x)\n";
    for (int i = 0; i < layers; ++i) {
      lines += fmt::format("s{0} = softmax(v{0})\nv{1} = matmul(s{0}, x)\n", i, i + 1);
    }
    lines += fmt::format("output v{}\n", layers);
    const Machine machine = default_machine();
    Reference device(machine);
    SessionOptions options;
    options.mode = Mode::Timing;
    options.features = Features::only(Feature::Parametric);
    Session session(parse_graph(lines, "test.graph"), machine, device, options);
    return session.run({}, {});
  };
  const RunResult two = encoding(2), six = encoding(6);
  const auto more = static_cast<std::int64_t>(six.launches.size() - two.launches.size());
  EXPECT_GE(more, 8);
  EXPECT_EQ(six.program_bytes, two.program_bytes);
  // Beyond the kernels that are there, each costs a look, and a product its three words.
  const std::int64_t patch = default_machine().host.patch.count() / 1000;
  const std::int64_t product = 3 * default_machine().host.word.count() / 1000;
  EXPECT_LE(six.encode_ns - two.encode_ns, more * patch + more / 2 * product + more);
}

TEST(Parametric, a_step_made_twice_is_encoded_ahead) {
  Runs runs(true);
  for (const std::int64_t n : {300, 301}) (void)runs.run(n);
  EXPECT_EQ(runs.ready(), 2u);
  // The third makes the step again: it encodes itself and the next one.
  const std::int64_t two = runs.run(302).encode_ns;
  EXPECT_EQ(runs.ready(), 4u);
  const RunResult guessed = runs.run(303);
  EXPECT_FALSE(guessed.compiled);
  EXPECT_GT(guessed.encode_ns, runs.lookup()) << "the one after it";
  EXPECT_LT(guessed.encode_ns, two);
  // A miss: what was encoded ahead is of no use, and nothing more is guessed.
  const RunResult other = runs.run(17);
  EXPECT_TRUE(other.compiled);
  EXPECT_EQ(runs.run(17).encode_ns, runs.lookup());
}

TEST(Parametric, values_are_those_of_the_evaluator_for_every_size) {
  const Machine machine = default_machine();
  const Graph graph = parse_graph(kBlock, "test.graph");
  Reference device(machine);
  SessionOptions options;
  options.features = Features::all();
  Session session(graph, machine, device, options);
  for (const std::int64_t n : {40, 41, 42, 43, 44, 39, 1, 7, 129, 44}) {
    SCOPED_TRACE(n);
    std::map<std::string, Tensor> inputs;
    std::int64_t seed = n;
    for (ValueId id : graph.inputs) {
      const Value& value = graph.value(id);
      inputs[value.name] = filled(value.type.dtype, resolve(*value.type.shape, {{"n", n}}),
                                  {Fill::Kind::Random, seed++, 1.0});
    }
    const RunResult result = session.run({}, inputs);
    ASSERT_FALSE(result.fault) << result.fault.text;
    const auto made = result.outputs[0].floats(), right = evaluate(graph, inputs)[0].floats();
    ASSERT_EQ(made.size(), right.size());
    for (std::size_t i = 0; i < made.size(); ++i) ASSERT_NEAR(made[i], right[i], 5e-3) << i;
  }
}

}  // namespace
}  // namespace dvmsim
