// Captured calls: values against the evaluator on the reference device, what is launched for them,
// what is compiled again, and what is refused.
#include "compiler/runtime/lazy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "vm/base/error.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

using Shape = std::vector<std::int64_t>;

Tensor random(Shape shape, std::int64_t seed, DType dtype = DType::F32) {
  return filled(dtype, std::move(shape), {Fill::Kind::Random, seed, 1.0});
}

/// Remembers the launched programs and what the host was charged.
class Witness : public Reference, public Probe {
 public:
  explicit Witness(const Machine& machine) : Reference(machine) { listen({this}); }
  void on_launch_begin(const LaunchMark&, const Program& program) override {
    programs.push_back(program);
  }
  void host_work(HostWork kind, std::int64_t nanoseconds, HostThread thread,
                 const std::string&) override {
    if (thread == HostThread::Front) spent[kind] += nanoseconds;
  }

  std::vector<Program> programs{};
  std::map<HostWork, std::int64_t> spent{};
};

std::size_t stores_of(const Program& program) {
  std::size_t count = 0;
  for (const Argument& each : program.arguments) count += each.kind == Argument::Kind::Output;
  return count;
}

CompileOptions captured_options() {
  CompileOptions options;
  options.fusion = Fusion::Captured;
  return options;
}

/// A context on a device of its own.
struct Rig {
  Machine machine = default_machine();
  Witness device{machine};
  HazardChecker hazards{machine};
  ModuleRunner runner{machine, device, {.strategy = &kDvmEager}};
  CapturedModules modules{machine, runner, captured_options(), 512};
  RunResult result{};
  Lazy lazy{machine, runner, modules, result};

  Rig() { device.listen_order(&hazards); }
  ~Rig() {
    for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
  }
  LazyTensor load(const Tensor& tensor) { return lazy.load(runner.upload(tensor)); }
  Tensor value(const LazyTensor& tensor) { return lazy.read(tensor, "the test"); }
};

void expect_close(const Tensor& got, const Tensor& wanted, float bound = 2e-5F) {
  ASSERT_EQ(got.dtype(), wanted.dtype());
  ASSERT_EQ(got.shape(), wanted.shape());
  const auto a = got.floats(), b = wanted.floats();
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_NEAR(a[i], b[i], bound * (1 + std::abs(b[i]))) << "element " << i;
  }
}

/// What the evaluator makes of the one output of a graph.
Tensor evaluated(const std::string& lines, const std::map<std::string, Tensor>& inputs) {
  return evaluate(deduce_shapes(parse_graph("graph g\n" + lines, "test")), inputs).front();
}

template <class Verb>
void expect_refused(Verb&& verb, const std::string& text) {
  try {
    verb();
    FAIL() << "accepted, instead of: " << text;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

TEST(Lazy, every_verb_computes_what_the_evaluator_does) {
  Rig rig;
  Lazy& lazy = rig.lazy;
  const Tensor x = random({6, 40}, 1), y = random({40}, 2), w = random({20, 40}, 3);
  const LazyTensor a = rig.load(x), b = rig.load(y);
  const LazyTensor sum = lazy.binary(Op::Add, lazy.unary(Op::Tanh, a), b);
  const LazyTensor wide = lazy.broadcast(b, {6, 40});
  const LazyTensor less = lazy.binary(Op::Lt, sum, wide);
  const LazyTensor picked = lazy.select(less, sum, wide);
  const LazyTensor half = lazy.cast(lazy.cast(picked, DType::F16), DType::F32);
  const LazyTensor product = lazy.matmul(half, rig.load(w), false, true);
  const LazyTensor rows = lazy.reshape(product, {3, 40});
  const LazyTensor most = lazy.reduce(Op::ReduceMax, rows, {1}, false);
  const LazyTensor turned = lazy.call(Op::Transpose, {rows}, {{"perm", as_dims({1, 0})}}).front();
  const std::string lines = R"(input x: f32[6, 40]
input y: f32[40]
input w: f32[20, 40]
t = tanh(x)
s = add(t, y)
e = expand(y) {shape=[6, 40]}
l = lt(s, e)
p = select(l, s, e)
h = cast(p) {to=f16}
f = cast(h) {to=f32}
m = matmul(f, w) {trans_b=1}
r = reshape(m) {shape=[3, 40]}
)";
  const std::map<std::string, Tensor> inputs{{"x", x}, {"y", y}, {"w", w}};
  expect_close(rig.value(most),
               evaluated(lines + "z = reduce_max(r) {axes=[1], keepdims=0}\noutput z\n", inputs));
  expect_close(rig.value(turned), evaluated(lines + "z = transpose(r)\noutput z\n", inputs));
  expect_close(rig.value(half), evaluated(lines + "output f\n", inputs));
}

TEST(Lazy, dropped_values_are_neither_computed_nor_stored) {
  Rig rig;
  const LazyTensor x = rig.load(random({64, 100}, 1));
  const auto stores = [&](bool holds) {
    LazyTensor inner = rig.lazy.unary(Op::Exp, x);
    const LazyTensor outer = rig.lazy.unary(Op::Abs, inner);
    (void)rig.lazy.unary(Op::Sqrt, outer);  // nobody holds it
    if (!holds) inner = {};
    rig.device.programs.clear();
    rig.lazy.flush();
    EXPECT_EQ(rig.device.programs.size(), 1u);
    return stores_of(rig.device.programs.front());
  };
  EXPECT_EQ(stores(true), 2u);
  EXPECT_EQ(rig.lazy.counts().dropped, 1);
  EXPECT_EQ(stores(false), 1u);
  (void)rig.lazy.unary(Op::Neg, x);
  rig.device.programs.clear();
  rig.lazy.flush();
  EXPECT_TRUE(rig.device.programs.empty());
  EXPECT_EQ(rig.lazy.counts().dropped, 3);
  EXPECT_EQ(rig.lazy.counts().flushes, 2);
}

/// Calls y = relu(x * x + b) of that many rows, with what becomes of the capture.
Tensor square_sum(Rig& rig, std::int64_t rows) {
  const LazyTensor x = rig.load(random({rows, 48}, rows)), b = rig.load(random({48}, 7));
  const LazyTensor squares = rig.lazy.binary(Op::Mul, x, x);
  return rig.value(rig.lazy.unary(Op::Relu, rig.lazy.binary(Op::Add, squares, b)));
}

TEST(Lazy, a_capture_seen_before_finds_its_module) {
  Rig rig;
  const Tensor first = square_sum(rig, 100);
  EXPECT_EQ(rig.lazy.counts().compiled, 1);
  EXPECT_EQ(square_sum(rig, 100), first);
  EXPECT_EQ(rig.lazy.counts().known, 1);
  EXPECT_EQ(rig.lazy.counts().compiled, 1);
  EXPECT_EQ(rig.modules.size(), 1u);
  EXPECT_EQ(rig.device.programs[0], rig.device.programs[1]);
}

TEST(Lazy, a_capture_of_other_shapes_finds_the_plan) {
  Rig rig;
  for (std::int64_t rows : {100, 7, 4097}) {
    const Tensor x = random({rows, 48}, rows);
    expect_close(square_sum(rig, rows),
                 evaluated("input x: f32[" + std::to_string(rows) +
                               ", 48]\ninput b: f32[48]\ns = mul(x, x)\na = add(s, b)\n"
                               "r = relu(a)\noutput r\n",
                           {{"x", x}, {"b", random({48}, 7)}}));
  }
  EXPECT_EQ(rig.lazy.counts().compiled, 1);
  EXPECT_EQ(rig.lazy.counts().planned, 2);
  (void)square_sum(rig, 1);   // one row: its dimension is another thing
  (void)square_sum(rig, 48);  // square: other sizes are equal
  EXPECT_EQ(rig.lazy.counts().compiled, 3);
}

TEST(Lazy, constants_distinguish_captures) {
  Rig rig;
  const LazyTensor x = rig.load(random({9, 32}, 1));
  const auto plus = [&](double number) {
    Value value;
    value.kind = ValueKind::Constant;
    value.type = {DType::F32, Dims{}, {}};
    value.tensor = Tensor::of(DType::F32, {}, std::span(&number, 1));
    return rig.value(rig.lazy.binary(Op::Add, x, rig.lazy.constant(value)));
  };
  const auto two = plus(2).floats(), three = plus(3).floats();
  EXPECT_EQ(rig.lazy.counts().compiled, 2);
  EXPECT_NEAR(three[5] - two[5], 1, 1e-5);
}

TEST(Lazy, fused_calls_take_fewer_launches_than_eager_ones) {
  const std::string text =
      "graph g\ninput x: f32[64, 100]\na = exp(x)\nb = add(a, x)\nc = abs(b)\nd = sqrt(c)\n"
      "output d\n";
  const std::map<std::string, Tensor> inputs{{"x", random({64, 100}, 1)}};
  const Machine machine = default_machine();
  std::map<std::string_view, std::size_t> launches;
  for (const Strategy* strategy : {&kEager, &kDvmEager}) {
    Witness device(machine);
    SessionOptions options;
    options.strategy = strategy;
    Session session(parse_graph(text, "test"), machine, device, options);
    (void)session.run({}, inputs);
    launches[strategy->name] = device.programs.size();
  }
  EXPECT_EQ(launches["eager"], 4u);
  EXPECT_EQ(launches["dvm-eager"], 1u);
}

TEST(Lazy, nothing_joins_after_a_reduction_or_of_another_shape) {
  Rig rig;
  const LazyTensor x = rig.load(random({64, 100}, 1)), row = rig.load(random({100}, 2));
  LazyTensor sum = rig.lazy.reduce(Op::ReduceSum, rig.lazy.unary(Op::Exp, x), {1}, true);
  const LazyTensor after = rig.lazy.binary(Op::Div, x, sum);
  sum = {};
  rig.lazy.flush();
  EXPECT_EQ(rig.device.programs.size(), 2u);
  rig.device.programs.clear();
  LazyTensor small = rig.lazy.unary(Op::Exp, row);
  const LazyTensor large = rig.lazy.binary(Op::Add, x, small);
  small = {};
  rig.lazy.flush();
  EXPECT_EQ(rig.device.programs.size(), 2u);
}

TEST(Lazy, a_product_begins_a_segment_and_takes_what_follows_it) {
  Rig rig;
  const LazyTensor x = rig.load(random({32, 64}, 1, DType::F16));
  const LazyTensor w = rig.load(random({64, 64}, 2, DType::F16));
  LazyTensor before = rig.lazy.unary(Op::Abs, x);
  LazyTensor product = rig.lazy.matmul(before, w);
  EXPECT_EQ(rig.lazy.counts().flushes, 1);
  const LazyTensor after = rig.lazy.unary(Op::Tanh, product);
  before = product = {};
  rig.lazy.flush();
  EXPECT_EQ(rig.lazy.counts().flushes, 2);
  EXPECT_EQ(rig.device.programs.size(), 2u);
}

TEST(Lazy, a_full_capture_flushes_itself) {
  Rig rig;
  const Tensor start = random({8, 32}, 1);
  LazyTensor sum = rig.load(start);
  for (std::size_t i = 0; i < Lazy::kMostCalls; ++i) sum = rig.lazy.unary(Op::Neg, sum);
  EXPECT_EQ(rig.lazy.counts().flushes, 0);
  sum = rig.lazy.unary(Op::Neg, sum);
  EXPECT_EQ(rig.lazy.counts().flushes, 1);
  const auto got = rig.value(sum).floats(), was = start.floats();
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], -was[i]);
}

TEST(Lazy, a_reshape_costs_no_launch) {
  Rig rig;
  const Tensor x = random({6, 40}, 1);
  const LazyTensor loaded = rig.load(x), view = rig.lazy.reshape(loaded, {3, 80});
  EXPECT_EQ(rig.value(view), x.reshaped({3, 80}));
  const LazyTensor sum = rig.lazy.unary(Op::Neg, loaded);
  const LazyTensor flat = rig.lazy.reshape(sum, {240});
  EXPECT_EQ(rig.value(flat).shape(), (Shape{240}));
  EXPECT_EQ(rig.device.programs.size(), 1u);
  EXPECT_EQ(rig.lazy.tensor(flat).address(), rig.lazy.tensor(sum).address());
}

TEST(Lazy, a_store_in_place_comes_after_what_reads_the_tensor) {
  Rig rig;
  const Tensor start = random({64, 100}, 1);
  const DeviceTensor place = rig.runner.upload(start);
  LazyTensor x = rig.lazy.load(place);
  const LazyTensor turned = rig.lazy.call(Op::Transpose, {x}, {}).front();
  const LazyTensor back =
      rig.lazy.reshape(rig.lazy.unary(Op::Neg, turned), {64, 100});  // other elements
  rig.lazy.store(back, place);
  const Tensor wanted = evaluated(
      "input x: f32[64, 100]\nt = transpose(x)\nn = neg(t)\n"
      "r = reshape(n) {shape=[64, 100]}\noutput r\n",
      {{"x", start}});
  x = rig.lazy.load(place);
  EXPECT_EQ(rig.value(rig.lazy.unary(Op::Neg, rig.lazy.unary(Op::Neg, x))), wanted);
  EXPECT_EQ(rig.runner.download(place), wanted);
}

TEST(Lazy, the_front_thread_pays_for_every_call_and_every_flush) {
  Rig rig;
  const auto cost = [](machine_types::Time time) { return time.count() / 1000; };
  (void)square_sum(rig, 100);  // two loads and three operators
  EXPECT_EQ(rig.device.spent[HostWork::Capture], 5 * cost(rig.machine.host.call));
  EXPECT_EQ(rig.device.spent[HostWork::Compile], 3 * cost(rig.machine.host.partition));
  EXPECT_GT(rig.device.spent[HostWork::Encode], 0);
  EXPECT_EQ(rig.result.compile_ns, rig.device.spent[HostWork::Compile]);
}

TEST(Lazy, misuse_is_refused_by_the_call_and_captures_nothing) {
  Rig rig, other;
  const LazyTensor a = rig.load(random({2, 3}, 1)), b = rig.load(random({4, 5}, 2));
  expect_refused([&] { (void)rig.lazy.binary(Op::Add, a, b); }, "call 3");
  expect_refused(
      [&] {
        (void)rig.lazy.binary(Op::Add, a, other.load(random({2, 3}, 1)));
      },
      "call 4 (add): operand 1 belongs to another context");
  const LazyTensor foreign = other.lazy.unary(Op::Neg, other.load(random({2, 3}, 1)));
  other.lazy.flush();
  expect_refused([&] { (void)rig.lazy.unary(Op::Neg, foreign); }, "belongs to another context");
  expect_refused([&] { (void)rig.lazy.unary(Op::Add, a); }, "call 6 (add)");
  expect_refused([&] { (void)rig.lazy.reshape(a, {7}); }, "not as many elements");
  expect_refused([&] { (void)rig.lazy.matmul(a, a); }, "call 7");
  expect_refused([&] { (void)rig.lazy.reduce(Op::ReduceSum, a, {2}, true); }, "call 8");
  expect_refused([&] { (void)rig.lazy.unary(Op::Neg, {}); }, "call 9");
  expect_refused([&] { (void)rig.lazy.broadcast(b, {4, 6}); }, "call 10");
  expect_refused(
      [&] {
        rig.lazy.store(a, rig.runner.allocate(DType::F16, {2, 3}));
      },
      "the value is f32 [2, 3], the tensor f16 [2, 3]");
  expect_refused([&] { (void)rig.lazy.load({}); }, "no place on the device");
  rig.lazy.flush();
  EXPECT_EQ(rig.lazy.counts().flushes, 0);
  EXPECT_TRUE(rig.device.programs.empty());
}

TEST(Lazy, what_cannot_be_compiled_is_lost_and_says_so) {
  Rig rig;
  const LazyTensor x = rig.load(Tensor(DType::I32, {4, 4}));
  const LazyTensor product = rig.lazy.matmul(x, x);
  expect_refused([&] { rig.lazy.flush(); }, "node 'call 2'");
  expect_refused([&] { (void)rig.lazy.unary(Op::Neg, product); }, "lost by a flush that failed");
  EXPECT_EQ(rig.value(rig.lazy.unary(Op::Neg, x)), Tensor(DType::I32, {4, 4}));
}

TEST(Lazy, a_model_that_cannot_be_compiled_is_refused_by_its_node) {
  const Machine machine = default_machine();
  Reference device(machine);
  SessionOptions options;
  options.strategy = &kDvmEager;
  Session session(parse_graph("graph g\ninput x: i32[4, 4]\na = neg(x)\ny = matmul(a, x)\n"
                              "z = abs(y)\noutput z\n",
                              "test"),
                  machine, device, options);
  expect_refused([&] { (void)session.run({}, {{"x", Tensor(DType::I32, {4, 4})}}); }, "'y'");
}

// Bytecode: what is compiled with the sizes written in, by a plan for all sizes, and from captured
// calls.

using Codes = std::vector<std::pair<std::vector<std::uint64_t>, std::vector<std::uint64_t>>>;

Codes codes_of(const Module& module) {
  Codes codes;
  for (const ModuleStep& step : module.steps) {
    const Program& program = module.programs[static_cast<std::size_t>(step.program)];
    codes.emplace_back(program.cube, program.vector);
  }
  return codes;
}

void expect_same_bytes(const std::string& lines, const Shape& first, const Shape& sizes,
                       Fusion fusion) {
  const Graph graph = infer_shapes(parse_graph("graph g\n" + lines, "test"));
  const Machine machine = default_machine();
  CompileOptions options;
  options.fusion = fusion;
  const Graph numbers = specialize(graph, bindings_of(graph, sizes));
  const Codes written_in = codes_of(compile(numbers, machine, options));
  ASSERT_FALSE(written_in.empty());
  Plan plan(graph, first, machine, options);
  ASSERT_TRUE(plan.bind(sizes));
  EXPECT_EQ(codes_of(plan.compile()), written_in);

  Witness device(machine);
  SessionOptions session_options;
  session_options.strategy = &kDvmEager;
  Session session(graph, machine, device, session_options);
  for (const Shape& each : {first, sizes}) {
    std::map<std::string, Tensor> inputs;
    const Bindings bindings = bindings_of(graph, each);
    for (ValueId id : graph.inputs) {
      const Value& value = graph.value(id);
      inputs[value.name] = random(resolve(*value.type.shape, bindings), 1, value.type.dtype);
    }
    device.programs.clear();
    (void)session.run(bindings, inputs);
  }
  Codes captured;
  for (const Program& program : device.programs) {
    captured.emplace_back(program.cube, program.vector);
  }
  EXPECT_EQ(captured, written_in);
}

TEST(Lazy, captured_calls_become_the_bytes_of_a_static_and_of_a_dynamic_graph) {
  for (const Fusion fusion : {Fusion::Patterns, Fusion::Captured}) {
    expect_same_bytes(
        "dim n\ninput x: f16[n, 48]\ninput b: f16[48]\ny = add(x, b)\n"
        "z = gelu(y)\noutput z\n",
        {7}, {100}, fusion);
    expect_same_bytes(
        "dim n\ninput x: f16[n, 256]\nconst w: f16[256, 512] = random(1, 0.1)\n"
        "input y: f16[n, 512]\na = matmul(x, w)\nb = add(a, y)\nc = abs(b)\n"
        "output c\n",
        {17}, {100}, fusion);
    expect_same_bytes(
        "dim n, m\ninput x: f32[n, m]\na = mul(x, x)\n"
        "b = reduce_sum(a) {axes=[1]}\noutput b\n",
        {5, 100}, {60, 300}, fusion);
  }
  expect_same_bytes("dim n, m\ninput x: f16[n, m]\ny = softmax(x)\noutput y\n", {5, 100}, {60, 300},
                    Fusion::Captured);
  expect_same_bytes(
      "dim b, s\ninput x: f16[b, s, 64]\nh = reshape(x) {shape=[b, s, 4, 16]}\n"
      "t = transpose(h) {perm=[0, 2, 1, 3]}\nr = relu(t)\noutput r\n",
      {2, 9}, {3, 11}, Fusion::Captured);
}

}  // namespace
}  // namespace dvmsim
