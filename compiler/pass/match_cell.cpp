// One step of an LSTM or a GRU after its products: what frameworks call the fused cell. It begins
// with the sums of the inputs' and the state's shares of the gates, if those are summed gate by
// gate.
#include "compiler/pass/trail.h"

namespace dvmsim {
namespace {

class CellMatcher {
 public:
  CellMatcher(const MatchContext& context, NodeId last) : trail_(context, last) {}

  std::optional<OperatorMatch> run() {
    const Node& last = trail_.last();
    NodeId state = -1;
    if (last.op == Op::Mul && is_lstm(last, state)) return trail_.match("lstm_cell", {state});
    if (last.op == Op::Add && (is_gru_mix(last) || is_gru_step(last))) {
      return trail_.match("gru_cell");
    }
    return std::nullopt;
  }

 private:
  /// sigmoid(o) * tanh(c'), c' = sigmoid(f) * c + sigmoid(i) * tanh(g); others read c', too.
  bool is_lstm(const Node& last, NodeId& state) {
    return trail_.either(last, [&](ValueId gate, ValueId activated) {
      const Node* tanh = trail_.take(activated, Op::Tanh);
      const Node* sum = tanh == nullptr ? nullptr : trail_.take(tanh->inputs[0], Op::Add);
      if (sum == nullptr || !is_gate(gate, Op::Sigmoid)) return false;
      state = trail_.graph().value(tanh->inputs[0]).producer;
      return trail_.either(*sum, [&](ValueId kept, ValueId added) {
        const Node *keep = trail_.take(kept, Op::Mul), *gain = trail_.take(added, Op::Mul);
        if (keep == nullptr || gain == nullptr) return false;
        return trail_.either(*gain, [&](ValueId i, ValueId g) {
          if (i == gate || !is_gate(i, Op::Sigmoid) || !is_gate(g, Op::Tanh)) return false;
          return trail_.either(*keep, [&](ValueId f, ValueId c) {
            return f != gate && f != i && is_gate(f, Op::Sigmoid) &&
                   trail_.has_shape_of(c, tanh->inputs[0]);
          });
        });
      });
    });
  }

  /// (1 - z) * n + z * h.
  bool is_gru_mix(const Node& last) {
    return trail_.either(last, [&](ValueId fresh, ValueId kept) {
      const Node *gain = trail_.take(fresh, Op::Mul), *keep = trail_.take(kept, Op::Mul);
      if (gain == nullptr || keep == nullptr) return false;
      return trail_.either(*gain, [&](ValueId rest, ValueId n) {
        const Node* sub = trail_.take(rest, Op::Sub);
        if (sub == nullptr || !trail_.is_number(sub->inputs[0], 1)) return false;
        return trail_.either(*keep, [&](ValueId z, ValueId h) {
          return z == sub->inputs[1] && is_gate(z, Op::Sigmoid) && is_candidate(n) &&
                 trail_.has_shape_of(h, n);
        });
      });
    });
  }
  /// n + z * (h - n).
  bool is_gru_step(const Node& last) {
    return trail_.either(last, [&](ValueId n, ValueId step) {
      const Node* mul = trail_.take(step, Op::Mul);
      return mul != nullptr && trail_.either(*mul, [&](ValueId z, ValueId way) {
        const Node* sub = trail_.take(way, Op::Sub);
        return sub != nullptr && sub->inputs[1] == n && is_gate(z, Op::Sigmoid) &&
               is_candidate(n) && trail_.has_shape_of(sub->inputs[0], n);
      });
    });
  }
  /// tanh(a + sigmoid(r) * b).
  bool is_candidate(ValueId n) {
    const Node* tanh = trail_.take(n, Op::Tanh);
    const Node* sum = tanh == nullptr ? nullptr : trail_.take(tanh->inputs[0], Op::Add);
    return sum != nullptr && trail_.either(*sum, [&](ValueId, ValueId product) {
      const Node* mul = trail_.take(product, Op::Mul);
      return mul != nullptr &&
             trail_.either(*mul, [&](ValueId r, ValueId) { return is_gate(r, Op::Sigmoid); });
    });
  }

  /// f(a) or f(a + b).
  bool is_gate(ValueId id, Op f) {
    const Node* node = trail_.take(id, f);
    if (node == nullptr) return false;
    const ValueId argument = node->inputs[0];
    (void)trail_.attempt([&] {
      const Node* sum = trail_.is_shared(argument) ? nullptr : trail_.take(argument, Op::Add);
      return sum != nullptr && trail_.has_shape_of(sum->inputs[0], argument) &&
             trail_.has_shape_of(sum->inputs[1], argument);
    });
    return true;
  }

  Trail trail_;
};

}  // namespace

std::optional<OperatorMatch> match_cell(const MatchContext& context, NodeId last) {
  return CellMatcher(context, last).run();
}

}  // namespace dvmsim
