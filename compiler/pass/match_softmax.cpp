// Softmax and its logarithm, with the largest element taken off or not.
#include "compiler/pass/trail.h"

namespace dvmsim {
namespace {

using Axes = std::vector<std::int64_t>;

class SoftmaxMatcher {
 public:
  SoftmaxMatcher(const MatchContext& context, NodeId last) : trail_(context, last) {}

  std::optional<OperatorMatch> run() {
    const Node& last = trail_.last();
    if (last.op == Op::Div && is_share(last.inputs[0], last.inputs[1])) return found("softmax");
    const bool inverse = last.op == Op::Mul && trail_.either(last, [&](ValueId e, ValueId factor) {
      const Node* one = trail_.take(factor, {Op::Reciprocal, Op::Div});
      if (one == nullptr) return false;
      if (one->op == Op::Reciprocal) return is_share(e, one->inputs[0]);
      return trail_.is_number(one->inputs[0], 1) && is_share(e, one->inputs[1]);
    });
    if (inverse) return found("softmax");
    if (last.op == Op::Sub && is_logarithm(last.inputs[0], last.inputs[1])) {
      return found("log_softmax");
    }
    return std::nullopt;
  }

 private:
  std::optional<OperatorMatch> found(std::string_view kind) {
    const bool shaped = trail_.has_shape_of(x_, trail_.last().outputs[0]);
    return shaped ? std::optional(trail_.match(kind)) : std::nullopt;
  }

  /// exp(...) / sum(exp(...)).
  bool is_share(ValueId e, ValueId total) {
    const Node* sum = trail_.take(trail_.below_cast(total), Op::ReduceSum);
    if (sum == nullptr || !takes_axis(*sum)) return false;
    const ValueId below = trail_.below_cast(e), summed = trail_.below_cast(sum->inputs[0]);
    if (below != summed) return false;
    const Node* exp = trail_.take(below, Op::Exp);
    if (exp == nullptr) return false;
    take_shift(exp->inputs[0]);
    return true;
  }

  /// a - log(sum(exp(a))), a being x or x without its largest element.
  bool is_logarithm(ValueId a, ValueId subtracted) {
    const Node* log = trail_.take(trail_.below_cast(subtracted), Op::Log);
    const Node* sum =
        log == nullptr ? nullptr : trail_.take(trail_.below_cast(log->inputs[0]), Op::ReduceSum);
    if (sum == nullptr || !takes_axis(*sum)) return false;
    const Node* exp = trail_.take(trail_.below_cast(sum->inputs[0]), Op::Exp);
    if (exp == nullptr || exp->inputs[0] != a) return false;
    take_shift(a);
    return true;
  }

  void take_shift(ValueId argument) {
    const bool shifted = trail_.attempt([&] { return is_shifted(trail_.below_cast(argument)); });
    if (!shifted) x_ = argument;
  }
  bool is_shifted(ValueId a) {
    const Node* sub = trail_.take(a, Op::Sub);
    if (sub == nullptr) return false;
    const Node* largest = trail_.take(sub->inputs[1], Op::ReduceMax);
    x_ = sub->inputs[0];
    return largest != nullptr && largest->inputs[0] == x_ && trail_.axes_of(*largest) == axes_;
  }

  bool takes_axis(const Node& reduction) {
    axes_ = trail_.axes_of(reduction);
    return axes_ && axes_->size() == 1;
  }

  Trail trail_;
  std::optional<Axes> axes_{};
  ValueId x_ = kNoValue;
};

}  // namespace

std::optional<OperatorMatch> match_softmax(const MatchContext& context, NodeId last) {
  return SoftmaxMatcher(context, last).run();
}

}  // namespace dvmsim
