// Operators that choose or place elements by number or by size.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "compiler/graph/eval_ops.h"
#include "vm/base/error.h"

namespace dvmsim::eval_ops {
namespace {

/// A tensor as lines along an axis: element i of line (o, n) is at (o * size + i) * inner + n.
struct Lines {
  std::int64_t outer = 1, size = 1, inner = 1;
};

Lines lines_of(const std::vector<std::int64_t>& shape, std::size_t axis) {
  Lines lines;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    (i < axis ? lines.outer : i == axis ? lines.size : lines.inner) *= shape[i];
  }
  return lines;
}

std::size_t axis_of(const Call& call) {
  return static_cast<std::size_t>(call.use().axis(call.node.int_of("axis"), call.in(0).rank()));
}

/// Calls body(first, step): a line's elements are first, first + step, ...
void each_line(const Lines& lines, auto&& body) {
  for (std::int64_t o = 0; o < lines.outer; ++o) {
    for (std::int64_t n = 0; n < lines.inner; ++n) {
      body(static_cast<std::size_t>(o * lines.size * lines.inner + n),
           static_cast<std::size_t>(lines.inner));
    }
  }
}

bool is_nan(float x) {
  return std::isnan(x);
}
bool is_nan(std::int64_t) {
  return false;
}

template <class Number>
std::vector<std::int64_t> places(const std::vector<Number>& x, const Lines& lines, bool largest,
                                 bool last) {
  std::vector<std::int64_t> result;
  each_line(lines, [&](std::size_t first, std::size_t step) {
    std::int64_t best = 0;
    for (std::int64_t i = 1; i < lines.size; ++i) {
      const Number a = x[first + static_cast<std::size_t>(best) * step];
      const Number b = x[first + static_cast<std::size_t>(i) * step];
      const bool same = a == b || (is_nan(a) && is_nan(b));
      const bool better = !is_nan(a) && (is_nan(b) || (largest ? b > a : b < a));
      if (better || (last && same)) best = i;
    }
    result.push_back(best);
  });
  return result;
}

std::int64_t wrapped(const Call& call, std::int64_t index, std::int64_t size) {
  if (index < -size || index >= size) {
    call.use().fail("index " + std::to_string(index) + " is outside a dimension of " +
                    std::to_string(size));
  }
  return index < 0 ? index + size : index;
}

template <class Number>
Number combined(const std::string& how, Number old, Number update) {
  using Wrapping = std::conditional_t<std::is_integral_v<Number>, std::uint64_t, Number>;
  const auto a = static_cast<Wrapping>(old), b = static_cast<Wrapping>(update);
  if (how == "add") return static_cast<Number>(a + b);
  if (how == "mul") return static_cast<Number>(a * b);
  if (how == "max") return std::max(old, update);
  if (how == "min") return std::min(old, update);
  return update;
}

template <class Number>
void scatter(const Call& call, std::vector<Number>& data, const std::vector<Number>& updates) {
  const std::string how = call.node.string_of("reduction");
  const auto rows = call.in(0).shape()[0], width = call.in(0).shape()[1];
  const std::vector<std::int64_t> numbers = call.in(1).ints();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::int64_t row = wrapped(call, numbers[i], rows);
    for (std::int64_t c = 0; c < width; ++c) {
      Number& to = data[static_cast<std::size_t>(row * width + c)];
      to = combined(how, to,
                    updates[i * static_cast<std::size_t>(width) + static_cast<std::size_t>(c)]);
    }
  }
}

template <class Number>
void sum_lines(std::vector<Number>& values, const Lines& lines, auto&& add) {
  each_line(lines, [&](std::size_t first, std::size_t step) {
    for (std::int64_t i = 1; i < lines.size; ++i) {
      const std::size_t at = first + static_cast<std::size_t>(i) * step;
      values[at] = add(values[at - step], values[at]);
    }
  });
}

}  // namespace

Tensor arg(const Call& call) {
  const Tensor& x = call.in(0);
  const Lines lines = lines_of(x.shape(), axis_of(call));
  const bool largest = call.node.op == Op::ArgMax, last = call.node.int_of("last") != 0;
  return Tensor::of_ints(DType::I64, call.out_shape(),
                         is_float(x.dtype()) ? places(x.floats(), lines, largest, last)
                                             : places(x.ints(), lines, largest, last));
}

Tensor cum_sum(const Call& call) {
  const Tensor& x = call.in(0);
  const Lines lines = lines_of(x.shape(), axis_of(call));
  if (is_float(x.dtype())) {
    std::vector<float> values = x.floats();
    sum_lines(values, lines, [](float a, float b) { return a + b; });
    return Tensor::of_floats(x.dtype(), x.shape(), values);
  }
  std::vector<std::int64_t> values = x.ints();
  sum_lines(values, lines, [](std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  });
  return Tensor::of_ints(x.dtype(), x.shape(), values);
}

Tensor gather_elements(const Call& call) {
  const Tensor &x = call.in(0), &indices = call.in(1);
  const std::size_t axis = axis_of(call);
  const Offsets strides = strides_of(x.shape());
  Offsets without = strides;
  without[axis] = 0;
  const Offsets base = strided(indices.shape(), without);
  const std::vector<std::int64_t> numbers = indices.ints();
  Tensor result(x.dtype(), indices.shape());
  const auto size = static_cast<std::size_t>(size_of(x.dtype()));
  std::byte* to = result.mutable_bytes().data();
  for (std::size_t i = 0; i < numbers.size(); ++i, to += size) {
    const std::int64_t at = base[i] + wrapped(call, numbers[i], x.shape()[axis]) * strides[axis];
    std::copy_n(x.bytes().data() + static_cast<std::size_t>(at) * size, size, to);
  }
  return result;
}

Tensor scatter_rows(const Call& call) {
  const Tensor& x = call.in(0);
  if (is_float(x.dtype())) {
    std::vector<float> values = x.floats();
    scatter(call, values, call.in(2).floats());
    return Tensor::of_floats(x.dtype(), x.shape(), values);
  }
  std::vector<std::int64_t> values = x.ints();
  scatter(call, values, call.in(2).ints());
  return Tensor::of_ints(x.dtype(), x.shape(), values);
}

std::vector<Tensor> top_k(const Call& call) {
  const Tensor& x = call.in(0);
  const Lines lines = lines_of(x.shape(), axis_of(call));
  const bool largest = call.node.int_of("largest") != 0;
  const std::vector<std::int64_t> shape = call.out_shape();
  const Lines taken = lines_of(shape, axis_of(call));
  const std::vector<float> values = x.floats();
  std::vector<float> best(static_cast<std::size_t>(element_count(shape)));
  std::vector<std::int64_t> where(best.size());
  std::vector<std::size_t> order(static_cast<std::size_t>(lines.size));
  std::int64_t line = 0;
  each_line(lines, [&](std::size_t first, std::size_t step) {
    std::iota(order.begin(), order.end(), 0);
    const auto value = [&](std::size_t i) { return values[first + i * step]; };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const float p = value(a), q = value(b);  // NaN is the largest
      if (largest) return p > q || (std::isnan(p) && !std::isnan(q));
      return p < q || (!std::isnan(p) && std::isnan(q));
    });
    const std::int64_t o = line / lines.inner, n = line % lines.inner;
    for (std::int64_t i = 0; i < taken.size; ++i) {
      const auto at = static_cast<std::size_t>((o * taken.size + i) * taken.inner + n);
      best[at] = value(order[static_cast<std::size_t>(i)]);
      where[at] = static_cast<std::int64_t>(order[static_cast<std::size_t>(i)]);
    }
    ++line;
  });
  return {Tensor::of_floats(x.dtype(), shape, best), Tensor::of_ints(DType::I64, shape, where)};
}

}  // namespace dvmsim::eval_ops
