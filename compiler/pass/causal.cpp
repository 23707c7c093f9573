#include "compiler/pass/causal.h"

#include <algorithm>

namespace dvmsim {
namespace {

const Node* producer(const Graph& graph, ValueId id) {
  const NodeId made_by = graph.value(id).producer;
  return made_by < 0 ? nullptr : &graph.node(made_by);
}

/// The input that has the same numbers in the same order, if the value only restates one.
ValueId restated(const Graph& graph, ValueId id) {
  const Node* node = producer(graph, id);
  if (node == nullptr) return kNoValue;
  const bool restates = node->op == Op::Reshape || node->op == Op::Cast || node->op == Op::Identity;
  return restates ? node->inputs[0] : kNoValue;
}

Dim count_of(const Graph& graph, ValueId id) {
  return element_count(*graph.value(id).type.shape);
}

/// The first number of a range with steps of one.
std::optional<double> start_of_count(const Graph& graph, const Node& range,
                                     const PassContext& context) {
  const std::optional<double> step = uniform_number(graph, range.inputs[2]);
  if (!step || *step != 1) return std::nullopt;
  if (const std::optional<double> start = uniform_number(graph, range.inputs[0])) return start;
  const std::optional<Dims>& known = graph.value(range.inputs[0]).type.contents;
  if (!known || known->size() != 1) return std::nullopt;
  return static_cast<double>(context.value(known->front()));
}

/// Numbers first, first + 1, ...
std::optional<double> first_of_count(const Graph& graph, ValueId id, const PassContext& context) {
  const Value& value = graph.value(id);
  if (value.kind == ValueKind::Constant) {
    if (value.fill) {
      return context.equal(count_of(graph, id), 1) ? uniform_number(graph, id) : std::nullopt;
    }
    const std::vector<float> numbers = constant_tensor(value).floats();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] != numbers[0] + static_cast<float>(i)) return std::nullopt;
    }
    return numbers.empty() ? std::nullopt : std::optional<double>(numbers[0]);
  }
  if (const ValueId same = restated(graph, id); same != kNoValue) {
    return first_of_count(graph, same, context);
  }
  const Node* node = producer(graph, id);
  if (node != nullptr && node->op == Op::Range) return start_of_count(graph, *node, context);
  if (node == nullptr || (node->op != Op::Add && node->op != Op::Sub)) return std::nullopt;
  const double sign = node->op == Op::Add ? 1 : -1;
  const Dim count = count_of(graph, id);
  for (std::size_t i = 0; i < (node->op == Op::Add ? 2u : 1u); ++i) {
    const ValueId counted = node->inputs[i], added = node->inputs[1 - i];
    if (!context.equal(count_of(graph, counted), count)) continue;
    const std::optional<double> shift = uniform_number(graph, added);
    const std::optional<double> first =
        shift ? first_of_count(graph, counted, context) : std::nullopt;
    if (first) return *first + sign * *shift;
  }
  return std::nullopt;
}

/// Are there so many elements, all along the axis that is `from_end` from the last one?
bool lies_along(const Graph& graph, ValueId id, std::size_t from_end, const Dim& count,
                const PassContext& context) {
  const Dims& shape = *graph.value(id).type.shape;
  const Dim along = from_end < shape.size() ? shape[shape.size() - 1 - from_end] : 1;
  return context.equal(along, count) && context.equal(element_count(shape), count);
}

/// Have both the same last two axes?
bool same_matrix(const Graph& graph, ValueId a, ValueId b, const PassContext& context) {
  const Dims &from = *graph.value(a).type.shape, &to = *graph.value(b).type.shape;
  return from.size() >= 2 && to.size() >= 2 && context.equal(from.back(), to.back()) &&
         context.equal(from[from.size() - 2], to[to.size() - 2]);
}

/// Of a condition whose values are known: each query sees one key more than the one before it.
std::optional<std::int64_t> reach_of_known(const Value& condition, bool seen,
                                           const ScoreCounts& counts, const PassContext& context) {
  constexpr std::int64_t kMost = std::int64_t{1} << 22;
  const Dim count = element_count(*condition.type.shape);
  if (!count.is_known() || count.value() > kMost ||
      !context.equal(count, counts.queries * counts.keys)) {
    return std::nullopt;
  }
  const std::vector<std::int64_t> numbers = constant_tensor(condition).ints();
  const auto keys = static_cast<std::size_t>(context.value(counts.keys));
  std::size_t first = 0;
  while (first < keys && (numbers[first] != 0) == seen) ++first;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const bool is_seen = i % keys < first + i / keys;
    if (((numbers[i] != 0) == seen) != is_seen) return std::nullopt;
  }
  return static_cast<std::int64_t>(first) - 1;
}

struct Comparison {
  Op op;
  ValueId left, right;
};

/// The same with sides exchanged.
Op mirrored(Op op) {
  switch (op) {
    case Op::Lt:
      return Op::Gt;
    case Op::Le:
      return Op::Ge;
    case Op::Gt:
      return Op::Lt;
    default:
      return Op::Le;
  }
}

}  // namespace

std::optional<double> uniform_number(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  if (value.kind == ValueKind::Constant) {
    if (value.fill && value.fill->kind == Fill::Kind::Full) {
      Value one = value;
      one.type.shape = Dims{1};
      return constant_tensor(one).floats()[0];
    }
    if (value.fill) return std::nullopt;
    const std::vector<float> numbers = constant_tensor(value).floats();
    const bool equal = !numbers.empty() && std::all_of(numbers.begin(), numbers.end(),
                                                       [&](float x) { return x == numbers[0]; });
    return equal ? std::optional<double>(numbers[0]) : std::nullopt;
  }
  const Node* node = producer(graph, id);
  if (node != nullptr && node->op == Op::Expand) return uniform_number(graph, node->inputs[0]);
  const ValueId same = restated(graph, id);
  return same == kNoValue ? std::nullopt : uniform_number(graph, same);
}

std::optional<std::int64_t> reach_of(const Graph& graph, ValueId condition, bool seen,
                                     const ScoreCounts& counts, const PassContext& context) {
  const Value& value = graph.value(condition);
  if (value.kind == ValueKind::Constant) return reach_of_known(value, seen, counts, context);
  const Node* node = producer(graph, condition);
  if (node == nullptr) return std::nullopt;
  if (node->op == Op::Not) {
    return reach_of(graph, node->inputs[0], !seen, counts, context);
  }
  if (const ValueId same = restated(graph, condition); same != kNoValue) {
    if (!same_matrix(graph, same, condition, context)) return std::nullopt;
    return reach_of(graph, same, seen, counts, context);
  }
  const bool compares =
      node->op == Op::Lt || node->op == Op::Le || node->op == Op::Gt || node->op == Op::Ge;
  if (!compares) return std::nullopt;
  Comparison sides{node->op, node->inputs[0], node->inputs[1]};
  const auto is_key_to_query = [&] {
    return lies_along(graph, sides.left, 0, counts.keys, context) &&
           lies_along(graph, sides.right, 1, counts.queries, context);
  };
  if (!is_key_to_query()) sides = {mirrored(node->op), node->inputs[1], node->inputs[0]};
  if (!is_key_to_query()) return std::nullopt;
  const std::optional<double> first_key = first_of_count(graph, sides.left, context),
                              first_query = first_of_count(graph, sides.right, context);
  if (!first_key || !first_query) return std::nullopt;
  const auto reach = static_cast<std::int64_t>(*first_query - *first_key);
  if (sides.op == (seen ? Op::Le : Op::Gt)) return reach;
  if (sides.op == (seen ? Op::Lt : Op::Ge)) return reach - 1;
  return std::nullopt;  // queries see what is behind them
}

std::optional<std::int64_t> reach_of_added(const Graph& graph, ValueId mask,
                                           const ScoreCounts& counts, const PassContext& context) {
  if (const ValueId same = restated(graph, mask); same != kNoValue) {
    if (!same_matrix(graph, same, mask, context)) return std::nullopt;
    return reach_of_added(graph, same, counts, context);
  }
  const Node* node = producer(graph, mask);
  if (node == nullptr || node->op != Op::Select) return std::nullopt;
  const std::optional<double> yes = uniform_number(graph, node->inputs[1]),
                              no = uniform_number(graph, node->inputs[2]);
  if (!yes || !no) return std::nullopt;
  if (*yes == 0 && hides(*no)) {
    return reach_of(graph, node->inputs[0], true, counts, context);
  }
  if (*no == 0 && hides(*yes)) {
    return reach_of(graph, node->inputs[0], false, counts, context);
  }
  return std::nullopt;
}

}  // namespace dvmsim
