// How long compiling takes, operator by operator, and beside it C compilers on the same kernels.
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cli/c_kernel.h"
#include "cli/commands.h"
#include "cli/compile_cases.h"
#include "cli/files.h"
#include "cli/process.h"
#include "compiler/codegen/plan.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "traces/stream_report.h"
#include "vm/base/error.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

using Samples = std::vector<double>;
constexpr int kRounds = 200, kFirstRounds = 20;
constexpr int kLookups = 16;  // in one sample: they are short beside reading the clock

/// CPU time, so that who else uses the computer counts little.
double cpu_us(const std::function<void()>& work) {
  timespec begin{}, end{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  work();
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  return static_cast<double>(end.tv_sec - begin.tv_sec) * 1e6 +
         static_cast<double>(end.tv_nsec - begin.tv_nsec) / 1e3;
}

std::string percentiles(const Samples& samples) {
  return fmt::format("{:8.1f}{:8.1f}{:8.1f}", percentile(samples, 0.5), percentile(samples, 0.9),
                     percentile(samples, 0.99));
}

void append(Samples& to, const Samples& from) {
  to.insert(to.end(), from.begin(), from.end());
}

struct Timing {
  Samples first{}, cold{}, cached{};
};

Graph graph_of(const CompileCase& each) {
  return infer_shapes(parse_graph("graph g\n" + std::string(each.lines), std::string(each.name)));
}

/// first: from the graph and its sizes to bytes, passes and partition included. cold: the graph's
/// plan is there and is bound to sizes in turn, of which it keeps nothing. cached: the sizes were
/// run before.
Timing measure(const CompileCase& each, const Machine& machine) {
  const Graph graph = graph_of(each);
  CompileOptions options;
  options.machine_hash = hash_of(machine);
  Timing timing;
  std::vector<std::unique_ptr<Plan>> plans;
  const auto plan_for = [&](const std::vector<std::int64_t>& sizes) -> Plan& {
    for (const auto& plan : plans) {
      if (plan->bind(sizes)) return *plan;
    }
    return *plans.emplace_back(std::make_unique<Plan>(graph, sizes, machine, options));
  };
  for (const auto& sizes : each.sizes) {
    for (int i = 0; i < kFirstRounds; ++i) {
      timing.first.push_back(cpu_us([&] { (void)Plan(graph, sizes, machine, options).compile(); }));
    }
    (void)plan_for(sizes);
  }
  for (int i = 0; i < kRounds; ++i) {
    for (const auto& sizes : each.sizes) {
      timing.cold.push_back(cpu_us([&] { (void)plan_for(sizes).compile(); }));
    }
  }
  Reference device(machine);
  SessionOptions ready;
  ready.mode = Mode::Timing;
  Session session(graph, machine, device, ready);
  std::vector<Bindings> all;
  for (const auto& sizes : each.sizes) {
    all.push_back(bindings_of(graph, sizes));
    (void)session.prepared(all.back());
  }
  for (int i = 0; i < kRounds; ++i) {
    for (const Bindings& dims : all) {
      timing.cached.push_back(cpu_us([&] {
                                for (int j = 0; j < kLookups; ++j) (void)session.prepared(dims);
                              }) /
                              kLookups);
    }
  }
  return timing;
}

void print_row(const std::string& name, const Timing& timing) {
  fmt::print("  {:<28}{}  {}  {}\n", name, percentiles(timing.first), percentiles(timing.cold),
             percentiles(timing.cached));
}

/// A folder that goes with the object.
class Scratch {
 public:
  Scratch() {
    if (mkdtemp(path_.data()) == nullptr) throw Error("bench: cannot make a folder in /tmp");
  }
  ~Scratch() {
    for (const char* name : {"/kernel.c", "/kernel.o"}) unlink((path_ + name).c_str());
    rmdir(path_.c_str());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/dvmsim-bench-" + std::string(6, 'X');
};

void compare_with_compilers(const Machine& machine) {
  fmt::print(
      "\nthe same fused kernel, n = 1000, as a loop in C over f32, to an object file, CPU "
      "of the whole process:\n");
  fmt::print("  {:<28}{:>10}{:>24}{:>24}\n", "", "cold us", "clang -O2, ms (times)",
             "gcc -O2, ms (times)");
  const Scratch scratch;
  for (const CompileCase& each : compile_cases()) {
    if (each.kind != CompileCase::Kind::Vector) continue;
    Graph graph = graph_of(each);
    if (graph.symbols.size() != 1) continue;
    for (Value& value : graph.values) {
      if (value.type.dtype == DType::F16) value.type.dtype = DType::F32;
    }
    const Graph numbers = run_passes(specialize(graph, {{graph.symbols[0], 1000}}), {machine});
    const std::optional<std::string> source = c_kernel(numbers);
    if (!source) continue;
    write_file(scratch.file("kernel.c"), *source);
    const double cold = percentile(measure(each, machine).cold, 0.5);
    std::string row = fmt::format("  {:<28}{:>10.1f}", each.name, cold);
    for (const char* compiler : {"clang", "gcc"}) {
      const auto took = process_seconds(
          compiler, {"-O2", "-c", scratch.file("kernel.c"), "-o", scratch.file("kernel.o")});
      row += took ? fmt::format("{:>14.1f} ({:>6.0f}x)", 1e3 * *took, 1e6 * *took / cold)
                  : fmt::format("{:>24}", "not installed");
    }
    fmt::print("{}\n", row);
  }
}

}  // namespace

int bench_compile() {
  const Machine machine = default_machine();
  fmt::print(
      "compile time on this computer, us of CPU: median, 90 and 99 of 100\n"
      "  first: from the graph; cold: its plan is there, bound to other sizes; cached: run before\n"
      "  {:<28}{:>24}  {:>24}  {:>24}\n",
      "", "first", "cold", "cached");
  for (const auto kind : {CompileCase::Kind::Vector, CompileCase::Kind::Product}) {
    Timing all;
    for (const CompileCase& each : compile_cases()) {
      if (each.kind != kind) continue;
      const Timing timing = measure(each, machine);
      print_row(std::string(each.name), timing);
      append(all.first, timing.first);
      append(all.cold, timing.cold);
      append(all.cached, timing.cached);
    }
    print_row(kind == CompileCase::Kind::Vector ? "ALL VECTOR" : "ALL PRODUCTS", all);
  }
  compare_with_compilers(machine);
  return kGood;
}

}  // namespace dvmsim
