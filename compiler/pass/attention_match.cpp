#include "compiler/pass/attention_match.h"

#include <algorithm>

#include "compiler/pass/causal.h"

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

bool is_float_cast(const Graph& graph, const Node& node) {
  return node.op == Op::Cast && is_float(graph.value(node.inputs[0]).type.dtype) &&
         is_float(graph.value(node.outputs[0]).type.dtype);
}

/// Leading axes become batch and heads: of five axes the second and third are the heads.
std::optional<Dims> four_axes(const Dims& shape) {
  switch (shape.size()) {
    case 2:
      return Dims{1, 1, shape[0], shape[1]};
    case 3:
      return Dims{1, shape[0], shape[1], shape[2]};
    case 4:
      return shape;
    case 5:
      return Dims{shape[0], shape[1] * shape[2], shape[3], shape[4]};
    default:
      return std::nullopt;
  }
}

/// The permutation that first does `inner`, then `outer`.
Sizes composed(const Sizes& outer, const Sizes& inner) {
  Sizes both;
  for (std::int64_t axis : outer) both.push_back(inner[static_cast<std::size_t>(axis)]);
  return both;
}

}  // namespace

const Node* AttentionMatcher::producer(ValueId id) const {
  const NodeId made_by = id == kNoValue ? -1 : graph_.value(id).producer;
  return made_by < 0 ? nullptr : &graph_.node(made_by);
}

const Node* AttentionMatcher::only_user(ValueId id) const {
  const std::vector<NodeId>& users = users_[static_cast<std::size_t>(id)];
  const bool leaves =
      std::find(graph_.outputs.begin(), graph_.outputs.end(), id) != graph_.outputs.end();
  return users.size() == 1 && !leaves ? &graph_.node(users[0]) : nullptr;
}

/// The input of the softmax over the last axis that the value is, perhaps in another float type.
ValueId AttentionMatcher::softmax_input(ValueId id) const {
  const Node* node = producer(id);
  if (node != nullptr && is_float_cast(graph_, *node)) node = producer(node->inputs[0]);
  if (node == nullptr || node->op != Op::Softmax) return kNoValue;
  const auto rank = std::ssize(shape_of(node->outputs[0]));
  const std::int64_t axis = node->int_of("axis");
  return (axis < 0 ? axis + rank : axis) == rank - 1 ? node->inputs[0] : kNoValue;
}

bool AttentionMatcher::looks_like(const Node& product) const {
  return product.op == Op::MatMul && softmax_input(product.inputs[0]) != kNoValue;
}

bool AttentionMatcher::leads_to_product(ValueId id) const {
  const Node* node = producer(id);
  if (node == nullptr) return false;
  switch (node->op) {
    case Op::MatMul:
      return true;
    case Op::Mul:
    case Op::Add:
      return leads_to_product(node->inputs[0]) || leads_to_product(node->inputs[1]);
    case Op::Div:
    case Op::Cast:
      return leads_to_product(node->inputs[0]);
    case Op::Select:
      return leads_to_product(node->inputs[1]) || leads_to_product(node->inputs[2]);
    default:
      return false;
  }
}

std::optional<AttentionMatcher::Scores> AttentionMatcher::scores_of(ValueId id,
                                                                    std::string& why) const {
  const Node* node = producer(id);
  if (node == nullptr) {
    why = "its scores are no product";
    return std::nullopt;
  }
  if (only_user(id) == nullptr) {
    why = "something else reads its scores";
    return std::nullopt;
  }
  switch (node->op) {
    case Op::MatMul:
      if (node->int_of("trans_a") == 0 && node->input(2) == kNoValue)
        return Scores{.product = node};
      why = "its scores have a bias, or queries along columns";
      return std::nullopt;
    case Op::Mul:
    case Op::Div:
      return scaled(*node, why);
    case Op::Add:
      return masked(*node, why);
    case Op::Select:
      return selected(*node, why);
    default:
      if (is_float_cast(graph_, *node)) return scores_of(node->inputs[0], why);
      why = "something other than a scale and a mask is between its products";
      return std::nullopt;
  }
}

std::optional<AttentionMatcher::Scores> AttentionMatcher::scaled(const Node& node,
                                                                 std::string& why) const {
  const std::size_t side = node.op == Op::Mul && !leads_to_product(node.inputs[0]) ? 1 : 0;
  const std::optional<double> factor = uniform_number(graph_, node.inputs[1 - side]);
  const bool keeps = context_.equal(shape_of(node.inputs[side]), shape_of(node.outputs[0]));
  if (!factor || *factor == 0 || !keeps) {
    why = "its scores are scaled by more than a number";
    return std::nullopt;
  }
  std::optional<Scores> inner = scores_of(node.inputs[side], why);
  if (!inner) return std::nullopt;
  if (inner->mask != kNoValue) {
    why = "its mask is scaled";
    return std::nullopt;
  }
  inner->scale = node.op == Op::Mul ? inner->scale * *factor : inner->scale / *factor;
  return inner;
}

std::optional<AttentionMatcher::Scores> AttentionMatcher::masked(const Node& node,
                                                                 std::string& why) const {
  const std::size_t side = leads_to_product(node.inputs[0]) ? 0 : 1;
  const ValueId mask = node.inputs[1 - side];
  const Dims& scores = shape_of(node.inputs[side]);
  std::optional<Scores> inner = scores_of(node.inputs[side], why);
  if (!inner) return std::nullopt;
  if (inner->mask != kNoValue || !context_.equal(scores, shape_of(node.outputs[0]))) {
    why = "it has several masks, or one that is larger than its scores";
    return std::nullopt;
  }
  const ScoreCounts counts{scores[scores.size() - 2], scores.back()};
  const std::optional<std::int64_t> reach = reach_of_added(graph_, mask, counts, context_);
  if (reach && !inner->reach) {
    inner->reach = reach;
  } else {
    inner->mask = mask;
  }
  return inner;
}

std::optional<AttentionMatcher::Scores> AttentionMatcher::selected(const Node& node,
                                                                   std::string& why) const {
  const bool seen = leads_to_product(node.inputs[1]);
  const ValueId scores = node.inputs[seen ? 1 : 2], other = node.inputs[seen ? 2 : 1];
  const Dims& shape = shape_of(scores);
  const std::optional<double> hidden = uniform_number(graph_, other);
  const std::optional<std::int64_t> reach =
      reach_of(graph_, node.inputs[0], seen, {shape[shape.size() - 2], shape.back()}, context_);
  if (!reach || !hidden || !hides(*hidden)) {
    why = "its scores are selected, but not as a causal mask does";
    return std::nullopt;
  }
  std::optional<Scores> inner = scores_of(scores, why);
  if (!inner) return std::nullopt;
  if (inner->reach || !context_.equal(shape, shape_of(node.outputs[0]))) {
    why = "it has several masks, or one that is larger than its scores";
    return std::nullopt;
  }
  inner->reach = reach;
  return inner;
}

/// Is the operand [b, g, r, n, d] read as [b, g * r, n, d], and was it [b, g, 1, n, d]?
bool AttentionMatcher::repeats_heads(const AttentionOperand& operand, const Dims& from,
                                     const Dims& to) const {
  if (operand.perm[0] != 0 || operand.perm[1] != 1 || from.size() != 5 || to.size() != 5) {
    return false;
  }
  for (std::size_t i : {0, 1, 3, 4}) {
    if (!equal(from[i], to[i])) return false;
  }
  return equal(from[2], 1) && context_.equal(operand.shape, *four_axes(to));
}

/// What lies below transposes, and below heads that were repeated: [b, g, 1, n, d] expanded to
/// [b, g, r, n, d] and read as [b, g * r, n, d].
AttentionOperand AttentionMatcher::looked_through(AttentionOperand operand) const {
  for (;;) {
    const Node* node = producer(operand.base);
    if (node == nullptr) return operand;
    if (node->op == Op::Transpose) {
      const Sizes perm = node->ints_of("perm", {3, 2, 1, 0});
      operand.base = node->inputs[0];
      operand.shape = shape_of(operand.base);
      operand.perm = composed(operand.perm, perm);
      continue;
    }
    const Node* expand = node->op == Op::Reshape ? producer(node->inputs[0]) : nullptr;
    if (expand == nullptr || expand->op != Op::Expand) return operand;
    const Dims &from = shape_of(expand->inputs[0]), &to = shape_of(expand->outputs[0]);
    if (!repeats_heads(operand, from, to)) return operand;
    operand.base = expand->inputs[0];
    operand.shape = {from[0], from[1], from[3], from[4]};
    const Node* inner = producer(operand.base);
    const bool restates = inner != nullptr && inner->op == Op::Reshape &&
                          context_.equal(shape_of(inner->inputs[0]), operand.shape);
    if (!restates) return operand;
    operand.base = inner->inputs[0];
  }
}

/// `turned`: the last two axes are to be exchanged.
std::optional<AttentionOperand> AttentionMatcher::operand(ValueId id, bool turned,
                                                          std::string& why) const {
  const Dims& shape = shape_of(id);
  const std::optional<Dims> four = four_axes(shape);
  if (!four) {
    why = "its operands have more than five axes";
    return std::nullopt;
  }
  AttentionOperand made{id, *four, {0, 1, 2, 3}};
  if (turned) std::swap(made.perm[2], made.perm[3]);
  if (shape.size() == 4) {
    const AttentionOperand below = looked_through(made);
    if (below.perm[3] == 3) return below;
  }
  const Node* node = producer(id);
  if (turned && shape.size() != 4 && node != nullptr && node->op == Op::Transpose) {
    Sizes straight(shape.size());
    for (std::size_t i = 0; i < straight.size(); ++i) straight[i] = static_cast<std::int64_t>(i);
    std::swap(straight[shape.size() - 2], straight[shape.size() - 1]);
    if (node->ints_of("perm", {1, 0}) == straight) {
      return operand(node->inputs[0], false, why);
    }
  }
  if (!turned) return made;
  why = "its keys lie along columns";
  return std::nullopt;
}

/// Leading axes of keys or values beside those of queries: equal or 1; and 1 last among two axes of
/// heads.
bool AttentionMatcher::shares(const Dims& q, const Dims& kv) const {
  if (q.size() != kv.size()) return false;
  if (q.size() == 5) {
    return equal(q[0], kv[0]) && equal(q[1], kv[1]) && (equal(kv[2], q[2]) || equal(kv[2], 1));
  }
  for (std::size_t i = 0; i + 2 < q.size(); ++i) {
    if (!equal(kv[i], q[i]) && !equal(kv[i], 1)) return false;
  }
  return true;
}

/// The mask as at most four axes.
bool AttentionMatcher::place_mask(AttentionMatch& match, std::size_t rank) const {
  if (match.mask == kNoValue) return true;
  Dims shape = shape_of(match.mask);
  if (shape.size() == 5) {
    const Dim heads = shape[1] * shape[2];
    if (!equal(heads, 1) && !equal(heads, match.q.size(1))) return false;
    shape = *four_axes(shape);
  } else if (rank == 5 && shape.size() > 2) {
    const bool of_matrix = std::all_of(shape.begin(), shape.end() - 2,
                                       [&](const Dim& size) { return equal(size, 1); });
    if (!of_matrix) return false;
  }
  if (shape.empty() || !equal(shape.back(), match.k.size(2))) return false;
  match.mask_shape = std::move(shape);
  return is_float(graph_.value(match.mask).type.dtype);
}

std::optional<AttentionMatch> AttentionMatcher::match(const Node& product, std::string& why) const {
  if (product.int_of("trans_a") != 0 || product.int_of("trans_b") != 0 ||
      product.input(2) != kNoValue || product.find("to") != nullptr) {
    why = "its values lie along columns, or have a bias or a type of their own";
    return std::nullopt;
  }
  for (ValueId id = product.inputs[0]; id != softmax_input(product.inputs[0]);
       id = producer(id)->inputs[0]) {
    if (only_user(id) != nullptr) continue;
    why = "something else reads its probabilities";
    return std::nullopt;
  }
  const std::optional<Scores> scores = scores_of(softmax_input(product.inputs[0]), why);
  if (!scores) return std::nullopt;
  const ValueId q = scores->product->inputs[0], k = scores->product->inputs[1];
  const auto of_q = operand(q, false, why);
  const auto of_k = operand(k, scores->product->int_of("trans_b") == 0, why);
  const auto of_v = operand(product.inputs[1], false, why);
  if (!of_q || !of_k || !of_v) return std::nullopt;

  AttentionMatch match{*of_q, *of_k, *of_v, scores->mask, {}, scores->scale, scores->reach, {}};
  const Dims& q_shape = shape_of(q);
  match.result_shape = {match.q.size(0), match.q.size(1), match.q.size(2), match.v.size(3)};
  const std::optional<Dims> made = four_axes(shape_of(product.outputs[0]));
  if (!made || !context_.equal(*made, match.result_shape) || !shares(q_shape, shape_of(k)) ||
      !shares(q_shape, shape_of(product.inputs[1])) || !equal(match.k.size(1), match.v.size(1))) {
    why = "its heads share keys or values in another way than neighbours do";
    return std::nullopt;
  }
  if (match.reach && *match.reach < 0) {
    why = "its first query sees no key";
    return std::nullopt;
  }
  if (!place_mask(match, q_shape.size())) {
    why = "its mask is not one number for each score or each key";
    return std::nullopt;
  }
  return match;
}

}  // namespace dvmsim
