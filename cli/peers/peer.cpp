#include "cli/peers/peer.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "traces/stream_report.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

double cpu_us(int who) {
  rusage used{};
  getrusage(who, &used);
  const auto us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return us(used.ru_utime) + us(used.ru_stime);
}

/// Of this process and those it waited for: a compiler may run an assembler.
double cpu_us() {
  return cpu_us(RUSAGE_SELF) + cpu_us(RUSAGE_CHILDREN);
}

/// Between 0.5 and 1.5: logarithms and roots have values there.
Tensor numbers_for(const Value& value, std::uint32_t seed) {
  std::vector<std::int64_t> shape;
  for (const Dim& dim : *value.type.shape) shape.push_back(dim.value());
  std::vector<float> numbers(static_cast<std::size_t>(element_count(shape)));
  std::uint32_t state = 12345 + seed * 977;
  for (float& number : numbers) {
    state = state * 1664525 + 1013904223;
    number = 0.5f + static_cast<float>(state >> 8) / 16777216.0f;
  }
  return Tensor::of_floats(DType::F32, shape, numbers);
}

/// Runs the code once; the largest difference from the evaluator, relative to its largest value.
double error_of(const Graph& graph, const LoopKernel& kernel, LoopFunction function) {
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    inputs[graph.value(id).name] =
        numbers_for(graph.value(id), static_cast<std::uint32_t>(inputs.size()));
  }
  const std::vector<Tensor> expected = evaluate(graph, inputs);
  std::vector<std::vector<float>> arrays;
  for (ValueId id : graph.inputs) arrays.push_back(inputs.at(graph.value(id).name).floats());
  for (const Tensor& output : expected) {
    arrays.emplace_back(static_cast<std::size_t>(output.count()), std::nanf(""));
  }
  std::array<float*, LoopKernel::kMostArrays> p{};
  for (std::size_t i = 0; i < arrays.size(); ++i) p[i] = arrays[i].data();
  function(kernel.rows, kernel.columns, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]);
  double worst = 0, largest = std::numeric_limits<float>::min();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::vector<float> right = expected[i].floats();
    const std::vector<float>& made = arrays[graph.inputs.size() + i];
    for (std::size_t j = 0; j < right.size(); ++j) {
      const double off = std::abs(static_cast<double>(made[j]) - static_cast<double>(right[j]));
      worst = std::isnan(off) ? HUGE_VAL : std::max(worst, off);
      largest = std::max(largest, std::abs(static_cast<double>(right[j])));
    }
  }
  return worst / largest;
}

void measure(const std::string& file, int rounds, PeerCompiler& compiler) {
  const Graph graph = infer_shapes(load_graph(file));
  const auto kernel = loop_kernel(graph);
  if (!kernel) throw Error(file + ": is no loop over rows and columns of f32");
  const double error = error_of(graph, *kernel, compiler.compile(*kernel)->function());
  std::vector<double> samples;
  for (int i = 0; i < rounds; ++i) {
    const double begin = cpu_us();
    const auto code = compiler.compile(*kernel);
    samples.push_back(cpu_us() - begin);
  }
  fmt::print("{:.1f} {:.1f} {:.1f} {:.3e}\n", percentile(samples, 0.5), percentile(samples, 0.9),
             percentile(samples, 0.99), error);
}

}  // namespace

int peer_main(int argc, char** argv, PeerCompiler& compiler) {
  try {
    if (argc != 3 || std::atoi(argv[2]) < 1) throw Error("usage: KERNEL.graph ROUNDS");
    measure(argv[1], std::atoi(argv[2]), compiler);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
  return 0;
}

}  // namespace dvmsim
