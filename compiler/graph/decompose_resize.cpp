// Resizing: axis by axis, a gather for each neighbour and a weighted sum; whole repeats are
// expanded.
#include "compiler/graph/parts.h"
#include "compiler/graph/resample.h"

namespace dvmsim {
namespace {

class Resize : public Parts {
 public:
  using Parts::Parts;

  ValueId operator()() {
    const Dims wanted = *to_.value(node_.outputs[0]).type.shape;
    for (std::size_t i = 0; i < shape_.size(); ++i) {
      const bool known = shape_[i].is_known() && wanted[i].is_known();
      if (!stays(i, wanted) && !known && repeats_of(i, wanted) == 0) {
        return to_.add(node_.op, node_.inputs, node_.attributes, name());
      }
    }
    const bool mixes = node_.string_of("mode") != "nearest";
    const DType computed = mixes ? DType::F32 : dtype_;
    ValueId value = converted(x(), dtype_, computed);
    Dims shape = shape_;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (stays(axis, wanted)) continue;
      if (!shape[axis].is_known()) {
        value = repeated(value, shape, axis, repeats_of(axis, wanted));
        shape[axis] = wanted[axis];
        continue;
      }
      const std::int64_t from = shape[axis].value(), to = wanted[axis].value();
      value = resized(value, computed, shape, axis, axis_taps(node_, axis, shape.size(), from, to));
      shape[axis] = to;
    }
    value = converted(value, computed, dtype_);
    return value == x() ? op(Op::Identity, value) : value;
  }

 private:
  /// An axis copied as it is, known or not.
  [[nodiscard]] bool stays(std::size_t axis, const Dims& wanted) const {
    return shape_[axis] == wanted[axis] && is_kept(node_, axis);
  }

  /// How often every element repeats along an axis whose size is not known; 0 if that depends on
  /// it.
  [[nodiscard]] std::int64_t repeats_of(std::size_t axis, const Dims& wanted) const {
    constexpr std::int64_t kMost = 64;
    for (std::int64_t repeats = 2; repeats <= kMost; ++repeats) {
      if (wanted[axis] != shape_[axis] * Dim(repeats)) continue;
      return repeats_alike(node_, axis, shape_.size(), repeats) ? repeats : 0;
    }
    return 0;
  }

  /// A constant with one number for each element along the axis.
  ValueId along(const char* what, DType dtype, std::size_t axis,
                const std::vector<double>& numbers) {
    std::vector<std::int64_t> shape(shape_.size() - axis, 1);
    shape[0] = static_cast<std::int64_t>(numbers.size());
    return to_.add_constant(what, Tensor::of(dtype, shape, numbers));
  }

  ValueId resized(ValueId value, DType dtype, const Dims& shape, std::size_t axis,
                  const AxisTaps& taps) {
    if (const std::int64_t repeats = taps.repeats(shape[axis].value()); repeats != 0) {
      return repeated(value, shape, axis, repeats);
    }
    ValueId sum = kNoValue;
    for (std::size_t t = 0; t < taps.index.size(); ++t) {
      if (!taps.weight.empty() && taps.weight[t] == std::vector<double>(taps.weight[t].size(), 0)) {
        continue;
      }
      const std::vector<std::int64_t>& numbers = taps.index[t];
      const ValueId index = to_.add_constant(
          "numbers",
          Tensor::of_ints(DType::I64, {static_cast<std::int64_t>(numbers.size())}, numbers));
      ValueId part =
          to_.add(Op::Gather, {value, index}, {{"axis", static_cast<std::int64_t>(axis)}}, name());
      if (!taps.weight.empty()) part = mul(part, along("weights", dtype, axis, taps.weight[t]));
      sum = sum == kNoValue ? part : add(sum, part);
    }
    if (taps.outside.empty()) return sum;
    const std::vector<double> outside(taps.outside.begin(), taps.outside.end());
    const ValueId other = to_.add_scalar(dtype, node_.float_of("extrapolation"));
    return to_.add(Op::Select, {along("outside", DType::Bool, axis, outside), other, sum}, {},
                   name());
  }

  ValueId repeated(ValueId value, const Dims& shape, std::size_t axis, std::int64_t repeats) {
    Dims apart = shape, wide, whole = shape;
    const auto behind = static_cast<std::ptrdiff_t>(axis) + 1;
    apart.insert(apart.begin() + behind, 1);
    wide = apart;
    wide[axis + 1] = repeats;
    whole[axis] = shape[axis] * Dim(repeats);
    const ValueId split = to_.add(Op::Reshape, {value}, {{"shape", apart}}, name());
    const ValueId expanded = to_.add(Op::Expand, {split}, {{"shape", wide}}, name());
    return to_.add(Op::Reshape, {expanded}, {{"shape", whole}}, name());
  }
};

}  // namespace

ValueId resize_parts(Graph& to, const Node& node, const Value& first) {
  return Resize(to, node, first)();
}

}  // namespace dvmsim
