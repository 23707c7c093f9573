// A graph run as a framework in eager mode runs its model: operator by operator through the lazy
// API, a value let go after its last reader, a branch taken when the host has read its condition.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/runtime/lazy.h"

namespace dvmsim {

/// Constants that operators take as tensors: where they lie. By the value in the graph, which must
/// stay where it is.
using DeviceWeights = std::map<const Value*, DeviceTensor>;
/// Those of a graph and of its branches, brought to the device. The others (numbers, indices,
/// whatever is laid out anew when it is compiled) become parts of the code.
[[nodiscard]] DeviceWeights place_weights(const Graph& graph, const Machine& machine,
                                          ModuleRunner& runner);

class GraphCapture {
 public:
  /// All outlive it.
  GraphCapture(Lazy& lazy, const DeviceWeights& weights, RunResult& result)
      : lazy_(lazy), weights_(weights), result_(result) {}

  /// Calls what the shaped graph, whose sizes are numbers, does with `inputs`, in its order; its
  /// outputs, which are not flushed. Errors name the node. Empty after a fault of the device.
  [[nodiscard]] std::vector<LazyTensor> run(const Graph& graph, std::vector<LazyTensor> inputs);

 private:
  /// The values of a graph in the middle of its run.
  struct Values {
    const Graph& graph;
    std::vector<LazyTensor> held;
    std::vector<std::int64_t> readers;  // to come; what the graph gives has one more
  };
  void run_node(const Node& node, Values& values);
  void run_branch(const Node& node, Values& values);
  [[nodiscard]] LazyTensor operand(const Node& node, ValueId id, Values& values);
  static void let_go(ValueId id, Values& values);

  Lazy& lazy_;
  const DeviceWeights& weights_;
  RunResult& result_;
  std::map<const Value*, LazyTensor> loaded_{}, constants_{};
};

}  // namespace dvmsim
