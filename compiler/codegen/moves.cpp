#include "compiler/codegen/moves.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "compiler/schedule/lower.h"
#include "vm/base/error.h"
#include "vm/base/half.h"

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

ViewCopy whole(const Sizes& dims, const Sizes& in_stride, const Sizes& out_stride) {
  ViewCopy copy;
  copy.dims = dims;
  copy.in_stride = in_stride;
  copy.out_stride = out_stride;
  return copy;
}

std::size_t axis_of(const Node& node, std::size_t rank) {
  const std::int64_t axis = node.int_of("axis");
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
}

/// From all of the first place to all of the second.
ViewCopy between(const Sizes& dims, const StridedView& in, const StridedView& out) {
  ViewCopy copy = whole(dims, in.stride, out.stride);
  copy.in_offset = in.offset;
  copy.out_offset = out.offset;
  return copy;
}

ViewCopy transpose(const Graph& graph, const Node& node, const Views& views) {
  const Sizes in = known_shape(graph.value(node.inputs[0]));
  const Sizes out = known_shape(graph.value(node.outputs[0]));
  Sizes perm = node.ints_of("perm");
  if (perm.empty()) {
    for (std::size_t i = in.size(); i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  }
  StridedView turned = views.place_of(graph, node.inputs[0]);
  const Sizes strides = std::exchange(turned.stride, {});
  for (std::int64_t from : perm) turned.stride.push_back(strides[static_cast<std::size_t>(from)]);
  return between(out, turned, views.place_of(graph, node.outputs[0]));
}

ViewCopy slice(const Graph& graph, const Node& node, const Views& views) {
  const Sizes in = known_shape(graph.value(node.inputs[0]));
  const Sizes out = known_shape(graph.value(node.outputs[0]));
  ViewCopy copy =
      between(out, views.place_of(graph, node.inputs[0]), views.place_of(graph, node.outputs[0]));
  const Sizes starts = node.ints_of("starts");
  Sizes axes = node.ints_of("axes"), steps = node.ints_of("steps");
  for (std::size_t i = axes.size(); i < starts.size(); ++i)
    axes.push_back(static_cast<std::int64_t>(i));
  steps.resize(starts.size(), 1);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto rank = static_cast<std::int64_t>(in.size());
    const auto dim = static_cast<std::size_t>(axes[i] < 0 ? axes[i] + rank : axes[i]);
    std::int64_t start = starts[i] < 0 ? starts[i] + in[dim] : starts[i];
    start = std::clamp<std::int64_t>(start, 0, steps[i] > 0 ? in[dim] : in[dim] - 1);
    copy.in_offset += start * copy.in_stride[dim];
    copy.in_stride[dim] *= steps[i];
  }
  return copy;
}

ViewCopy depth_to_space(const Graph& graph, const Node& node) {
  const Sizes in = known_shape(graph.value(node.inputs[0]));
  const bool last = node.int_of("last") != 0;
  const Sizes block = node.ints_of("block");
  const std::int64_t h = in[last ? 1 : 2], w = in[last ? 2 : 3];
  const std::int64_t c = in[last ? 3 : 1] / (block[0] * block[1]);
  const Sizes apart =
      last ? Sizes{in[0], h, w, block[0], block[1], c} : Sizes{in[0], block[0], block[1], c, h, w};
  const Sizes s = dense_strides(apart);
  const Sizes to =
      last ? Sizes{in[0], h, block[0], w, block[1], c} : Sizes{in[0], c, h, block[0], w, block[1]};
  const Sizes from =
      last ? Sizes{s[0], s[1], s[3], s[2], s[4], s[5]} : Sizes{s[0], s[3], s[4], s[1], s[5], s[2]};
  return whole(to, from, dense_strides(to));
}

/// The bits of an element, sign-extended: what vdup takes as a scalar.
std::int64_t scalar_bits(const Tensor& tensor) {
  if (is_float(tensor.dtype())) return std::bit_cast<std::int32_t>(tensor.floats()[0]);
  return tensor.ints()[0];
}

std::vector<ViewCopy> pad(const Graph& graph, const Node& node) {
  const Sizes in = known_shape(graph.value(node.inputs[0]));
  const Sizes out = known_shape(graph.value(node.outputs[0]));
  const std::string mode = node.string_of("mode");
  if (mode != "constant" && mode != "edge" && mode != "reflect") {
    throw Error(fmt::format("{}: padding mode '{}' is not supported; use constant, edge or reflect",
                            describe(graph, node), mode));
  }
  std::int64_t fill = 0;
  if (const ValueId value = node.input(2); value != kNoValue) {
    if (graph.value(value).kind != ValueKind::Constant) {
      throw Error(fmt::format("{}: the padding value must be a constant", describe(graph, node)));
    }
    fill = scalar_bits(constant_tensor(graph.value(value)));
  }
  const Sizes pads = node.ints_of("pads");
  Sizes axes = node.ints_of("axes"), begin(in.size(), 0);
  for (std::size_t i = axes.size(); i < pads.size() / 2; ++i)
    axes.push_back(static_cast<std::int64_t>(i));
  for (std::size_t i = 0; i < pads.size() / 2; ++i) {
    const auto rank = static_cast<std::int64_t>(in.size());
    begin[static_cast<std::size_t>(axes[i] < 0 ? axes[i] + rank : axes[i])] = pads[i];
  }
  return pad_copies(in, out, begin, mode, fill);
}

/// Adds the boxes of dimensions `dim`.. to `copies`; those before are decided in `box`.
void pad_from(std::size_t dim, const ViewCopy& box, const Sizes& input, const Sizes& shape,
              const Sizes& begin, std::string_view mode, std::int64_t fill,
              std::vector<ViewCopy>& copies) {
  if (dim == shape.size()) {
    copies.push_back(box);
    return;
  }
  const std::int64_t in_stride = box.in_stride[dim], out_stride = box.out_stride[dim];
  const auto segment = [&](std::int64_t to, std::int64_t count, std::int64_t from,
                           std::int64_t step) {
    if (count <= 0) return;
    ViewCopy part = box;
    part.dims[dim] = count;
    part.out_offset += to * out_stride;
    part.in_offset += from * in_stride;
    part.in_stride[dim] = step * in_stride;
    pad_from(dim + 1, part, input, shape, begin, mode, fill, copies);
  };
  const auto border = [&](std::int64_t to, std::int64_t count, std::int64_t from,
                          std::int64_t step) {
    if (count <= 0) return;
    if (mode != "constant") return segment(to, count, from, step);
    ViewCopy part = box;  // all of the later dimensions at once
    part.dims[dim] = count;
    for (std::size_t i = dim + 1; i < shape.size(); ++i) part.dims[i] = shape[i];
    part.out_offset += to * out_stride;
    part.fill = fill;
    copies.push_back(part);
  };
  // Negative padding cuts.
  const std::int64_t before = std::max<std::int64_t>(begin[dim], 0);
  const std::int64_t skipped = std::max<std::int64_t>(-begin[dim], 0);
  const std::int64_t inside = std::min(input[dim] - skipped, shape[dim] - before);
  const std::int64_t after = shape[dim] - before - inside;
  const bool reflect = mode == "reflect";
  border(0, before, reflect ? before : 0, reflect ? -1 : 0);
  segment(before, inside, skipped, 1);
  border(before + inside, after, reflect ? input[dim] - 2 : input[dim] - 1, reflect ? -1 : 0);
}

}  // namespace

std::vector<ViewCopy> pad_copies(const Sizes& input, const Sizes& shape, const Sizes& begin,
                                 std::string_view mode, std::int64_t fill) {
  std::vector<ViewCopy> copies;
  const ViewCopy box = whole(shape, dense_strides(input), dense_strides(shape));
  pad_from(0, box, input, shape, begin, mode, fill, copies);
  return copies;
}

std::vector<ViewCopy> copies_of(const Graph& graph, const Node& node, const Views& views) {
  std::vector<ViewCopy> copies;
  if (node.op == Op::Transpose) copies = {transpose(graph, node, views)};
  if (node.op == Op::Slice) copies = {slice(graph, node, views)};
  if (node.op == Op::Pad) copies = pad(graph, node);
  if (node.op == Op::DepthToSpace) copies = {depth_to_space(graph, node)};
  const bool joins = node.op == Op::Concat;
  if (joins || node.op == Op::Split) {
    const StridedView all = views.place_of(graph, joins ? node.outputs[0] : node.inputs[0]);
    const std::size_t axis = axis_of(node, all.stride.size());
    std::int64_t offset = 0;
    const auto& parts = joins ? node.inputs : node.outputs;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Sizes shape = known_shape(graph.value(parts[i]));
      const StridedView part = views.place_of(graph, parts[i]);
      ViewCopy copy = joins ? between(shape, part, all) : between(shape, all, part);
      (joins ? copy.input : copy.output) = static_cast<int>(i);
      (joins ? copy.out_offset : copy.in_offset) += offset * all.stride[axis];
      offset += shape[axis];
      copies.push_back(std::move(copy));
    }
  }
  std::erase_if(copies, [](const ViewCopy& copy) {
    return std::find(copy.dims.begin(), copy.dims.end(), 0) != copy.dims.end();
  });
  return copies;
}

ViewCopy padding(const MatmulSpec& spec, bool of_a, std::int64_t padded) {
  const std::int64_t size = size_of(spec.in);
  const bool turned = of_a ? spec.trans_a : !spec.trans_b;  // rows run along m (n)
  const std::int64_t along = of_a ? spec.m : spec.n;
  const std::int64_t length = turned ? along : spec.k, count = turned ? spec.k : along;
  const std::int64_t outer = of_a ? spec.a_batch0 : spec.b_batch0;
  const std::int64_t inner = of_a ? spec.a_batch1 : spec.b_batch1;
  const std::int64_t stride = of_a ? spec.a_stride : spec.b_stride;
  ViewCopy view;
  view.dims = {outer != 0 ? spec.batch0 : 1, inner != 0 ? spec.batch1 : 1, count, length};
  view.in_stride = {outer / size, inner / size, stride / size, 1};
  view.out_stride = {view.dims[1] * count * padded, count * padded, padded, 1};
  return view;
}

}  // namespace dvmsim
