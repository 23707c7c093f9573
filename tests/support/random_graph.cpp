#include "tests/support/random_graph.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "compiler/graph/shape.h"
#include "tests/support/graph_maker.h"

namespace dvmsim {
namespace {

class Maker : public GraphMaker {
 public:
  using GraphMaker::GraphMaker;

  RandomGraph run() {
    Sizes shape;
    if (below(16) == 0) most_ = kMany;
    for (std::int64_t rank = 1 + below(most_ == kMany ? 3 : 4); rank > 0; --rank)
      shape.push_back(dimension());
    while (count(shape) > most_ / 4) *std::max_element(shape.begin(), shape.end()) /= 2;
    current_ = input(made_.dtype, shape);
    for (std::int64_t step = 2 + below(8); step > 0; --step) {
      before_.push_back(current_);
      grow();
      if (below(6) == 0) made_.graph.add_output(current_);
    }
    made_.graph.add_output(current_);
    made_.graph = deduce_shapes(made_.graph);
    return std::move(made_);
  }

 private:
  void grow() {
    using Step = void (Maker::*)();
    constexpr Step kSteps[] = {
        &Maker::unary,    &Maker::unary,    &Maker::binary,    &Maker::binary,   &Maker::binary,
        &Maker::reduce,   &Maker::reduce,   &Maker::normalise, &Maker::multiply, &Maker::multiply,
        &Maker::convolve, &Maker::convolve, &Maker::pool,      &Maker::turn,     &Maker::cut,
        &Maker::join,     &Maker::split,    &Maker::pad,       &Maker::reshape,  &Maker::choose,
        &Maker::gather,   &Maker::expand,   &Maker::convert,   &Maker::find,     &Maker::largest,
        &Maker::add_up,   &Maker::number,   &Maker::scatter,   &Maker::resize};
    const ValueId was = current_;
    (this->*kSteps[below(std::size(kSteps))])();
    if (count(shape()) > most_ || count(shape()) == 0) current_ = was;
  }

  void unary() {
    constexpr Op kReal[] = {Op::Relu,      Op::Abs,  Op::Neg,  Op::Tanh,     Op::Sigmoid,
                            Op::Erf,       Op::Gelu, Op::Silu, Op::Softplus, Op::Sin,
                            Op::LeakyRelu, Op::Atan, Op::Asinh};
    constexpr Op kWhole[] = {Op::Relu, Op::Abs, Op::Neg, Op::Sign, Op::Not};
    constexpr Op kBounded[] = {Op::Sinh, Op::Cosh, Op::Tan};  // of at most 1
    if (real() && odds(8)) {
      current_ = add(kBounded[below(std::size(kBounded))], {add(Op::Tanh, {current_})});
      return;
    }
    current_ =
        add(real() ? kReal[below(std::size(kReal))] : kWhole[below(std::size(kWhole))], {current_});
  }

  /// A tensor that can stand beside the current one: dimensions dropped or of one element.
  ValueId beside() {
    if (odds(3)) {
      for (auto it = before_.rbegin(); it != before_.rend(); ++it) {
        if (shape_of(*it) == shape() && made_.graph.value(*it).type.dtype == made_.dtype)
          return *it;
      }
    }
    Sizes other = shape();
    for (std::int64_t& size : other) size = odds(3) ? 1 : size;
    if (!other.empty() && odds(3)) {
      other.erase(other.begin(),
                  other.begin() + 1 + below(static_cast<std::int64_t>(other.size())));
    }
    return given(made_.dtype, other);
  }
  ValueId safe_divisor(ValueId id) {
    const ValueId size = add(Op::Abs, {id});
    return add(Op::Add, {size, made_.graph.add_scalar(made_.dtype, 1)});
  }

  void binary() {
    constexpr Op kOps[] = {Op::Add, Op::Sub, Op::Mul, Op::Max, Op::Min, Op::Div, Op::Mod, Op::Pow};
    Op op = kOps[below(std::size(kOps))];
    ValueId a = current_, b = beside();
    if (op == Op::Mod && real()) op = Op::Add;  // not continuous
    if (!real() && odds(8)) {
      const ValueId by = made_.graph.add_scalar(made_.dtype, static_cast<double>(below(9)));
      current_ = add(odds(2) ? Op::Shl : Op::Shr, {current_, by});
      return;
    }
    if (op == Op::Pow) {
      b = made_.graph.add_scalar(made_.dtype, static_cast<double>(real() ? 2 : below(4)));
    } else if (op == Op::Div || op == Op::Mod) {
      // An integer's size may be its least number, and the divisor then 1 - 128: never 0.
      b = safe_divisor(b);
    } else if (odds(2)) {
      std::swap(a, b);
    }
    current_ = add(op, {a, b});
    if (real() && op != Op::Max && op != Op::Min) current_ = add(Op::Tanh, {current_});
  }

  void reduce() {
    const Sizes sizes = shape();
    Sizes axes;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (odds(2)) axes.push_back(static_cast<std::int64_t>(i) - (odds(4) ? std::ssize(sizes) : 0));
    }
    constexpr Op kOps[] = {Op::ReduceSum, Op::ReduceMax, Op::ReduceMin, Op::ReduceMean,
                           Op::ReduceProd};
    Op op = kOps[below(4)];
    if (!real() && odds(4)) op = Op::ReduceProd;
    AttributeMap attributes{{"keepdims", below(2)}};
    if (!axes.empty()) attributes.emplace_back("axes", dims(axes));
    const ValueId reduced = add(op, {current_}, std::move(attributes));
    const bool kept = shape_of(reduced).size() == sizes.size();
    current_ = kept && odds(2) ? add(Op::Sub, {current_, reduced}) : reduced;
    if (real()) current_ = add(Op::Tanh, {current_});
  }

  void normalise() {
    const Sizes sizes = shape();
    if (!real() || sizes.empty()) return;
    const std::int64_t axis = below(std::ssize(sizes)), which = below(4);
    if (which < 2) {
      current_ = add(which == 0 ? Op::Softmax : Op::LogSoftmax, {current_}, {{"axis", axis}});
      return;
    }
    const Sizes inner(sizes.begin() + axis, sizes.end());
    std::vector<ValueId> inputs = {current_};
    if (odds(2)) inputs.push_back(given(made_.dtype, inner));
    if (which == 2 && inputs.size() == 2) inputs.push_back(given(made_.dtype, inner));
    // A spread that keeps the variance away from epsilon.
    current_ =
        add(which == 2 ? Op::LayerNorm : Op::RmsNorm, inputs, {{"axis", axis}, {"epsilon", 0.01}});
  }

  void multiply() {
    Sizes left = shape();
    const bool bytes = made_.dtype == DType::I8;
    if ((!real() && !bytes) || left.size() < 2 || count(left) == 0) return;
    const bool trans_a = odds(5), trans_b = odds(3), bias = odds(4) && !bytes;
    const std::int64_t k = trans_a ? left[left.size() - 2] : left.back();
    const std::int64_t n = std::min<std::int64_t>(dimension(), 64);
    Sizes right = {trans_b ? n : k, trans_b ? k : n};
    if (left.size() > 2 && odds(2)) {
      for (std::size_t i = left.size() - 2; i-- > 0;) {
        right.insert(right.begin(), odds(4) ? 1 : left[i]);
      }
    }
    if (count(right) > most_) return;
    std::vector<ValueId> inputs = {current_, given(made_.dtype, right)};
    if (bias) inputs.push_back(given(made_.dtype, {n}));
    AttributeMap attributes = {{"trans_a", std::int64_t{trans_a}},
                               {"trans_b", std::int64_t{trans_b}}};
    if (bytes) attributes.emplace_back("to", DType::I32);
    const ValueId product = add(Op::MatMul, inputs, std::move(attributes));
    if (bytes) {
      current_ = add(Op::Cast, {product}, {{"to", DType::I8}});
      return;
    }
    const double scale = 1.0 / static_cast<double>(k);
    current_ = add(Op::Mul, {product, made_.graph.add_scalar(made_.dtype, scale)});
  }

  /// A convolution of bytes: sums as they are, or scaled into bytes again.
  ValueId of_bytes(ValueId weights, std::int64_t channels, AttributeMap attributes) {
    std::vector<ValueId> inputs = {current_, weights, kNoValue};
    if (odds(2)) inputs[2] = given(DType::I32, {channels});
    if (odds(2)) {
      attributes.emplace_back("to", DType::I32);
      return add(Op::Cast, {add(Op::Conv, inputs, std::move(attributes))}, {{"to", DType::I8}});
    }
    std::vector<float> scales;
    for (std::int64_t i = 0; i < channels; ++i) {
      scales.push_back(0.125f / static_cast<float>(1 + below(5)));
    }
    inputs.push_back(made_.graph.add_constant("s" + std::to_string(made_.graph.values.size()),
                                              Tensor::of_floats(DType::F32, {channels}, scales)));
    attributes.emplace_back("fill", below(7) - 3);
    attributes.emplace_back("offset", below(9) - 4);
    if (odds(4)) {
      attributes.emplace_back("to", DType::U8);
      return add(Op::Cast, {add(Op::Conv, inputs, std::move(attributes))}, {{"to", DType::I8}});
    }
    return add(Op::Conv, inputs, std::move(attributes));
  }

  void convolve() {
    const Sizes in = shape();
    const bool bytes = made_.dtype == DType::I8;
    if ((!real() && !bytes) || in.size() < 3 || in.size() > 4) return;
    const bool single = odds(3);  // a channel each
    const std::int64_t groups = single ? in[1] : in[1] % 2 == 0 && odds(3) ? 2 : 1;
    const std::int64_t channels = single ? in[1] : groups * (1 + below(odds(3) ? 70 : 9));
    Sizes weights = {channels, in[1] / groups}, strides, pads(2 * (in.size() - 2)), dilations;
    for (std::size_t i = 2; i < in.size(); ++i) {
      weights.push_back(1 + below(std::min<std::int64_t>(in[i], 4)));
      strides.push_back(1 + below(2));
      dilations.push_back((weights.back() - 1) * 2 < in[i] ? 1 + below(2) : 1);
      pads[i - 2] = below(3);
      pads[i - 4 + in.size()] = below(3);
    }
    std::vector<ValueId> inputs = {current_, given(made_.dtype, weights)};
    const AttributeMap attributes = {{"strides", dims(strides)},
                                     {"pads", dims(pads)},
                                     {"dilations", dims(dilations)},
                                     {"groups", groups}};
    if (bytes) {
      current_ = of_bytes(inputs[1], channels, attributes);
      return;
    }
    if (odds(2)) inputs.push_back(given(made_.dtype, {channels}));
    current_ = add(Op::Conv, inputs, attributes);
    const double scale = 1.0 / static_cast<double>(count(weights) / channels);
    current_ = add(Op::Mul, {current_, made_.graph.add_scalar(made_.dtype, scale)});
  }

  void pool() {
    const Sizes in = shape();
    if (in.size() < 3 || in.size() > 5 || made_.dtype == DType::I64) return;
    const Op op = real() && odds(2) ? Op::SumPool : Op::MaxPool;
    Sizes kernel, strides, dilations, pads(2 * (in.size() - 2));
    for (std::size_t i = 2; i < in.size(); ++i) {
      kernel.push_back(1 + below(std::min<std::int64_t>(in[i], 3)));
      strides.push_back(1 + below(3));
      dilations.push_back((kernel.back() - 1) * 2 < in[i] ? 1 + below(2) : 1);
      pads[i - 2] = below(kernel.back());
      pads[i - 4 + in.size()] = below(kernel.back());
    }
    AttributeMap attributes = {{"kernel", dims(kernel)},
                               {"strides", dims(strides)},
                               {"pads", dims(pads)},
                               {"dilations", dims(dilations)}};
    if (op == Op::SumPool) {
      attributes.emplace_back("scale", 1.0 / static_cast<double>(count(kernel)));
    }
    current_ = add(op, {current_}, std::move(attributes));
  }

  void turn() {
    Sizes perm;
    for (std::int64_t i = 0; i < std::ssize(shape()); ++i) perm.push_back(i);
    std::shuffle(perm.begin(), perm.end(), random_);
    if (!perm.empty()) current_ = add(Op::Transpose, {current_}, {{"perm", dims(perm)}});
  }

  void cut() {
    const Sizes sizes = shape();
    Sizes starts, ends, axes, steps;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (odds(2)) continue;
      const std::int64_t from = below(sizes[i]), to = from + 1 + below(sizes[i] - from);
      const bool back = odds(3);
      axes.push_back(static_cast<std::int64_t>(i));
      starts.push_back(back ? to - 1 : from - (odds(3) ? sizes[i] : 0));
      ends.push_back(back ? (from == 0 ? -sizes[i] - 1 : from - 1) : to);
      steps.push_back((back ? -1 : 1) * (1 + below(3)));
    }
    if (axes.empty()) return;
    current_ = add(Op::Slice, {current_},
                   {{"starts", dims(starts)},
                    {"ends", dims(ends)},
                    {"axes", dims(axes)},
                    {"steps", dims(steps)}});
  }

  void join() {
    Sizes other = shape();
    if (other.empty()) return;
    const std::int64_t axis = below(std::ssize(other));
    other[static_cast<std::size_t>(axis)] = 1 + below(5);
    std::vector<ValueId> parts = {current_, given(made_.dtype, other)};
    if (odds(3)) parts.push_back(current_);
    if (odds(2)) std::reverse(parts.begin(), parts.end());
    current_ = add(Op::Concat, parts, {{"axis", axis}});
  }

  void split() {
    const Sizes sizes = shape();
    if (sizes.empty()) return;
    const std::int64_t axis = below(std::ssize(sizes));
    const std::int64_t size = sizes[static_cast<std::size_t>(axis)];
    if (size < 2) return;
    const std::int64_t head = 1 + below(size - 1);
    const ValueId first =
        add(Op::Split, {current_}, {{"axis", axis}, {"sizes", dims({head, size - head})}}, 2);
    const bool second = odds(2);
    if (odds(2)) made_.graph.add_output(second ? first : first + 1);
    current_ = second ? first + 1 : first;
  }

  void pad() {
    const Sizes sizes = shape();
    if (sizes.empty()) return;
    constexpr const char* kModes[] = {"constant", "edge", "reflect"};
    const std::string mode = kModes[below(3)];
    Sizes pads(2 * sizes.size());
    for (std::size_t i = 0; i < pads.size(); ++i) {
      const std::int64_t most = mode == "reflect" ? sizes[i % sizes.size()] - 1 : 3;
      pads[i] = odds(2) ? 0 : below(std::min<std::int64_t>(most, 3) + 1);
    }
    std::vector<ValueId> inputs = {current_};
    if (mode == "constant" && odds(2)) {
      inputs.push_back(kNoValue);
      inputs.push_back(made_.graph.add_scalar(made_.dtype, 1));
    }
    current_ = add(Op::Pad, inputs, {{"mode", mode}, {"pads", dims(pads)}});
  }

  void reshape() {
    Sizes sizes = shape();
    if (sizes.size() > 1 && odds(2)) {
      const auto i = static_cast<std::size_t>(below(std::ssize(sizes) - 1));
      sizes[i] *= sizes[i + 1];
      sizes.erase(sizes.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    } else if (!sizes.empty() && sizes.size() < 5) {
      const auto i = static_cast<std::size_t>(below(std::ssize(sizes)));
      for (const std::int64_t factor : {5, 3, 2, 1}) {
        if (sizes[i] % factor != 0) continue;
        sizes[i] /= factor;
        sizes.insert(sizes.begin() + static_cast<std::ptrdiff_t>(i), factor);
        break;
      }
    }
    current_ = add(Op::Reshape, {current_}, {{"shape", dims(sizes)}});
  }

  void choose() {
    constexpr Op kOps[] = {Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Eq, Op::Ne};
    constexpr DType kTypes[] = {DType::F32, DType::F16, DType::I32, DType::I64, DType::U8};
    const DType dtype = kTypes[below(std::size(kTypes))];
    Sizes sizes = shape();
    for (std::int64_t& size : sizes) size = odds(4) ? 1 : size;
    const ValueId x = input(dtype, sizes), y = odds(2) ? input(dtype, shape()) : given(dtype, {});
    ValueId mask = add(kOps[below(std::size(kOps))], {x, y});
    if (odds(2)) mask = add(Op::Not, {mask});
    if (odds(3)) {
      mask = add(odds(2) ? Op::And : Op::Xor, {mask, input(DType::Bool, shape_of(mask))});
    }
    if (odds(3)) made_.graph.add_output(mask);
    if (!shape_of(mask).empty() && odds(4))
      mask = add(Op::ReduceMax, {mask},
                 {{"keepdims", std::int64_t{1}}, {"axes", dims({std::ssize(shape_of(mask)) - 1})}});
    const ValueId other = beside();
    current_ = odds(2) ? add(Op::Select, {mask, current_, other})
                       : add(Op::Select, {mask, other, current_});
  }

  void gather() {
    const Sizes sizes = shape();
    if (sizes.empty()) return;
    const std::int64_t axis = below(std::ssize(sizes));
    const std::int64_t size = sizes[static_cast<std::size_t>(axis)];
    Sizes indices;
    for (std::int64_t n = odds(4) ? 20 : 1 + below(4); n > 0; --n) {
      indices.push_back(below(2 * size) - size);
    }
    const Tensor where =
        Tensor::of_ints(odds(2) ? DType::I32 : DType::I64, {std::ssize(indices)}, indices);
    ValueId from = kNoValue;
    if (odds(2)) {
      const std::string name = "x" + std::to_string(made_.inputs.size());
      made_.inputs[name] = where;
      from = made_.graph.add_input(name, where.dtype(), dims(where.shape()));
    } else {
      from = made_.graph.add_constant("i" + std::to_string(made_.graph.values.size()), where);
    }
    current_ = add(Op::Gather, {current_, from}, {{"axis", axis}});
  }

  /// Which element is largest: of an input, whose values both sides know exactly.
  void find() {
    const Sizes sizes = shape();
    if (sizes.empty()) return;
    const ValueId x = input(made_.dtype, sizes);
    made_.graph.add_output(
        add(odds(2) ? Op::ArgMax : Op::ArgMin, {x},
            {{"axis", below(std::ssize(sizes))}, {"keepdims", below(2)}, {"last", below(2)}}));
  }

  void largest() {
    const Sizes sizes = shape();
    if (sizes.empty() || !real()) return;
    const std::int64_t axis = below(std::ssize(sizes));
    const std::int64_t most = sizes[static_cast<std::size_t>(axis)];
    const ValueId values =
        add(Op::TopK, {input(made_.dtype, sizes)},
            {{"k", Dims{1 + below(most)}}, {"axis", axis}, {"largest", below(2)}}, 2);
    made_.graph.add_output(values + 1);
    current_ = values;
  }

  void add_up() {
    const Sizes sizes = shape();
    if (sizes.empty()) return;
    const std::int64_t axis = below(std::ssize(sizes));
    current_ = add(Op::CumSum, {current_}, {{"axis", axis}});
    if (!real()) return;
    const double scale = 1.0 / static_cast<double>(sizes[static_cast<std::size_t>(axis)]);
    current_ = add(Op::Mul, {current_, made_.graph.add_scalar(made_.dtype, scale)});
  }

  void number() {
    Sizes sizes = shape();
    if (sizes.empty()) return;
    const auto axis = static_cast<std::size_t>(below(std::ssize(sizes)));
    const std::int64_t size = sizes[axis];
    for (std::int64_t& each : sizes) each = odds(4) ? 1 + below(each) : each;
    sizes[axis] = 1 + below(2 * size);
    if (count(sizes) > most_ / 4) return;
    current_ = add(Op::GatherElements, {current_, numbers(sizes, size)},
                   {{"axis", static_cast<std::int64_t>(axis)}});
  }

  void scatter() {
    const Sizes sizes = shape();
    if (sizes.empty()) return;
    const std::int64_t rows = sizes[0], width = count(sizes) / rows, updates = 1 + below(6);
    constexpr const char* kHow[] = {"none", "add", "mul", "max", "min"};
    const std::string how = kHow[below(std::size(kHow))];
    const ValueId flat = add(Op::Reshape, {current_}, {{"shape", dims({rows, width})}});
    const ValueId result =
        add(Op::ScatterRows, {flat, numbers({updates}, rows), given(made_.dtype, {updates, width})},
            {{"reduction", how}});
    current_ = add(Op::Reshape, {result}, {{"shape", dims(sizes)}});
    if (real() && (how == "add" || how == "mul")) current_ = add(Op::Tanh, {current_});
  }

  void resize() {
    Sizes sizes = shape();
    if (sizes.empty() || sizes.size() > 4) return;
    constexpr const char* kModes[] = {"nearest", "linear", "cubic"};
    constexpr const char* kPlaces[] = {"half_pixel", "asymmetric", "align_corners"};
    for (std::int64_t& size : sizes) size = odds(2) ? size : 1 + below(2 * size);
    if (count(sizes) > most_ / 4) return;
    current_ = add(Op::Resize, {current_},
                   {{"mode", std::string(kModes[real() ? below(3) : 0])},
                    {"coordinates", std::string(kPlaces[below(3)])},
                    {"sizes", dims(sizes)}});
  }

  void expand() {
    Sizes sizes = shape();
    for (std::int64_t& size : sizes) size = size == 1 ? 1 + below(7) : size;
    if (odds(2)) sizes.insert(sizes.begin(), 1 + below(3));
    current_ = add(Op::Expand, {current_}, {{"shape", dims(sizes)}});
  }

  void convert() {
    const DType through = real() ? DType::F32 : odds(2) ? DType::I64 : DType::I32;
    const ValueId other = add(Op::Cast, {current_}, {{"to", through}});
    if (odds(2)) made_.graph.add_output(other);
    current_ = add(Op::Cast, {other}, {{"to", made_.dtype}});
  }
};

}  // namespace

RandomGraph random_graph(std::uint64_t seed) {
  return Maker(seed).run();
}

}  // namespace dvmsim
