// ONNX normalisations.
#include <cmath>
#include <optional>

#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

void layer_norm(Lower& l) {
  const ValueId x = l.in(0);
  const std::int64_t axis = l.axis(l.int_of("axis", -1), l.rank(x));
  const double epsilon = l.float_of("epsilon", 1e-5);
  l.out(0,
        l.op(Op::LayerNorm, {x, l.in(1), l.in_or_none(2)}, {{"axis", axis}, {"epsilon", epsilon}}));
  if (!l.wants(1) && !l.wants(2)) return;
  Dims axes;
  for (std::int64_t i = axis; i < l.rank(x); ++i) axes.emplace_back(i);
  const ValueId mean = l.op(Op::ReduceMean, {x}, {{"axes", axes}});
  const ValueId centred = l.op(Op::Sub, {x, mean});
  const ValueId square = l.op(Op::Mul, {centred, centred});
  const ValueId variance = l.op(Op::ReduceMean, {square}, {{"axes", axes}});
  l.out(1, mean);
  l.out(2, l.op(Op::Rsqrt, {l.op(Op::Add, {variance, l.scalar(x, epsilon)})}));
}

/// With the batch's own mean and variance; the running ones follow them.
void train_batch_norm(Lower& l) {
  const ValueId x = l.in(0);
  Dims axes = {0};
  for (std::int64_t i = 2; i < l.rank(x); ++i) axes.emplace_back(i);
  const AttributeMap over = {{"axes", axes}, {"keepdims", std::int64_t{0}}};
  const AttributeMap kept = {{"axes", axes}};
  const ValueId centred = l.op(Op::Sub, {x, l.op(Op::ReduceMean, {x}, kept)});
  const ValueId mean = l.op(Op::ReduceMean, {x}, over);
  const ValueId variance = l.op(Op::ReduceMean, {l.op(Op::Mul, {centred, centred})}, over);
  l.out(0, l.op(Op::BatchNorm, {x, l.in(1), l.in(2), mean, variance},
                {{"epsilon", l.float_of("epsilon", 1e-5)}}));
  const double momentum = l.float_of("momentum", 0.9);
  const auto follow = [&](ValueId old, ValueId now) {
    const ValueId kept_part = l.op(Op::Mul, {old, l.scalar(old, momentum)});
    return l.op(Op::Add, {kept_part, l.op(Op::Mul, {now, l.scalar(now, 1 - momentum)})});
  };
  if (l.wants(1)) l.out(1, follow(l.in(3), mean));
  if (l.wants(2)) l.out(2, follow(l.in(4), variance));
}

/// Inputs 1 to 4 as what they make of a value of each channel: factor * x + shift.
struct Line {
  std::vector<float> factor{}, shift{};
};
std::optional<Line> known_line(Lower& l) {
  std::vector<std::vector<float>> given;
  for (int i = 1; i <= 4; ++i) {
    const Tensor* tensor = l.tensor_behind(l.in(i));
    if (tensor == nullptr || tensor->dtype() != DType::F32) return std::nullopt;
    given.push_back(tensor->floats());
    if (given.back().size() != given[0].size()) return std::nullopt;
  }
  Line line;
  for (std::size_t i = 0; i < given[0].size(); ++i) {
    const double factor = given[0][i] / std::sqrt(given[3][i] + l.float_of("epsilon", 1e-5));
    line.factor.push_back(static_cast<float>(factor));
    line.shift.push_back(static_cast<float>(given[1][i] - factor * given[2][i]));
  }
  return line;
}

/// The convolution before it with other weights and another bias, so that nothing is left to do and
/// a narrower type need not hold what is not yet normal.
bool into_convolution(Lower& l, const Line& line) {
  const Node* before = l.producer_of(l.in(0));
  if (before == nullptr || before->op != Op::Conv || before->inputs.size() > 3) return false;
  const Node conv = *before;
  const Tensor* weights = l.tensor_behind(conv.inputs[1]);
  const bool biased = conv.input(2) != kNoValue;
  const Tensor* bias = biased ? l.tensor_behind(conv.inputs[2]) : nullptr;
  if (weights == nullptr || (biased && bias == nullptr) || !l.alone_reads(0)) return false;
  const std::size_t channels = line.factor.size();
  std::vector<float> w = weights->floats(),
                     b = bias ? bias->floats() : std::vector<float>(channels);
  if (weights->shape()[0] != std::ssize(line.factor) || b.size() != channels) return false;
  for (std::size_t i = 0; i < w.size(); ++i) w[i] *= line.factor[i / (w.size() / channels)];
  for (std::size_t i = 0; i < channels; ++i) b[i] = b[i] * line.factor[i] + line.shift[i];
  const ValueId scaled = l.constant(Tensor::of_floats(DType::F32, weights->shape(), w));
  const ValueId shifted =
      l.constant(Tensor::of_floats(DType::F32, {static_cast<std::int64_t>(channels)}, b));
  l.out(0, l.op(Op::Conv, {conv.inputs[0], scaled, shifted}, conv.attributes));
  return true;
}

void batch_norm(Lower& l) {
  if (l.int_of("training_mode", 0) != 0) return train_batch_norm(l);
  if (l.wants(1)) l.fail("is in training mode; export the model for inference");
  if (l.int_of("spatial", 1) == 0)
    l.fail("spatial=0 is not supported; export with opset 9 or later");
  if (const auto line = known_line(l); line && into_convolution(l, *line)) return;
  l.out(0, l.op(Op::BatchNorm, {l.in(0), l.in(1), l.in(2), l.in(3), l.in(4)},
                {{"epsilon", l.float_of("epsilon", 1e-5)}}));
}

/// Over each channel of each sample: as layer_norm over the flattened spatial axes.
void instance_norm(Lower& l) {
  const ValueId x = l.in(0);
  const Dims shape = l.shape(x);
  if (shape.size() < 3) l.fail("needs spatial axes, but its input is " + to_text(shape));
  const Dim pixels = element_count(Dims(shape.begin() + 2, shape.end()));
  const ValueId flat = l.reshape(x, {shape[0], shape[1], pixels});
  const ValueId normal = l.op(Op::LayerNorm, {flat}, {{"epsilon", l.float_of("epsilon", 1e-5)}});
  const ValueId scale = l.reshape(l.in(1), {1, shape[1], 1});
  const ValueId bias = l.reshape(l.in(2), {1, shape[1], 1});
  l.out(0, l.reshape(l.op(Op::Add, {l.op(Op::Mul, {normal, scale}), bias}), shape));
}

/// As layer_norm over the channels of each group; scale and bias are one for each channel, before
/// opset 21 one for each group.
void group_norm(Lower& l) {
  const ValueId x = l.in(0);
  const Dims shape = l.shape(x);
  const std::int64_t groups = l.int_of("num_groups", 0);
  if (shape.size() < 3 || groups < 1) l.fail("needs groups and spatial axes");
  const Dim channels = shape[1], each = floor_div(channels, groups);
  const Dim pixels = element_count(Dims(shape.begin() + 2, shape.end()));
  const ValueId flat = l.reshape(x, {shape[0], groups, each * pixels});
  const ValueId normal = l.op(Op::LayerNorm, {flat}, {{"epsilon", l.float_of("epsilon", 1e-5)}});
  const bool by_group = l.opset() < 21;
  const Dims seen =
      by_group ? Dims{shape[0], groups, each * pixels} : Dims{shape[0], channels, pixels};
  const Dims along = {1, by_group ? Dim(groups) : channels, 1};
  const ValueId scaled = l.op(Op::Mul, {l.reshape(normal, seen), l.reshape(l.in(1), along)});
  l.out(0, l.reshape(l.op(Op::Add, {scaled, l.reshape(l.in(2), along)}), shape));
}

void rms_norm(Lower& l) {
  const ValueId x = l.in(0);
  const std::int64_t axis = l.axis(l.int_of("axis", -1), l.rank(x));
  l.out(0, l.op(Op::RmsNorm, {x, l.in(1)},
                {{"axis", axis}, {"epsilon", l.float_of("epsilon", 1e-5)}}));
}

/// Squares of neighbouring channels, by shifted slices of the padded squares.
void lrn(Lower& l) {
  const ValueId x = l.in(0);
  const std::int64_t size = l.int_of("size", 0);
  constexpr std::int64_t kWidest = 1024;  // each neighbour is a slice
  if (size < 1 || size > kWidest || l.rank(x) < 2) {
    l.fail("needs a channel axis and a size from 1 to " + std::to_string(kWidest));
  }
  const Dim channels = l.shape(x)[1];
  Dims pads(2 * l.shape(x).size(), 0);
  pads[1] = (size - 1) / 2;
  pads[1 + l.shape(x).size()] = size / 2;
  const ValueId squares = l.op(Op::Pad, {l.op(Op::Mul, {x, x})}, {{"pads", pads}});
  ValueId sum = l.slice(squares, 1, 0, channels);
  for (std::int64_t i = 1; i < size; ++i) {
    sum = l.op(Op::Add, {sum, l.slice(squares, 1, i, channels + i)});
  }
  const double alpha = l.float_of("alpha", 1e-4) / static_cast<double>(size);
  const ValueId inside =
      l.op(Op::Add, {l.op(Op::Mul, {sum, l.scalar(x, alpha)}), l.scalar(x, l.float_of("bias", 1))});
  l.out(0, l.op(Op::Div, {x, l.op(Op::Pow, {inside, l.scalar(x, l.float_of("beta", 0.75))})}));
}

void lp_norm(Lower& l) {
  const ValueId x = l.in(0);
  const std::int64_t p = l.int_of("p", 2);
  if (p != 1 && p != 2) l.fail("p is 1 or 2");
  const std::int64_t axis = l.axis(l.int_of("axis", -1), l.rank(x));
  const ValueId sizes = p == 1 ? l.op(Op::Abs, {x}) : l.op(Op::Mul, {x, x});
  const ValueId sum = l.op(Op::ReduceSum, {sizes}, {{"axes", Dims{axis}}});
  const ValueId norm = p == 1 ? sum : l.op(Op::Sqrt, {sum});
  const ValueId none = l.op(Op::Eq, {norm, l.scalar(x, 0)});  // zeros stay zeros
  l.out(0, l.op(Op::Div, {x, l.op(Op::Select, {none, l.scalar(x, 1), norm})}));
}

void mean_variance_norm(Lower& l) {
  const ValueId x = l.in(0);
  std::vector<std::int64_t> given = {0, 2, 3};
  if (l.has_attribute("axes")) given = l.ints_of("axes");
  const AttributeMap over = {{"axes", Dims(given.begin(), given.end())}};
  const ValueId centred = l.op(Op::Sub, {x, l.op(Op::ReduceMean, {x}, over)});
  const ValueId variance = l.op(Op::ReduceMean, {l.op(Op::Mul, {centred, centred})}, over);
  const ValueId deviation = l.op(Op::Add, {l.op(Op::Sqrt, {variance}), l.scalar(x, 1e-9)});
  l.out(0, l.op(Op::Div, {centred, deviation}));
}

constexpr Entry kTable[] = {
    {"BatchNormalization", batch_norm},
    {"GroupNormalization", group_norm},
    {"InstanceNormalization", instance_norm},
    {"LRN", lrn},
    {"LayerNormalization", layer_norm},
    {"LpNormalization", lp_norm},
    {"MeanVarianceNormalization", mean_variance_norm},
    {"RMSNormalization", rms_norm},
};

}  // namespace

std::span<const Entry> normal_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
