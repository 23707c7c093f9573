// Reductions and the normalisations made of them. Sums run in ascending index order in f32.
#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/graph/eval_math.h"
#include "compiler/graph/eval_ops.h"
#include "vm/base/error.h"

namespace dvmsim::eval_ops {
namespace {

float accumulate(Op op, float sum, float x) {
  switch (op) {
    case Op::ReduceMax:
      return std::isnan(sum) || sum > x ? sum : x;
    case Op::ReduceMin:
      return std::isnan(sum) || sum < x ? sum : x;
    case Op::ReduceProd:
      return sum * x;
    default:
      return sum + x;
  }
}

std::int64_t accumulate(Op op, std::int64_t sum, std::int64_t x) {
  switch (op) {
    case Op::ReduceMax:
      return std::max(sum, x);
    case Op::ReduceMin:
      return std::min(sum, x);
    case Op::ReduceProd:
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) *
                                       static_cast<std::uint64_t>(x));
    default:
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) +
                                       static_cast<std::uint64_t>(x));
  }
}

template <class Number>
Number neutral(Op op) {
  using Limits = std::numeric_limits<Number>;
  switch (op) {
    case Op::ReduceMax:
      return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    case Op::ReduceMin:
      return Limits::has_infinity ? Limits::infinity() : Limits::max();
    case Op::ReduceProd:
      return 1;
    default:
      return 0;
  }
}

template <class Number>
std::vector<Number> reduced(Op op, const std::vector<Number>& x, const Offsets& to,
                            std::int64_t count) {
  std::vector<Number> result(static_cast<std::size_t>(count), neutral<Number>(op));
  for (std::size_t i = 0; i < x.size(); ++i) {
    Number& sum = result[static_cast<std::size_t>(to[i])];
    sum = accumulate(op, sum, x[i]);
  }
  if (op == Op::ReduceMean && count != 0) {
    const auto each = static_cast<Number>(static_cast<std::int64_t>(x.size()) / count);
    for (Number& sum : result) sum = each == 0 ? sum : sum / each;
  }
  return result;
}

/// A tensor as rows along `axis`: outer x size x inner.
struct Rows {
  std::size_t outer = 1;
  std::size_t size = 1;
  std::size_t inner = 1;
};

Rows rows_of(const Tensor& x, std::size_t first, std::size_t last) {
  Rows rows;
  for (std::size_t i = 0; i < x.shape().size(); ++i) {
    std::size_t& part = i < first ? rows.outer : i < last ? rows.size : rows.inner;
    part *= static_cast<std::size_t>(x.shape()[i]);
  }
  return rows;
}

std::size_t axis_of(const Call& call) {
  return static_cast<std::size_t>(call.use().axis(call.node.int_of("axis"), call.in(0).rank()));
}

/// Values of an optional input, broadcast to the shape of the first; else `otherwise` everywhere.
std::vector<float> parameter(const Call& call, int index, float otherwise) {
  const std::vector<std::int64_t>& shape = call.in(0).shape();
  std::vector<float> result(static_cast<std::size_t>(call.in(0).count()), otherwise);
  if (!call.has(index)) return result;
  const Offsets from = broadcast_offsets(call.in(index).shape(), shape);
  const std::vector<float> values = call.in(index).floats();
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = values[static_cast<std::size_t>(from[i])];
  }
  return result;
}

void softmax_row(float* row, const Rows& rows, bool logarithm) {
  float largest = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < rows.size; ++i) largest = std::fmax(largest, row[i * rows.inner]);
  float sum = 0;
  for (std::size_t i = 0; i < rows.size; ++i) sum += eval_math::exp(row[i * rows.inner] - largest);
  for (std::size_t i = 0; i < rows.size; ++i) {
    float& x = row[i * rows.inner];
    x = logarithm ? (x - largest) - eval_math::log(sum) : eval_math::exp(x - largest) / sum;
  }
}

}  // namespace

Tensor reduce(const Call& call) {
  const Tensor& x = call.in(0);
  std::vector<std::int64_t> kept = x.shape();
  std::vector<std::int64_t> axes = call.node.ints_of("axes");
  if (call.node.find("axes") == nullptr) {
    for (int i = 0; i < x.rank(); ++i) axes.push_back(i);
  }
  for (const std::int64_t axis : axes) {
    kept[static_cast<std::size_t>(call.use().axis(axis, x.rank()))] = 1;
  }
  const Offsets to = broadcast_offsets(kept, x.shape());
  const std::int64_t count = element_count(kept);
  if (is_float(x.dtype())) {
    return Tensor::of_floats(x.dtype(), call.out_shape(),
                             reduced(call.node.op, x.floats(), to, count));
  }
  return Tensor::of_ints(x.dtype(), call.out_shape(), reduced(call.node.op, x.ints(), to, count));
}

Tensor softmax(const Call& call) {
  std::vector<float> values = call.in(0).floats();
  if (values.empty()) return call.in(0);
  const std::size_t axis = axis_of(call);
  const Rows rows = rows_of(call.in(0), axis, axis + 1);
  for (std::size_t o = 0; o < rows.outer; ++o) {
    for (std::size_t i = 0; i < rows.inner; ++i) {
      softmax_row(&values[o * rows.size * rows.inner + i], rows, call.node.op == Op::LogSoftmax);
    }
  }
  return Tensor::of_floats(call.out_dtype(), call.out_shape(), values);
}

Tensor layer_norm(const Call& call) {
  std::vector<float> values = call.in(0).floats();
  const std::vector<float> scale = parameter(call, 1, 1.0f);
  const std::vector<float> bias = parameter(call, 2, 0.0f);
  const Rows rows = rows_of(call.in(0), axis_of(call), call.in(0).shape().size());
  const auto epsilon = static_cast<float>(call.node.float_of("epsilon"));
  const bool centre = call.node.op == Op::LayerNorm;
  const auto count = static_cast<float>(rows.size);
  for (std::size_t o = 0; o < rows.outer; ++o) {
    float* row = values.data() + o * rows.size;
    float mean = 0;
    for (std::size_t i = 0; centre && i < rows.size; ++i) mean += row[i];
    mean /= count;
    float variance = 0;
    for (std::size_t i = 0; i < rows.size; ++i) variance += (row[i] - mean) * (row[i] - mean);
    const float deviation = std::sqrt(variance / count + epsilon);
    for (std::size_t i = 0; i < rows.size; ++i) {
      const std::size_t at = o * rows.size + i;
      row[i] = (row[i] - mean) / deviation * scale[at] + bias[at];
    }
  }
  return Tensor::of_floats(call.out_dtype(), call.out_shape(), values);
}

Tensor batch_norm(const Call& call) {
  std::vector<float> values = call.in(0).floats();
  const Rows rows = rows_of(call.in(0), 1, 2);
  const auto epsilon = static_cast<float>(call.node.float_of("epsilon"));
  std::vector<std::vector<float>> parameters;
  for (int i = 1; i < 5; ++i) {
    parameters.push_back(call.in(i).floats());
    if (parameters.back().size() == 1) parameters.back().resize(rows.size, parameters.back()[0]);
  }
  for (std::size_t at = 0; at < values.size(); ++at) {
    const std::size_t c = at / rows.inner % rows.size;
    const float deviation = std::sqrt(parameters[3][c] + epsilon);
    values[at] = (values[at] - parameters[2][c]) / deviation * parameters[0][c] + parameters[1][c];
  }
  return Tensor::of_floats(call.out_dtype(), call.out_shape(), values);
}

}  // namespace dvmsim::eval_ops
