// Operators that move elements without looking at them: each output element comes from one input
// element, or is padding.
#include <algorithm>
#include <numeric>

#include "compiler/graph/eval_ops.h"
#include "vm/base/error.h"

namespace dvmsim::eval_ops {
namespace {

constexpr std::int64_t kPadding = -1;

Tensor picked(const Tensor& from, std::vector<std::int64_t> shape, const Offsets& offsets) {
  Tensor result(from.dtype(), std::move(shape));
  const auto size = static_cast<std::size_t>(size_of(from.dtype()));
  std::byte* to = result.mutable_bytes().data();
  for (const std::int64_t offset : offsets) {
    std::copy_n(from.bytes().data() + static_cast<std::size_t>(offset) * size, size, to);
    to += size;
  }
  return result;
}

/// Offsets of the elements at the crossings of the given coordinates of each axis.
Offsets crossings(const std::vector<std::int64_t>& shape,
                  const std::vector<std::vector<std::int64_t>>& coordinates) {
  const Offsets strides = strides_of(shape);
  Offsets result = {0};
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    Offsets wider;
    wider.reserve(result.size() * coordinates[axis].size());
    for (const std::int64_t base : result) {
      for (const std::int64_t at : coordinates[axis]) {
        wider.push_back(base == kPadding || at == kPadding ? kPadding : base + at * strides[axis]);
      }
    }
    result = std::move(wider);
  }
  return result;
}

std::vector<std::vector<std::int64_t>> every_coordinate(const std::vector<std::int64_t>& shape) {
  std::vector<std::vector<std::int64_t>> result;
  for (const std::int64_t size : shape) {
    result.emplace_back(static_cast<std::size_t>(size));
    std::iota(result.back().begin(), result.back().end(), 0);
  }
  return result;
}

Tensor transposed(const Call& call) {
  const Tensor& x = call.in(0);
  const Offsets strides = strides_of(x.shape());
  std::vector<std::int64_t> perm = call.node.ints_of("perm");
  for (int i = x.rank() - 1; call.node.find("perm") == nullptr && i >= 0; --i) perm.push_back(i);
  Offsets by_output;
  for (const std::int64_t axis : perm) by_output.push_back(strides[static_cast<std::size_t>(axis)]);
  return picked(x, call.out_shape(), strided(call.out_shape(), by_output));
}

Tensor sliced(const Call& call) {
  std::vector<std::vector<std::int64_t>> coordinates;
  const std::optional<std::vector<SliceAxis>> axes = shape_rules::slice_axes_of(call.use());
  for (const SliceAxis& axis : *axes) {
    coordinates.emplace_back();
    for (std::int64_t i = 0; i < axis.count.value(); ++i) {
      coordinates.back().push_back(axis.start.value() + i * axis.step);
    }
  }
  return picked(call.in(0), call.out_shape(), crossings(call.in(0).shape(), coordinates));
}

std::int64_t padded_coordinate(std::int64_t at, std::int64_t size, const std::string& mode) {
  if (at >= 0 && at < size) return at;
  if (mode == "constant") return kPadding;
  if (mode == "edge") return at < 0 ? 0 : size - 1;
  return at < 0 ? -at : 2 * (size - 1) - at;
}

Tensor padded(const Call& call) {
  const Tensor& x = call.in(0);
  const std::string mode = call.node.string_of("mode");
  const std::vector<std::int64_t> shape = call.out_shape();
  const std::optional<std::vector<PadAxis>> pads = shape_rules::pad_axes_of(call.use());
  std::vector<std::vector<std::int64_t>> coordinates;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    coordinates.emplace_back();
    for (std::int64_t i = 0; i < shape[axis]; ++i) {
      const std::int64_t at = i - (*pads)[axis].before.value();
      coordinates.back().push_back(padded_coordinate(at, x.shape()[axis], mode));
    }
  }
  const Offsets offsets = crossings(x.shape(), coordinates);
  std::vector<std::byte> nothing(static_cast<std::size_t>(size_of(x.dtype())));
  std::span<const std::byte> value = nothing;
  if (call.has(2)) {
    if (call.in(2).count() != 1 || call.in(2).dtype() != x.dtype()) {
      call.use().fail("the padding value is not one " + std::string(name_of(x.dtype())));
    }
    value = call.in(2).bytes();
  }
  Tensor result(x.dtype(), shape);
  std::byte* to = result.mutable_bytes().data();
  for (const std::int64_t offset : offsets) {
    const std::byte* from =
        offset == kPadding ? value.data()
                           : x.bytes().data() + static_cast<std::size_t>(offset) * value.size();
    to = std::copy_n(from, value.size(), to);
  }
  return result;
}

Tensor gathered(const Call& call) {
  const Tensor& x = call.in(0);
  const auto axis = static_cast<std::size_t>(call.use().axis(call.node.int_of("axis"), x.rank()));
  const std::int64_t size = x.shape()[axis];
  std::vector<std::vector<std::int64_t>> coordinates = every_coordinate(x.shape());
  coordinates[axis] = call.in(1).ints();
  for (std::int64_t& index : coordinates[axis]) {
    if (index < -size || index >= size) {
      call.use().fail("index " + std::to_string(index) + " is outside axis " +
                      std::to_string(axis) + " of " + std::to_string(size));
    }
    if (index < 0) index += size;
  }
  return picked(x, call.out_shape(), crossings(x.shape(), coordinates));
}

Tensor joined(const Call& call) {
  const auto axis =
      static_cast<std::size_t>(call.use().axis(call.node.int_of("axis"), call.in(0).rank()));
  const std::vector<std::int64_t> shape = call.out_shape();
  std::int64_t outer = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
  Tensor result(call.out_dtype(), shape);
  std::byte* to = result.mutable_bytes().data();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const Tensor* part : call.inputs) {
      const std::size_t bytes = part->bytes().size() / static_cast<std::size_t>(outer);
      to = std::copy_n(part->bytes().data() + static_cast<std::size_t>(o) * bytes, bytes, to);
    }
  }
  return result;
}

std::vector<Tensor> split(const Call& call) {
  const Tensor& x = call.in(0);
  const auto axis = static_cast<std::size_t>(call.use().axis(call.node.int_of("axis"), x.rank()));
  std::vector<Tensor> parts;
  std::int64_t start = 0;
  for (int i = 0; i < static_cast<int>(call.output_types.size()); ++i) {
    const std::vector<std::int64_t> shape = call.out_shape(i);
    std::vector<std::vector<std::int64_t>> coordinates = every_coordinate(shape);
    for (std::int64_t& at : coordinates[axis]) at += start;
    parts.push_back(picked(x, shape, crossings(x.shape(), coordinates)));
    start += shape[axis];
  }
  return parts;
}

Tensor depth_to_space(const Call& call) {
  const bool last = call.node.int_of("last") != 0;
  const std::vector<std::int64_t> block = call.node.ints_of("block");
  const std::vector<std::int64_t>& in = call.in(0).shape();
  const std::int64_t h = in[last ? 1 : 2], w = in[last ? 2 : 3];
  const std::int64_t c = in[last ? 3 : 1] / (block[0] * block[1]);
  std::vector<std::int64_t> apart = {in[0], block[0], block[1], c, h, w};
  if (last) apart = {in[0], h, w, block[0], block[1], c};
  const Offsets s = strides_of(apart);
  const std::vector<std::int64_t> to =
      last ? std::vector<std::int64_t>{in[0], h, block[0], w, block[1], c}
           : std::vector<std::int64_t>{in[0], c, h, block[0], w, block[1]};
  const Offsets by_output = last ? Offsets{s[0], s[1], s[3], s[2], s[4], s[5]}
                                 : Offsets{s[0], s[3], s[4], s[1], s[5], s[2]};
  return picked(call.in(0), call.out_shape(), strided(to, by_output));
}

Tensor one(const Call& call) {
  switch (call.node.op) {
    case Op::Identity:
      return call.in(0);
    case Op::Reshape:
      return call.in(0).reshaped(call.out_shape());
    case Op::Transpose:
      return transposed(call);
    case Op::Slice:
      return sliced(call);
    case Op::Pad:
      return padded(call);
    case Op::Gather:
      return gathered(call);
    case Op::GatherElements:
      return gather_elements(call);
    case Op::Concat:
      return joined(call);
    case Op::DepthToSpace:
      return depth_to_space(call);
    default:
      DVMSIM_ASSERT(call.node.op == Op::Expand, "each move has its loop");
      return picked(call.in(0), call.out_shape(),
                    broadcast_offsets(call.in(0).shape(), call.out_shape()));
  }
}

}  // namespace

std::vector<Tensor> move(const Call& call) {
  if (call.node.op == Op::Split) return split(call);
  std::vector<Tensor> result;
  result.push_back(one(call));
  return result;
}

}  // namespace dvmsim::eval_ops
