// Symbolic contents of small integer tensors: the arithmetic that models do on shapes. What is not
// listed here has contents only when all its inputs are numbers (constant folding in shape.cpp).
#include <algorithm>
#include <numeric>

#include "compiler/graph/shape.h"
#include "compiler/graph/shape_rules.h"

namespace dvmsim::shape_rules {
namespace {

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

/// Element i of an input broadcast to `count` elements: ranks up to 1, or the same count.
const Dim& element(const Dims& contents, std::size_t i) {
  return contents[contents.size() == 1 ? 0 : i];
}

std::optional<Dims> elementwise(const Use& use, std::size_t count) {
  std::vector<Element> result;
  for (const ValueType& in : use.inputs) {
    if (in.contents->size() != 1 && in.contents->size() != count) return std::nullopt;
  }
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

std::optional<Dims> gathered(const Use& use) {
  if (use.rank(0) != 1) return std::nullopt;
  const auto size = static_cast<std::int64_t>(use.in(0).contents->size());
  Dims result;
  for (const Dim& index : *use.in(1).contents) {
    if (!index.is_known()) return std::nullopt;
    const std::int64_t at = index.value() < 0 ? index.value() + size : index.value();
    if (at < 0 || at >= size) use.fail("index " + to_text(index) + " is out of bounds");
    result.push_back((*use.in(0).contents)[static_cast<std::size_t>(at)]);
  }
  return result;
}

std::optional<Dims> sliced(const Use& use) {
  if (use.rank(0) != 1) return std::nullopt;
  const std::optional<std::vector<SliceAxis>> axes = slice_axes_of(use);
  if (!axes) return std::nullopt;
  const SliceAxis& axis = axes->front();
  if (!axis.start.is_known() || !axis.count.is_known()) return std::nullopt;
  Dims result;
  for (std::int64_t i = 0; i < axis.count.value(); ++i) {
    result.push_back(
        (*use.in(0).contents)[static_cast<std::size_t>(axis.start.value() + i * axis.step)]);
  }
  return result;
}

std::optional<Dims> contents_of(const Use& use, const ValueType& output) {
  const Dim count = element_count(*output.shape);
  if (!count.is_known() || count.value() > kMaxContents) return std::nullopt;
  const Dims& first = *use.in(0).contents;
  switch (use.node.op) {
    case Op::Reshape:
      return first;
    case Op::Transpose:
      return use.rank(0) < 2 ? std::optional<Dims>(first) : std::nullopt;
    case Op::Expand:
      if (first.size() != 1)
        return use.shape(0) == *output.shape ? std::optional(first) : std::nullopt;
      return Dims(static_cast<std::size_t>(count.value()), first.front());
    case Op::Gather:
      return gathered(use);
    case Op::Slice:
      return sliced(use);
    case Op::Concat: {
      if (use.rank(0) != 1) return std::nullopt;
      Dims joined;
      for (const ValueType& in : use.inputs) {
        joined.insert(joined.end(), in.contents->begin(), in.contents->end());
      }
      return joined;
    }
    case Op::Range: {
      Dims steps;
      for (std::int64_t i = 0; i < count.value(); ++i) {
        steps.push_back(first.front() + use.in(2).contents->front() * Dim(i));
      }
      return steps;
    }
    default:
      break;
  }
  if (info_of(use.node.op).pattern == Pattern::Reduction) return reduced(use);
  if (info_of(use.node.op).pattern == Pattern::Elementwise || use.node.op == Op::Identity) {
    return elementwise(use, static_cast<std::size_t>(count.value()));
  }
  return std::nullopt;
}

void split_contents(const Use& use, std::span<ValueType> outputs) {
  if (use.rank(0) != 1 || !use.in(0).contents) return;
  auto at = use.in(0).contents->begin();
  for (ValueType& output : outputs) {
    if (!output.shape || !output.shape->front().is_known()) return;
    const std::int64_t count = output.shape->front().value();
    output.contents = Dims(at, at + count);
    at += count;
  }
}

bool carries(const ValueType& type) {
  return type.shape && !is_float(type.dtype);
}

}  // namespace

void deduce_contents(const Use& use, std::span<ValueType> outputs) {
  const Op op = use.node.op;
  if (op == Op::Shape || op == Op::If || use.inputs.empty() || !carries(outputs[0])) return;
  if (is_float(use.in(0).dtype)) return;
  if (op == Op::Split) return split_contents(use, outputs);
  // Of moves, the inputs after the first say how: they may be attributes, or have been checked.
  const bool joins = info_of(op).pattern == Pattern::Elementwise || op == Op::Concat ||
                     op == Op::Gather || op == Op::Range;
  for (std::size_t i = 0; i < (joins ? use.inputs.size() : 1); ++i) {
    if (!use.inputs[i].contents) return;
  }
  outputs[0].contents = contents_of(use, outputs[0]);
}

}  // namespace dvmsim::shape_rules
