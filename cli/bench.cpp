// The speed of dvmsim itself on this computer: measured, so different from run to run.
#include <fmt/core.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <functional>

#include "cli/commands.h"
#include "cli/workload.h"
#include "compiler/codegen/compile.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"

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
  fmt::print("  {:<52}{}\n", what, value);
}

void bench_simulation(const Machine& machine) {
  const Graph matmul = operator_graph("matmul", {{2048, 2048}, {2048, 2048}});
  const Speed product = simulate(matmul, machine);
  line("matmul 2048x2048x2048 f16 on " + machine.name,
       fmt::format("{:.3f} s CPU, {:.2f} M commands/s", product.seconds,
                   static_cast<double>(product.commands) / product.seconds / 1e6));
  if (std::filesystem::exists(kPeerMachine)) {
    const Machine peer = load_machine(kPeerMachine);
    line("the same on " + peer.name, fmt::format("{:.3f} s CPU", simulate(matmul, peer).seconds));
  }
  const Graph add = operator_graph("add", {{8192, 8192}, {8192, 8192}});
  Bytes512 counter;
  simulate(add, machine, {&counter});
  const Speed stream = simulate(add, machine);
  line("add 8192x8192 f16", fmt::format("{:.3f} s CPU, {:.0f} ns per 512 B of L2 traffic",
                                        stream.seconds, stream.seconds * 1e9 / counter.granules()));
}

void bench_compiler(const Machine& machine) {
  const Graph graph = deduce_shapes(parse_graph(
      "graph ten\ninput x: f16[1024, 1024]\ninput y: f16[1024, 1024]\n"
      "a = add(x, y)\nb = mul(a, x)\nc = exp(b)\nd = sub(c, y)\ne = abs(d)\n"
      "f = sqrt(e)\ng = mul(f, a)\nh = max(g, y)\ni = relu(h)\nj = add(i, x)\noutput j\n",
      "bench"));
  CompileOptions options;
  Module module;
  line("compile 10 fused operators, from graph to bytecode",
       fmt::format("{:.1f} us", best_us(100, [&] { module = compile(graph, machine, options); })));
  line("  programs", fmt::format("{}, {} bytes", module.programs.size(),
                                 module.programs.empty() ? 0 : module.programs[0].bytes()));
}

}  // namespace

int bench() {
  fmt::print("dvmsim on this computer:\n");
  Machine machine = default_machine();
  line("make the machine and a simulated device",
       fmt::format("{:.2f} ms", best_us(5, [&] {
                                  machine = default_machine();
                                  SimOptions sim;
                                  sim.mode = Mode::Timing;
                                  const SimDevice device(machine, sim);
                                }) / 1000));
  bench_compiler(machine);
  bench_simulation(machine);
  return kGood;
}

}  // namespace dvmsim
