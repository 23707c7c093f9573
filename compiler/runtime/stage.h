// Which part of a graph can be compiled now, and what the host does after it. A graph whose shapes
// follow from those of its inputs is one stage. Otherwise values on the device decide how it goes
// on (the size of a NonZero, the rounds of a Loop): a stage ends there, the host looks, and the
// rest of the graph is planned again with what it saw.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"

namespace dvmsim {

/// A node that the host carries out between modules. Names are of values in the stage's graph.
struct HostNode {
  Node node{};
  std::vector<std::string> inputs{};  // empty: absent, or a constant
  std::vector<std::optional<Value>> constants{};
  std::vector<std::string> outputs{};
  std::string label{};  // "node 'n' (loop)"
};

/// Where an output of the graph comes from.
struct OutputSource {
  std::string name{};               // a value of the stage, or
  std::optional<Value> constant{};  // a constant, or
  int rest = -1;                    // an output of the rest
};

struct StagePlan {
  bool whole = false;  // `device` is the graph itself
  Graph device{};
  std::vector<std::string> device_outputs{};  // its outputs' value names
  std::vector<HostNode> host{};               // in an order in which they can run
  std::vector<std::string> reads{};  // values that the rest needs to know, not just to have
  std::optional<Graph> rest{};
  std::vector<OutputSource> outputs{};
};

/// What keeps the graph from being one module: "node 'n' (loop)". Not for a whole one.
[[nodiscard]] std::string driven_by(const StagePlan& plan);

/// Does the host carry the node out? Else the device does, as soon as its shapes are known. Asked
/// when those of its inputs are.
[[nodiscard]] bool is_host_driven(const Graph& graph, const Node& node);

/// `graph` is inferred with every dimension known that its inputs tell. Throws Error, naming the
/// node, where nothing that can be read would tell a shape.
[[nodiscard]] StagePlan plan_stage(const Graph& graph);

}  // namespace dvmsim
