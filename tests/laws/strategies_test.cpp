// What each strategy's bargain is, in laws: who pays for what, and when two of them cost the same.
// And that the bargain never touches the values.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "compiler/graph/eval.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

/// Counts what the host does.
class HostLog final : public Probe {
 public:
  void on_host(const HostSpan& span) override {
    ++count[static_cast<std::size_t>(span.work)];
    time[static_cast<std::size_t>(span.work)] += span.end_ns - span.begin_ns;
  }
  [[nodiscard]] int count_of(HostWork work) const { return count[static_cast<std::size_t>(work)]; }
  [[nodiscard]] std::int64_t time_of(HostWork work) const {
    return time[static_cast<std::size_t>(work)];
  }

 private:
  std::array<int, 7> count{};
  std::array<std::int64_t, 7> time{};
};

struct Cost {
  std::int64_t host_ns = 0;  // until the host knows the result
  std::int64_t launches = 0;
  Cycles device{};
  HostLog log{};
  RunResult result{};
};

const Graph& chain() {
  static const Graph graph = deduce_shapes(parse_graph(R"(graph g
dim n
input x: f16[n, 256]
const w: f16[256, 256] = random(1, 0.1)
a = exp(x)
b = matmul(a, w)
c = add(b, x)
d = softmax(c) {axis=-1}
e = matmul(d, w)
f = relu(e)
output f
)",
                                                       "test.graph"));
  return graph;
}

StrategyConstants constants() {
  StrategyConstants made;
  made.graph.infer = Picoseconds(1'000'000);
  made.sink.capture = Picoseconds(1'000'000);
  made.sink.task = Bytes(256);
  made.jit.trace = Picoseconds(5'000'000);
  made.jit.kernel = Picoseconds(1'000'000'000);
  made.jit.guard = Picoseconds(20'000'000);
  made.bucket.choose = Picoseconds(1'000'000);
  return made;
}

/// Runs one after another on one device.
class Runs {
 public:
  explicit Runs(const Strategy& strategy, const StrategyConstants& given = constants(),
                const Graph& graph = chain())
      : device_(machine_, timing()),
        session_(graph, machine_, device_, options_of(strategy, given)) {}

  Cost run(std::int64_t n) {
    Cost cost;
    const std::int64_t start = device_.host_ns();
    device_.listen({&cost.log});
    cost.result = session_.run({{"n", n}}, {});
    device_.listen({});
    cost.host_ns = device_.host_ns() - start;
    cost.launches = static_cast<std::int64_t>(cost.result.launches.size());
    for (const LaunchReport& launch : cost.result.launches) {
      cost.device += launch.end - launch.begin;
    }
    return cost;
  }

 private:
  static SimOptions timing() {
    SimOptions options;
    options.mode = Mode::Timing;
    return options;
  }
  static SessionOptions options_of(const Strategy& strategy, const StrategyConstants& given) {
    SessionOptions options;
    options.strategy = &strategy;
    options.constants = given;
    options.mode = Mode::Timing;
    return options;
  }

  Machine machine_ = default_machine();
  SimDevice device_;
  Session session_;
};

TEST(Strategies, eager_overlaps_host_and_device) {
  Runs runs(kEager);
  const Cost cost = runs.run(4096);
  const Machine machine = default_machine();
  const std::int64_t device_ns = cost.device.count() * 1000 / 1850;
  const std::int64_t host_ns =
      cost.log.time_of(HostWork::Launch) + cost.log.time_of(HostWork::Capture);
  EXPECT_GE(cost.host_ns, std::max(device_ns, host_ns));
  EXPECT_LT(cost.host_ns, device_ns + host_ns);
  EXPECT_EQ(cost.log.count_of(HostWork::Launch), cost.launches);
}

TEST(Strategies, the_device_does_the_same_under_eager_graph_and_sink) {
  Runs eager(kEager), graph(kGraph), sink(kSink);
  for (std::int64_t n : {100, 4096, 100}) {
    const Cost a = eager.run(n), b = graph.run(n), c = sink.run(n);
    EXPECT_EQ(a.device, b.device);
    EXPECT_EQ(a.device, c.device);
    EXPECT_EQ(a.launches, c.launches);
  }
}

TEST(Strategies, sink_is_one_submission_and_a_capture_for_each_shape) {
  Runs sink(kSink);
  const Cost first = sink.run(100), again = sink.run(100), other = sink.run(101);
  EXPECT_GT(first.launches, 1);
  for (const Cost& cost : {first, again, other}) {
    EXPECT_EQ(cost.log.count_of(HostWork::Launch), 1);
  }
  EXPECT_GT(first.result.compile_ns, 2000 * first.launches);
  EXPECT_EQ(again.result.compile_ns, 0);
  EXPECT_GT(other.result.compile_ns, 0);
}

TEST(Strategies, graph_deduces_shapes_again_only_if_they_may_change) {
  Runs dynamic(kGraph);
  EXPECT_GT(dynamic.run(100).result.encode_ns, 0);
  EXPECT_GT(dynamic.run(100).result.encode_ns, 0);
  const Graph fixed = specialize(chain(), {{"n", 100}});
  Runs once(kGraph, constants(), fixed);
  EXPECT_GT(once.run(100).result.encode_ns, 0);
  EXPECT_EQ(once.run(100).result.encode_ns, 0);
}

TEST(Strategies, jit_compiles_the_first_size_a_symbol_and_one) {
  Runs jit(kJit);
  std::vector<bool> compiled;
  for (std::int64_t n : {100, 100, 200, 300, 1, 100, 1, 7}) {
    compiled.push_back(jit.run(n).result.compile_ns > 0);
  }
  EXPECT_EQ(compiled, (std::vector<bool>{true, false, true, false, true, false, false, false}));
}

TEST(Strategies, jit_beyond_its_limit_costs_what_eager_costs) {
  StrategyConstants few = constants();
  few.jit.automatic_dynamic = false;
  few.jit.recompile_limit = 2;
  Runs jit(kJit, few), eager(kEager);
  for (std::int64_t n : {100, 200}) {
    EXPECT_GT(jit.run(n).host_ns, eager.run(n).host_ns);
  }
  for (std::int64_t n : {300, 400}) {
    const Cost a = jit.run(n), b = eager.run(n);
    EXPECT_EQ(a.launches, b.launches);
    EXPECT_EQ(a.device, b.device);
    EXPECT_NEAR(static_cast<double>(a.host_ns), static_cast<double>(b.host_ns), 1);  // rounding
  }
  EXPECT_LT(jit.run(200).launches, eager.run(200).launches) << "what is compiled stays";
}

TEST(Strategies, jit_leaves_products_alone_unless_it_tunes_them) {
  StrategyConstants tuned = constants();
  tuned.jit.max_autotune = true;
  tuned.jit.candidates = 10;
  Runs jit(kJit), autotune(kJit, tuned), dvm(kDvm), eager(kEager);
  const Cost plain = jit.run(128), most = autotune.run(128);
  EXPECT_GT(plain.launches, dvm.run(128).launches);
  EXPECT_EQ(most.launches, dvm.run(128).launches);
  EXPECT_GT(most.result.compile_ns, plain.result.compile_ns);
  EXPECT_LT(plain.launches, eager.run(128).launches + 1);
}

TEST(Strategies, bucket_compiles_ahead_and_costs_the_most_for_the_worst_size) {
  Runs bucket(kBucket);
  const Cost exact = bucket.run(1024), worst = bucket.run(513), small = bucket.run(512);
  EXPECT_EQ(exact.result.compile_ns, 0);
  EXPECT_GT(exact.result.ahead_ns, 0);
  EXPECT_GT(worst.device, small.device);
  EXPECT_EQ(worst.launches, exact.launches + 2);  // pads its input, cuts its output
  EXPECT_NEAR(static_cast<double>(worst.result.padded_elements) /
                  static_cast<double>(worst.result.elements),
              511.0 / 1024, 1e-9);
}

TEST(Strategies, code_is_kept_as_each_says) {
  Runs eager(kEager), jit(kJit), bucket(kBucket);
  const std::int64_t generic = eager.run(100).result.code_bytes;
  EXPECT_GT(generic, 0);
  EXPECT_EQ(eager.run(100).result.code_bytes, generic);
  const std::int64_t one = jit.run(100).result.code_bytes;
  EXPECT_EQ(jit.run(100).result.code_bytes, one);
  EXPECT_GT(jit.run(200).result.code_bytes, one);
  const std::int64_t bucket_one = bucket.run(100).result.code_bytes;
  EXPECT_EQ(bucket.run(128).result.code_bytes, bucket_one);
  EXPECT_GT(bucket.run(129).result.code_bytes, bucket_one);
  Runs sink(kSink);
  const std::int64_t captured = sink.run(100).result.code_bytes;
  EXPECT_EQ(sink.run(100).result.code_bytes, captured);
  const Cost other = sink.run(101);
  EXPECT_EQ(other.result.code_bytes, captured + 256 * other.launches);
}

/// The encoder at several lengths under every strategy, against the evaluator.
TEST(Strategies, all_give_the_same_values) {
  const Graph graph =
      infer_shapes(load_graph(std::string(DVMSIM_SOURCE_DIR) + "/configs/workloads/encoder.graph"));
  const Machine machine = default_machine();
  for (const Strategy* strategy : strategies()) {
    SimDevice device(machine);
    SessionOptions options;
    options.strategy = strategy;
    options.constants = constants();
    Session session(graph, machine, device, options);
    for (std::int64_t seq : {1, 33, 64}) {
      SCOPED_TRACE(std::string(strategy->name) + " seq " + std::to_string(seq));
      const std::map<std::string, Tensor> inputs = {
          {"x", filled(DType::F16, {1, seq, 256}, {Fill::Kind::Random, seq, 1.0})}};
      const RunResult result = session.run({{"seq", seq}}, inputs);
      ASSERT_FALSE(result.fault) << result.fault.text;
      const auto expected = evaluate(specialize(graph, {{"seq", seq}}), inputs);
      ASSERT_EQ(result.outputs.size(), expected.size());
      ASSERT_EQ(result.outputs[0].shape(), expected[0].shape());
      const auto a = result.outputs[0].floats(), b = expected[0].floats();
      for (std::size_t i = 0; i < b.size(); ++i) ASSERT_NEAR(a[i], b[i], 2e-2) << i;
    }
  }
}

}  // namespace
}  // namespace dvmsim
