// Inside decomposition: writes the parts of one composite into a graph. Types of new values stay
// unset; the last node written makes the composite's value.
#pragma once

#include <string>
#include <vector>

#include "compiler/graph/graph.h"

namespace dvmsim {

class Parts {
 public:
  Parts(Graph& to, const Node& node, const Value& first)
      : to_(to), node_(node), dtype_(first.type.dtype), shape_(*first.type.shape) {}

 protected:
  [[nodiscard]] ValueId x() const { return node_.inputs[0]; }
  [[nodiscard]] const std::string& name() const { return node_.name; }
  ValueId op(Op what, ValueId a) { return to_.add(what, {a}, {}, name()); }
  ValueId op(Op what, ValueId a, ValueId b) { return to_.add(what, {a, b}, {}, name()); }
  ValueId add(ValueId a, ValueId b) { return op(Op::Add, a, b); }
  ValueId mul(ValueId a, ValueId b) { return op(Op::Mul, a, b); }
  ValueId number(double value) { return to_.add_scalar(dtype_, value); }
  /// Sums of narrow numbers leave their range: they are wide, and what is made of them narrow
  /// again.
  [[nodiscard]] DType wide() const { return is_float(dtype_) ? DType::F32 : DType::I64; }
  ValueId converted(ValueId a, DType from, DType to) {
    return from == to ? a : to_.add(Op::Cast, {a}, {{"to", to}}, name());
  }
  ValueId widened(ValueId a) { return converted(a, dtype_, wide()); }
  ValueId narrowed(ValueId a) { return converted(a, wide(), dtype_); }

  Graph& to_;
  const Node& node_;
  DType dtype_;
  const Dims& shape_;
};

/// Trigonometric and hyperbolic functions.
[[nodiscard]] ValueId function_parts(Graph& to, const Node& node, const Value& first);
/// arg_max and arg_min; the node itself while the dimension is not known.
[[nodiscard]] ValueId arg_parts(Graph& to, const Node& node, const Value& first);

/// resize; the node itself while sizes are not known.
[[nodiscard]] ValueId resize_parts(Graph& to, const Node& node, const Value& first);

}  // namespace dvmsim
