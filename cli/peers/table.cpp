#include "cli/peers/table.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>

#include "cli/compile_timing.h"
#include "cli/peers/c_source.h"
#include "cli/process.h"
#include "cli/text/files.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/pass/pipeline.h"
#include "traces/stream_report.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr double kMostError = 1e-5;  // of the largest value: f32 in another order

/// A folder that goes with the object.
class Scratch {
 public:
  Scratch() {
    if (mkdtemp(path_.data()) == nullptr) throw Error("bench: cannot make a folder in /tmp");
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/dvmsim-bench-" + std::string(6, 'X');
};

/// A case as the others get it: primitives over f32, at its sizes of fewest elements.
struct PeerKernel {
  Graph graph{};
  LoopKernel loops{};
};

std::optional<PeerKernel> peer_kernel(const CompileCase& each, const Machine& machine) {
  Graph graph = graph_of(each);
  for (Value& value : graph.values) {
    if (is_float(value.type.dtype)) value.type.dtype = DType::F32;
  }
  const auto elements = [](const std::vector<std::int64_t>& sizes) { return element_count(sizes); };
  const auto sizes =
      std::min_element(each.sizes.begin(), each.sizes.end(),
                       [&](const auto& a, const auto& b) { return elements(a) < elements(b); });
  Graph numbers = run_passes(specialize(graph, bindings_of(graph, *sizes)), {machine});
  std::optional<LoopKernel> loops = loop_kernel(numbers);
  if (!loops) return std::nullopt;
  return PeerKernel{std::move(numbers), std::move(*loops)};
}

/// What a helper program printed.
struct PeerTiming {
  double median = 0, p90 = 0, p99 = 0, error = 0;
};

std::optional<PeerTiming> timing_of(const std::string& program, const std::string& kernel,
                                    int rounds) {
  const auto own = std::filesystem::read_symlink("/proc/self/exe").parent_path() / program;
  if (!std::filesystem::exists(own)) return std::nullopt;
  const auto text = process_output(own.string(), {kernel, std::to_string(rounds)});
  PeerTiming timing;
  std::istringstream words(text.value_or(""));
  if (!(words >> timing.median >> timing.p90 >> timing.p99 >> timing.error)) {
    throw Error("bench: " + program + " failed on " + kernel);
  }
  return timing;
}

struct Library {
  const char* program;
  const char* title;
  int rounds;
};
constexpr Library kLibraries[] = {{"dvmsim-peer-llvm", "LLVM 19 -O2 in process", 30},
                                  {"dvmsim-peer-gccjit", "libgccjit 12 -O2", 12}};
constexpr const char* kPrograms[] = {"clang", "gcc"};

class Table {
 public:
  explicit Table(const Machine& machine) : machine_(machine) {}

  void head() const;
  void row(const CompileCase& each);
  /// The medians of the ratios, and the largest error.
  void foot() const;
  [[nodiscard]] bool right() const { return error_ <= kMostError; }

 private:
  static constexpr std::size_t kColumns = std::size(kLibraries) + std::size(kPrograms);
  void ratio(std::size_t column, double value) {
    if (value > 0) ratios_[column].push_back(value);
  }

  const Machine& machine_;
  const Scratch scratch_{};
  std::array<std::vector<double>, kColumns> ratios_{};
  double error_ = 0;
};

void Table::head() const {
  fmt::print(
      "\nthe same fused kernels over f32 as loops, to executable code in process (median and 99 of "
      "100)\nor to an object file by a process, ms of CPU, and how many times as long as cold\n");
  fmt::print("  {:<28}{:>9}", "", "cold us");
  for (const Library& library : kLibraries) fmt::print("{:>30}", library.title);
  for (const char* program : kPrograms) fmt::print("{:>21}", std::string(program) + " -O2 -c");
  fmt::print("\n");
}

void Table::row(const CompileCase& each) {
  const auto kernel = peer_kernel(each, machine_);
  if (!kernel) return;
  const std::string graph = scratch_.file("kernel.graph"), source = scratch_.file("kernel.c");
  write_file(graph, print_graph(kernel->graph));
  write_file(source, c_source(kernel->loops));
  const double cold = percentile(measure_compile(each, machine_, kDvm).cold, 0.5);
  std::string text = fmt::format("  {:<28}{:>9.1f}", each.name, cold);
  std::size_t column = 0;
  for (const Library& library : kLibraries) {
    const auto took = timing_of(library.program, graph, library.rounds);
    if (took) error_ = std::max(error_, took->error);
    if (took) ratio(column, took->median / cold);
    ++column;
    text += took ? fmt::format("{:>12.1f}{:>8.1f} ({:>6.0f}x)", took->median / 1e3, took->p99 / 1e3,
                               took->median / cold)
                 : fmt::format("{:>30}", "not built");
  }
  for (const char* program : kPrograms) {
    const auto took =
        process_seconds(program, {"-O2", "-c", source, "-o", scratch_.file("kernel.o")});
    if (took) ratio(column, 1e6 * *took / cold);
    ++column;
    text += took ? fmt::format("{:>11.1f} ({:>6.0f}x)", 1e3 * *took, 1e6 * *took / cold)
                 : fmt::format("{:>21}", "not installed");
  }
  fmt::print("{}\n", text);
}

void Table::foot() const {
  fmt::print("  {:<37}", "median ratio");
  std::size_t column = 0;
  for (const auto& ratios : ratios_) {
    const int width = column++ < std::size(kLibraries) ? 30 : 21;
    fmt::print("{:>{}}", ratios.empty() ? "" : fmt::format("{:.0f}x", percentile(ratios, 0.5)),
               width);
  }
  fmt::print("\n  what they compute is off the evaluator's by at most {:.1e} of its largest: {}\n",
             error_, right() ? "agree" : "DIFFER");
}

}  // namespace

bool compare_with_peers(const std::vector<CompileCase>& cases, const Machine& machine) {
  Table table(machine);
  table.head();
  for (const CompileCase& each : cases) {
    if (each.kind == CompileCase::Kind::Vector) table.row(each);
  }
  table.foot();
  return table.right();
}

}  // namespace dvmsim
