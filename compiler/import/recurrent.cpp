// LSTM, GRU and RNN: one product of the whole sequence with the input weights, then a scan over
// time whose body has the product with the recurrent weights and the gates.
#include <algorithm>
#include <cctype>
#include <tuple>

#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

/// One activation function with its parameters.
struct Activation {
  std::string name{};
  double alpha = 0, beta = 0;
};

double default_alpha(const std::string& name) {
  if (name == "LeakyRelu") return 0.01;
  if (name == "HardSigmoid") return 0.2;
  return 1;
}
double default_beta(const std::string& name) {
  if (name == "HardSigmoid") return 0.5;
  return name == "ScaledTanh" ? 1 : 0;
}

/// The functions of one direction; parameters are consumed in order by those that take them.
std::vector<Activation> activations_of(Lower& l, std::size_t per_direction,
                                       std::size_t directions) {
  const bool lstm = per_direction == 3, gru = per_direction == 2;
  std::vector<std::string> names = l.strings_of("activations");
  for (std::size_t d = 0; l.strings_of("activations").empty() && d < directions; ++d) {
    if (lstm || gru) names.emplace_back("Sigmoid");
    names.emplace_back("Tanh");
    if (lstm) names.emplace_back("Tanh");
  }
  if (names.size() != per_direction * directions) {
    l.fail("has " + std::to_string(names.size()) + " activations, needs " +
           std::to_string(per_direction * directions));
  }
  const std::vector<float> alphas = l.floats_of("activation_alpha"),
                           betas = l.floats_of("activation_beta");
  std::size_t alpha = 0, beta = 0;
  std::vector<Activation> result;
  for (const std::string& name : names) {
    Activation made{name, default_alpha(name), default_beta(name)};
    const bool two = name == "Affine" || name == "ScaledTanh" || name == "HardSigmoid";
    const bool one = two || name == "LeakyRelu" || name == "ThresholdedRelu" || name == "Elu";
    if (one && alpha < alphas.size()) made.alpha = alphas[alpha++];
    if (two && beta < betas.size()) made.beta = betas[beta++];
    result.push_back(std::move(made));
  }
  return result;
}

/// Writes the body of the scan.
class Body {
 public:
  Body(Lower& l, DType dtype, const std::string& name)
      : l_(l), dtype_(dtype), name_(name), clip_(l.float_of("clip", 0)) {}

  Graph graph{};

  ValueId input(const std::string& name, DType dtype) { return graph.add_input(name, dtype, {}); }
  ValueId op(Op what, std::vector<ValueId> inputs, AttributeMap attributes = {}) {
    return graph.add(what, std::move(inputs), std::move(attributes), name_);
  }
  ValueId add(ValueId a, ValueId b) { return op(Op::Add, {a, b}); }
  ValueId mul(ValueId a, ValueId b) { return op(Op::Mul, {a, b}); }
  ValueId one_minus(ValueId a) { return op(Op::Sub, {number(1), a}); }
  ValueId number(double value) { return graph.add_scalar(dtype_, value); }
  ValueId times_transposed(ValueId a, ValueId weights, ValueId bias = kNoValue) {
    std::vector<ValueId> inputs = {a, weights};
    if (bias != kNoValue) inputs.push_back(bias);
    return op(Op::MatMul, std::move(inputs), {{"trans_b", std::int64_t{1}}});
  }
  std::vector<ValueId> split(ValueId a, const std::vector<std::int64_t>& sizes) {
    const NodeId id = graph.add_node(
        Op::Split, {a}, std::vector<std::string>(sizes.size(), name_),
        {{"axis", std::int64_t{-1}}, {"sizes", Dims(sizes.begin(), sizes.end())}}, name_);
    return graph.node(id).outputs;
  }
  ValueId part(ValueId a, std::int64_t begin, std::int64_t end) {
    return op(Op::Slice, {a}, {{"starts", Dims{begin}}, {"ends", Dims{end}}, {"axes", Dims{-1}}});
  }

  ValueId activate(const Activation& f, ValueId x) {
    if (clip_ > 0) x = op(Op::Min, {op(Op::Max, {x, number(-clip_)}), number(clip_)});
    if (f.name == "Sigmoid") return op(Op::Sigmoid, {x});
    if (f.name == "Tanh") return op(Op::Tanh, {x});
    if (f.name == "Relu") return op(Op::Relu, {x});
    if (f.name == "Affine") return add(mul(x, number(f.alpha)), number(f.beta));
    if (f.name == "ScaledTanh") {
      return mul(op(Op::Tanh, {mul(x, number(f.beta))}), number(f.alpha));
    }
    if (f.name == "Softsign") return op(Op::Softsign, {x});
    if (f.name == "Softplus") return op(Op::Softplus, {x});
    const AttributeMap alpha = {{"alpha", f.alpha}};
    if (f.name == "LeakyRelu") return op(Op::LeakyRelu, {x}, alpha);
    if (f.name == "ThresholdedRelu") return op(Op::ThresholdedRelu, {x}, alpha);
    if (f.name == "Elu") return op(Op::Elu, {x}, alpha);
    if (f.name == "HardSigmoid") {
      return op(Op::HardSigmoid, {x}, {{"alpha", f.alpha}, {"beta", f.beta}});
    }
    l_.fail("activation " + f.name + " is not supported");
  }

 private:
  Lower& l_;
  DType dtype_;
  std::string name_;
  double clip_ = 0;
};

enum class Kind : std::uint8_t { Rnn, Gru, Lstm };

/// What every recurrent operator has, brought to one form: X is [time, batch, inputs].
class Recurrent {
 public:
  Recurrent(Lower& l, Kind kind) : l_(l), kind_(kind) {
    gates_ = kind == Kind::Lstm ? 4 : kind == Kind::Gru ? 3 : 1;
    batch_first_ = l.int_of("layout", 0) != 0;
    x_ = l.in(0);
    if (l.rank(x_) != 3 || l.rank(l.in(1)) != 3 || l.rank(l.in(2)) != 3) {
      l.fail("X, W and R must have three dimensions");
    }
    if (batch_first_) x_ = swapped(x_);
    const Dim hidden = l.shape(l.in(2)).back();
    if (!hidden.is_known()) l.fail("the hidden size must be known");
    hidden_ = hidden.value();
    time_ = l.shape(x_)[0];
    batch_ = l.shape(x_)[1];
    const std::string direction = lower_case(l.string_of("direction", "forward"));
    if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
      l.fail("direction '" + direction + "' is unknown");
    }
    directions_ = direction == "bidirectional" ? 2 : 1;
    reversed_ = direction == "reverse";
    activations_ = activations_of(l,
                                  kind == Kind::Lstm  ? 3
                                  : kind == Kind::Gru ? 2
                                                      : 1,
                                  static_cast<std::size_t>(directions_));
    if (l.has(4)) make_mask();
  }

  void lower() {
    std::vector<ValueId> sequences, last_h, last_c;
    for (std::int64_t d = 0; d < directions_; ++d) {
      const std::vector<ValueId> made = direction(d);
      sequences.push_back(l_.reshape(made.back(), {time_, 1, batch_, hidden_}));
      last_h.push_back(l_.reshape(made[0], {1, batch_, hidden_}));
      if (kind_ == Kind::Lstm) last_c.push_back(l_.reshape(made[1], {1, batch_, hidden_}));
    }
    if (l_.wants(0)) {
      ValueId y = joined(sequences, 1);
      if (batch_first_) y = l_.op(Op::Transpose, {y}, {{"perm", Dims{2, 0, 1, 3}}});
      l_.out(0, y);
    }
    give_state(1, last_h);
    if (kind_ == Kind::Lstm) give_state(2, last_c);
  }

 private:
  static std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  }
  ValueId swapped(ValueId id) { return l_.op(Op::Transpose, {id}, {{"perm", Dims{1, 0, 2}}}); }
  ValueId joined(const std::vector<ValueId>& parts, std::int64_t axis) {
    return parts.size() == 1 ? parts[0] : l_.op(Op::Concat, parts, {{"axis", axis}});
  }
  void give_state(int output, const std::vector<ValueId>& parts) {
    if (!l_.wants(output)) return;
    const ValueId state = joined(parts, 0);
    l_.out(output, batch_first_ ? swapped(state) : state);
  }

  /// Of direction d, without the dimension of directions.
  ValueId of_direction(ValueId id, std::int64_t d) {
    Dims shape = l_.shape(id);
    shape.erase(shape.begin());
    if (directions_ > 1) {
      id = l_.op(Op::Slice, {id}, {{"starts", Dims{d}}, {"ends", Dims{d + 1}}, {"axes", Dims{0}}});
    }
    return l_.reshape(id, shape);
  }
  ValueId part(ValueId id, std::int64_t begin, std::int64_t end) {
    return l_.op(Op::Slice, {id},
                 {{"starts", Dims{begin}}, {"ends", Dims{end}}, {"axes", Dims{0}}});
  }

  /// mask_[time, batch, 1]: does the step belong to the sequence?
  void make_mask() {
    const ValueId lengths = l_.op(Op::Cast, {l_.in(4)}, {{"to", DType::F32}});
    const ValueId shape =
        l_.op(Op::Shape, {x_}, {{"start", std::int64_t{0}}, {"end", std::int64_t{1}}});
    const ValueId count = l_.reshape(shape, {});
    const std::int64_t zero = 0, one = 1;
    const ValueId steps =
        l_.op(Op::Range, {l_.constant(Tensor::of_ints(DType::I64, {}, std::span(&zero, 1))), count,
                          l_.constant(Tensor::of_ints(DType::I64, {}, std::span(&one, 1)))});
    const ValueId times = l_.reshape(l_.op(Op::Cast, {steps}, {{"to", DType::F32}}), {time_, 1, 1});
    mask_ = l_.op(Op::Lt, {times, l_.reshape(lengths, {1, batch_, 1})});
  }

  ValueId initial(int input, std::int64_t d) {
    if (l_.has(input)) {
      const ValueId given = l_.in(input);
      return of_direction(batch_first_ ? swapped(given) : given, d);
    }
    const ValueId zero = l_.scalar(x_, 0);
    return l_.op(Op::Expand, {zero}, {{"shape", Dims{batch_, hidden_}}});
  }

  /// States, then the sequence of h.
  std::vector<ValueId> direction(std::int64_t d) {
    const bool backwards = reversed_ || d == 1;
    const std::int64_t rows = gates_ * hidden_;
    const ValueId w = of_direction(l_.in(1), d), r = of_direction(l_.in(2), d);
    std::vector<ValueId> product = {x_, w};
    ValueId recurrent_bias = kNoValue;
    if (l_.has(3)) {
      const ValueId both = of_direction(l_.in(3), d);
      const ValueId first = part(both, 0, rows), second = part(both, rows, 2 * rows);
      // A GRU that resets after its product needs that product's bias by itself.
      const bool apart = kind_ == Kind::Gru && l_.int_of("linear_before_reset", 0) != 0;
      if (apart) recurrent_bias = second;
      product.push_back(apart ? first : l_.op(Op::Add, {first, second}));
    }
    const ValueId gates = l_.op(Op::MatMul, product, {{"trans_b", std::int64_t{1}}});

    std::vector<ValueId> inputs = {initial(5, d)};
    if (kind_ == Kind::Lstm) inputs.push_back(initial(6, d));
    const auto states = static_cast<std::int64_t>(inputs.size());
    inputs.push_back(gates);
    if (mask_ != kNoValue) inputs.push_back(mask_);
    Body body(l_, l_.dtype(x_), l_.type());
    body_ = &body;
    write_body(inputs, d, r, recurrent_bias);
    const std::int64_t direction = backwards ? 1 : 0;
    return l_.op_with_body(Op::Scan, inputs, std::move(body.graph),
                           {{"states", states},
                            {"scans", std::int64_t{mask_ != kNoValue ? 2 : 1}},
                            {"input_backwards", Dims{direction, direction}},
                            {"output_backwards", Dims{direction}}});
  }

  /// Captures come after states and slices, in `inputs` and in the body alike.
  ValueId capture(std::vector<ValueId>& inputs, ValueId outside, const char* name) {
    inputs.push_back(outside);
    return body_->input(name, l_.dtype(outside));
  }

  void write_body(std::vector<ValueId>& inputs, std::int64_t d, ValueId r, ValueId bias) {
    Body& b = *body_;
    const DType dtype = l_.dtype(x_);
    const ValueId h = b.input("h", dtype);
    const ValueId c = kind_ == Kind::Lstm ? b.input("c", dtype) : kNoValue;
    const ValueId x = b.input("x", dtype);
    const ValueId mask = mask_ == kNoValue ? kNoValue : b.input("mask", DType::Bool);
    const Activation* f = &activations_[static_cast<std::size_t>(
        d * static_cast<std::int64_t>(activations_.size()) / directions_)];
    ValueId next_c = kNoValue, next_h = kNoValue;
    if (kind_ == Kind::Rnn) {
      const ValueId sum = b.add(x, b.times_transposed(h, capture(inputs, r, "r")));
      next_h = b.activate(f[0], sum);
    } else if (kind_ == Kind::Gru) {
      next_h = gru_step(inputs, r, bias, h, x, f);
    } else {
      std::tie(next_h, next_c) = lstm_step(inputs, d, r, h, c, x, f);
    }
    const ValueId zero = b.number(0);
    const auto kept = [&](ValueId now, ValueId before) {
      return mask == kNoValue ? now : b.op(Op::Select, {mask, now, before});
    };
    b.graph.add_output(kept(next_h, h), "next_h");
    if (c != kNoValue) b.graph.add_output(kept(next_c, c), "next_c");
    b.graph.add_output(kept(next_h, zero), "y");
  }

  std::pair<ValueId, ValueId> lstm_step(std::vector<ValueId>& inputs, std::int64_t d, ValueId r,
                                        ValueId h, ValueId c, ValueId x, const Activation* f) {
    Body& b = *body_;
    const ValueId sum = b.add(x, b.times_transposed(h, capture(inputs, r, "r")));
    const std::vector<ValueId> gate =
        b.split(sum, {hidden_, hidden_, hidden_, hidden_});  // i o f c
    ValueId i = gate[0], o = gate[1], forget = gate[2];
    ValueId peep_o = kNoValue;
    if (l_.has(7)) {
      const ValueId p = of_direction(l_.in(7), d);
      const auto peephole = [&](std::int64_t at, const char* name) {
        return capture(inputs, part(p, at * hidden_, (at + 1) * hidden_), name);
      };
      i = b.add(i, b.mul(peephole(0, "pi"), c));
      peep_o = peephole(1, "po");
      forget = b.add(forget, b.mul(peephole(2, "pf"), c));
    }
    i = b.activate(f[0], i);
    const bool coupled = l_.int_of("input_forget", 0) != 0;
    forget = coupled ? b.one_minus(i) : b.activate(f[0], forget);
    const ValueId next_c = b.add(b.mul(forget, c), b.mul(i, b.activate(f[1], gate[3])));
    if (peep_o != kNoValue) o = b.add(o, b.mul(peep_o, next_c));
    return {b.mul(b.activate(f[0], o), b.activate(f[2], next_c)), next_c};
  }

  ValueId gru_step(std::vector<ValueId>& inputs, ValueId r, ValueId bias, ValueId h, ValueId x,
                   const Activation* f) {
    Body& b = *body_;
    const std::int64_t two = 2 * hidden_;
    const ValueId r_zr = capture(inputs, part(r, 0, two), "r_zr");
    const ValueId r_h = capture(inputs, part(r, two, two + hidden_), "r_h");
    ValueId bias_zr = kNoValue, bias_h = kNoValue;
    if (bias != kNoValue) {
      bias_zr = capture(inputs, part(bias, 0, two), "b_zr");
      bias_h = capture(inputs, part(bias, two, two + hidden_), "b_h");
    }
    const ValueId x_zr = b.part(x, 0, two), x_h = b.part(x, two, two + hidden_);
    const ValueId both = b.activate(f[0], b.add(x_zr, b.times_transposed(h, r_zr, bias_zr)));
    const ValueId z = b.part(both, 0, hidden_), reset = b.part(both, hidden_, two);
    ValueId candidate = kNoValue;
    if (l_.int_of("linear_before_reset", 0) != 0) {
      candidate = b.mul(reset, b.times_transposed(h, r_h, bias_h));
    } else {
      candidate = b.times_transposed(b.mul(reset, h), r_h, bias_h);
    }
    const ValueId made = b.activate(f[1], b.add(x_h, candidate));
    return b.add(b.mul(b.one_minus(z), made), b.mul(z, h));
  }

  Lower& l_;
  Kind kind_;
  std::int64_t gates_ = 1, hidden_ = 0, directions_ = 1;
  bool batch_first_ = false, reversed_ = false;
  Dim time_{}, batch_{};
  ValueId x_ = kNoValue, mask_ = kNoValue;
  std::vector<Activation> activations_{};
  Body* body_ = nullptr;
};

template <Kind kKind>
void recurrent(Lower& l) {
  Recurrent(l, kKind).lower();
}

constexpr Entry kTable[] = {
    {"GRU", recurrent<Kind::Gru>}, {"LSTM", recurrent<Kind::Lstm>}, {"RNN", recurrent<Kind::Rnn>}};

}  // namespace

std::span<const Entry> recurrent_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
