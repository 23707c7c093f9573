// ONNX operators that move data, constants, and what computes shapes.
#include <algorithm>

#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

/// The shape is an attribute before opset 5.
void reshape(Lower& l) {
  if (l.has_attribute("shape")) {
    const std::vector<std::int64_t> shape = l.ints_of("shape");
    return l.out(0, l.op(Op::Reshape, {l.in(0)}, {{"shape", Dims(shape.begin(), shape.end())}}));
  }
  l.out(0, l.op(Op::Reshape, {l.in(0), l.in(1)}, {{"allow_zero", l.int_of("allowzero", 0)}}));
}

void flatten(Lower& l) {
  const Dims shape = l.shape(l.in(0));
  const int rank = l.rank(l.in(0));
  const std::int64_t at = l.int_of("axis", 1);
  const int axis = at == rank ? rank : l.axis(at, rank);
  l.out(0, l.reshape(l.in(0), {element_count(Dims(shape.begin(), shape.begin() + axis)),
                               element_count(Dims(shape.begin() + axis, shape.end()))}));
}

/// Axes are an attribute before opset 13, an input since.
void squeeze(Lower& l) {
  const Dims shape = l.shape(l.in(0));
  const std::optional<std::vector<std::int64_t>> axes = l.numbers("axes", 1);
  std::vector<bool> drop(shape.size(), false);
  for (std::size_t i = 0; !axes && i < shape.size(); ++i) {
    if (!shape[i].is_known()) l.fail("needs axes, because " + to_text(shape) + " is not known");
    drop[i] = shape[i].is(1);
  }
  for (const std::int64_t axis : axes.value_or(std::vector<std::int64_t>())) {
    drop[static_cast<std::size_t>(l.axis(axis, l.rank(l.in(0))))] = true;
  }
  Dims kept;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!drop[i]) kept.push_back(shape[i]);
    if (drop[i] && shape[i].is_known() && !shape[i].is(1)) {
      l.fail("axis " + std::to_string(i) + " of " + to_text(shape) + " is not 1");
    }
  }
  l.out(0, l.reshape(l.in(0), kept));
}

void unsqueeze(Lower& l) {
  const Dims shape = l.shape(l.in(0));
  const std::optional<std::vector<std::int64_t>> axes = l.numbers("axes", 1);
  if (!axes) l.fail("needs axes");
  const std::size_t rank = shape.size() + axes->size();
  std::vector<bool> added(rank, false);
  for (const std::int64_t axis : *axes) {
    const auto at = static_cast<std::size_t>(l.axis(axis, static_cast<int>(rank)));
    if (added[at]) l.fail("axes repeat");
    added[at] = true;
  }
  Dims result;
  auto next = shape.begin();
  for (const bool one : added) result.push_back(one ? Dim(1) : *next++);
  l.out(0, l.reshape(l.in(0), result));
}

void transpose(Lower& l) {
  AttributeMap attributes;
  const std::vector<std::int64_t> perm = l.ints_of("perm");
  if (l.has_attribute("perm")) attributes = {{"perm", Dims(perm.begin(), perm.end())}};
  l.out(0, l.op(Op::Transpose, {l.in(0)}, attributes));
}

/// Bounds are attributes before opset 10, inputs since.
void slice(Lower& l) {
  if (l.opset() >= 10) {
    l.out(0, l.op(Op::Slice, {l.in(0), l.in(1), l.in(2), l.in_or_none(3), l.in_or_none(4)}));
    return;
  }
  AttributeMap attributes;
  for (const char* name : {"starts", "ends", "axes"}) {
    const std::vector<std::int64_t> given = l.ints_of(name);
    if (l.has_attribute(name)) attributes.emplace_back(name, Dims(given.begin(), given.end()));
  }
  l.out(0, l.op(Op::Slice, {l.in(0)}, attributes));
}

void concat(Lower& l) {
  std::vector<ValueId> inputs;
  for (int i = 0; i < l.inputs(); ++i) inputs.push_back(l.in(i));
  if (inputs.empty()) l.fail("has no input");
  l.out(0, l.op(Op::Concat, inputs, {{"axis", l.int_of("axis", 1)}}));
}

void split(Lower& l) {
  AttributeMap attributes = {{"axis", l.int_of("axis", 0)}};
  const std::vector<std::int64_t> sizes = l.ints_of("split");
  if (!sizes.empty()) attributes.emplace_back("sizes", Dims(sizes.begin(), sizes.end()));
  const std::vector<ValueId> parts =
      l.op_many(Op::Split, {l.in(0), l.in_or_none(1)}, l.outputs(), attributes);
  for (int i = 0; i < l.outputs(); ++i) l.out(i, parts[static_cast<std::size_t>(i)]);
}

void gather(Lower& l) {
  l.out(0, l.op(Op::Gather, {l.in(0), l.in(1)}, {{"axis", l.int_of("axis", 0)}}));
}

void expand(Lower& l) {
  l.out(0, l.op(Op::Expand, {l.in(0), l.in(1)}));
}

/// Each axis gets a new one before it that is expanded to the number of repeats.
void tile(Lower& l) {
  const ValueId x = l.in(0);
  const std::optional<std::vector<std::int64_t>> repeats = l.numbers("repeats", 1);
  const Dims shape = l.shape(x);
  if (!repeats || repeats->size() != shape.size()) l.fail("needs one repeat for each axis");
  Dims apart;
  Dims wide;
  Dims result;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    apart.insert(apart.end(), {Dim(1), shape[i]});
    wide.insert(wide.end(), {Dim((*repeats)[i]), shape[i]});
    result.push_back(shape[i] * Dim((*repeats)[i]));
  }
  l.out(0, l.reshape(l.op(Op::Expand, {l.reshape(x, apart)}, {{"shape", wide}}), result));
}

/// Pads and value are attributes before opset 11, inputs since; axes came with 18.
void pad(Lower& l) {
  AttributeMap attributes = {{"mode", l.string_of("mode", "constant")}};
  const ValueId x = l.in(0);
  if (l.opset() >= 11) {
    const ValueId pads = l.in(1);
    l.out(0, l.op(Op::Pad, {x, pads, l.in_or_none(2), l.in_or_none(3)}, attributes));
    return;
  }
  const std::vector<std::int64_t> pads =
      l.ints_of(l.has_attribute("paddings") ? "paddings" : "pads");
  attributes.emplace_back("pads", Dims(pads.begin(), pads.end()));
  l.out(0, l.op(Op::Pad, {x, kNoValue, l.scalar(x, l.float_of("value", 0))}, attributes));
}

Tensor constant_value(Lower& l) {
  if (std::optional<Tensor> tensor = l.tensor_of("value")) return *std::move(tensor);
  if (l.has_attribute("value_int")) {
    const std::int64_t value = l.int_of("value_int", 0);
    return Tensor::of_ints(DType::I64, {}, std::span(&value, 1));
  }
  if (l.has_attribute("value_float")) {
    const double value = l.float_of("value_float", 0);
    return Tensor::of(DType::F32, {}, std::span(&value, 1));
  }
  if (l.has_attribute("value_ints")) {
    const std::vector<std::int64_t> values = l.ints_of("value_ints");
    return Tensor::of_ints(DType::I64, {static_cast<std::int64_t>(values.size())}, values);
  }
  if (!l.has_attribute("value_floats")) l.fail("only dense tensors of numbers are supported");
  const std::vector<float> values = l.floats_of("value_floats");
  return Tensor::of_floats(DType::F32, {static_cast<std::int64_t>(values.size())}, values);
}

void constant(Lower& l) {
  l.out(0, l.constant(constant_value(l)));
}

void constant_of_shape(Lower& l) {
  Tensor value = l.tensor_of("value").value_or(Tensor(DType::F32, {1}));
  if (value.count() != 1) l.fail("value is not one number");
  l.out(0, l.op(Op::Expand, {l.constant(value.reshaped({})), l.in(0)}));
}

void shape(Lower& l) {
  AttributeMap attributes = {{"start", l.int_of("start", 0)}};
  if (l.has_attribute("end")) attributes.emplace_back("end", l.int_of("end", 0));
  l.out(0, l.op(Op::Shape, {l.in(0)}, attributes));
}

void size(Lower& l) {
  const ValueId dims = l.op(Op::Shape, {l.in(0)});
  l.out(0, l.op(Op::ReduceProd, {dims}, {{"keepdims", std::int64_t{0}}}));
}

void range(Lower& l) {
  l.out(0, l.op(Op::Range, {l.in(0), l.in(1), l.in(2)}));
}

constexpr Entry kTable[] = {
    {"Concat", concat},
    {"Constant", constant},
    {"ConstantOfShape", constant_of_shape},
    {"Expand", expand},
    {"Flatten", flatten},
    {"Gather", gather},
    {"Pad", pad},
    {"Range", range},
    {"Reshape", reshape},
    {"Shape", shape},
    {"Size", size},
    {"Slice", slice},
    {"Split", split},
    {"Squeeze", squeeze},
    {"Tile", tile},
    {"Transpose", transpose},
    {"Unsqueeze", unsqueeze},
};

}  // namespace

std::span<const Entry> move_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
