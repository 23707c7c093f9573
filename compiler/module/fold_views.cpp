#include "compiler/module/fold_views.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "compiler/codegen/mix.h"
#include "compiler/codegen/moves.h"
#include "compiler/module/kernel_times.h"
#include "compiler/module/product_times.h"
#include "compiler/pass/chain.h"
#include "compiler/pass/mix_group.h"
#include "compiler/schedule/copy.h"
#include "compiler/schedule/matmul_estimate.h"
#include "compiler/schedule/matmul_tactics.h"
#include "compiler/schedule/product.h"
#include "compiler/schedule/vector.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr std::size_t kMostCopyDims = 8;  // each takes scalar registers

bool is_alias(const Node& node) {
  return node.op == Op::Reshape || node.op == Op::Identity;
}

/// A move of which copies_of knows where both sides lie.
bool is_strided(Op op) {
  return op == Op::Transpose || op == Op::Slice || op == Op::Split || op == Op::Concat;
}

/// What the move is when it does not fold.
std::optional<GroupKind> kind_of_move(const Graph& graph, const Group& group) {
  if (group.nodes.size() != 1) return std::nullopt;
  const Op op = graph.node(group.nodes.front()).op;
  if (is_strided(op)) return GroupKind::Copy;
  if (op == Op::Expand) return GroupKind::Vector;
  return std::nullopt;
}

class Folder {
 public:
  Folder(const Graph& graph, Partition& partition, const Machine& machine, FusionHints hints,
         std::vector<FoldRemark>* remarks)
      : graph_(graph),
        partition_(partition),
        machine_(machine),
        hints_(hints),
        remarks_(remarks),
        users_(users_of(graph)),
        group_of_(graph.nodes.size(), 0),
        cores_(machine.cores.unified ? machine.cores.cube : machine.cores.vector),
        kernels_(machine, cores_),
        products_(machine, cores_) {
    for (std::size_t i = 0; i < partition.groups.size(); ++i) {
      for (NodeId id : partition.groups[i].nodes) group_of_[static_cast<std::size_t>(id)] = i;
    }
  }

  Views run() {
    std::vector<std::size_t> moves;
    for (std::size_t i = 0; i < partition_.groups.size(); ++i) {
      const auto kind = kind_of_move(graph_, partition_.groups[i]);
      if (!kind) continue;
      partition_.groups[i].kind = *kind;
      moves.push_back(i);
    }
    // A move whose readers have become views themselves is read through them.
    for (auto it = moves.rbegin(); it != moves.rend(); ++it) try_reads(*it);
    for (auto it = moves.rbegin(); it != moves.rend(); ++it) try_writes(*it);
    for (std::size_t move : moves) check_hints(move);
    return std::move(views_);
  }

 private:
  /// What a trial has changed: places as they were, and whose time depends on them.
  struct Trial {
    std::vector<std::pair<ValueId, std::optional<StridedView>>> before{};
    std::set<std::size_t> groups{};
    std::string why{};  // it is not possible
    [[nodiscard]] bool possible() const { return why.empty(); }
    void refuse(const char* reason) {
      if (why.empty()) why = reason;
    }
  };

  [[nodiscard]] const Node& node_of(std::size_t group) const {
    return graph_.node(partition_.groups[group].nodes.front());
  }
  [[nodiscard]] GroupKind kind_of(NodeId id) const {
    return partition_.groups[group_of_[static_cast<std::size_t>(id)]].kind;
  }
  [[nodiscard]] std::vector<std::int64_t> shape_of(ValueId id) const {
    return known_shape(graph_.value(id));
  }

  /// The value lies there from now on, and so does whatever is read through it.
  void place(ValueId id, StridedView view, Trial& trial) {
    const auto& outputs = graph_.outputs;
    if (std::find(outputs.begin(), outputs.end(), id) != outputs.end()) {
      trial.refuse("an output of the graph needs a tensor of its own");
    }
    const StridedView* was = views_.find(id);
    trial.before.emplace_back(id, was == nullptr ? std::nullopt : std::optional(*was));
    views_.set(id, std::move(view));
    for (NodeId user : users_[static_cast<std::size_t>(id)]) {
      if (!trial.possible()) return;
      const Node& node = graph_.node(user);
      if (is_alias(node)) {
        place_alias(node.outputs[0], id, trial);
      } else if (kind_of(user) == GroupKind::View && node.op != Op::Concat &&
                 !is_written_through(node)) {
        place_reads(node, trial);
      } else {
        trial.groups.insert(group_of_[static_cast<std::size_t>(user)]);
      }
    }
  }

  /// `to` has the elements of `from` in their order.
  void place_alias(ValueId to, ValueId from, Trial& trial) {
    const auto view = reshaped(*views_.find(from), shape_of(from), shape_of(to));
    if (!view) return trial.refuse("no strides say what a reshape after it makes of it");
    place(to, *view, trial);
  }

  /// Do writers of the move's input know of its output?
  [[nodiscard]] bool is_written_through(const Node& node) const {
    return views_.base_of(node.inputs[0]) == views_.base_of(node.outputs[0]) &&
           views_.find(node.outputs[0]) == nullptr;
  }

  /// The outputs of a move lie in its input.
  void place_reads(const Node& node, Trial& trial) {
    if (node.op == Op::Expand) {
      const auto in = shape_of(node.inputs[0]), out = shape_of(node.outputs[0]);
      StridedView view = views_.place_of(graph_, node.inputs[0]);
      for (std::size_t i = 0; i < in.size(); ++i) {
        if (in[i] == 1) view.stride[i] = 0;
      }
      view.stride.insert(view.stride.begin(), out.size() - in.size(), 0);
      return place(node.outputs[0], std::move(view), trial);
    }
    const ValueId base = views_.base_of(node.inputs[0]);
    for (ViewCopy& copy : copies_of(graph_, node, views_)) {
      const ValueId output = node.outputs[static_cast<std::size_t>(copy.output)];
      place(output, {base, copy.in_offset, std::move(copy.in_stride)}, trial);
    }
  }

  void undo(const Trial& trial) {
    for (auto it = trial.before.rbegin(); it != trial.before.rend(); ++it) {
      if (it->second) {
        views_.set(it->first, *it->second);
      } else {
        views_.erase(it->first);
      }
    }
  }

  /// Cycles of each of the groups; nullopt if one of them cannot be.
  [[nodiscard]] std::optional<std::vector<double>> times_of(const std::set<std::size_t>& groups) {
    std::vector<double> times;
    for (std::size_t group : groups) {
      const std::optional<double> time = time_of(partition_.groups[group]);
      if (!time) return std::nullopt;
      times.push_back(*time);
    }
    return times;
  }

  /// Is the move better folded? By as much as estimates of the kernels that it changes may err.
  [[nodiscard]] static bool gains(const std::vector<double>& folded,
                                  const std::vector<double>& apart) {
    constexpr double kError = 0.05;
    double gain = 0;
    for (std::size_t i = 0; i < folded.size(); ++i) {
      gain += apart[i] - folded[i];
      const bool changes = folded[i] != apart[i] && folded[i] != 0;
      if (changes) gain -= kError * std::max(folded[i], apart[i]);
    }
    return gain >= 0;
  }

  /// Does a hint of this wish name the move and a neighbour?
  [[nodiscard]] bool is_hinted(const Node& move, bool fuse) const {
    if (hints_.empty()) return false;
    const auto beside = [&](NodeId id) { return has_hint(hints_, fuse, move, graph_.node(id)); };
    for (ValueId input : move.inputs) {
      if (graph_.value(input).producer >= 0 && beside(graph_.value(input).producer)) return true;
    }
    return std::any_of(move.outputs.begin(), move.outputs.end(), [&](ValueId output) {
      const auto& users = users_[static_cast<std::size_t>(output)];
      return std::any_of(users.begin(), users.end(), beside);
    });
  }

  void remark(std::size_t group, ValueId input, std::string text, std::string detail = {}) {
    if (remarks_ == nullptr) return;
    const NodeId move = partition_.groups[group].nodes.front();
    remarks_->push_back({move, input, std::move(text), std::move(detail)});
  }

  /// Keeps what the trial did to move `group`, or to one input of it, if it is better; whether it
  /// did.
  bool decide(std::size_t group, GroupKind after, Trial& trial, ValueId input = kNoValue) {
    const Node& move = node_of(group);
    if (is_hinted(move, false)) trial.refuse("the schedule file splits it from a neighbour");
    trial.groups.insert(group);
    const GroupKind before = partition_.groups[group].kind;
    std::optional<std::vector<double>> folded;
    partition_.groups[group].kind = after;
    why_.clear();
    if (trial.possible()) folded = times_of(trial.groups);
    std::vector<std::pair<ValueId, StridedView>> places;
    for (const auto& [id, was] : trial.before) places.emplace_back(id, *views_.find(id));
    undo(trial);
    partition_.groups[group].kind = before;
    if (!folded) {
      remark(group, input, trial.possible() ? why_ : trial.why);
      return false;
    }
    const auto apart = times_of(trial.groups);
    if (!apart) return false;
    if (!gains(*folded, *apart) && !is_hinted(move, true)) {
      remark(group, input, "the estimate says that it does not gain",
             fmt::format("{:.0f} cycles folded, {:.0f} apart", sum_of(*folded), sum_of(*apart)));
      return false;
    }
    for (auto& [id, view] : places) views_.set(id, std::move(view));
    partition_.groups[group].kind = after;
    return true;
  }

  static double sum_of(const std::vector<double>& times) {
    return std::accumulate(times.begin(), times.end(), 0.0);
  }

  /// A move that a user wants folded is folded.
  void check_hints(std::size_t group) const {
    const Node& move = node_of(group);
    if (partition_.groups[group].kind == GroupKind::View) return;
    for (const FusionHint& hint : hints_) {
      const bool names = hint.a == move.name || hint.b == move.name;
      if (!hint.fuse || !names || !is_hinted(move, true)) continue;
      const bool written = std::any_of(move.inputs.begin(), move.inputs.end(), [&](ValueId input) {
        const NodeId producer = graph_.value(input).producer;
        const bool meant = producer >= 0 && (graph_.node(producer).name == hint.a ||
                                             graph_.node(producer).name == hint.b);
        return meant && views_.find(input) != nullptr;
      });
      if (written) continue;
      const bool reasons = remarks_ != nullptr && !remarks_->empty();
      throw Error(fmt::format("{}: '{}' and '{}' cannot be fused: '{}' cannot be a view{}",
                              hint.where, hint.a, hint.b, move.name,
                              reasons ? ": " + remarks_->back().text : ""));
    }
  }

  void try_reads(std::size_t group) {
    const Node& node = node_of(group);
    if (node.op == Op::Concat) return;
    Trial trial;
    place_reads(node, trial);
    (void)decide(group, GroupKind::View, trial);
  }

  /// Inputs of a concatenation, all or one by one, or that of a transpose, are written where they
  /// belong.
  void try_writes(std::size_t group) {
    const Node& node = node_of(group);
    if (partition_.groups[group].kind == GroupKind::View) return;
    if (node.op != Op::Concat && node.op != Op::Transpose) return;
    const std::vector<ViewCopy> copies = copies_of(graph_, node, views_);
    Trial all;
    for (const ViewCopy& copy : copies) place_written(node, copy, all);
    if (decide(group, GroupKind::View, all)) return;
    for (const ViewCopy& copy : copies) {
      Trial one;
      place_written(node, copy, one);
      (void)decide(group, GroupKind::Copy, one, node.inputs[static_cast<std::size_t>(copy.input)]);
    }
  }

  /// The input of a move that this is the copy of.
  void place_written(const Node& node, const ViewCopy& copy, Trial& trial) {
    const ValueId input = node.inputs[static_cast<std::size_t>(copy.input)];
    if (std::count(node.inputs.begin(), node.inputs.end(), input) != 1) {
      trial.refuse("it takes one input twice");
    }
    if (!trial.possible()) return;
    StridedView view{views_.base_of(node.outputs[0]), copy.out_offset, copy.out_stride};
    if (node.op == Op::Transpose) {
      std::vector<std::int64_t> perm = node.ints_of("perm");
      for (std::size_t i = perm.size(); i < view.stride.size(); ++i) {
        perm.push_back(static_cast<std::int64_t>(view.stride.size() - 1 - i));
      }
      for (std::size_t i = 0; i < perm.size(); ++i) {
        view.stride[static_cast<std::size_t>(perm[i])] = copy.out_stride[i];
      }
    }
    place_writes(input, std::move(view), trial);
  }

  /// Whoever makes the value makes it there.
  void place_writes(ValueId id, StridedView view, Trial& trial) {
    const NodeId producer = graph_.value(id).producer;
    if (producer < 0) return trial.refuse("an input of the graph lies where it is");
    if (views_.find(id) != nullptr) return trial.refuse("its input is a view already");
    const Node& node = graph_.node(producer);
    if (is_alias(node)) {
      const auto before = reshaped(view, shape_of(id), shape_of(node.inputs[0]));
      if (!before) return trial.refuse("no strides say what a reshape before it makes of it");
      place_writes(node.inputs[0], *before, trial);  // places `id` too
      return;
    }
    const GroupKind kind = kind_of(producer);
    if (kind != GroupKind::Vector && kind != GroupKind::Cube && kind != GroupKind::Copy) {
      return trial.refuse("its producer's kind of kernel stores densely");
    }
    trial.groups.insert(group_of_[static_cast<std::size_t>(producer)]);
    place(id, std::move(view), trial);
  }

  [[nodiscard]] std::optional<double> time_of(const Group& group) {
    switch (group.kind) {
      case GroupKind::View:
      case GroupKind::Alias:
        return 0;
      case GroupKind::Vector:
        return vector_time(group);
      case GroupKind::Cube:
        return cube_time(group);
      case GroupKind::Copy:
        return copies_time(group);
      case GroupKind::Chain:
        return chain_time(group);
      default:
        return unless_views(group);
    }
  }

  std::nullopt_t refuse(std::string why) {
    why_ = std::move(why);
    return std::nullopt;
  }

  /// No view changes the time of a kernel that none can be part of.
  [[nodiscard]] std::optional<double> unless_views(const Group& group) {
    if (!reads_views(group)) return 0;
    return refuse(fmt::format("a {} kernel beside it steps through no view", name_of(group.kind)));
  }

  /// Does the group read or make a value that lies in another's tensor?
  [[nodiscard]] bool reads_views(const Group& group) const {
    const auto is_view = [&](ValueId id) { return id != kNoValue && views_.find(id) != nullptr; };
    return std::any_of(group.nodes.begin(), group.nodes.end(), [&](NodeId id) {
      const Node& node = graph_.node(id);
      return std::any_of(node.inputs.begin(), node.inputs.end(), is_view) ||
             std::any_of(node.outputs.begin(), node.outputs.end(), is_view);
    });
  }

  [[nodiscard]] std::optional<double> vector_time(const Group& group) {
    auto lowered =
        lower(graph_, group.nodes, outputs_of(graph_, group, users_), &why_, nullptr, views_);
    if (!lowered) return std::nullopt;
    const std::optional<double> time = kernels_.of(std::move(lowered->kernel));
    if (!time) return refuse("a kernel beside it would not fit UB");
    return *time + launch_time(machine_);
  }

  [[nodiscard]] std::optional<double> chain_time(const Group& group) {
    const auto chain = chain_of(graph_, group, machine_, &why_, views_);
    if (!chain) return std::nullopt;
    return gain_of(chain->spec, machine_).together + launch_time(machine_);
  }

  [[nodiscard]] std::optional<double> copies_time(const Group& group) {
    const Node& node = graph_.node(group.nodes.front());
    if (!is_strided(node.op)) return unless_views(group);
    double time = launch_time(machine_);
    const DType dtype = graph_.value(node.outputs[0]).type.dtype;
    for (const ViewCopy& copy : copies_of(graph_, node, views_)) {
      const ValueId input = node.inputs[static_cast<std::size_t>(copy.input)];
      const ValueId output = node.outputs[static_cast<std::size_t>(copy.output)];
      if (views_.base_of(input) == views_.base_of(output) && is_in_place(copy)) continue;
      if (normalized(copy).dims.size() > kMostCopyDims) {
        return refuse("a copy beside it would have too many dimensions");
      }
      time += copy_time(copy, dtype, machine_, cores_);
    }
    return time;
  }

  [[nodiscard]] std::optional<double> cube_time(const Group& group) {
    const Node& node = graph_.node(group.nodes.front());
    if (node.op != Op::MatMul) return unless_views(group);
    const ValueId result = graph_.node(group.nodes.back()).outputs[0];
    if (group.nodes.size() == 1 || is_rectified(graph_, group)) {
      const auto product = product_of(graph_, node, views_, result);
      const auto dense = product_of(graph_, node, {});
      if (!product || product->launches.size() != dense->launches.size()) {
        return refuse("no pitch of a product's operand or result says where it lies");
      }
      return product_time(product->spec, views_.find(result) != nullptr);
    }
    const auto mix = mix_of(graph_, group, machine_, &why_, views_);
    if (!mix) return std::nullopt;
    if (auto why = mix_problem({mix->plan.spec, mix->rest.kernel}, machine_); !why.empty()) {
      return refuse(std::move(why));
    }
    return product_time(mix->plan.spec, false);
  }

  [[nodiscard]] std::optional<double> product_time(const MatmulSpec& spec, bool into_view) {
    if (machine_.step(spec.in).m == 0) return refuse("the cube does not multiply the type");
    const ProductTimes::Time& found = products_.of(spec);
    // The last of several launches would store densely.
    if (into_view && found.in_steps) return refuse("a product in steps of k stores densely");
    return found.cycles;
  }

  const Graph& graph_;
  Partition& partition_;
  const Machine& machine_;
  FusionHints hints_;
  std::vector<FoldRemark>* remarks_;
  std::string why_{};  // the last time could not be told
  std::vector<std::vector<NodeId>> users_;
  std::vector<std::size_t> group_of_;
  int cores_;
  Views views_{};
  KernelTimes kernels_;
  ProductTimes products_;
};

}  // namespace

Views fold_views(const Graph& graph, Partition& partition, const Machine& machine,
                 FusionHints hints, std::vector<FoldRemark>* remarks) {
  const auto& groups = partition.groups;
  const bool moves = std::any_of(groups.begin(), groups.end(), [&](const Group& group) {
    return kind_of_move(graph, group).has_value();
  });
  if (!moves) return {};
  return Folder(graph, partition, machine, hints, remarks).run();
}

std::vector<std::size_t> beside_moves(const Graph& graph, const Partition& partition) {
  std::vector<char> moved(graph.values.size(), 0);
  const auto mark = [&](const std::vector<ValueId>& values) {
    for (ValueId id : values) {
      if (id != kNoValue) moved[static_cast<std::size_t>(id)] = 1;
    }
  };
  const auto touches = [&](const std::vector<ValueId>& values) {
    return std::any_of(values.begin(), values.end(), [&](ValueId id) {
      return id != kNoValue && moved[static_cast<std::size_t>(id)] != 0;
    });
  };
  for (const Node& node : graph.nodes) {
    if (is_strided(node.op) || node.op == Op::Expand) {
      mark(node.inputs);
      mark(node.outputs);
    } else if (is_alias(node) && touches(node.inputs)) {
      mark(node.outputs);
    }
  }
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (is_alias(*node) && touches(node->outputs)) mark(node->inputs);
  }
  std::vector<std::size_t> groups;
  for (std::size_t i = 0; i < partition.groups.size(); ++i) {
    const auto& nodes = partition.groups[i].nodes;
    const bool beside = std::any_of(nodes.begin(), nodes.end(), [&](NodeId id) {
      return touches(graph.node(id).inputs) || touches(graph.node(id).outputs);
    });
    if (beside) groups.push_back(i);
  }
  return groups;
}

}  // namespace dvmsim
