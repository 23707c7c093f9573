// The place of the largest or smallest element: a reduction finds it, a comparison its places, and
// a second reduction the first (or last) of them.
#include <numeric>

#include "compiler/graph/parts.h"

namespace dvmsim {
namespace {

class Arg : public Parts {
 public:
  using Parts::Parts;

  ValueId operator()() {
    const auto rank = static_cast<std::int64_t>(shape_.size());
    const std::int64_t axis = node_.int_of("axis") + (node_.int_of("axis") < 0 ? rank : 0);
    const Dim& size = shape_[static_cast<std::size_t>(axis)];
    if (!size.is_known()) return to_.add(node_.op, {x()}, node_.attributes, name());
    const bool last = node_.int_of("last") != 0;
    const ValueId best =
        reduced(node_.op == Op::ArgMax ? Op::ReduceMax : Op::ReduceMin, x(), axis, 1);
    ValueId hit = op(Op::Eq, x(), best);
    if (is_float(dtype_)) hit = op(Op::Or, hit, op(Op::IsNan, x()));
    const ValueId none =
        to_.add_scalar(DType::I32, last ? -1.0 : static_cast<double>(size.value()));
    const ValueId place =
        to_.add(Op::Select, {hit, places(size.value(), rank - axis), none}, {}, name());
    const ValueId found =
        reduced(last ? Op::ReduceMax : Op::ReduceMin, place, axis, node_.int_of("keepdims"));
    return converted(found, DType::I32, DType::I64);
  }

 private:
  ValueId reduced(Op what, ValueId a, std::int64_t axis, std::int64_t keepdims) {
    return to_.add(what, {a}, {{"axes", Dims{axis}}, {"keepdims", keepdims}}, name());
  }
  /// 0, 1, ... along the axis, which is the first of `rank`.
  ValueId places(std::int64_t size, std::int64_t rank) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(rank), 1);
    shape[0] = size;
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(size));
    std::iota(numbers.begin(), numbers.end(), 0);
    return to_.add_constant("places", Tensor::of_ints(DType::I32, shape, numbers));
  }
};

}  // namespace

ValueId arg_parts(Graph& to, const Node& node, const Value& first) {
  return Arg(to, node, first)();
}

}  // namespace dvmsim
