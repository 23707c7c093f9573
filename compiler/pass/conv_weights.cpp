#include "compiler/pass/conv_weights.h"

#include <cstring>

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

/// Constants, in one go: models bring many.
Tensor prepared(const Tensor& from, const Sizes& w, std::int64_t c0) {
  const std::int64_t taps = w[2] * w[3], blocks = (w[1] + c0 - 1) / c0;
  const auto size = static_cast<std::size_t>(size_of(from.dtype()));
  Tensor made(from.dtype(), {w[0], blocks * taps * c0});
  std::byte* to = made.mutable_bytes().data();
  const std::byte* at = from.bytes().data();
  for (std::int64_t output = 0; output < w[0]; ++output) {
    for (std::int64_t channel = 0; channel < w[1]; ++channel) {
      const std::int64_t column = channel / c0 * taps * c0 + channel % c0;
      for (std::int64_t tap = 0; tap < taps; ++tap, at += size) {
        const std::int64_t place = output * blocks * taps * c0 + column + tap * c0;
        std::memcpy(to + static_cast<std::size_t>(place) * size, at, size);
      }
    }
  }
  return made;
}

}  // namespace

ValueId window_weights(Emitter& emit, ValueId weights, const std::string& name) {
  const Sizes w = emit.shape(weights);
  const std::int64_t c0 = 32 / size_of(emit.dtype(weights));
  if (emit.is_constant(weights)) {
    return emit.constant(name + ".weights", prepared(constant_tensor(emit.value(weights)), w, c0));
  }
  const std::int64_t blocks = (w[1] + c0 - 1) / c0, taps = w[2] * w[3];
  ValueId made = weights;
  if (w[1] != blocks * c0) {
    const Sizes pads = {0, 0, 0, 0, 0, blocks * c0 - w[1], 0, 0};
    made = emit.add(Op::Pad, {made}, {{"mode", std::string("constant")}, {"pads", as_dims(pads)}},
                    name);
  }
  made = emit.add(Op::Reshape, {made}, {{"shape", as_dims({w[0], blocks, c0, taps})}}, name);
  made = emit.add(Op::Transpose, {made}, {{"perm", as_dims({0, 1, 3, 2})}}, name);
  return emit.add(Op::Reshape, {made}, {{"shape", as_dims({w[0], blocks * taps * c0})}}, name);
}

ValueId depthwise_weights(Emitter& emit, ValueId weights, const std::string& name) {
  const Sizes w = emit.shape(weights);
  const ValueId flat =
      emit.add(Op::Reshape, {weights}, {{"shape", as_dims({w[0], w[2] * w[3]})}}, name);
  return emit.add(Op::Transpose, {flat}, {{"perm", as_dims({1, 0})}}, name);
}

ValueId sums_bias(Emitter& emit, ValueId bias, DType operands, const std::string& name) {
  const DType sums = is_float(operands) ? DType::F32 : DType::I32;
  if (bias == kNoValue || emit.dtype(bias) == sums) return bias;
  return emit.add(Op::Cast, {bias}, {{"to", sums}}, name);
}

}  // namespace dvmsim
