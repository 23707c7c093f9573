// Activations that are a product of x and a function of x: GELU by erf or tanh, SiLU, hard swish.
// However the product is associated, and wherever its constants are, it is a polynomial in x and in
// the function's value t, and the function's argument is one in x: polynomials are compared.
#include <map>
#include <utility>

#include "compiler/pass/trail.h"

namespace dvmsim {
namespace {

/// Coefficients by the powers of x and t.
using Polynomial = std::map<std::pair<int, int>, double>;

constexpr std::size_t kMostTerms = 16;
constexpr int kDeepest = 8;

Polynomial sum(Polynomial a, const Polynomial& b, double sign) {
  for (const auto& [powers, factor] : b) a[powers] += sign * factor;
  return a;
}

Polynomial product(const Polynomial& a, const Polynomial& b) {
  Polynomial made;
  for (const auto& [left, u] : a) {
    for (const auto& [right, v] : b) {
      made[{left.first + right.first, left.second + right.second}] += u * v;
    }
  }
  return made;
}

/// By a single term other than 0 only.
std::optional<Polynomial> quotient(const Polynomial& a, const Polynomial& b) {
  if (b.size() != 1 || b.begin()->second == 0) return std::nullopt;
  const auto& [powers, factor] = *b.begin();
  return product(a, {{{-powers.first, -powers.second}, 1 / factor}});
}

bool are_near(const Polynomial& a, const Polynomial& b) {
  constexpr double kNothing = 1e-6;
  for (const auto& [powers, factor] : sum(a, b, -1)) {
    const auto expected = b.find(powers);
    const double size = expected == b.end() ? 0 : std::max(expected->second, -expected->second);
    if (std::max(factor, -factor) > (size > 0 ? 1e-3 * size : kNothing)) return false;
  }
  return true;
}

class ActivationMatcher {
 public:
  ActivationMatcher(const MatchContext& context, NodeId last) : trail_(context, last) {}

  std::optional<OperatorMatch> run();

 private:
  struct Form {
    std::string_view kind{};
    Op function{};
    Polynomial argument{}, result{};
  };
  static const std::vector<Form>& forms();

  [[nodiscard]] const Node* producer(ValueId id) const {
    const NodeId made_by = id == kNoValue ? -1 : trail_.graph().value(id).producer;
    return made_by < 0 ? nullptr : &trail_.graph().node(made_by);
  }
  static bool is_arithmetic(Op op) {
    return op == Op::Mul || op == Op::Add || op == Op::Sub || op == Op::Div || op == Op::Neg ||
           op == Op::Pow || op == Op::Reciprocal;
  }
  /// Values from which arithmetic leads to the value, itself first; not beyond those that several
  /// nodes read, one of which is x.
  void collect(ValueId id, std::vector<ValueId>& found) const {
    if (found.size() > kMostTerms || trail_.number(id)) return;
    if (std::find(found.begin(), found.end(), id) != found.end()) return;
    const bool is_last = found.empty();
    found.push_back(id);
    const Node* node = producer(id);
    if (node == nullptr || !is_arithmetic(node->op) || (!is_last && trail_.is_shared(id))) return;
    for (ValueId input : node->inputs) collect(input, found);
  }
  bool is_form(const Form& form, ValueId t, ValueId x);
  /// What the function whose value is t is applied to; nothing for another function.
  std::optional<Polynomial> argument_of(Op function, ValueId t, ValueId x);
  std::optional<Polynomial> hard_sigmoid_argument(ValueId t, ValueId x);
  ValueId clipped(ValueId t, double most);
  std::optional<Polynomial> polynomial(ValueId id, ValueId x, ValueId t, int depth = 0);
  std::optional<Polynomial> power(const Node& node, const Polynomial& base) const;

  Trail trail_;
};

/// Exp stands for 1 + exp(...), Relu for what is clipped to [0, 6], HardSigmoid for what is clipped
/// to [0, 1].
const std::vector<ActivationMatcher::Form>& ActivationMatcher::forms() {
  constexpr double kRootHalf = 0.70710678118654752, kRootTwoOverPi = 0.79788456080286536;
  static const std::vector<Form> all = {
      {"gelu", Op::Erf, {{{1, 0}, kRootHalf}}, {{{1, 0}, 0.5}, {{1, 1}, 0.5}}},
      {"gelu",
       Op::Tanh,
       {{{1, 0}, kRootTwoOverPi}, {{3, 0}, 0.044715 * kRootTwoOverPi}},
       {{{1, 0}, 0.5}, {{1, 1}, 0.5}}},
      {"silu", Op::Sigmoid, {{{1, 0}, 1}}, {{{1, 1}, 1}}},
      {"silu", Op::Exp, {{{1, 0}, -1}}, {{{1, -1}, 1}}},
      {"hard_swish", Op::HardSigmoid, {{{1, 0}, 1.0 / 6}, {{0, 0}, 0.5}}, {{{1, 1}, 1}}},
      {"hard_swish", Op::Relu, {{{1, 0}, 1}, {{0, 0}, 3}}, {{{1, 1}, 1.0 / 6}}},
  };
  return all;
}

std::optional<OperatorMatch> ActivationMatcher::run() {
  const Node& last = trail_.last();
  if (last.op != Op::Mul && last.op != Op::Div) return std::nullopt;
  std::vector<ValueId> inside, xs;
  collect(last.outputs[0], inside);
  for (ValueId id : inside) {
    if (id != last.outputs[0] && trail_.is_shared(id)) xs.push_back(id);
  }
  for (const Form& form : forms()) {
    for (ValueId t : inside) {
      for (ValueId x : xs) {
        if (x == t || !trail_.has_shape_of(x, last.outputs[0])) continue;
        if (trail_.attempt([&] { return is_form(form, t, x); })) return trail_.match(form.kind);
      }
    }
  }
  return std::nullopt;
}

bool ActivationMatcher::is_form(const Form& form, ValueId t, ValueId x) {
  const auto inner = argument_of(form.function, t, x);
  if (!inner || !are_near(*inner, form.argument)) return false;
  const auto outer = polynomial(trail_.last().outputs[0], x, t);
  return outer && are_near(*outer, form.result);
}

std::optional<Polynomial> ActivationMatcher::argument_of(Op function, ValueId t, ValueId x) {
  if (function == Op::HardSigmoid) return hard_sigmoid_argument(t, x);
  if (function == Op::Relu) return polynomial(clipped(t, 6), x, kNoValue);
  if (function == Op::Exp) {
    const Node* sum = trail_.take(t, Op::Add);
    const Node* exp = nullptr;
    const bool plus_one = sum != nullptr && trail_.either(*sum, [&](ValueId a, ValueId one) {
      exp = trail_.take(a, Op::Exp);
      return exp != nullptr && trail_.is_number(one, 1);
    });
    return plus_one ? polynomial(exp->inputs[0], x, kNoValue) : std::nullopt;
  }
  const Node* node = trail_.take(t, function);
  return node == nullptr ? std::nullopt : polynomial(node->inputs[0], x, kNoValue);
}

/// As one operator, or written out.
std::optional<Polynomial> ActivationMatcher::hard_sigmoid_argument(ValueId t, ValueId x) {
  const Node* whole = trail_.take(t, Op::HardSigmoid);
  if (whole == nullptr) return polynomial(clipped(t, 1), x, kNoValue);
  auto inner = polynomial(whole->inputs[0], x, kNoValue);
  if (!inner) return std::nullopt;
  const Polynomial scaled = product(*inner, {{{0, 0}, whole->float_of("alpha")}});
  return sum(scaled, {{{0, 0}, whole->float_of("beta")}}, 1);
}

/// What is clipped to [0, most] to make t.
ValueId ActivationMatcher::clipped(ValueId t, double most) {
  ValueId below = t;
  bool lower = false, upper = false;
  for (int i = 0; i < 2; ++i) {
    const Node* node = trail_.take(below, {Op::Max, Op::Min, Op::Relu});
    if (node == nullptr) return kNoValue;
    const double limit = node->op == Op::Min ? most : 0;
    (node->op == Op::Min ? upper : lower) = true;
    if (node->op == Op::Relu) {
      below = node->inputs[0];
      continue;
    }
    const auto is_limit = [&](ValueId a, ValueId b) {
      const auto number = trail_.number(b);
      below = a;
      return number && (limit == 0 ? *number == 0 : Trail::is_near(*number, limit));
    };
    if (!trail_.either(*node, is_limit)) return kNoValue;
  }
  return lower && upper ? below : kNoValue;
}

/// The value in terms of x and t, whose nodes are taken; nothing if it is no polynomial of them.
std::optional<Polynomial> ActivationMatcher::polynomial(ValueId id, ValueId x, ValueId t,
                                                        int depth) {
  if (id == kNoValue || depth > kDeepest) return std::nullopt;
  if (id == x) return Polynomial{{{1, 0}, 1}};
  if (id == t) return Polynomial{{{0, 1}, 1}};
  if (const auto number = trail_.number(id)) return Polynomial{{{0, 0}, *number}};
  const Node* node =
      trail_.take(id, {Op::Mul, Op::Add, Op::Sub, Op::Div, Op::Neg, Op::Pow, Op::Reciprocal});
  if (node == nullptr) return std::nullopt;
  const auto a = polynomial(node->inputs[0], x, t, depth + 1);
  if (!a || a->size() > kMostTerms) return std::nullopt;
  if (node->op == Op::Neg) return sum({}, *a, -1);
  if (node->op == Op::Reciprocal) return quotient({{{0, 0}, 1}}, *a);
  if (node->op == Op::Pow) return power(*node, *a);
  const auto b = polynomial(node->inputs[1], x, t, depth + 1);
  if (!b || b->size() > kMostTerms) return std::nullopt;
  if (node->op == Op::Mul) return product(*a, *b);
  if (node->op == Op::Div) return quotient(*a, *b);
  return sum(*a, *b, node->op == Op::Add ? 1 : -1);
}

std::optional<Polynomial> ActivationMatcher::power(const Node& node, const Polynomial& base) const {
  const auto exponent = trail_.number(node.inputs[1]);
  if (!exponent || (*exponent != 2 && *exponent != 3)) return std::nullopt;
  const Polynomial square = product(base, base);
  return *exponent == 2 ? square : product(square, base);
}

}  // namespace

std::optional<OperatorMatch> match_activation(const MatchContext& context, NodeId last) {
  return ActivationMatcher(context, last).run();
}

}  // namespace dvmsim
