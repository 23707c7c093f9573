// Symbolic contents of small integer tensors: the arithmetic that models do on shapes. What is not
// listed here has contents only when all its inputs are numbers (constant folding in shape.cpp).
#include <algorithm>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/shape_rules.h"

namespace dvmsim::shape_rules {
namespace {

bool all_known(const Dims& dims) {
  return std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.is_known(); });
}

using Element = std::optional<Dim>;

bool at_least(const Dim& a, const Dim& b) {
  const std::optional<std::int64_t> bound = lower_bound(a - b);
  return bound && *bound >= 0;
}

/// 1, 0, or unknown: a < b.
Element less(const Dim& a, const Dim& b) {
  if (at_least(b, a + 1)) return 1;
  if (at_least(a, b)) return 0;
  return std::nullopt;
}

Element equal(const Dim& a, const Dim& b) {
  if (a == b) return 1;
  if (at_least(a, b + 1) || at_least(b, a + 1)) return 0;
  return std::nullopt;
}

Element negated(Element a) {
  if (a) *a = Dim(1) - *a;
  return a;
}

Element divided(const Dim& a, const Dim& b) {
  if (b.is(0)) return std::nullopt;
  if (a.is_known() && b.is_known()) return a.value() / b.value();  // toward zero
  if (!at_least(a, 0) || !(at_least(b, 0))) return std::nullopt;
  return floor_div(a, b);
}

Element binary(Op op, const Dim& a, const Dim& b) {
  switch (op) {
    case Op::Add:
      return a + b;
    case Op::Sub:
      return a - b;
    case Op::Mul:
      return a * b;
    case Op::Div:
      return divided(a, b);
    case Op::Mod: {
      if (!at_least(a, 0) || !at_least(b, 0) || b.is(0)) return std::nullopt;
      return a - b * floor_div(a, b);
    }
    case Op::Max:
      return max(a, b);
    case Op::Min:
      return min(a, b);
    case Op::Eq:
      return equal(a, b);
    case Op::Ne:
      return negated(equal(a, b));
    case Op::Lt:
      return less(a, b);
    case Op::Gt:
      return less(b, a);
    case Op::Ge:
      return negated(less(a, b));
    case Op::Le:
      return negated(less(b, a));
    case Op::And:
      return min(a, b);
    case Op::Or:
      return max(a, b);
    default:
      return std::nullopt;
  }
}

Element unary(const Use& use, const Dim& a) {
  switch (use.node.op) {
    case Op::Identity:
      return a;
    case Op::Neg:
      return Dim(0) - a;
    case Op::Not:
      return Dim(1) - a;
    case Op::Abs:
    case Op::Relu:
      return at_least(a, 0) ? Element(a) : std::nullopt;
    case Op::Cast:
      if (use.node.dtype_of("to") == DType::Bool) return negated(equal(a, 0));
      return a;
    default:
      return std::nullopt;
  }
}

std::optional<Dims> all(const std::vector<Element>& elements) {
  Dims result;
  for (const Element& element : elements) {
    if (!element) return std::nullopt;
    result.push_back(*element);
  }
  return result;
}

/// Element i of an input that has one element, or as many as the output.
const Dim& element(const Dims& contents, std::size_t i) {
  return contents[contents.size() == 1 ? 0 : i];
}

std::optional<Dims> elementwise(const Use& use, std::size_t count) {
  std::vector<Element> result;
  for (const ValueType& in : use.inputs) {
    if (in.contents->size() != 1 && in.contents->size() != count) return std::nullopt;
  }
  if (info_of(use.node.op).logic && use.in(0).dtype != DType::Bool) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    const Dim& a = element(*use.in(0).contents, i);
    if (use.node.op == Op::Select) {
      if (!a.is_known()) return std::nullopt;
      result.emplace_back(element(*use.in(a.is(0) ? 2 : 1).contents, i));
    } else if (use.inputs.size() == 2) {
      result.push_back(binary(use.node.op, a, element(*use.in(1).contents, i)));
    } else {
      result.push_back(unary(use, a));
    }
  }
  return all(result);
}

std::optional<Dims> reduced(const Use& use) {
  if (use.rank(0) != 1 || use.in(0).contents->empty()) return std::nullopt;
  if (info_of(use.node.op).shape_rule != ShapeRule::Reduce) return std::nullopt;
  Element result = use.in(0).contents->front();
  for (std::size_t i = 1; result && i < use.in(0).contents->size(); ++i) {
    const Dim& next = (*use.in(0).contents)[i];
    switch (use.node.op) {
      case Op::ReduceSum:
        *result = *result + next;
        break;
      case Op::ReduceProd:
        *result = *result * next;
        break;
      case Op::ReduceMax:
        *result = max(*result, next);
        break;
      case Op::ReduceMin:
        *result = min(*result, next);
        break;
      default:
        return std::nullopt;
    }
  }
  return Dims{*result};
}

/// What moves shapes moves their contents: evaluated on the numbers of the elements in their stead.
void move_contents(const Use& use, std::span<ValueType> outputs) {
  const bool joins = use.node.op == Op::Concat;
  for (const auto& [name, attribute] : use.node.attributes) {
    const Dims* dims = std::get_if<Dims>(&attribute);
    if (dims != nullptr && !all_known(*dims)) return;
  }
  Dims elements;
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < use.inputs.size(); ++i) {
    const ValueType& in = use.inputs[i];
    tensors.emplace_back();
    if (!use.has(static_cast<int>(i))) continue;
    if (!in.contents || !all_known(*in.shape)) return;
    std::vector<std::int64_t> numbers;
    if (i == 0 || joins) {
      for (const Dim& element : *in.contents) {
        numbers.push_back(static_cast<std::int64_t>(elements.size()));
        elements.push_back(element);
      }
    } else {
      if (!all_known(*in.contents)) return;
      numbers = resolve(*in.contents, {});
    }
    tensors.back() = Tensor::of_ints(DType::I64, resolve(*in.shape, {}), numbers);
  }
  std::vector<const Tensor*> inputs;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    inputs.push_back(use.has(static_cast<int>(i)) ? &tensors[i] : nullptr);
  }
  for (const ValueType& output : outputs) {
    if (!output.shape || !all_known(*output.shape)) return;
    if (element_count(*output.shape).value() > kMaxContents) return;
  }
  const std::vector<Tensor> moved = evaluate_node(use.graph, use.node, inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    outputs[i].contents.emplace();
    for (const std::int64_t number : moved[i].ints()) {
      outputs[i].contents->push_back(elements[static_cast<std::size_t>(number)]);
    }
  }
}

std::optional<Dims> range(const Use& use, std::size_t count) {
  Dims result;
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(use.in(0).contents->front() +
                     use.in(2).contents->front() * Dim(static_cast<std::int64_t>(i)));
  }
  return result;
}

}  // namespace

void deduce_contents(const Use& use, std::span<ValueType> outputs) {
  const Op op = use.node.op;
  const Pattern pattern = info_of(op).pattern;
  if (op == Op::Shape || pattern == Pattern::Control || !outputs[0].shape) return;
  if (is_float(outputs[0].dtype) || is_float(use.in(0).dtype)) return;
  if ((pattern == Pattern::Move || pattern == Pattern::Broadcast) && op != Op::Pad) {
    move_contents(use, outputs);
    return;
  }
  for (const ValueType& in : use.inputs) {
    if (!in.contents || is_float(in.dtype)) return;
  }
  const Dim count = element_count(*outputs[0].shape);
  if (!count.is_known() || count.value() > kMaxContents) return;
  const auto size = static_cast<std::size_t>(count.value());
  if (op == Op::Range) outputs[0].contents = range(use, size);
  if (pattern == Pattern::Reduction) outputs[0].contents = reduced(use);
  if (pattern == Pattern::Elementwise) outputs[0].contents = elementwise(use, size);
}

}  // namespace dvmsim::shape_rules
