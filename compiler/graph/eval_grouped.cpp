// Products of a list of groups by their definition: added in f32 in ascending order of k, then the
// bias; integers are exact.
#include "compiler/graph/eval_ops.h"

namespace dvmsim::eval_ops {
namespace {

struct GroupRange {
  std::size_t begin = 0, end = 0;
};

std::vector<GroupRange> ranges_of(const Call& call, std::int64_t length) {
  const bool ends = call.node.int_of("cumulative") != 0;
  std::vector<GroupRange> ranges;
  std::int64_t begin = 0;
  for (const std::int64_t value : call.in(2).ints()) {
    const bool fits =
        ends ? begin <= value && value <= length : 0 <= value && value <= length - begin;
    if (!fits) {
      const std::string number = std::to_string(value), left = std::to_string(length - begin);
      call.use().fail("group " + std::to_string(ranges.size()) + " of the list " +
                      (ends ? "ends at " + number + " and begins at " + std::to_string(begin) + ", "
                            : "has " + number + " elements, ") +
                      left + " are left of " + std::to_string(length));
    }
    const std::int64_t size = ends ? value - begin : value;
    ranges.push_back({static_cast<std::size_t>(begin), static_cast<std::size_t>(begin + size)});
    begin += size;
  }
  return ranges;
}

struct Matrix {
  std::size_t row = 0, column = 0;  // strides
};

Matrix matrix_of(const Tensor& tensor, bool turned) {
  const auto width = static_cast<std::size_t>(tensor.shape().back());
  return turned ? Matrix{1, width} : Matrix{width, 1};
}

template <class Number>
std::vector<Number> multiplied(const Call& call) {
  const bool of_rows = call.node.string_of("axis") == "m";
  const bool trans_a = call.node.int_of("trans_a") != 0;
  const std::vector<Number> a = numbers_of<Number>(call.in(0)), b = numbers_of<Number>(call.in(1));
  const Matrix by_a = matrix_of(call.in(0), trans_a),
               by_b = matrix_of(call.in(1), call.node.int_of("trans_b") != 0);
  const std::vector<std::int64_t> shape = call.out_shape();
  const std::int64_t m = shape[shape.size() - 2], k = call.in(0).shape()[trans_a ? 0 : 1];
  const auto n = static_cast<std::size_t>(shape.back()), rows = static_cast<std::size_t>(m);
  const std::vector<Number> bias =
      call.has(3) ? numbers_of<Number>(call.in(3)) : std::vector<Number>();
  std::vector<Number> result(static_cast<std::size_t>(element_count(shape)), Number{0});
  std::size_t group = 0;
  for (const GroupRange range : ranges_of(call, of_rows ? m : k)) {
    const Number* right = b.data() + (of_rows ? group * static_cast<std::size_t>(k) * n : 0);
    const GroupRange along_m = of_rows ? range : GroupRange{0, rows};
    const GroupRange along_k = of_rows ? GroupRange{0, static_cast<std::size_t>(k)} : range;
    for (std::size_t i = along_m.begin; i < along_m.end; ++i) {
      Number* out = result.data() + ((of_rows ? 0 : group * rows) + i) * n;
      for (std::size_t p = along_k.begin; p < along_k.end; ++p) {
        const Number x = a[i * by_a.row + p * by_a.column];
        for (std::size_t j = 0; j < n; ++j) out[j] += x * right[p * by_b.row + j * by_b.column];
      }
      for (std::size_t j = 0; j < n && !bias.empty(); ++j) out[j] += bias[group * n + j];
    }
    ++group;
  }
  return result;
}

}  // namespace

Tensor grouped_matmul(const Call& call) {
  if (is_float(call.in(0).dtype())) {
    return tensor_of<float>(call.out_dtype(), call.out_shape(), multiplied<float>(call));
  }
  return tensor_of<std::int64_t>(call.out_dtype(), call.out_shape(),
                                 multiplied<std::int64_t>(call));
}

}  // namespace dvmsim::eval_ops
