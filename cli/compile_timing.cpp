#include "cli/compile_timing.h"

#include <ctime>
#include <functional>
#include <memory>
#include <string>

#include "cli/count_instructions.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/plan.h"
#include "compiler/runtime/session.h"
#include "compiler/schedule/alike.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

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

void append(std::vector<double>& to, const std::vector<double>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// The plans of a graph, as many as its sizes need.
class Plans {
 public:
  Plans(const Graph& graph, const Machine& machine, Features features)
      : graph_(graph), machine_(machine) {
    options_.machine_hash = hash_of(machine);
    options_.features = features;
  }
  [[nodiscard]] Module first(const std::vector<std::int64_t>& sizes) const {
    return Plan(graph_, sizes, machine_, options_).compile();
  }
  [[nodiscard]] Plan& bound(const std::vector<std::int64_t>& sizes) {
    for (const auto& plan : plans_) {
      if (plan->bind(sizes)) return *plan;
    }
    return *plans_.emplace_back(std::make_unique<Plan>(graph_, sizes, machine_, options_));
  }

 private:
  const Graph& graph_;
  const Machine& machine_;
  CompileOptions options_{};
  std::vector<std::unique_ptr<Plan>> plans_{};
};

/// Others that are cut alike: the first of them one less or more, if that is one of them.
std::vector<std::int64_t> sizes_like(std::vector<std::int64_t> sizes) {
  std::int64_t& size = sizes.front();
  for (const std::int64_t other : {size - 1, size + 1}) {
    if (other > 1 && alike(other) == alike(size)) {
      size = other;
      break;
    }
  }
  return sizes;
}

CompileTiming::Samples measure_patched(const CompileCase& each, const Graph& graph,
                                       const Machine& machine, Features features) {
  features.set(Feature::Parametric, true);
  Plans plans(graph, machine, features);
  for (const auto& sizes : each.sizes) (void)plans.bound(sizes).compile();
  CompileTiming::Samples samples;
  for (int i = 0; i < kRounds; ++i) {
    for (const auto& sizes : each.sizes) {
      const auto others = sizes_like(sizes);
      samples.push_back(cpu_us([&] { (void)plans.bound(others).compile(); }));
    }
  }
  return samples;
}

/// Of the strategy, without the one that remembers.
Features afresh(const Strategy& strategy) {
  Features features = strategy.features;
  features.set(Feature::Parametric, false);
  return features;
}

}  // namespace

void CompileTiming::add(const CompileTiming& other) {
  append(first, other.first);
  append(cold, other.cold);
  append(patched, other.patched);
  append(cached, other.cached);
  append(instructions, other.instructions);
}

Graph graph_of(const CompileCase& each) {
  return infer_shapes(parse_graph("graph g\n" + std::string(each.lines), std::string(each.name)));
}

CompileTiming measure_compile(const CompileCase& each, const Machine& machine,
                              const Strategy& strategy) {
  const Graph graph = graph_of(each);
  CompileTiming timing;
  Plans plans(graph, machine, afresh(strategy));
  for (const auto& sizes : each.sizes) {
    for (int i = 0; i < kFirstRounds; ++i) {
      timing.first.push_back(cpu_us([&] { (void)plans.first(sizes); }));
    }
    (void)plans.bound(sizes);
  }
  for (int i = 0; i < kRounds; ++i) {
    for (const auto& sizes : each.sizes) {
      timing.cold.push_back(cpu_us([&] { (void)plans.bound(sizes).compile(); }));
    }
  }
  timing.patched = measure_patched(each, graph, machine, strategy.features);
  Reference device(machine);
  SessionOptions ready;
  ready.mode = Mode::Timing;
  ready.strategy = &strategy;
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

void count_compile(const CompileCase& each, const Machine& machine, const Strategy& strategy,
                   CompileTiming& timing) {
  const Graph graph = graph_of(each);
  Plans plans(graph, machine, afresh(strategy));
  const auto& sizes = each.sizes.front();
  (void)plans.bound(sizes).compile();  // what is made once in a process
  const auto counted = count_instructions([&] { (void)plans.bound(sizes).compile(); });
  if (!counted) return;
  timing.instructions.push_back(static_cast<double>(*counted) /
                                static_cast<double>(graph.nodes.size()));
}

}  // namespace dvmsim
