#include "cli/peers/loop_kernel.h"

#include <algorithm>

namespace dvmsim {
namespace {

using Reach = LoopKernel::Reach;

bool is_reduction(Op op) {
  return op == Op::ReduceSum || op == Op::ReduceMax || op == Op::ReduceMin;
}

bool is_elementwise(Op op) {
  switch (op) {
    case Op::Add:
    case Op::Sub:
    case Op::Mul:
    case Op::Div:
    case Op::Max:
    case Op::Min:
    case Op::Neg:
    case Op::Abs:
    case Op::Exp:
    case Op::Log:
    case Op::Sqrt:
    case Op::Rsqrt:
    case Op::Reciprocal:
    case Op::Tanh:
    case Op::Erf:
    case Op::Relu:
    case Op::Sigmoid:
      return true;
    default:
      return false;
  }
}

/// What is known of a value while the kernel is built.
struct Known {
  std::optional<Reach> reach{};  // none: a number
  std::size_t nest = 0;          // the first in which it can be had
  ValueId alias = kNoValue;      // it is that value, in another shape
};

class Splitter {
 public:
  explicit Splitter(const Graph& graph) : graph_(graph), known_(graph.values.size()) {}

  std::optional<LoopKernel> run();

 private:
  [[nodiscard]] Known& known(ValueId id) { return known_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] ValueId real(ValueId id) {
    return known(id).alias == kNoValue ? id : known(id).alias;
  }
  [[nodiscard]] bool per_row(ValueId id) { return known(id).reach == Reach::Row; }
  [[nodiscard]] std::vector<std::int64_t> shape_of(ValueId id) const;
  bool find_space();
  [[nodiscard]] std::optional<Reach> reach_of(ValueId id) const;
  bool take_values();
  bool take_node(const Node& node);
  bool take_reduction(const Node& node);
  void fill_nests();
  void fill_nest(std::size_t index);
  void need(ValueId id, std::vector<bool>& needed);

  const Graph& graph_;
  std::vector<Known> known_;
  std::vector<std::int64_t> space_{};  // the shape of the whole
  LoopKernel kernel_{};
  std::vector<LoopKernel::Step> steps_{};
  std::vector<LoopKernel::Reduction> reductions_{};
  std::size_t inputs_ = 0;  // arrays that are
};

std::vector<std::int64_t> Splitter::shape_of(ValueId id) const {
  std::vector<std::int64_t> shape;
  for (const Dim& dim : *graph_.value(id).type.shape) shape.push_back(dim.value());
  return shape;
}

/// The largest shape is the whole.
bool Splitter::find_space() {
  std::int64_t most = 0;
  for (ValueId id = 0; id < static_cast<ValueId>(graph_.values.size()); ++id) {
    const std::int64_t count = element_count(shape_of(id));
    if (count <= most) continue;
    most = count;
    space_ = shape_of(id);
  }
  if (space_.empty() || most == 0) return false;
  kernel_.columns = space_.back();
  kernel_.rows = most / kernel_.columns;
  return kernel_.rows > 1 && kernel_.columns > 1;  // else rows and columns are not told apart
}

std::optional<Reach> Splitter::reach_of(ValueId id) const {
  std::vector<std::int64_t> shape = shape_of(id);
  if (shape == space_) return Reach::Whole;
  const std::int64_t count = element_count(shape);
  if (count == kernel_.columns && shape.back() == kernel_.columns) return Reach::Column;
  // With or without the axis that was reduced.
  if (shape.size() == space_.size() && shape.back() == 1) shape.pop_back();
  const bool leads =
      shape.size() + 1 == space_.size() && std::equal(shape.begin(), shape.end(), space_.begin());
  return leads && count == kernel_.rows ? std::optional(Reach::Row) : std::nullopt;
}

bool Splitter::take_values() {
  for (ValueId id = 0; id < static_cast<ValueId>(graph_.values.size()); ++id) {
    const Value& value = graph_.value(id);
    if (value.type.dtype != DType::F32) return false;
    if (value.kind == ValueKind::Constant) {
      if (!element_count(*value.type.shape).is(1)) return false;
      kernel_.numbers.push_back({id, constant_tensor(value).floats()[0]});
      continue;
    }
    known(id).reach = reach_of(id);
    if (!known(id).reach) return false;
    if (value.kind == ValueKind::Input) kernel_.arrays.push_back({id, *known(id).reach});
  }
  inputs_ = kernel_.arrays.size();
  for (ValueId id : graph_.outputs) kernel_.arrays.push_back({id, *known(id).reach});
  return kernel_.arrays.size() <= LoopKernel::kMostArrays;
}

bool Splitter::take_reduction(const Node& node) {
  const auto rank = static_cast<std::int64_t>(space_.size());
  const std::vector<std::int64_t> axes = node.ints_of("axes");
  const ValueId from = real(node.inputs[0]);
  const bool last = axes.size() == 1 && (axes[0] == rank - 1 || axes[0] == -1);
  if (!last || known(from).reach != Reach::Whole) return false;
  known(node.outputs[0]).nest = known(from).nest + 1;
  reductions_.push_back({node.op, from, node.outputs[0]});
  return true;
}

bool Splitter::take_node(const Node& node) {
  if (is_reduction(node.op)) return take_reduction(node);
  const ValueId result = node.outputs[0];
  const bool same = node.op == Op::Identity || node.op == Op::Reshape || node.op == Op::Cast;
  if (same) {
    known(result).alias = real(node.inputs[0]);
    return known(result).reach == known(node.inputs[0]).reach;
  }
  if (!is_elementwise(node.op)) return false;
  LoopKernel::Step step{node.op, real(node.inputs[0]), kNoValue, result};
  if (node.inputs.size() > 1) step.b = real(node.inputs[1]);
  known(result).nest = known(step.a).nest;
  if (step.b != kNoValue) known(result).nest = std::max(known(result).nest, known(step.b).nest);
  steps_.push_back(step);
  return true;
}

/// Marks the value and, inside the loop, what it is computed from.
void Splitter::need(ValueId id, std::vector<bool>& needed) {
  needed[static_cast<std::size_t>(id)] = true;
  if (per_row(id)) return;
  for (const LoopKernel::Step& step : steps_) {
    if (step.result != id) continue;
    need(step.a, needed);
    if (step.b != kNoValue) need(step.b, needed);
  }
}

void Splitter::fill_nest(std::size_t index) {
  LoopKernel::Nest& nest = kernel_.nests[index];
  std::vector<bool> needed(graph_.values.size(), false);
  for (const LoopKernel::Reduction& reduction : reductions_) {
    if (known(reduction.from).nest != index) continue;
    nest.reductions.push_back(reduction);
    need(reduction.from, needed);
  }
  for (std::size_t i = inputs_; i < kernel_.arrays.size(); ++i) {
    const ValueId from = real(kernel_.arrays[i].value);
    if (per_row(from) || known(from).nest != index) continue;
    nest.stores.push_back({i, from});
    need(from, needed);
  }
  for (std::size_t i = 0; i < inputs_; ++i) {
    const auto& [value, reach] = kernel_.arrays[i];
    if (reach == Reach::Row) {
      if (index == 0) nest.row_loads.push_back({i, value});
    } else if (needed[static_cast<std::size_t>(value)]) {
      nest.loads.push_back({i, value});
    }
  }
  for (const LoopKernel::Step& step : steps_) {
    if (per_row(step.result)) {
      if (known(step.result).nest == index) nest.row_steps.push_back(step);
    } else if (needed[static_cast<std::size_t>(step.result)]) {
      nest.steps.push_back(step);
    }
  }
}

void Splitter::fill_nests() {
  std::size_t count = 0;  // loops: until everything reduced, and everything stored
  for (const LoopKernel::Reduction& each : reductions_) {
    count = std::max(count, known(each.from).nest + 1);
  }
  for (std::size_t i = inputs_; i < kernel_.arrays.size(); ++i) {
    const ValueId from = real(kernel_.arrays[i].value);
    if (!per_row(from)) count = std::max(count, known(from).nest + 1);
  }
  kernel_.nests.resize(count);
  for (std::size_t i = 0; i < count; ++i) fill_nest(i);
  for (const LoopKernel::Step& step : steps_) {
    if (per_row(step.result) && known(step.result).nest >= count) {
      kernel_.last_steps.push_back(step);
    }
  }
  for (std::size_t i = inputs_; i < kernel_.arrays.size(); ++i) {
    const ValueId from = real(kernel_.arrays[i].value);
    if (per_row(from)) kernel_.row_stores.push_back({i, from});
  }
}

std::optional<LoopKernel> Splitter::run() {
  if (!find_space() || !take_values()) return std::nullopt;
  for (const Node& node : graph_.nodes) {
    if (!take_node(node)) return std::nullopt;
  }
  fill_nests();
  return std::move(kernel_);
}

}  // namespace

std::optional<LoopKernel> loop_kernel(const Graph& graph) {
  return Splitter(graph).run();
}

}  // namespace dvmsim
