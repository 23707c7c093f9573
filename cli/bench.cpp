// The speed of dvmsim itself on this computer: measured, so different from run to run.
#include <fmt/core.h>

#include <array>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <functional>

#include "cli/commands.h"
#include "cli/process.h"
#include "cli/workload.h"
#include "compiler/codegen/vector.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/compile.h"
#include "compiler/runtime/lazy.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "sim/mem/server.h"
#include "vm/base/error.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

constexpr const char* kPeerMachine = "configs/hardware/onnxim_tpuv4_4x128.yaml";

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// The least of several, in microseconds.
double best_us(int times, const std::function<void()>& work) {
  double best = 0;
  for (int i = 0; i < times; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    if (i == 0 || took.count() < best) best = took.count();
  }
  return best;
}

Graph operator_graph(const std::string& op, std::vector<std::vector<std::int64_t>> shapes) {
  OpOptions options;
  options.op = op;
  options.shapes = std::move(shapes);
  return deduce_shapes(graph_of(options));
}

struct Speed {
  double seconds = 0;
  std::int64_t commands = 0;
};

/// CPU time of simulating the graph once without values.
Speed simulate(const Graph& graph, const Machine& machine, Probes probes = {}) {
  SimOptions sim;
  sim.mode = Mode::Timing;
  SimDevice device(machine, sim);
  device.listen(std::move(probes));
  SessionOptions options;
  options.mode = Mode::Timing;
  Session session(graph, machine, device, options);
  (void)session.module_for({});
  Speed speed;
  const double start = cpu_seconds();
  const RunResult result = session.run({}, {});
  speed.seconds = cpu_seconds() - start;
  for (const LaunchReport& launch : result.launches) speed.commands += launch.commands;
  return speed;
}

class Bytes512 final : public Probe {
 public:
  void on_traffic(const Traffic& traffic) override {
    if (traffic.place == Place::L2Hit || traffic.place == Place::L2Miss) {
      bytes_ += traffic.bytes.count();
    }
  }
  [[nodiscard]] double granules() const { return static_cast<double>(bytes_) / 512; }

 private:
  std::int64_t bytes_ = 0;
};

void line(const std::string& what, const std::string& value) {
  fmt::print("  {:<58}{}\n", what, value);
}

/// CPU seconds of a whole dvmsim process with these arguments.
double own_seconds(const std::vector<std::string>& arguments) {
  const auto seconds = process_seconds("/proc/self/exe", arguments);
  if (!seconds) throw Error("bench: cannot run itself as another process");
  return *seconds;
}

/// Forty additions on tiles so small that commands, not bytes, take the time.
Speed simulate_commands() {
  Machine machine = default_machine();
  apply_set(machine, "ub.size=16KiB");
  std::string text = "graph chain\ninput x: f16[4194304]\na0 = add(x, x)\n";
  for (int i = 1; i < 40; ++i) {
    text += fmt::format("a{} = add(a{}, x)\n", i, i - 1);
  }
  return simulate(deduce_shapes(parse_graph(text + "output a39\n", "bench")), machine);
}

/// L2 and HBM alone, on a stream of 64 MiB a pass: the first misses, the second hits. Nanoseconds
/// per 512-byte granule.
double granule_ns(MemoryServer& server, std::int64_t& now) {
  constexpr std::int64_t kGranules = 1 << 17;
  std::array<Piece, 8> pieces{};
  const double begin = cpu_seconds();
  for (std::int64_t at = 0; at < kGranules;) {
    for (Piece& piece : pieces) piece = {static_cast<std::uint64_t>(at++) * 512, 512, 512};
    now += 5;
    (void)server.request({{Cycles(now), 0, Pipe::MTE2}, false, pieces});
  }
  return (cpu_seconds() - begin) * 1e9 / static_cast<double>(kGranules);
}

void bench_memory(const Machine& machine) {
  MemoryServer server(machine, MemoryModel::Detailed);
  std::int64_t now = 0;
  const double miss = granule_ns(server, now), hit = granule_ns(server, now);
  line("L2 and HBM alone, streaming",
       fmt::format("{:.0f} ns per 512 B missed, {:.0f} hit", miss, hit));
}

void bench_simulation(const Machine& machine) {
  const Speed chain = simulate_commands();
  line("40 additions on small tiles, timing mode",
       fmt::format("{:.2f} M commands/s",
                   static_cast<double>(chain.commands) / chain.seconds / 1e6));
  bench_memory(machine);
  const Graph add = operator_graph("add", {{8192, 8192}, {8192, 8192}});
  Bytes512 counter;
  simulate(add, machine, {&counter});
  const Speed stream = simulate(add, machine);
  line("add 8192x8192 f16, all of it",
       fmt::format("{:.3f} s CPU, {:.0f} ns per 512 B at L2", stream.seconds,
                   stream.seconds * 1e9 / counter.granules()));
  const std::vector<std::string> product = {"op",        "matmul",   "2048x2048",
                                            "2048x2048", "--decode", "none"};
  line("matmul 2048x2048x2048 f16, whole process, " + machine.name,
       fmt::format("{:.3f} s CPU", own_seconds(product)));
  if (!std::filesystem::exists(kPeerMachine)) return;
  std::vector<std::string> peer = product;
  peer.insert(peer.end(), {"--hw", kPeerMachine});
  line("the same, onnxim_tpuv4_4x128", fmt::format("{:.3f} s CPU", own_seconds(peer)));
}

void bench_compiler(const Machine& machine) {
  const Graph graph = deduce_shapes(parse_graph(
      "graph ten\ninput x: f16[1024, 1024]\ninput y: f16[1024, 1024]\n"
      "a = add(x, y)\nb = mul(a, x)\nc = exp(b)\nd = sub(c, y)\ne = abs(d)\n"
      "f = sqrt(e)\ng = mul(f, a)\nh = max(g, y)\ni = relu(h)\nj = add(i, x)\noutput j\n",
      "bench"));
  CompileOptions options;
  options.machine_hash = hash_of(machine);
  line("compile 10 fused operators, bound shapes to bytecode",
       fmt::format("{:.1f} us", best_us(200, [&] { (void)compile(graph, machine, options); })));
  const Graph lowered = run_passes(graph, {machine});
  const Partition groups = partition(lowered, machine, Fusion::Patterns);
  const Group& group = groups.groups.front();
  const auto kernel = lower(lowered, group.nodes, outputs_of(lowered, group));
  const VectorSchedule schedule = schedule_vector(kernel->kernel, machine, machine.cores.vector);
  line("  of it: encode the program", fmt::format("{:.1f} us", best_us(200, [&] {
                                                    (void)emit_vector(kernel->kernel, schedule,
                                                                      vector_kind(machine));
                                                  })));
  line("  the same as captured calls: group them",
       fmt::format("{:.2f} us a call", best_us(200, [&] {
                                         (void)partition(lowered, machine, Fusion::Captured);
                                       }) / 10));
}

/// A call, from its operands to its result's type; nobody wants the results.
void bench_capture(const Machine& machine) {
  constexpr int kCalls = 50;
  Reference device(machine);
  ModuleRunner runner(machine, device, {.strategy = &kDvmEager, .mode = Mode::Timing});
  CapturedModules modules(machine, runner, {}, 1);
  RunResult result;
  Lazy lazy(machine, runner, modules, result);
  const LazyTensor x = lazy.load(runner.allocate(DType::F16, {1024, 1024}));
  const double all = best_us(200, [&] {
    LazyTensor sum = x;
    for (int i = 0; i < kCalls; ++i) sum = lazy.binary(Op::Add, sum, x);
    sum = {};
    lazy.flush();
  });
  line("capture a call", fmt::format("{:.2f} us", all / kCalls));
}

}  // namespace

int bench() {
  fmt::print("dvmsim on this computer, measured now:\n");
  const Machine machine = default_machine();
  line(
      "start-up: the smallest run, whole process",
      fmt::format("{:.1f} ms CPU", 1e3 * own_seconds({"op", "add", "8", "8", "--decode", "none"})));
  bench_compiler(machine);
  bench_capture(machine);
  bench_simulation(machine);
  return kGood;
}

}  // namespace dvmsim
