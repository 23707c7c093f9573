#include "compiler/schedule/lower.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>

#include "compiler/schedule/expansion.h"
#include "compiler/schedule/lower_rules.h"
#include "vm/base/error.h"
#include "vm/base/half.h"

namespace dvmsim {
namespace {

using namespace lower_rules;
using isa::Order;

/// Which dimensions of the domain (bit 0: the innermost) a value has.
using Mask = std::uint32_t;

std::vector<std::int64_t> reduce_axes(const Node& node, std::int64_t rank) {
  std::vector<std::int64_t> axes = node.ints_of("axes");
  if (node.dims_of("axes") == nullptr) {
    for (std::int64_t i = 0; i < rank; ++i) axes.push_back(i);
  }
  for (std::int64_t& axis : axes) axis += axis < 0 ? rank : 0;
  return axes;
}

class Lowering {
 public:
  Lowering(const Graph& graph, std::span<const NodeId> nodes, std::span<const ValueId> outputs,
           const ProductFrame* frame)
      : graph_(graph), nodes_(nodes), outputs_(outputs), frame_(frame), widen_(frame != nullptr) {}

  std::optional<LoweredKernel> run(std::string* why);

 private:
  bool find_domain();
  bool merge_dimensions();
  bool frame_dimensions();
  bool place_reductions();
  void lower_node(const Node& node);
  void lower_binary(const Node& node, const BinaryRule& rule);
  bool lower_constant_power(const Node& node);
  void lower_integer_power(const Node& node);
  void lower_compare(const Node& node, const CompareRule& rule);
  void lower_reduce(const Node& node, const ReduceRule& rule);

  int new_value(DType dtype, Extent extent) {
    made_.kernel.values.push_back({dtype, extent});
    return static_cast<int>(made_.kernel.values.size()) - 1;
  }
  int emit(VOp op, DType dtype, int result, std::array<int, 3> sources, std::int32_t scalar = 0,
           int pick = 0);
  [[nodiscard]] StepWriter writer(DType dtype, Extent extent) {
    return {dtype, [this, extent](VOp op, DType of, DType to, std::array<int, 3> sources,
                                  int scalar, int pick) {
              return emit(op, of, new_value(to, extent), sources, scalar, pick);
            }};
  }
  /// The type a value of this type is computed in.
  [[nodiscard]] DType compute_type(DType dtype) const {
    return dtype == DType::BF16 || (dtype == DType::F16 && widen_) ? DType::F32 : dtype;
  }
  [[nodiscard]] DType type_of(ValueId id) const {
    return compute_type(graph_.value(id).type.dtype);
  }
  [[nodiscard]] Extent extent_of(Mask mask) const;
  [[nodiscard]] Mask mask_of(const std::vector<std::int64_t>& shape) const;
  [[nodiscard]] Mask mask_of(ValueId id) const { return mask_.at(id); }
  /// The kernel value of a graph value, loaded (and converted) the first time.
  int read(ValueId id);
  int load(ValueId id);
  void load_accumulators();
  /// The same spread out so that it can stand beside values of `extent`.
  int spread(int value, Extent extent);
  int read(ValueId id, Extent extent) { return spread(read(id), extent); }
  /// The immediate of a one-element constant in the compute type.
  [[nodiscard]] std::optional<std::int32_t> immediate(ValueId id) const;
  [[nodiscard]] KernelTensor tensor_of(ValueId id, int value, Mask mask) const;
  [[nodiscard]] bool repeats(const KernelTensor& tensor) const;

  const Graph& graph_;
  std::span<const NodeId> nodes_;
  std::span<const ValueId> outputs_;
  const ProductFrame* frame_;
  bool widen_;  // f16 is computed in f32
  LoweredKernel made_{};
  std::string why_{};
  std::string label_{};
  std::vector<std::int64_t> domain_{};              // outermost first, as broadcast
  std::vector<std::vector<std::size_t>> merged_{};  // kernel dim -> domain dims
  std::map<ValueId, Mask> mask_{};                  // over domain_ positions (bit i: dimension i)
  std::map<ValueId, std::vector<std::int64_t>> shape_{};  // aligned to the domain's rank
  std::map<ValueId, int> known_{};                        // graph value -> kernel value
  std::map<std::pair<int, Extent>, int> spread_{};
};

int Lowering::emit(VOp op, DType dtype, int result, std::array<int, 3> sources, std::int32_t scalar,
                   int pick) {
  const DTypeSet legal = isa::row_of(op).dtypes;
  if (dtype == DType::Bool && !contains(legal, dtype))
    dtype = DType::U8;  // 0 and 1 are the same bytes
  if (!contains(legal, dtype) && why_.empty()) {
    why_ = "the machine has no " + std::string(isa::row_of(op).mnemonic) + " of " +
           std::string(name_of(dtype));
  }
  made_.kernel.steps.push_back({op, dtype, result, sources, scalar, pick, label_});
  return result;
}

bool Lowering::find_domain() {
  std::size_t rank = 0;
  const auto see = [&](ValueId id, std::vector<std::int64_t> shape) {
    rank = std::max(rank, shape.size());
    shape_[id] = std::move(shape);
  };
  for (NodeId id : nodes_) {
    const Node& node = graph_.node(id);
    for (ValueId input : node.inputs) {
      if (input != kNoValue && !shape_.contains(input))
        see(input, known_shape(graph_.value(input)));
    }
    std::vector<std::int64_t> shape = known_shape(graph_.value(node.outputs[0]));
    if (find(kReduce, node.op) != nullptr) {
      // Inside the kernel reduced dimensions stay, with one element.
      shape = shape_.at(node.inputs[0]);
      const auto axes = reduce_axes(
          node, static_cast<std::int64_t>(known_shape(graph_.value(node.inputs[0])).size()));
      for (std::int64_t axis : axes) shape[static_cast<std::size_t>(axis)] = 1;
      widen_ = widen_ || is_float(graph_.value(node.inputs[0]).type.dtype);
    }
    see(node.outputs[0], std::move(shape));
  }
  domain_.assign(rank, 1);
  for (auto& [id, shape] : shape_) {
    shape.insert(shape.begin(), rank - shape.size(), 1);
    for (std::size_t i = 0; i < rank; ++i) {
      if (shape[i] == 1) continue;
      if (shape[i] == 0) return why_ = "it is empty", false;
      if (domain_[i] != 1 && domain_[i] != shape[i]) {
        return why_ = "its shapes have no common iteration domain", false;
      }
      domain_[i] = shape[i];
    }
  }
  for (const auto& [id, shape] : shape_) mask_[id] = mask_of(shape);
  return true;
}

Mask Lowering::mask_of(const std::vector<std::int64_t>& shape) const {
  Mask mask = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1) mask |= Mask{1} << i;
  }
  return mask;
}

bool Lowering::merge_dimensions() {
  if (domain_.size() > 31) return why_ = "it has more than 31 dimensions", false;
  for (std::size_t i = 0; i < domain_.size(); ++i) {
    if (domain_[i] == 1) continue;
    bool joins = !merged_.empty();
    if (joins) {
      const std::size_t before = merged_.back().back();
      for (const auto& [id, mask] : mask_) joins = joins && (mask >> i & 1) == (mask >> before & 1);
    }
    if (joins) {
      merged_.back().push_back(i);
    } else {
      merged_.push_back({i});
    }
  }
  while (merged_.size() < 2) merged_.insert(merged_.begin(), std::vector<std::size_t>{});
  for (const auto& dims : merged_) {
    std::int64_t size = 1;
    for (std::size_t i : dims) size *= domain_[i];
    made_.kernel.dims.push_back(size);
  }
  return true;
}

/// The dimensions are given: every value must treat those of each alike.
bool Lowering::frame_dimensions() {
  if (domain_ != shape_.at(frame_->product)) return why_ = "it is larger than the product", false;
  for (const auto& dims : frame_->dims) {
    std::vector<std::size_t> kept;
    std::int64_t size = 1;
    for (std::size_t i : dims) {
      if (domain_[i] == 1) continue;
      size *= domain_[i];
      for (const auto& [id, mask] : mask_) {
        if (!kept.empty() && (mask >> i & 1) != (mask >> kept.front() & 1)) {
          return why_ = "a tensor has only some of the dimensions that make the product's rows",
                 false;
        }
      }
      kept.push_back(i);
    }
    merged_.push_back(std::move(kept));
    made_.kernel.dims.push_back(size);
  }
  return true;
}

bool Lowering::place_reductions() {
  for (NodeId id : nodes_) {
    const Node& node = graph_.node(id);
    if (find(kReduce, node.op) == nullptr) continue;
    const Mask gone = mask_of(node.inputs[0]) & ~mask_of(node.outputs[0]);
    const auto reduces = [&](std::size_t dim) {
      return !merged_[dim].empty() && (gone >> merged_[dim].front() & 1) != 0;
    };
    const std::size_t last = merged_.size() - 1;
    int count = 0;
    for (std::size_t dim = 0; dim < merged_.size(); ++dim) count += reduces(dim) ? 1 : 0;
    if (count > 1) return why_ = "it reduces over dimensions that are apart", false;
    if (count == 1 && !reduces(last) && !reduces(last - 1)) {
      return why_ = "it reduces over an outer dimension", false;
    }
    made_.kernel.whole_columns |= reduces(last);
    made_.kernel.whole_rows |= reduces(last - 1);
  }
  return true;
}

Extent Lowering::extent_of(Mask mask) const {
  const auto has = [&](std::size_t dim) {
    return !merged_[dim].empty() && (mask >> merged_[dim].front() & 1) != 0;
  };
  const std::size_t last = merged_.size() - 1;
  const bool one_row = made_.kernel.rows() == 1;
  if (has(last)) return one_row || has(last - 1) ? Extent::Full : Extent::Row;
  return !one_row && has(last - 1) ? Extent::Column : Extent::Scalar;
}

KernelTensor Lowering::tensor_of(ValueId id, int value, Mask mask) const {
  KernelTensor tensor{value, std::vector<std::int64_t>(merged_.size(), 0), graph_.value(id).name};
  std::int64_t stride = 1;
  for (std::size_t dim = merged_.size(); dim-- > 0;) {
    if (merged_[dim].empty() || (mask >> merged_[dim].front() & 1) == 0) continue;
    tensor.stride[dim] = stride;
    stride *= made_.kernel.dims[dim];
  }
  return tensor;
}

/// Would several tiles store it?
bool Lowering::repeats(const KernelTensor& tensor) const {
  const VectorKernel& kernel = made_.kernel;
  for (std::size_t dim = 0; dim < kernel.dims.size(); ++dim) {
    const bool whole = (dim + 1 == kernel.dims.size() && kernel.whole_columns) ||
                       (dim + 2 == kernel.dims.size() && kernel.whole_rows);
    if (tensor.stride[dim] == 0 && kernel.dims[dim] != 1 && !whole) return true;
  }
  return false;
}

int Lowering::load(ValueId id) {
  const DType dtype = graph_.value(id).type.dtype;
  const Mask mask = mask_of(id);
  const int value = new_value(dtype, extent_of(mask));
  made_.kernel.inputs.push_back(tensor_of(id, value, mask));
  made_.inputs.push_back(id);
  if (compute_type(dtype) == dtype) return value;
  return emit(VOp::vcvt, dtype, new_value(compute_type(dtype), extent_of(mask)), {value, -1, -1});
}

void Lowering::load_accumulators() {
  const Mask mask = mask_of(frame_->product);
  int value = new_value(frame_->accumulator, extent_of(mask));
  made_.kernel.inputs.push_back(tensor_of(frame_->product, value, mask));
  made_.inputs.push_back(frame_->product);
  const DType wanted = type_of(frame_->product);
  if (wanted != frame_->accumulator) {
    value =
        emit(VOp::vcvt, frame_->accumulator, new_value(wanted, extent_of(mask)), {value, -1, -1});
  }
  known_[frame_->product] = value;
}

int Lowering::read(ValueId id) {
  const auto found = known_.find(id);
  if (found != known_.end()) return found->second;
  return known_[id] = load(id);
}

int Lowering::spread(int value, Extent extent) {
  const KernelValue from = made_.kernel.values[static_cast<std::size_t>(value)];
  if (from.extent == extent || extent == Extent::Scalar) return value;
  if (extent == Extent::Full && from.extent == Extent::Row)
    return value;  // rows repeat by stride 0
  Extent target = extent;
  if (extent == Extent::Full && from.extent == Extent::Scalar && made_.kernel.rows() != 1) {
    target = Extent::Row;
  }
  const auto key = std::pair{value, target};
  const auto found = spread_.find(key);
  if (found != spread_.end()) return found->second;
  const int result = new_value(from.dtype, target);
  made_.kernel.values[static_cast<std::size_t>(result)].uniform = target == Extent::Full;
  return spread_[key] = emit(VOp::vbrc, from.dtype, result, {value, -1, -1});
}

std::optional<std::int32_t> Lowering::immediate(ValueId id) const {
  const Value& value = graph_.value(id);
  if (value.kind != ValueKind::Constant || known_.contains(id)) return std::nullopt;
  if (element_count(known_shape(value)) != 1) return std::nullopt;
  const Tensor tensor = constant_tensor(value);
  if (is_float(tensor.dtype())) return std::bit_cast<std::int32_t>(tensor.floats()[0]);
  const std::int64_t number = tensor.ints()[0];
  if (number != static_cast<std::int32_t>(number)) return std::nullopt;
  return static_cast<std::int32_t>(number);
}

void Lowering::lower_binary(const Node& node, const BinaryRule& rule) {
  const ValueId result = node.outputs[0];
  const Extent extent = extent_of(mask_of(result));
  const DType dtype = type_of(node.inputs[0]);
  const auto right = immediate(node.inputs[1]), left = immediate(node.inputs[0]);
  const auto with_scalar = [&](VOp op, ValueId tensor, std::int32_t scalar) {
    known_[result] =
        emit(op, dtype, new_value(dtype, extent), {read(tensor, extent), -1, -1}, scalar);
  };
  if (right && rule.op == Op::Sub && *right != std::numeric_limits<std::int32_t>::min()) {
    const bool real = is_float(dtype);
    const std::int32_t negated =
        real ? std::bit_cast<std::int32_t>(-std::bit_cast<float>(*right)) : -*right;
    return with_scalar(VOp::vadds, node.inputs[0], negated);
  }
  if (rule.op == Op::Pow) {
    if (!is_float(dtype)) return lower_integer_power(node);
    if (right && lower_constant_power(node)) return;
  }
  if (right && rule.right != VOp::halt) return with_scalar(rule.right, node.inputs[0], *right);
  if (left && rule.left != VOp::halt) return with_scalar(rule.left, node.inputs[1], *left);
  const int a = read(node.inputs[0], extent);
  const Extent divisor = extent_of(mask_of(node.inputs[1]));
  if (rule.op == Op::Div && is_float(dtype) && extent == Extent::Full &&
      (divisor == Extent::Column || divisor == Extent::Scalar)) {
    // One division a row, and a product for each element: four times the rate.
    const int inverse = emit(VOp::vsdiv, dtype, new_value(dtype, divisor),
                             {read(node.inputs[1]), -1, -1}, std::bit_cast<std::int32_t>(1.0F));
    known_[result] =
        emit(VOp::vmul, dtype, new_value(dtype, extent), {a, spread(inverse, extent), -1});
    return;
  }
  int b = read(node.inputs[1], extent);
  const KernelValue exponent = made_.kernel.values[static_cast<std::size_t>(b)];
  if (exponent.dtype != dtype) {  // pow's exponent may have a type of its own
    b = emit(VOp::vcvt, exponent.dtype, new_value(dtype, exponent.extent), {b, -1, -1});
  }
  const bool floored = rule.op == Op::Mod && node.int_of("fmod") == 0;
  known_[result] = floored ? floored_remainder(writer(dtype, extent), a, b)
                           : emit(rule.inst, dtype, new_value(dtype, extent), {a, b, -1});
}

/// x^2 and x^0.5.
bool Lowering::lower_constant_power(const Node& node) {
  const bool whole = !is_float(graph_.value(node.inputs[1]).type.dtype);
  const std::int32_t bits = *immediate(node.inputs[1]);
  const float power = whole ? static_cast<float>(bits) : std::bit_cast<float>(bits);
  if (power != 2.0F && power != 0.5F) return false;
  const Extent extent = extent_of(mask_of(node.outputs[0]));
  const int base = read(node.inputs[0], extent);
  const StepWriter steps = writer(type_of(node.inputs[0]), extent);
  known_[node.outputs[0]] =
      power == 2.0F ? steps.binary(VOp::vmul, base, base) : steps.unary(VOp::vsqrt, base);
  return true;
}

void Lowering::lower_integer_power(const Node& node) {
  const Extent extent = extent_of(mask_of(node.outputs[0]));
  const DType dtype = type_of(node.inputs[0]), other = type_of(node.inputs[1]);
  const auto as = [&](int value, DType from, DType to) {
    return from == to ? value : emit(VOp::vcvt, from, new_value(to, extent), {value, -1, -1});
  };
  const int base = read(node.inputs[0], extent), exponent = read(node.inputs[1], extent);
  if (!is_float(other)) {
    known_[node.outputs[0]] =
        integer_power(writer(dtype, extent), base, as(exponent, other, dtype));
    return;
  }
  const int power =
      writer(DType::F32, extent)
          .binary(VOp::vpow, as(base, dtype, DType::F32), as(exponent, other, DType::F32));
  known_[node.outputs[0]] = as(power, DType::F32, dtype);
}

void Lowering::lower_compare(const Node& node, const CompareRule& rule) {
  const ValueId result = node.outputs[0];
  const Extent extent = extent_of(mask_of(result));
  const DType dtype = type_of(node.inputs[0]);
  const auto right = immediate(node.inputs[1]), left = immediate(node.inputs[0]);
  const int to = new_value(DType::Bool, extent);
  if (right || left) {
    const int tensor = read(node.inputs[right ? 0 : 1], extent);
    known_[result] = emit(VOp::vcmps, dtype, to, {tensor, -1, -1}, right ? *right : *left,
                          static_cast<int>(right ? rule.order : rule.mirrored));
    return;
  }
  const int a = read(node.inputs[0], extent), b = read(node.inputs[1], extent);
  known_[result] = emit(VOp::vcmp, dtype, to, {a, b, -1}, 0, static_cast<int>(rule.order));
}

void Lowering::lower_reduce(const Node& node, const ReduceRule& rule) {
  const ValueId result = node.outputs[0];
  const DType dtype = type_of(node.inputs[0]);
  const Mask gone = mask_of(node.inputs[0]) & ~mask_of(result);
  const int source = read(node.inputs[0]);
  if (gone == 0) {  // every reduced dimension has one element
    known_[result] = source;
    return;
  }
  const bool over_columns = !merged_.back().empty() && (gone >> merged_.back().front() & 1) != 0;
  // A column is packed: its rows lie side by side.
  const bool packed =
      made_.kernel.values[static_cast<std::size_t>(source)].extent == Extent::Column;
  known_[result] = emit(over_columns || packed ? VOp::vredx : VOp::vredy, dtype,
                        new_value(dtype, extent_of(mask_of(result))), {source, -1, -1}, 0,
                        static_cast<int>(rule.how));
}

void Lowering::lower_node(const Node& node) {
  label_ = node.name.empty() ? std::string(name_of(node.op)) : node.name;
  const ValueId result = node.outputs[0];
  const Extent extent = extent_of(mask_of(result));
  if (const auto* rule = find(kBinary, node.op)) return lower_binary(node, *rule);
  if (const auto* rule = find(kCompare, node.op)) return lower_compare(node, *rule);
  if (const auto* rule = find(kReduce, node.op)) return lower_reduce(node, *rule);
  if (node.op == Op::Select) {
    const DType dtype = type_of(node.inputs[1]);
    const int mask = read(node.inputs[0], extent), a = read(node.inputs[1], extent),
              b = read(node.inputs[2], extent);
    known_[result] = emit(VOp::vsel, dtype, new_value(dtype, extent), {mask, a, b});
    return;
  }
  const int source = read(node.inputs[0], extent);
  const DType dtype = type_of(node.inputs[0]);
  if (node.op == Op::IsNan) {
    known_[result] = emit(VOp::vcmp, dtype, new_value(DType::Bool, extent), {source, source, -1}, 0,
                          static_cast<int>(Order::Ne));
    return;
  }
  const UnaryRule* rule = find(kUnary, node.op);
  DVMSIM_ASSERT(rule != nullptr, "a vector node has a lowering rule");
  const DType target = type_of(result);
  const bool same = rule->inst == VOp::vcvt && target == dtype;
  known_[result] =
      emit(same ? VOp::vcopy : rule->inst, dtype, new_value(target, extent), {source, -1, -1});
}

std::optional<LoweredKernel> Lowering::run(std::string* why) {
  const bool good = find_domain() &&
                    (frame_ != nullptr ? frame_dimensions() : merge_dimensions()) &&
                    place_reductions();
  if (!good) {
    if (why != nullptr) *why = why_;
    return std::nullopt;
  }
  if (frame_ != nullptr) load_accumulators();
  for (NodeId id : nodes_) lower_node(graph_.node(id));
  for (ValueId id : outputs_) {
    int value = known_.at(id);
    const KernelValue computed = made_.kernel.values[static_cast<std::size_t>(value)];
    const DType stored = graph_.value(id).type.dtype;
    // A buffer of its own for what is stored: not an input's, not another output's, of the stored
    // type.
    const auto taken = [&](const std::vector<KernelTensor>& tensors) {
      return std::any_of(tensors.begin(), tensors.end(),
                         [&](const KernelTensor& tensor) { return tensor.value == value; });
    };
    label_ = "store";
    if (computed.dtype != stored) {
      value = emit(VOp::vcvt, computed.dtype, new_value(stored, computed.extent), {value, -1, -1});
    } else if (taken(made_.kernel.inputs) || taken(made_.kernel.outputs)) {
      value = emit(VOp::vcopy, stored, new_value(stored, computed.extent), {value, -1, -1});
    }
    made_.kernel.outputs.push_back(tensor_of(id, value, mask_of(id)));
    if (repeats(made_.kernel.outputs.back()))
      why_ = "a result is smaller than what is iterated over";
    made_.outputs.push_back(id);
  }
  if (!why_.empty()) {
    if (why != nullptr) *why = why_;
    return std::nullopt;
  }
  return std::move(made_);
}

}  // namespace

std::vector<std::int64_t> known_shape(const Value& value) {
  DVMSIM_ASSERT(value.type.shape.has_value(), "shapes are deduced before lowering");
  std::vector<std::int64_t> shape;
  for (const Dim& dim : *value.type.shape) shape.push_back(dim.value());
  return shape;
}

bool is_vector_node(const Node& node) {
  return find(kUnary, node.op) != nullptr || find(kBinary, node.op) != nullptr ||
         find(kCompare, node.op) != nullptr || find(kReduce, node.op) != nullptr ||
         node.op == Op::Select || node.op == Op::IsNan;
}

std::optional<LoweredKernel> lower(const Graph& graph, std::span<const NodeId> nodes,
                                   std::span<const ValueId> outputs, std::string* why,
                                   const ProductFrame* frame) {
  return Lowering(graph, nodes, outputs, frame).run(why);
}

}  // namespace dvmsim
