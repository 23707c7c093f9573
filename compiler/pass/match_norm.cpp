// Layer norm and RMS norm, with scale and bias or without: x, less its mean or not, over the root
// of its mean square.
#include "compiler/pass/trail.h"

namespace dvmsim {
namespace {

using Axes = std::vector<std::int64_t>;

class NormMatcher {
 public:
  NormMatcher(const MatchContext& context, NodeId last) : trail_(context, last) {}

  std::optional<OperatorMatch> run() {
    const Node& last = trail_.last();
    for (const auto form : {&NormMatcher::is_folded, &NormMatcher::is_biased,
                            &NormMatcher::is_scaled, &NormMatcher::is_quotient}) {
      parameters_.clear();
      if (!trail_.attempt([&] { return (this->*form)(last) && is_framework_s(last); })) continue;
      return trail_.match(centred_ ? "layer_norm" : "rms_norm");
    }
    return std::nullopt;
  }

 private:
  struct Mean {
    ValueId of = kNoValue;
    Axes axes{};
  };

  /// n * scale + bias.
  bool is_biased(const Node& last) {
    return last.op == Op::Add && trail_.either(last, [&](ValueId scaled, ValueId bias) {
      const Node* mul = trail_.take(scaled, Op::Mul);
      parameters_ = {bias};
      return mul != nullptr && is_scaled(*mul);
    });
  }
  /// n * scale.
  bool is_scaled(const Node& node) {
    return node.op == Op::Mul && trail_.either(node, [&](ValueId normal, ValueId scale) {
      const Node* inner = trail_.take(trail_.below_cast(normal), {Op::Div, Op::Mul});
      if (inner == nullptr || !is_quotient(*inner)) return false;
      parameters_.push_back(scale);
      return true;
    });
  }
  /// x * s + (bias - mean * s), where s = scale / deviation.
  bool is_folded(const Node& last) {
    return last.op == Op::Add && trail_.either(last, [&](ValueId scaled, ValueId shift) {
      const Node *product = trail_.take(scaled, Op::Mul), *sub = trail_.take(shift, Op::Sub);
      const Node* moved = sub == nullptr ? nullptr : trail_.take(sub->inputs[1], Op::Mul);
      if (product == nullptr || moved == nullptr) return false;
      return trail_.either(*product, [&](ValueId x, ValueId s) {
        return trail_.either(*moved, [&](ValueId mean, ValueId same) {
          parameters_ = {sub->inputs[0]};
          const auto found = mean_of(mean);
          if (!found || found->of != x || same != s || !is_inverse_times_scale(s)) return false;
          x_ = x;
          return found->axes == axes_ && square_of_ == x && centred_;
        });
      });
    });
  }
  bool is_inverse_times_scale(ValueId s) {
    const bool scaled = trail_.attempt([&] {
      const Node* mul = trail_.take(s, Op::Mul);
      return mul != nullptr && trail_.either(*mul, [&](ValueId inverse, ValueId scale) {
        if (!is_inverse(inverse)) return false;
        parameters_.push_back(scale);
        return true;
      });
    });
    return scaled || trail_.attempt([&] { return is_inverse(s); });
  }

  /// c / deviation or c * (1 / deviation); what c is decides which norm it is.
  bool is_quotient(const Node& node) {
    if (node.op == Op::Div) {
      return trail_.attempt(
          [&] { return is_deviation(node.inputs[1]) && is_numerator(node.inputs[0]); });
    }
    return node.op == Op::Mul && trail_.either(node, [&](ValueId c, ValueId inverse) {
      return is_inverse(inverse) && is_numerator(c);
    });
  }
  bool is_numerator(ValueId c) {
    if (centred_) return is_centred(c) && x_ == square_of_;
    x_ = square_of_;
    if (c == x_) return true;
    x_ = trail_.below_cast(x_);
    return trail_.below_cast(c) == x_;
  }

  bool is_inverse(ValueId id) {
    const Node* node = trail_.take(id, {Op::Rsqrt, Op::Reciprocal, Op::Div, Op::Pow});
    if (node == nullptr) return false;
    if (node->op == Op::Rsqrt) return is_variance(node->inputs[0]);
    if (node->op == Op::Reciprocal) return is_deviation(node->inputs[0]);
    if (node->op == Op::Div) {
      return trail_.is_number(node->inputs[0], 1) && is_deviation(node->inputs[1]);
    }
    return trail_.is_number(node->inputs[1], -0.5) && is_variance(node->inputs[0]);
  }
  bool is_deviation(ValueId id) {
    const Node* node = trail_.take(id, {Op::Sqrt, Op::Pow});
    if (node == nullptr) return false;
    if (node->op == Op::Pow && !trail_.is_number(node->inputs[1], 0.5)) return false;
    return is_variance(node->inputs[0]);
  }
  /// mean(c^2), or mean(x^2) - mean(x)^2, and a small number: of which value, and around its mean?
  bool is_variance(ValueId id) {
    const Node* sum = trail_.take(id, Op::Add);
    return sum != nullptr && trail_.either(*sum, [&](ValueId variance, ValueId epsilon) {
      const auto small = trail_.number(epsilon);
      return small && *small >= 0 && is_moment(trail_.below_cast(variance));
    });
  }
  bool is_moment(ValueId variance) {
    return trail_.attempt([&] { return is_difference(variance); }) ||
           trail_.attempt([&] { return is_mean_square(variance); });
  }
  bool is_difference(ValueId variance) {
    const Node* sub = trail_.take(variance, Op::Sub);
    if (sub == nullptr) return false;
    const auto squares = mean_of(sub->inputs[0]);
    const ValueId mean = squared(sub->inputs[1]);
    if (!squares || mean == kNoValue) return false;
    const auto inner = mean_of(mean);
    const ValueId x = squared(squares->of);
    if (!inner || x == kNoValue || inner->of != x || inner->axes != squares->axes) return false;
    centred_ = true;
    square_of_ = x;
    axes_ = inner->axes;
    return true;
  }
  bool is_mean_square(ValueId variance) {
    const auto mean = mean_of(variance);
    const ValueId c = mean ? squared(mean->of) : kNoValue;
    if (c == kNoValue) return false;
    axes_ = mean->axes;
    centred_ = trail_.attempt([&] { return is_centred(c); });
    square_of_ = centred_ ? x_ : c;
    return true;
  }

  /// x - mean(x), over the axes of the variance.
  bool is_centred(ValueId c) {
    const Node* sub = trail_.take(trail_.below_cast(c), Op::Sub);
    if (sub == nullptr) return false;
    const auto mean = mean_of(sub->inputs[1]);
    if (!mean || mean->of != sub->inputs[0] || mean->axes != axes_) return false;
    x_ = sub->inputs[0];
    return true;
  }
  ValueId squared(ValueId id) {
    const Node* node = trail_.take(trail_.below_cast(id), {Op::Mul, Op::Pow});
    if (node == nullptr) return kNoValue;
    const bool square = node->op == Op::Mul ? node->inputs[0] == node->inputs[1]
                                            : trail_.is_number(node->inputs[1], 2);
    return square ? node->inputs[0] : kNoValue;
  }
  std::optional<Mean> mean_of(ValueId id) {
    const Node* node = trail_.take(trail_.below_cast(id), {Op::ReduceMean, Op::Div, Op::Mul});
    if (node == nullptr) return {};
    double share = 1;  // of the sum
    if (node->op != Op::ReduceMean) {
      const auto number = trail_.number(node->inputs[1]);
      if (!number || *number == 0) return {};
      share = node->op == Op::Div ? 1 / *number : *number;
      node = trail_.take(node->inputs[0], Op::ReduceSum);
      if (node == nullptr) return {};
    }
    auto axes = trail_.axes_of(*node);
    if (!axes || (node->op == Op::ReduceSum && !is_share_of(*node, *axes, share))) return {};
    return Mean{node->inputs[0], std::move(*axes)};
  }
  [[nodiscard]] bool is_share_of(const Node& sum, const Axes& axes, double share) const {
    double count = 1;
    for (std::int64_t axis : axes) {
      const Dim& dim = trail_.shape(sum.inputs[0])[static_cast<std::size_t>(axis)];
      if (!dim.is_known()) return false;
      count *= static_cast<double>(dim.value());
    }
    return Trail::is_near(share * count, 1);
  }

  /// Frameworks normalise the last axes, and scale along them.
  [[nodiscard]] bool is_framework_s(const Node& last) const {
    return is_trailing() && trail_.has_shape_of(x_, last.outputs[0]) &&
           std::all_of(parameters_.begin(), parameters_.end(),
                       [&](ValueId parameter) { return is_over_axes(parameter); });
  }
  [[nodiscard]] bool is_trailing() const {
    const auto rank = static_cast<std::int64_t>(trail_.shape(x_).size());
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      if (axes_[i] != rank - static_cast<std::int64_t>(axes_.size() - i)) return false;
    }
    return !axes_.empty();
  }
  /// Does a scale or bias vary along the normalised axes only?
  [[nodiscard]] bool is_over_axes(ValueId parameter) const {
    const Dims& shape = trail_.shape(parameter);
    const std::size_t beyond = shape.size() - std::min(shape.size(), axes_.size());
    return std::all_of(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(beyond),
                       [](const Dim& dim) { return dim.is(1); });
  }

  Trail trail_;
  ValueId x_ = kNoValue, square_of_ = kNoValue;
  Axes axes_{};
  bool centred_ = false;
  std::vector<ValueId> parameters_{};
};

}  // namespace

std::optional<OperatorMatch> match_norm(const MatchContext& context, NodeId last) {
  return NormMatcher(context, last).run();
}

}  // namespace dvmsim
