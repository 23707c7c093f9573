// A reduction along a last axis of a few elements whose input is computed from smaller values by
// broadcasting, as overlaps of boxes and distances of points are: rows of two or three elements
// would waste most of each vector instruction. What is short is taken apart while it is small, and
// the reduction becomes elementwise work on its elements.
#include <algorithm>
#include <map>
#include <set>

#include "compiler/pass/pass.h"
#include "compiler/pass/rewrite.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kLongest = 8;    // elements of a short axis: half a block of 16-bit ones
constexpr std::int64_t kExpansion = 8;  // times that broadcasting repeats what is taken apart
constexpr std::size_t kMostNodes = 64;  // that take the place of one reduction

/// A reduction and the elementwise nodes on shapes as large as its input's that lead to it alone.
struct Cone {
  std::int64_t length = 0;      // of the short axis
  std::vector<NodeId> nodes{};  // in order; without the reduction
};

class ShortAxes {
 public:
  explicit ShortAxes(const Graph& graph) : rewrite_(graph), users_(users_of(graph)) {
    for (const ValueId output : graph.outputs) is_output_.insert(output);
    for (std::size_t id = graph.nodes.size(); id-- > 0;) find(graph, static_cast<NodeId>(id));
  }

  Graph run() {
    const std::vector<Node>& nodes = rewrite_.nodes();
    for (std::size_t id = 0; id < nodes.size(); ++id) {
      const auto cone = cones_.find(static_cast<NodeId>(id));
      if (cone != cones_.end()) {
        take_apart(nodes[id], cone->second);
      } else if (!gone_.contains(static_cast<NodeId>(id))) {
        rewrite_.keep(nodes[id]);
      }
    }
    return rewrite_.done();
  }

 private:
  void find(const Graph& graph, NodeId id) {
    const Node& node = graph.node(id);
    if (!join_of_reduction(node.op) || node.dims_of("axes") == nullptr) return;
    const Dims& shape = *graph.value(node.inputs[0]).type.shape;
    const std::vector<std::int64_t> axes = node.ints_of("axes");
    const std::int64_t rank = std::ssize(shape);
    if (axes.size() != 1 || rank < 2 || (axes[0] != rank - 1 && axes[0] != -1)) return;
    const Dim& last = shape.back();
    if (!last.is_known() || last.value() < 2 || last.value() > kLongest) return;
    Cone cone = cone_of(graph, id, shape);
    cone.length = last.value();
    const std::size_t made = (cone.nodes.size() + 3) * static_cast<std::size_t>(cone.length);
    if (cone.nodes.empty() || made > kMostNodes || !is_expanded(graph, cone, shape)) return;
    gone_.insert(cone.nodes.begin(), cone.nodes.end());
    cones_.emplace(id, std::move(cone));
  }

  [[nodiscard]] Cone cone_of(const Graph& graph, NodeId reduction, const Dims& shape) const {
    std::set<NodeId> inside = {reduction};
    for (NodeId id = reduction; id-- > 0;) {
      const Node& node = graph.node(id);
      if (info_of(node.op).pattern != Pattern::Elementwise) continue;
      const ValueId made = node.outputs[0];
      const auto& users = users_[static_cast<std::size_t>(made)];
      const bool leads_here = !users.empty() && !is_output_.contains(made) &&
                              std::all_of(users.begin(), users.end(),
                                          [&](NodeId user) { return inside.contains(user); });
      if (leads_here && *graph.value(made).type.shape == shape) inside.insert(id);
    }
    inside.erase(reduction);
    Cone cone;
    cone.nodes.assign(inside.begin(), inside.end());
    return cone;
  }

  /// Is all that the cone reads along the short axis repeated by it?
  [[nodiscard]] bool is_expanded(const Graph& graph, const Cone& cone, const Dims& shape) const {
    const std::set<NodeId> inside(cone.nodes.begin(), cone.nodes.end());
    for (const NodeId id : cone.nodes) {
      for (const ValueId input : graph.node(id).inputs) {
        const Value& value = graph.value(input);
        if (inside.contains(value.producer) || !has_short_axis(value)) continue;
        if (!is_expanded(*value.type.shape, shape)) return false;
      }
    }
    return true;
  }
  static bool has_short_axis(const Value& value) {
    const Dims& shape = *value.type.shape;
    return !shape.empty() && !shape.back().is(1);
  }
  /// A symbol is taken for a large number: what is wrong for a small one is slower, not wrong.
  static bool is_expanded(const Dims& small, const Dims& large) {
    const std::size_t added = large.size() - small.size();
    std::int64_t times = 1;
    for (std::size_t i = 0; i + 1 < large.size() && times < kExpansion; ++i) {
      const bool repeats = i < added || small[i - added].is(1);
      if (repeats) times *= large[i].is_known() ? large[i].value() : kExpansion;
    }
    return times >= kExpansion;
  }

  void take_apart(const Node& reduction, const Cone& cone) {
    const DType dtype = type_of(reduction.inputs[0]).dtype;
    // More than one rounding to a half type would show.
    const bool widens = (reduction.op == Op::ReduceSum || reduction.op == Op::ReduceProd) &&
                        (dtype == DType::F16 || dtype == DType::BF16) && cone.length > 2;
    const DType wide = widens ? DType::F32 : dtype;
    const std::string& name = reduction.name;
    ValueId joined = kNoValue;
    for (std::int64_t i = 0; i < cone.length; ++i) {
      ValueId element = element_of(reduction.inputs[0], cone, i);
      const Dims shape = *type_of(element).shape;
      if (widens) element = rewrite_.make(wide, shape, Op::Cast, {element}, {{"to", wide}}, name);
      joined = i == 0 ? element
                      : rewrite_.make(wide, shape, *join_of_reduction(reduction.op),
                                      {joined, element}, {}, name);
    }
    if (widens) {
      const Dims shape = *type_of(joined).shape;
      joined = rewrite_.make(dtype, shape, Op::Cast, {joined}, {{"to", dtype}}, name);
    }
    const Dims wanted = *type_of(reduction.outputs[0]).shape;
    if (wanted == *type_of(joined).shape) {
      rewrite_.rename_last(reduction.outputs[0]);
    } else {
      rewrite_.make(reduction.outputs[0], Op::Reshape, {joined}, {{"shape", wanted}}, name);
    }
  }

  /// The cone's result for element `i` of the short axis, which has one element then.
  ValueId element_of(ValueId result, const Cone& cone, std::int64_t i) {
    std::map<ValueId, ValueId> made;
    for (const NodeId id : cone.nodes) {
      const Node& node = rewrite_.nodes()[static_cast<std::size_t>(id)];
      std::vector<ValueId> inputs;
      for (const ValueId input : node.inputs) {
        const auto inside = made.find(input);
        inputs.push_back(inside != made.end() ? inside->second : part(input, i, node.name));
      }
      Dims shape = *type_of(node.outputs[0]).shape;
      shape.back() = 1;
      made[node.outputs[0]] = rewrite_.make(type_of(node.outputs[0]).dtype, shape, node.op,
                                            std::move(inputs), node.attributes, node.name);
    }
    return made.at(result);
  }

  /// Element `i` along the last axis of what is read, if it has more than one: a row of the value
  /// with its last axis first.
  ValueId part(ValueId id, std::int64_t i, const std::string& name) {
    if (!has_short_axis(rewrite_.graph().value(id))) return id;
    const auto [known, is_new] = turned_.try_emplace(id, id);
    if (is_new && type_of(id).shape->size() > 1) known->second = turned(id, name);
    const ValueId rows = known->second;
    const DType dtype = type_of(id).dtype;
    Dims shape = *type_of(rows).shape;
    shape.front() = 1;
    const ValueId row = rewrite_.make(
        dtype, shape, Op::Slice, {rows},
        {{"starts", Dims{i}}, {"ends", Dims{i + 1}}, {"axes", Dims{0}}, {"steps", Dims{1}}}, name);
    Dims wanted = *type_of(id).shape;
    wanted.back() = 1;
    if (wanted == shape) return row;
    return rewrite_.make(dtype, wanted, Op::Reshape, {row}, {{"shape", wanted}}, name);
  }

  ValueId turned(ValueId id, const std::string& name) {
    const Dims& shape = *type_of(id).shape;
    const std::int64_t rank = std::ssize(shape);
    Dims perm = {rank - 1}, moved = {shape.back()};
    for (std::int64_t axis = 0; axis + 1 < rank; ++axis) {
      perm.emplace_back(axis);
      moved.push_back(shape[static_cast<std::size_t>(axis)]);
    }
    return rewrite_.make(type_of(id).dtype, moved, Op::Transpose, {id}, {{"perm", perm}}, name);
  }

  [[nodiscard]] const ValueType& type_of(ValueId id) { return rewrite_.graph().value(id).type; }

  Rewrite rewrite_;
  std::vector<std::vector<NodeId>> users_;
  std::set<ValueId> is_output_{};
  std::map<NodeId, Cone> cones_{};  // by reduction
  std::set<NodeId> gone_{};         // nodes of cones
  std::map<ValueId, ValueId> turned_{};
};

}  // namespace

Graph short_axes(const Graph& graph, const PassContext&) {
  return ShortAxes(graph).run();
}

}  // namespace dvmsim
