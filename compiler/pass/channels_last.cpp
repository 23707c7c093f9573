// Convolutions and pools work on maps whose channels are the last dimension. Where a map is made
// that way, its users take it that way too as far as they can; it is turned back only for those
// that cannot, once, and what comes out of one convolution goes into the next as it is.
#include <algorithm>
#include <map>
#include <set>

#include "compiler/pass/conv_weights.h"
#include "compiler/pass/pass.h"
#include "vm/isa/window.h"

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

/// Where axis `axis` of a map goes; channels are axis 1.
std::int64_t moved_axis(std::int64_t axis, std::int64_t rank) {
  if (axis < 0) axis += rank;
  return axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1;
}
/// By axis of the result: the axis of the operand.
Dims to_last(std::size_t rank) {
  Dims perm = {0};
  for (std::size_t i = 2; i < rank; ++i) perm.emplace_back(static_cast<std::int64_t>(i));
  perm.emplace_back(1);
  return perm;
}
Dims from_last(std::size_t rank) {
  Dims perm = {0, static_cast<std::int64_t>(rank) - 1};
  for (std::size_t i = 1; i + 1 < rank; ++i) perm.emplace_back(static_cast<std::int64_t>(i));
  return perm;
}

class ChannelsLast {
 public:
  ChannelsLast(const Graph& graph, const PassContext& context)
      : rewrite_(graph), emit_(rewrite_), context_(context) {}

  Graph run() {
    for (const Node& node : rewrite_.nodes()) {
      if (!takes_last(node)) keep(node);
    }
    for (ValueId output : rewrite_.graph().outputs) (void)first(output);
    return rewrite_.done();
  }

 private:
  bool takes_last(const Node& node) {
    switch (node.op) {
      case Op::Conv:
        return conv(node);
      case Op::MaxPool:
      case Op::SumPool:
        return pool(node);
      case Op::Reshape:
        return reshape(node);
      case Op::Transpose:
        return transpose(node);
      case Op::Expand:
        return expand(node);
      case Op::DepthToSpace:
        return has_last(node.inputs[0]) && with_attribute(node, "last", std::int64_t{1});
      case Op::Concat:
      case Op::Split:
      case Op::Gather:
        return with_axis(node);
      case Op::Slice:
      case Op::Pad:
        return with_axes(node);
      case Op::ReduceSum:
      case Op::ReduceMax:
      case Op::ReduceMin:
      case Op::ReduceProd:
        return reduce(node);
      default:
        return info_of(node.op).pattern == Pattern::Elementwise && elementwise(node);
    }
  }

  void keep(const Node& node) {
    for (ValueId input : node.inputs) {
      if (input != kNoValue) (void)first(input);
    }
    rewrite_.keep(node);
  }

  [[nodiscard]] std::size_t rank(ValueId id) const { return emit_.dims(id).size(); }
  [[nodiscard]] bool has_last(ValueId id) const { return last_.contains(id); }

  /// The value with channels last, turned if need be.
  ValueId last(ValueId id, const std::string& name) {
    const auto found = last_.find(id);
    if (found != last_.end()) return found->second;
    // Somebody turned it into the graph's order: take what it was.
    const NodeId producer = emit_.value(id).producer;
    if (producer >= 0 && rewrite_.graph().node(producer).op == Op::Transpose) {
      const Node& turned = rewrite_.graph().node(producer);
      const Dims* perm = turned.dims_of("perm");
      if (perm != nullptr && *perm == from_last(rank(id))) return last_[id] = turned.inputs[0];
    }
    return last_[id] = emit_.add(Op::Transpose, {id}, {{"perm", to_last(rank(id))}}, name);
  }
  /// The value as the graph has it.
  ValueId first(ValueId id) {
    if (absent_.erase(id) == 0) return id;
    rewrite_.make(id, Op::Transpose, {last_.at(id)}, {{"perm", from_last(rank(id))}},
                  emit_.value(id).name);
    return id;
  }
  void give(ValueId id, ValueId made) {
    last_[id] = made;
    absent_.insert(id);
  }

  bool with_attribute(const Node& node, const std::string& attribute, Attribute value) {
    Node made = node;
    made.set(attribute, std::move(value));
    return with_inputs(node, std::move(made));
  }
  /// The node on maps with channels last; other inputs stay.
  bool with_inputs(const Node& node, Node made) {
    made.inputs[0] = last(node.inputs[0], node.name);
    const std::vector<ValueId> outputs = emit_.add(std::move(made));
    for (std::size_t i = 0; i < outputs.size(); ++i) give(node.outputs[i], outputs[i]);
    return true;
  }

  bool conv(const Node& node);
  bool scale_apart(const Node& node);
  ValueId product(const Node& node, ValueId x);
  ValueId windows(const Node& node, ValueId x);
  ValueId depthwise(const Node& node, ValueId x);
  bool pool(const Node& node) {
    return rank(node.inputs[0]) <= 5 && with_attribute(node, "last", std::int64_t{1});
  }

  /// Some map comes with channels last, and every operand can.
  bool elementwise(const Node& node) {
    if (info_of(node.op).composite || node.outputs.size() != 1) return false;
    const std::size_t size = rank(node.outputs[0]);
    const bool some = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
      return id != kNoValue && has_last(id) && rank(id) == size;
    });
    if (!some || size < 3) return false;
    Node made = node;
    for (ValueId& id : made.inputs) {
      if (id != kNoValue) id = operand(id, size, node.name);
    }
    give(node.outputs[0], emit_.add(std::move(made))[0]);
    return true;
  }
  ValueId operand(ValueId id, std::size_t size, const std::string& name) {
    if (rank(id) == size) return last(id, name);
    if (context_.equal(element_count(emit_.dims(id)), 1)) return first(id);
    Dims shape = emit_.dims(first(id));
    shape.insert(shape.begin(), size - shape.size(), 1);
    const ValueId wide = emit_.add(Op::Reshape, {id}, {{"shape", shape}}, name);
    return emit_.add(Op::Transpose, {wide}, {{"perm", to_last(size)}}, name);
  }

  bool with_axis(const Node& node) {
    const bool joins = node.op == Op::Concat;
    const std::size_t size = rank(node.inputs[0]);
    const bool some = std::any_of(node.inputs.begin(),
                                  node.inputs.begin() + (joins ? std::ssize(node.inputs) : 1),
                                  [&](ValueId id) { return has_last(id); });
    if (!some || size < 3) return false;
    if (node.op == Op::Gather && rank(node.inputs[1]) != 1) return false;
    Node made = node;
    made.set("axis", moved_axis(node.int_of("axis"), static_cast<std::int64_t>(size)));
    for (std::size_t i = 1; i < made.inputs.size(); ++i) {
      ValueId& id = made.inputs[i];
      if (id != kNoValue) id = joins ? last(id, node.name) : first(id);
    }
    return with_inputs(node, std::move(made));
  }

  bool with_axes(const Node& node) {
    if (!has_last(node.inputs[0]) || node.input(1) != kNoValue || node.input(3) != kNoValue) {
      return false;
    }
    const auto size = static_cast<std::int64_t>(rank(node.inputs[0]));
    const Dims* given = node.dims_of(node.op == Op::Pad ? "pads" : "starts");
    if (given == nullptr) return false;
    const std::size_t count = node.op == Op::Pad ? given->size() / 2 : given->size();
    Dims axes;
    const Sizes named = node.ints_of("axes");
    for (std::size_t i = 0; i < count; ++i) {
      axes.emplace_back(moved_axis(named.empty() ? static_cast<std::int64_t>(i) : named[i], size));
    }
    return with_attribute(node, "axes", axes);
  }

  bool reduce(const Node& node) {
    if (!has_last(node.inputs[0])) return false;
    const auto size = static_cast<std::int64_t>(rank(node.inputs[0]));
    Sizes axes = node.ints_of("axes");
    if (node.dims_of("axes") == nullptr) return false;
    for (std::int64_t& axis : axes) axis = moved_axis(axis, size);
    std::sort(axes.begin(), axes.end());
    if (node.int_of("keepdims") != 0) return with_attribute(node, "axes", as_dims(axes));
    // Without all pixels, images and channels are the same either way.
    const bool pixels =
        std::ssize(axes) == size - 2 && axes.front() == 1 && axes.back() == size - 2;
    if (!pixels) return false;
    AttributeMap attributes = node.attributes;
    std::erase_if(attributes, [](const auto& each) { return each.first == "axes"; });
    attributes.emplace_back("axes", as_dims(axes));
    rewrite_.make(node.outputs[0], node.op, {last(node.inputs[0], node.name)},
                  std::move(attributes), node.name);
    return true;
  }

  /// Pixels may be counted otherwise while images and channels stay.
  bool reshape(const Node& node) {
    const ValueId from = node.inputs[0], to = node.outputs[0];
    if (!has_last(from)) return false;
    const Dims in = emit_.dims(from);
    Dims out = emit_.dims(to);
    if (out.size() < 3 || !context_.equal(in[0], out[0]) || !context_.equal(in[1], out[1]) ||
        context_.equal(element_count(out), 0)) {
      return false;
    }
    std::rotate(out.begin() + 1, out.begin() + 2, out.end());
    give(to, emit_.add(Op::Reshape, {last(from, node.name)}, {{"shape", out}}, node.name));
    return true;
  }

  bool expand(const Node& node) {
    Dims shape = emit_.dims(node.outputs[0]);
    if (!has_last(node.inputs[0]) || shape.size() != rank(node.inputs[0])) return false;
    std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
    return with_attribute(node, "shape", shape);
  }

  bool transpose(const Node& node) {
    const ValueId from = node.inputs[0];
    if (!absent_.contains(from)) return false;
    const auto size = static_cast<std::int64_t>(rank(from));
    Sizes perm = node.ints_of("perm");
    for (std::int64_t i = size; perm.size() < static_cast<std::size_t>(size);) perm.push_back(--i);
    for (std::int64_t& axis : perm) axis = moved_axis(axis, size);
    rewrite_.make(node.outputs[0], Op::Transpose, {last(from, node.name)},
                  {{"perm", as_dims(perm)}}, node.name);
    return true;
  }

  Rewrite rewrite_;
  Emitter emit_;
  const PassContext& context_;
  std::map<ValueId, ValueId> last_{};  // a map, and the same with channels last
  std::set<ValueId> absent_{};         // maps that nobody has needed in the graph's order
};

/// What a node says about its windows, over two axes.
struct Plan {
  Sizes kernel, strides, dilations, pads;

  Plan(const Node& node, const Sizes& w, const PassContext& context)
      : kernel(w.begin() + 2, w.end()) {
    const std::size_t spatial = kernel.size();
    strides = node.ints_of("strides", Sizes(spatial, 1));
    dilations = node.ints_of("dilations", Sizes(spatial, 1));
    pads.assign(2 * spatial, 0);
    // Borders that make a map as large as wanted depend on its size, and are one of a few numbers.
    const Dims* given = node.dims_of("pads");
    for (std::size_t i = 0; given != nullptr && i < given->size(); ++i) {
      pads[i] = context.value((*given)[i]);
    }
    if (spatial != 1) return;
    for (Sizes* each : {&kernel, &strides, &dilations}) each->insert(each->begin(), 1);
    pads = {0, pads[0], 0, pads[1]};
  }
  [[nodiscard]] bool is_pixel() const {
    const auto ones = [](const Sizes& s) { return s[0] == 1 && s[1] == 1; };
    return ones(kernel) && ones(strides) && pads == Sizes{0, 0, 0, 0};
  }
  /// Can one img2col say it?
  [[nodiscard]] bool is_gathered() const {
    const auto most = [](const Sizes& s, std::int64_t limit) {
      return s[0] <= limit && s[1] <= limit;
    };
    return most(kernel, isa::kMostKernel) && most(strides, isa::kMostStride) &&
           most(dilations, isa::kMostDilation);
  }
  [[nodiscard]] AttributeMap attributes() const {
    return {{"kernel", as_dims(kernel)},
            {"strides", as_dims(strides)},
            {"dilations", as_dims(dilations)},
            {"pads", as_dims(pads)}};
  }
};

bool ChannelsLast::conv(const Node& node) {
  const Dims x = emit_.dims(node.inputs[0]);
  const Sizes w = emit_.shape(node.inputs[1]);
  if (x.size() > 4) return false;
  const Plan plan(node, w, context_);
  const std::int64_t groups = node.int_of("groups");
  const bool real = is_float(emit_.dtype(node.inputs[0]));
  const bool single = x[1].is(groups) && groups == w[0] && groups > 1 && real;
  const bool pixel = plan.is_pixel() && groups == 1;
  const bool multiplies = context_.machine.step(emit_.dtype(node.inputs[0])).k > 0;
  const bool scaled = node.input(3) != kNoValue;
  const bool gathered = context_.machine.can.img2col && plan.is_gathered();
  if (!single && !(multiplies && ((pixel && !scaled) || gathered))) {
    return scaled && scale_apart(node);
  }
  const std::int64_t min_pad = *std::min_element(plan.pads.begin(), plan.pads.end());
  if (min_pad < 0) return false;
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] != kNoValue) (void)first(node.inputs[i]);
  }
  ValueId map = last(node.inputs[0], node.name);
  if (x.size() == 3) {
    map = emit_.add(Op::Reshape, {map}, {{"shape", Dims{x[0], 1, x[2], x[1]}}}, node.name);
  }
  ValueId made = single             ? depthwise(node, map)
                 : pixel && !scaled ? product(node, map)
                                    : windows(node, map);
  if (x.size() == 3) {
    const Dims y = emit_.dims(made);
    made = emit_.add(Op::Reshape, {made}, {{"shape", Dims{y[0], y[2], y[3]}}}, node.name);
  }
  give(node.outputs[0], made);
  return true;
}

/// Where FixPipe does not scale: the sums, and what makes integers of them, as operators.
bool ChannelsLast::scale_apart(const Node& node) {
  const ValueId result = node.outputs[0];
  const DType to = emit_.dtype(result);
  const auto number = [&](double value) {
    return emit_.constant(node.name, Tensor::of(DType::F32, {}, std::span(&value, 1)));
  };
  const auto step = [&](Op op, std::vector<ValueId> inputs, AttributeMap attributes = {}) {
    return emit_.add(op, std::move(inputs), std::move(attributes), node.name);
  };
  Node sums = node;
  sums.set("to", DType::I32);
  sums.erase("offset");
  sums.outputs = {kNoValue};
  sums.inputs.resize(node.inputs[2] == kNoValue ? 2 : 3);
  for (ValueId input : node.inputs) {
    if (input != kNoValue) (void)first(input);
  }
  Dims channel(rank(result) - 1, 1);
  channel[0] = emit_.dims(node.inputs[3])[0];
  const ValueId scale = step(Op::Reshape, {node.inputs[3]}, {{"shape", channel}});
  ValueId value = step(Op::Cast, {emit_.add(std::move(sums))[0]}, {{"to", DType::F32}});
  value = step(Op::Mul, {value, scale});
  if (!is_float(to)) {
    value = step(Op::Add,
                 {step(Op::Round, {value}), number(static_cast<double>(node.int_of("offset")))});
    value = step(Op::Max, {value, number(to == DType::U8 ? 0 : -128)});
    value = step(Op::Min, {value, number(to == DType::U8 ? 255 : 127)});
  }
  rewrite_.make(result, Op::Cast, {value}, {{"to", to}}, node.name);
  return true;
}

/// A kernel of one pixel: a matrix product.
ValueId ChannelsLast::product(const Node& node, ValueId x) {
  const Sizes w = emit_.shape(node.inputs[1]);
  const ValueId weights =
      emit_.add(Op::Reshape, {node.inputs[1]}, {{"shape", as_dims({w[0], w[1]})}}, node.name);
  AttributeMap attributes = {{"trans_b", std::int64_t{1}}};
  if (const Attribute* to = node.find("to")) attributes.emplace_back("to", *to);
  std::vector<ValueId> inputs = {x, weights};
  if (node.input(2) != kNoValue) inputs.push_back(node.inputs[2]);
  return emit_.add(Op::MatMul, inputs, std::move(attributes), node.name);
}

ValueId ChannelsLast::windows(const Node& node, ValueId x) {
  const Plan plan(node, emit_.shape(node.inputs[1]), context_);
  const DType type = emit_.dtype(x);
  ValueId kernel = node.inputs[1];
  if (rank(kernel) == 3) {
    const Sizes w = emit_.shape(kernel);
    kernel =
        emit_.add(Op::Reshape, {kernel}, {{"shape", as_dims({w[0], w[1], 1, w[2]})}}, node.name);
  }
  AttributeMap attributes = plan.attributes();
  for (const char* same : {"groups", "fill", "offset"}) {
    attributes.emplace_back(same, node.int_of(same));
  }
  if (const Attribute* to = node.find("to")) attributes.emplace_back("to", *to);
  std::vector<ValueId> inputs = {x, window_weights(emit_, kernel, node.name)};
  if (node.inputs.size() > 2) inputs.push_back(sums_bias(emit_, node.inputs[2], type, node.name));
  if (node.input(3) != kNoValue) inputs.push_back(node.inputs[3]);
  return emit_.add(Op::ConvLast, inputs, std::move(attributes), node.name);
}

/// On the vector cores; the bias is an addition, which fuses.
ValueId ChannelsLast::depthwise(const Node& node, ValueId x) {
  const Sizes w = emit_.shape(node.inputs[1]);
  const Plan plan(node, w, context_);
  const ValueId kernel =
      emit_.add(Op::Reshape, {node.inputs[1]},
                {{"shape", as_dims({w[0], 1, plan.kernel[0], plan.kernel[1]})}}, node.name);
  const ValueId y = emit_.add(Op::Depthwise, {x, depthwise_weights(emit_, kernel, node.name)},
                              plan.attributes(), node.name);
  if (node.input(2) == kNoValue) return y;
  return emit_.add(Op::Add, {y, node.inputs[2]}, {}, node.name);
}

}  // namespace

Graph channels_last(const Graph& graph, const PassContext& context) {
  return ChannelsLast(graph, context).run();
}

}  // namespace dvmsim
