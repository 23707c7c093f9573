// Attention by its definition: scores, softmax and mixed values are f32, rounded once.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "compiler/graph/eval_math.h"
#include "compiler/graph/eval_ops.h"

namespace dvmsim::eval_ops {
namespace {

/// An operand's elements, and its shape and strides after its permutation.
struct Operand {
  std::vector<float> element;
  Offsets shape, stride;

  Operand(const Call& call, int input, const char* attribute) : element(call.in(input).floats()) {
    const Offsets own = strides_of(call.in(input).shape());
    for (std::int64_t axis : call.node.ints_of(attribute, {0, 1, 2, 3})) {
      const auto at = static_cast<std::size_t>(axis);
      shape.push_back(call.in(input).shape()[at]);
      stride.push_back(call.in(input).shape()[at] == 1 ? 0 : own[at]);
    }
  }
  [[nodiscard]] const float* row(std::int64_t batch, std::int64_t head, std::int64_t row) const {
    return element.data() + batch * stride[0] + head * stride[1] + row * stride[2];
  }
};

float dot(const float* a, std::int64_t step_a, const float* b, std::int64_t step_b,
          std::int64_t count) {
  float sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += a[i * step_a] * b[i * step_b];
  return sum;
}

struct Problem {
  explicit Problem(const Call& call)
      : q(call, 0, "q_perm"),
        k(call, 1, "k_perm"),
        v(call, 2, "v_perm"),
        scale(static_cast<float>(call.node.float_of("scale"))),
        reach(call.node.find("reach") != nullptr ? call.node.int_of("reach") : k.shape[2]) {
    if (!call.has(3)) return;
    mask = call.in(3).floats();
    masks = broadcast_offsets(call.in(3).shape(),
                              Offsets{q.shape[0], q.shape[1], q.shape[2], k.shape[2]});
  }
  Operand q, k, v;
  float scale;
  std::int64_t reach;
  std::vector<float> mask{};
  Offsets masks{};  // of each score

  [[nodiscard]] std::int64_t shared() const { return q.shape[1] / k.shape[1]; }
};

/// e^(score - the greatest) of the keys that a query sees.
std::vector<float> weights(const Problem& of, std::int64_t batch, std::int64_t head,
                           std::int64_t row) {
  const std::int64_t n = of.k.shape[2];
  std::vector<float> weight(
      static_cast<std::size_t>(std::clamp<std::int64_t>(row + of.reach + 1, 0, n)));
  const std::int64_t first = ((batch * of.q.shape[1] + head) * of.q.shape[2] + row) * n;
  float greatest = -std::numeric_limits<float>::infinity();
  for (std::size_t key = 0; key < weight.size(); ++key) {
    const float* k = of.k.row(batch, head / of.shared(), static_cast<std::int64_t>(key));
    weight[key] = of.scale *
                  dot(of.q.row(batch, head, row), of.q.stride[3], k, of.k.stride[3], of.q.shape[3]);
    if (!of.mask.empty()) {
      weight[key] +=
          of.mask[static_cast<std::size_t>(of.masks[static_cast<std::size_t>(first) + key])];
    }
    greatest = std::isnan(greatest) || greatest > weight[key] ? greatest : weight[key];
  }
  for (float& each : weight) each = eval_math::exp(each - greatest);
  return weight;
}

}  // namespace

Tensor attention(const Call& call) {
  const Problem of(call);
  Offsets out_stride(4);
  const std::vector<std::int64_t> perm = call.node.ints_of("out_perm", {0, 1, 2, 3});
  const Offsets places = strides_of(call.out_shape());
  for (std::size_t i = 0; i < 4; ++i) out_stride[static_cast<std::size_t>(perm[i])] = places[i];

  std::vector<float> result(static_cast<std::size_t>(element_count(call.out_shape())));
  for (std::int64_t b = 0; b < of.q.shape[0]; ++b) {
    for (std::int64_t h = 0; h < of.q.shape[1]; ++h) {
      for (std::int64_t i = 0; i < of.q.shape[2]; ++i) {
        const std::vector<float> weight = weights(of, b, h, i);
        float sum = 0;
        for (float each : weight) sum += each;
        for (std::int64_t j = 0; j < of.v.shape[3]; ++j) {
          const float* values = of.v.row(b, h / of.shared(), 0) + j * of.v.stride[3];
          const float mixed = dot(weight.data(), 1, values, of.v.stride[2],
                                  static_cast<std::int64_t>(weight.size()));
          result[static_cast<std::size_t>(b * out_stride[0] + h * out_stride[1] +
                                          i * out_stride[2] + j * out_stride[3])] = mixed / sum;
        }
      }
    }
  }
  return Tensor::of_floats(call.out_dtype(), call.out_shape(), result);
}

}  // namespace dvmsim::eval_ops
