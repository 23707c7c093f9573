#include "compiler/schedule/attention_node.h"

#include <array>
#include <vector>

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

Sizes shape_of(const ValueType& type) {
  return resolve(*type.shape, {});
}

/// Sizes and byte strides of an operand's axes after its permutation; one element has stride 0.
struct Operand {
  Sizes size, stride;

  Operand(const ValueType& type, const Sizes& perm) {
    const Sizes shape = shape_of(type);
    Sizes own(shape.size(), size_of(type.dtype));
    for (std::size_t i = shape.size() - 1; i > 0; --i) own[i - 1] = own[i] * shape[i];
    for (std::int64_t axis : perm) {
      const auto at = static_cast<std::size_t>(axis);
      size.push_back(shape[at]);
      stride.push_back(own[at]);
    }
  }
  [[nodiscard]] AttentionStrides strides() const { return {stride[0], stride[1], stride[2]}; }
};

/// Right-aligned to the four axes of the scores.
AttentionStrides mask_strides(const ValueType& type) {
  const Sizes shape = shape_of(type);
  std::array<std::int64_t, 4> stride{};
  std::int64_t step = size_of(type.dtype);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t size = shape[shape.size() - 1 - i];
    if (size != 1) stride[3 - i] = step;
    step *= size;
  }
  return {stride[0], stride[1], stride[2]};
}

const Sizes kStraight = {0, 1, 2, 3};

}  // namespace

AttentionSpec attention_of(const Node& node, std::span<const ValueType> inputs) {
  const Operand q(inputs[0], node.ints_of("q_perm", kStraight)),
      k(inputs[1], node.ints_of("k_perm", kStraight)),
      v(inputs[2], node.ints_of("v_perm", kStraight));
  AttentionSpec spec;
  spec.name = node.name;
  spec.type = inputs[0].dtype;
  spec.batch = q.size[0];
  spec.heads = q.size[1];
  spec.shared = q.size[1] / k.size[1];
  spec.m = q.size[2];
  spec.n = k.size[2];
  spec.d = q.size[3];
  spec.e = v.size[3];
  spec.scale = static_cast<float>(node.float_of("scale"));
  spec.causal = node.find("reach") != nullptr;
  if (spec.causal) spec.reach = node.int_of("reach");
  spec.q = q.strides();
  spec.k = k.strides();
  spec.v = v.strides();
  if (k.size[0] == 1) spec.k.batch = 0;
  if (v.size[0] == 1) spec.v.batch = 0;
  if (node.input(3) != kNoValue) {
    spec.mask = inputs[3].dtype;
    spec.mask_strides = mask_strides(inputs[3]);
  }
  const Sizes perm = node.ints_of("out_perm", kStraight);
  const std::array<std::int64_t, 4> out = {spec.batch, spec.heads, spec.m, spec.e};
  std::array<std::int64_t, 4> stride{};
  std::int64_t step = size_of(spec.type);
  for (std::size_t i = 4; i-- > 0;) {
    const auto axis = static_cast<std::size_t>(perm[i]);
    stride[axis] = step;
    step *= out[axis];
  }
  spec.out = {stride[0], stride[1], stride[2]};
  return merged(spec);
}

std::string attention_problem(const Node& node, std::span<const ValueType> inputs,
                              const Machine& machine) {
  for (const char* perm : {"q_perm", "k_perm", "v_perm", "out_perm"}) {
    if (node.ints_of(perm, kStraight)[3] != 3) return "the elements of a row are not adjacent";
  }
  return attention_problem(attention_of(node, inputs), machine);
}

}  // namespace dvmsim
