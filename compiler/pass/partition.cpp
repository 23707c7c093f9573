#include "compiler/pass/partition.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/codegen/mix.h"
#include "compiler/graph/shape.h"
#include "compiler/pass/chain.h"
#include "compiler/pass/group_order.h"
#include "compiler/pass/mix_group.h"
#include "compiler/pass/prologue.h"
#include "compiler/schedule/conv_node.h"
#include "compiler/schedule/long_reduce.h"
#include "compiler/schedule/lower.h"
#include "compiler/schedule/vector.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

/// Tensors of a kernel: each takes scalar registers, and a count of the flag between its pipes.
constexpr std::size_t kMostTensors = 14;
constexpr std::size_t kMostNodes = 48;

GroupKind kind_of(const Graph& graph, const Node& node) {
  switch (node.op) {
    case Op::Reshape:
    case Op::Identity:
      return GroupKind::Alias;
    case Op::MatMul:
    case Op::ConvLast:
      return GroupKind::Cube;
    case Op::GroupedMatMul:
      return GroupKind::Grouped;
    case Op::Attention:
      return GroupKind::Attention;
    case Op::MaxPool:
    case Op::SumPool:
    case Op::Depthwise:
      return GroupKind::Window;
    case Op::Conv:
      return GroupKind::Conv;
    case Op::Gather:
      return GroupKind::Gather;
    case Op::GatherElements:
      return GroupKind::RowGather;
    case Op::TopK:
      return GroupKind::Top;
    case Op::ScatterRows:
      return GroupKind::Scatter;
    case Op::Transpose:
    case Op::Slice:
    case Op::Concat:
    case Op::Split:
    case Op::Pad:
    case Op::DepthToSpace:
      return GroupKind::Copy;
    case Op::If:
      return GroupKind::Branch;
    default:
      break;
  }
  if (is_vector_node(node)) return GroupKind::Vector;
  throw Error(
      fmt::format("{}: no code can be generated for operator {}; rewrite the model without it",
                  describe(graph, node), name_of(node.op)));
}

/// Why two groups cannot be one: the kind of reason, and its figures and names. No kind: they can.
struct Obstacle {
  std::string kind{}, detail{};
};

/// Where a node came from: passes keep its operator's name.
const std::string& origin(const Node& node) {
  return node.name;
}

class Partitioner {
 public:
  Partitioner(const Graph& graph, const Machine& machine, Fusion fusion, Features features,
              FusionHints hints)
      : graph_(graph),
        machine_(machine),
        fusion_(fusion),
        features_(features),
        hints_(hints),
        users_(users_of(graph)),
        group_of_(graph.nodes.size(), -1) {}

  Partition run() {
    for (NodeId id = 0; id < static_cast<NodeId>(graph_.nodes.size()); ++id) place(id);
    for (const Group& group : groups_) {
      if (group.kind == GroupKind::Vector && group.nodes.size() == 1) check_alone(group);
    }
    Partition result = std::move(made_);
    result.groups = in_order(graph_, groups_, group_of_);
    check_hints(hints_, graph_, result, fusion_ != Fusion::PerOperator);
    return result;
  }

 private:
  void place(NodeId id) {
    const Node& node = graph_.node(id);
    const GroupKind kind = kind_of(graph_, node);
    groups_.push_back({kind, {id}});
    const int own = static_cast<int>(groups_.size()) - 1;
    group_of_[static_cast<std::size_t>(id)] = own;
    if (node.op == Op::MatMul && features_.has(Feature::CubeFusion)) return try_operands(id);
    if (kind != GroupKind::Vector) return;
    for (bool wanted : {true, false}) {  // a user's wishes come first: they may exclude others
      if (wanted && hints_.empty()) continue;
      for (ValueId input : node.inputs) {
        if (input == kNoValue || graph_.value(input).producer < 0) continue;
        const NodeId producer = graph_.value(input).producer;
        if (has_hint(hints_, true, graph_.node(producer), node) == wanted) try_join(producer, id);
      }
    }
  }

  /// Larger groups have been lowered when they were joined.
  void check_alone(const Group& alone) {
    std::string why;
    auto lowered = lower(graph_, alone.nodes, outputs_of(graph_, alone), &why);
    const bool lowers = lowered.has_value();
    if (!lowers || !does_fit(std::move(*lowered))) {
      throw Error(fmt::format("{}: no kernel can be made of it ({}); change its shape or its types",
                              describe(graph_, graph_.node(alone.nodes.front())),
                              lowers ? "a tile of all its values does not fit UB" : why));
    }
  }

  bool does_fit(LoweredKernel lowered) {
    const bool fit = has_tile(lowered.kernel, machine_, features_);
    made_.checks.push_back({std::move(lowered), fit});
    return fit;
  }

  void try_join(NodeId producer, NodeId consumer) {
    const int into = group_of_[static_cast<std::size_t>(producer)];
    const int from = group_of_[static_cast<std::size_t>(consumer)];
    if (into == from) return;
    Obstacle why = obstacle(into, from, graph_.node(producer), graph_.node(consumer));
    const bool fused = why.kind.empty();
    if (fused) why.kind = "fused";
    join(producer, consumer, fused, std::move(why));
  }

  void join(NodeId producer, NodeId consumer, bool fused, Obstacle why) {
    const int into = group_of_[static_cast<std::size_t>(producer)];
    const int from = group_of_[static_cast<std::size_t>(consumer)];
    made_.remarks.push_back(
        {producer, consumer, std::move(why.kind), std::move(why.detail), fused});
    if (!fused) return;
    Group& target = groups_[static_cast<std::size_t>(into)];
    Group& source = groups_[static_cast<std::size_t>(from)];
    for (NodeId id : source.nodes) group_of_[static_cast<std::size_t>(id)] = into;
    target.nodes = merged(target, source);
    source.nodes.clear();
  }

  /// The vector cores of the product's launch make its B, or its A, or the cube cores its A, if
  /// that has no other use and pays.
  void try_operands(NodeId id) {
    if (fusion_ != Fusion::Patterns) return;
    (void)(try_prologue(id, 1) || try_prologue(id, 0) || try_chain(id));
  }

  bool try_chain(NodeId id) {
    const ValueId operand = graph_.node(id).inputs[0];
    const NodeId producer = graph_.value(operand).producer;
    if (producer < 0) return false;
    Group& makes = groups_[static_cast<std::size_t>(group_of_[static_cast<std::size_t>(producer)])];
    const bool is_alone = makes.nodes.size() == 1 || is_rectified(graph_, makes);
    if (makes.kind != GroupKind::Cube || !is_alone) return false;
    if (graph_.node(makes.nodes.front()).op != Op::MatMul) return false;
    Obstacle why = obstacle_to_chain(makes, id, operand);
    const bool fused = why.kind.empty();
    if (fused) why.kind = "the product before it, its result kept in the core";
    join(producer, id, fused, std::move(why));
    if (fused) makes.kind = GroupKind::Chain;
    return fused;
  }

  [[nodiscard]] Obstacle obstacle_to_chain(const Group& makes, NodeId id, ValueId operand) {
    if (Obstacle why = obstacle_to_operand(makes, id, operand); !why.kind.empty()) return why;
    const Group both{GroupKind::Chain, merged(makes, {GroupKind::Cube, {id}})};
    std::string text;
    const auto chain = chain_of(graph_, both, machine_, &text);
    if (!chain) return {std::move(text)};
    const ChainGain gain = gain_of(*chain, is_finished(id), machine_);
    made_.chains.push_back({both, is_finished(id), gain.pays()});
    const Node& producer = graph_.node(graph_.value(operand).producer);
    if (gain.pays() || has_hint(hints_, true, producer, graph_.node(id))) return {};
    return {"the two products one after the other cost less",
            fmt::format("{:.0f} cycles instead of {:.0f}", gain.apart, gain.together)};
  }

  bool try_prologue(NodeId id, std::size_t input) {
    const ValueId operand = graph_.node(id).inputs[input];
    const NodeId producer = graph_.value(operand).producer;
    if (producer < 0) return false;
    const int maker = group_of_[static_cast<std::size_t>(producer)];
    Group& makes = groups_[static_cast<std::size_t>(maker)];
    if (makes.kind != GroupKind::Vector) return false;
    Obstacle why = obstacle_to_prologue(makes, id, operand);
    const bool fused = why.kind.empty();
    if (fused) why.kind = "prologue of the product";
    join(producer, id, fused, std::move(why));
    if (fused) makes.kind = GroupKind::Cube;
    return fused;
  }

  /// Is the operand of the product all that the group is for?
  [[nodiscard]] Obstacle obstacle_to_operand(const Group& makes, NodeId id, ValueId operand) const {
    const Node& product = graph_.node(id);
    if (splits(hints_, graph_, makes.nodes, {&id, 1})) return {"the schedule file splits them"};
    if (outputs_of(graph_, makes) != std::vector{operand} ||
        users_[static_cast<std::size_t>(operand)].size() != 1 ||
        std::count(product.inputs.begin(), product.inputs.end(), operand) != 1 ||
        std::count(graph_.outputs.begin(), graph_.outputs.end(), operand) != 0) {
      return {"what makes the product's operand is wanted elsewhere too"};
    }
    return {};
  }

  [[nodiscard]] Obstacle obstacle_to_prologue(const Group& makes, NodeId id, ValueId operand) {
    if (Obstacle why = obstacle_to_operand(makes, id, operand); !why.kind.empty()) return why;
    std::string text;
    const Group both{GroupKind::Cube, merged(makes, {GroupKind::Cube, {id}})};
    const auto made = prologue_of(graph_, both, machine_, &text);
    if (!made) return {std::move(text)};
    const bool finished = is_finished(id);
    const PrologueGain gain = gain_of(made->kernel, finished, machine_);
    made_.prologues.push_back({both, finished, gain.pays()});
    if (gain.pays()) return {};
    if (!gain.fits) return {"a block of the product's operand does not fit UB"};
    return {"making the product's operand block by block costs more",
            fmt::format("{:.0f} cycles instead of {:.0f}", gain.times.together, gain.times.apart)};
  }

  /// Has the product's result one use, by a vector operator?
  [[nodiscard]] bool is_finished(NodeId id) const {
    const std::vector<NodeId>& users = users_[static_cast<std::size_t>(graph_.node(id).outputs[0])];
    return users.size() == 1 && is_vector_node(graph_.node(users[0]));
  }

  static std::vector<NodeId> merged(const Group& a, const Group& b) {
    std::vector<NodeId> nodes;
    std::merge(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(),
               std::back_inserter(nodes));
    return nodes;
  }

  /// Why the two groups may not be one: what the strategy, or the user, has decided.
  [[nodiscard]] std::string policy(const Group& a, const Group& b, const Node& producer,
                                   const Node& consumer) const {
    if (splits(hints_, graph_, a.nodes, b.nodes)) return "the schedule file splits them";
    if (has_hint(hints_, true, producer, consumer)) return {};
    const bool one_operator = origin(producer) == origin(consumer);
    if (fusion_ == Fusion::PerOperator && !one_operator) return "one kernel per operator";
    if (fusion_ == Fusion::Pointwise && a.kind == GroupKind::Cube && !one_operator) {
      return "its producer is a library's product";
    }
    if (fusion_ == Fusion::Captured) {
      if (reduces(graph_, a)) return "a reduction ends what is captured";
      if (largest_shape(a) != largest_shape(b)) return "its shape is another one";
    }
    return {};
  }

  /// Why the two groups cannot be one.
  [[nodiscard]] Obstacle obstacle(int into, int from, const Node& producer, const Node& consumer) {
    const Group& a = groups_[static_cast<std::size_t>(into)];
    const Group& b = groups_[static_cast<std::size_t>(from)];
    if (std::string why = policy(a, b, producer, consumer); !why.empty()) return {std::move(why)};
    if (a.kind != GroupKind::Vector && a.kind != GroupKind::Cube) {
      const bool vowel = a.kind == GroupKind::Attention || a.kind == GroupKind::Alias;
      return {fmt::format("its producer is a{} {} kernel", vowel ? "n" : "", name_of(a.kind))};
    }
    if (b.kind != GroupKind::Vector) return {"its consumer already finishes another product"};
    if (const std::size_t nodes = a.nodes.size() + b.nodes.size(); nodes > kMostNodes) {
      return {"the kernel would be too long", fmt::format("{} of {} nodes", nodes, kMostNodes)};
    }
    if (const int between = reaches_around(into, from); between >= 0) {
      return {"something between them would wait for itself",
              label_of(graph_, groups_[static_cast<std::size_t>(between)])};
    }
    if (has_prologue(graph_, a)) return {"its producer is a product with a prologue"};
    if (a.kind == GroupKind::Cube) return obstacle_to_mix({a.kind, merged(a, b)});
    Group both{GroupKind::Vector, merged(a, b)};
    std::string why;
    auto lowered = lower(graph_, both.nodes, outputs_of(graph_, both), &why);
    if (!lowered) return {std::move(why)};
    const std::size_t tensors = lowered->inputs.size() + lowered->outputs.size();
    if (tensors > kMostTensors) {
      return {"the kernel would have too many tensors",
              fmt::format("{} of {}", tensors, kMostTensors)};
    }
    if (!does_fit(std::move(*lowered))) return ub_obstacle(made_.checks.back().lowered.kernel);
    return {};
  }

  /// What the kernel takes at least, and which feature would do with less.
  [[nodiscard]] Obstacle ub_obstacle(const VectorKernel& kernel) const {
    const bool packs = features_.has(Feature::Buffers);
    std::string detail =
        fmt::format("{} of {} bytes",
                    least_ub_bytes(kernel, machine_, packs ? Packing::BestFit : Packing::InOrder),
                    machine_.ub.size.count());
    for (Feature feature : {Feature::LongReduce, Feature::Buffers}) {
      Features more = features_;
      more.set(feature, true);
      if (more != features_ && has_tile(kernel, machine_, more)) {
        detail += fmt::format("; feature {} is not enabled and would hold it", name_of(feature));
      }
    }
    return {"a row of all its values does not fit UB", std::move(detail)};
  }

  /// What the group iterates over, without leading dimensions of one element.
  [[nodiscard]] Dims largest_shape(const Group& group) const {
    Dims largest;
    const auto see = [&](ValueId id) {
      const auto joined = broadcast(largest, *graph_.value(id).type.shape);
      if (joined) largest = *joined;
    };
    for (NodeId id : group.nodes) {
      const Node& node = graph_.node(id);
      see(node.outputs[0]);
      if (info_of(node.op).pattern == Pattern::Reduction) see(node.inputs[0]);
    }
    const auto begins = [](const Dim& dim) { return !dim.is(1); };
    largest.erase(largest.begin(), std::find_if(largest.begin(), largest.end(), begins));
    return largest;
  }

  [[nodiscard]] Obstacle obstacle_to_mix(const Group& group) {
    if (is_rectified(graph_, group)) return {};
    std::string why;
    if (reduces(graph_, group)) {
      const auto product = std::find_if(group.nodes.begin(), group.nodes.end(), [&](NodeId id) {
        return kind_of(graph_, graph_.node(id)) != GroupKind::Vector;
      });
      const RowCheck rows{graph_.node(*product).outputs[0],
                          has_whole_rows(graph_, graph_.node(*product).outputs[0], machine_)};
      const bool may = features_.has(Feature::CubeFusion);
      if (may) made_.rows.push_back(rows);
      if (!may || !rows.whole) {
        return {"a reduction over tiles of a product needs another launch",
                !may && rows.whole
                    ? "feature cube-fusion is not enabled and would have whole rows in a tile"
                    : ""};
      }
    }
    for (NodeId id : group.nodes) {
      const Node& node = graph_.node(id);
      if (node.op != Op::ConvLast) continue;
      made_.tiles.push_back({id, fits_whole_rows(conv_task(graph_, node), machine_)});
    }
    const auto mix = mix_of(graph_, group, machine_, &why);
    if (!mix) return {std::move(why)};
    return {mix_problem({mix->plan.spec, mix->rest.kernel}, machine_)};
  }

  /// The last group of a path from group `a` to group `b` (either way) through other groups; -1 if
  /// there is none.
  [[nodiscard]] int reaches_around(int a, int b) const {
    std::vector<char> seen(groups_.size(), 0);
    std::vector<int> open;
    int last = -1;
    const auto expand = [&](int group, bool first) {
      for (NodeId id : groups_[static_cast<std::size_t>(group)].nodes) {
        for (ValueId output : graph_.node(id).outputs) {
          for (NodeId user : users_[static_cast<std::size_t>(output)]) {
            const int next = group_of_[static_cast<std::size_t>(user)];
            if (next < 0 || next == group || (first && (next == a || next == b))) continue;
            if (next == a || next == b) last = group;
            if (seen[static_cast<std::size_t>(next)] == 0) {
              seen[static_cast<std::size_t>(next)] = 1;
              open.push_back(next);
            }
          }
        }
      }
    };
    expand(a, true);
    expand(b, true);
    while (!open.empty() && last < 0) {
      const int group = open.back();
      open.pop_back();
      expand(group, false);
    }
    return last;
  }

  const Graph& graph_;
  const Machine& machine_;
  Fusion fusion_;
  Features features_;
  FusionHints hints_;
  std::vector<std::vector<NodeId>> users_;
  std::vector<int> group_of_;
  std::vector<Group> groups_{};
  Partition made_{};  // remarks and checks so far
};

}  // namespace

std::string_view name_of(GroupKind kind) {
  constexpr std::string_view kNames[] = {"vector", "cube",    "grouped", "attention", "chain",
                                         "conv",   "window",  "copy",    "gather",    "row-gather",
                                         "top",    "scatter", "alias",   "view",      "branch"};
  return kNames[static_cast<int>(kind)];
}

bool has_tile(const VectorKernel& kernel, const Machine& machine, Features features) {
  const bool packs = features.has(Feature::Buffers);
  if (fits(kernel, machine, packs ? Packing::BestFit : Packing::InOrder)) return true;
  if (!features.has(Feature::LongReduce)) return false;
  const auto phased = phases_of(kernel);
  return phased && fits(*phased, machine);
}

Partition partition(const Graph& graph, const Machine& machine, Fusion fusion, Features features,
                    FusionHints hints) {
  return Partitioner(graph, machine, fusion, features, hints).run();
}

namespace {

/// The values of the group that are outputs of the graph or that `is_read` by nodes outside it.
template <class IsRead>
std::vector<ValueId> outputs_that(const Graph& graph, const Group& group, const IsRead& is_read) {
  std::vector<ValueId> outputs;
  for (NodeId id : group.nodes) {
    for (ValueId output : graph.node(id).outputs) {
      const bool leaves =
          std::find(graph.outputs.begin(), graph.outputs.end(), output) != graph.outputs.end();
      if (leaves || is_read(id, output)) outputs.push_back(output);
    }
  }
  return outputs;
}

bool is_inside(const Group& group, NodeId id) {
  return std::binary_search(group.nodes.begin(), group.nodes.end(), id);
}

}  // namespace

std::vector<ValueId> outputs_of(const Graph& graph, const Group& group) {
  return outputs_that(graph, group, [&](NodeId id, ValueId output) {
    for (NodeId user = id + 1; user < static_cast<NodeId>(graph.nodes.size()); ++user) {
      const auto& inputs = graph.node(user).inputs;
      const bool reads = std::find(inputs.begin(), inputs.end(), output) != inputs.end();
      if (reads && !is_inside(group, user)) return true;
    }
    return false;
  });
}

std::vector<ValueId> outputs_of(const Graph& graph, const Group& group,
                                const std::vector<std::vector<NodeId>>& users) {
  return outputs_that(graph, group, [&](NodeId, ValueId output) {
    const std::vector<NodeId>& readers = users[static_cast<std::size_t>(output)];
    return std::any_of(readers.begin(), readers.end(),
                       [&](NodeId user) { return !is_inside(group, user); });
  });
}

std::string label_of(const Graph& graph, const Group& group) {
  std::vector<std::string> names;
  for (NodeId id : group.nodes) {
    const std::string& name = graph.node(id).name;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string to_text(const Graph& graph, const Partition& partition) {
  std::string text;
  for (const Group& group : partition.groups) {
    text += fmt::format("{:<7}", name_of(group.kind));
    for (NodeId id : group.nodes) {
      text += fmt::format(" {}:{}", graph.node(id).name, name_of(graph.node(id).op));
    }
    text += '\n';
  }
  for (const Remark& remark : partition.remarks) {
    text += fmt::format("remark: {} -> {}: {}{}{}{}\n", graph.node(remark.producer).name,
                        graph.node(remark.consumer).name, remark.text,
                        remark.detail.empty() ? "" : " (", remark.detail,
                        remark.detail.empty() ? "" : ")");
  }
  return text;
}

}  // namespace dvmsim
