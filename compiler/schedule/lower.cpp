#include "compiler/schedule/lower.h"

#include <algorithm>

#include "compiler/schedule/lowering.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using namespace lower_rules;

constexpr std::size_t kMostDims = 8;  // each takes scalar registers

std::vector<std::int64_t> reduce_axes(const Node& node, std::int64_t rank) {
  std::vector<std::int64_t> axes = node.ints_of("axes");
  if (node.dims_of("axes") == nullptr) {
    for (std::int64_t i = 0; i < rank; ++i) axes.push_back(i);
  }
  for (std::int64_t& axis : axes) axis += axis < 0 ? rank : 0;
  return axes;
}

}  // namespace

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
  for (NodeId id : nodes_) {
    const Node& node = graph_.node(id);
    if (node.op != Op::CumSum) continue;
    const auto own = static_cast<std::int64_t>(known_shape(graph_.value(node.inputs[0])).size());
    const std::int64_t axis = node.int_of("axis") + (node.int_of("axis") < 0 ? own : 0);
    scanned_[id] = rank - static_cast<std::size_t>(own - axis);
  }
  domain_.assign(rank, 1);
  sources_.assign(rank, {});
  for (auto& [id, shape] : shape_) {
    const std::size_t lead = rank - shape.size();
    shape.insert(shape.begin(), lead, 1);
    for (std::size_t i = 0; i < rank; ++i) {
      if (shape[i] == 1) continue;
      if (i >= lead && known_size(id, i - lead) == shape[i]) sources_[i] = {id, i - lead};
      if (shape[i] == 0) return why_ = "it is empty", false;
      if (domain_[i] != 1 && domain_[i] != shape[i]) {
        return why_ = "its shapes have no common iteration domain", false;
      }
      domain_[i] = shape[i];
    }
  }
  for (const auto& [id, shape] : shape_) mask_[id] = mask_of(shape);
  if (!views_.empty()) find_views();
  return true;
}

/// Of what is loaded or stored; other values of the group have no place. If dimensions may change
/// places, of every value.
void Lowering::find_views() {
  for (const auto& [id, shape] : shape_) {
    if (views_.find(id) == nullptr && !reorders_) continue;
    const StridedView view = views_.place_of(graph_, id);
    std::vector<std::int64_t> stride(domain_.size() - view.stride.size(), 0);
    stride.insert(stride.end(), view.stride.begin(), view.stride.end());
    view_stride_[id] = std::move(stride);
  }
}

void Lowering::put_longest_last_but_one() {
  const std::size_t last = merged_.size() - 1;
  for (NodeId id : nodes_) {
    const Node& node = graph_.node(id);
    Mask gone = mask_of(node.inputs[0]) & ~mask_of(node.outputs[0]);
    for (std::size_t i : merged_[last]) gone &= ~(Mask{1} << i);
    if (find(kReduce, node.op) != nullptr && gone != 0) return;
  }
  const auto size = [&](std::size_t dim) {
    std::int64_t product = 1;
    for (std::size_t i : merged_[dim]) product *= domain_[i];
    return product;
  };
  std::size_t longest = last - 1;
  for (std::size_t dim = last; dim-- > 0;) longest = size(dim) > size(longest) ? dim : longest;
  const auto at = merged_.begin() + static_cast<std::ptrdiff_t>(longest);
  std::rotate(at, at + 1, merged_.begin() + static_cast<std::ptrdiff_t>(last));
}

bool Lowering::views_join(std::size_t outer, std::size_t inner) const {
  return std::all_of(view_stride_.begin(), view_stride_.end(), [&](const auto& each) {
    const auto& [id, stride] = each;
    if ((mask_of(id) >> inner & 1) == 0) return true;
    return stride[outer] == stride[inner] * domain_[inner];
  });
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
      for (const auto& [id, axis] : scanned_) joins = joins && axis != i && axis != before;
      joins = joins && views_join(before, i);
    }
    if (joins) {
      merged_.back().push_back(i);
    } else {
      merged_.push_back({i});
    }
  }
  if (merged_.size() > kMostDims)
    return why_ = "its shapes differ along too many dimensions", false;
  while (merged_.size() < 2) merged_.insert(merged_.begin(), std::vector<std::size_t>{});
  if (reorders_ && scanned_.empty()) put_longest_last_but_one();
  for (const auto& dims : merged_) {
    add_dimension(dims);
  }
  return true;
}

void Lowering::add_dimension(const std::vector<std::size_t>& dims) {
  std::int64_t size = 1;
  made_.sizes.emplace_back();
  for (std::size_t i : dims) {
    size *= domain_[i];
    made_.sizes.back().push_back(sources_[i]);
  }
  made_.kernel.dims.push_back(size);
}

/// 0 if the value does not have so many dimensions.
std::int64_t Lowering::known_size(ValueId id, std::size_t axis) const {
  const Dims& shape = *graph_.value(id).type.shape;
  return axis < shape.size() ? shape[axis].value() : 0;
}

/// The dimensions are given: every value must treat those of each alike.
bool Lowering::frame_dimensions() {
  if (domain_ != shape_.at(frame_->product)) return why_ = "it is larger than the product", false;
  for (const auto& dims : frame_->dims) {
    std::vector<std::size_t> kept;
    for (std::size_t i : dims) {
      if (domain_[i] == 1) continue;
      for (const auto& [id, mask] : mask_) {
        if (!kept.empty() && (mask >> i & 1) != (mask >> kept.front() & 1)) {
          return why_ = "a tensor has only some of the dimensions that make the product's rows",
                 false;
        }
      }
      if (!kept.empty() && !views_join(kept.back(), i)) {
        return why_ = "a view steps unevenly through the product's rows", false;
      }
      kept.push_back(i);
    }
    add_dimension(kept);
    merged_.push_back(std::move(kept));
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
  for (const auto& [id, axis] : scanned_) {
    if (domain_[axis] == 1) continue;
    const std::size_t last = merged_.size() - 1;
    const auto is_axis = [&](std::size_t dim) { return merged_[dim] == std::vector{axis}; };
    if (!is_axis(last) && !is_axis(last - 1))
      return why_ = "it sums along an outer dimension", false;
    made_.kernel.whole_columns |= is_axis(last);
    made_.kernel.whole_rows |= is_axis(last - 1);
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

KernelTensor Lowering::tensor_of(ValueId id, int value, Mask mask) {
  KernelTensor tensor{value, std::vector<std::int64_t>(merged_.size(), 0), graph_.value(id).name};
  if (view_stride_.contains(id)) {
    const StridedView view = views_.place_of(graph_, id);
    tensor.view = true;
    tensor.offset = view.offset;
    tensor.name = graph_.value(view.base).name;
    for (std::size_t dim = 0; dim < merged_.size(); ++dim) {
      if (merged_[dim].empty() || (mask >> merged_[dim].front() & 1) == 0) continue;
      tensor.stride[dim] = view_stride_.at(id)[merged_[dim].back()];
    }
    // Rows of a tile are contiguous, and so are elements of which there is one a row.
    const Extent extent = extent_of(mask);
    const std::size_t last = merged_.size() - 1;
    const std::size_t along = extent == Extent::Column ? last - 1 : last;
    if (extent != Extent::Scalar && tensor.stride[along] != 1) {
      why_ = "a view is not contiguous along a tile";
    }
    return tensor;
  }
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
  const Mask mask = mask_of(id);
  const int value = new_value(graph_.value(id).type.dtype, extent_of(mask));
  made_.kernel.inputs.push_back(tensor_of(id, value, mask));
  made_.inputs.push_back(views_.base_of(id));
  return value;
}

bool Lowering::is_narrow(const Node& node) const {
  constexpr Op kExact[] = {Op::Add, Op::Sub, Op::Max, Op::Min, Op::Neg, Op::Abs, Op::Relu};
  if (!widen_ || frame_ != nullptr) return false;
  if (graph_.value(node.outputs[0]).type.dtype != DType::F16) return false;
  // A product of two tensors may be on its way to a sum of squares.
  const bool scales =
      node.op == Op::Mul && (immediate(node.inputs[0]) || immediate(node.inputs[1]));
  if (!scales && std::find(std::begin(kExact), std::end(kExact), node.op) == std::end(kExact)) {
    return false;
  }
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
    return graph_.value(id).type.dtype == DType::F16 &&
           (narrow_.contains(id) || !known_.contains(id));
  });
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
  const DType dtype = graph_.value(id).type.dtype, wanted = compute_type(dtype);
  std::map<ValueId, int>& of_type =
      wanted == dtype && widen_ && dtype == DType::F16 ? narrow_ : known_;
  const auto found = of_type.find(id);
  if (found != of_type.end()) return found->second;
  if (wanted == dtype) return of_type[id] = load(id);
  const auto [narrow, is_new] = narrow_.try_emplace(id, -1);
  if (is_new) narrow->second = load(id);
  const Extent extent = made_.kernel.values[static_cast<std::size_t>(narrow->second)].extent;
  return known_[id] = emit(VOp::vcvt, dtype, new_value(wanted, extent), {narrow->second, -1, -1});
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

std::optional<LoweredKernel> Lowering::run(std::string* why) {
  const bool good = find_domain() &&
                    (frame_ != nullptr ? frame_dimensions() : merge_dimensions()) &&
                    place_reductions();
  if (!good) {
    if (why != nullptr) *why = why_;
    return std::nullopt;
  }
  if (frame_ != nullptr && !frame_->operand) load_accumulators();
  for (NodeId id : nodes_) {
    const Node& node = graph_.node(id);
    stays_narrow_ = !scanned_.contains(id) && is_narrow(node);
    if (scanned_.contains(id)) {
      lower_scan(node, scanned_.at(id));
    } else {
      lower_node(node);
    }
    if (stays_narrow_) narrow_.insert(known_.extract(node.outputs[0]));
  }
  stays_narrow_ = false;
  for (ValueId id : outputs_) {
    const auto narrow = narrow_.find(id);
    int value = narrow != narrow_.end() ? narrow->second : known_.at(id);
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
    made_.outputs.push_back(views_.base_of(id));
  }
  if (!why_.empty()) {
    if (why != nullptr) *why = why_;
    return std::nullopt;
  }
  return std::move(made_);
}

std::vector<std::int64_t> known_shape(const Value& value) {
  DVMSIM_ASSERT(value.type.shape.has_value(), "shapes are deduced before lowering");
  std::vector<std::int64_t> shape;
  shape.reserve(value.type.shape->size());
  for (const Dim& dim : *value.type.shape) shape.push_back(dim.value());
  return shape;
}

bool is_vector_node(const Node& node) {
  return find(kUnary, node.op) != nullptr || find(kBinary, node.op) != nullptr ||
         find(kCompare, node.op) != nullptr || find(kReduce, node.op) != nullptr ||
         node.op == Op::Select || node.op == Op::IsNan || node.op == Op::CumSum;
}

std::optional<LoweredKernel> lower(const Graph& graph, std::span<const NodeId> nodes,
                                   std::span<const ValueId> outputs, std::string* why,
                                   const ProductFrame* frame, const Views& views) {
  const auto is_view = [&](ValueId id) { return id != kNoValue && views.find(id) != nullptr; };
  const bool reads = std::any_of(nodes.begin(), nodes.end(), [&](NodeId id) {
    const Node& node = graph.node(id);
    return std::any_of(node.inputs.begin(), node.inputs.end(), is_view);
  });
  if (frame == nullptr && (reads || std::any_of(outputs.begin(), outputs.end(), is_view))) {
    if (auto made = Lowering(graph, nodes, outputs, frame, views, true).run(why)) return made;
  }
  return Lowering(graph, nodes, outputs, frame, views, false).run(why);
}

}  // namespace dvmsim
