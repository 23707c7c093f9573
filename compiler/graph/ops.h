// The operators of a graph, from ops.def. Owns the facts of a row; what an operator means is in
// eval*.cpp, what shape it gives in shape.cpp, what a composite is made of in decompose.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace dvmsim {

enum class Op : std::uint8_t {
#define OP(name, ...) name,
#include "compiler/graph/ops.def"
};

#define OP(...) +1
inline constexpr int kOps = 0
#include "compiler/graph/ops.def"
    ;

/// What fusion sees of an operator.
enum class Pattern : std::uint8_t {
  Elementwise,
  Broadcast,
  Reduction,
  Contraction,
  Window,
  Move,
  Opaque,
  Host,
  Control
};

enum class ShapeRule : std::uint8_t {
  Same,
  Broadcast,
  Cast,
  Reduce,
  MatMul,
  Conv,
  Reshape,
  Transpose,
  Slice,
  Concat,
  Split,
  Gather,
  Expand,
  Pad,
  Shape,
  Range,
  If,
  ConvLast,
  Window,
  DepthToSpace,
  Loop,
  Scan,
  NonZero,
  NonMaxSuppression,
  Arg,
  GatherElements,
  ScatterRows,
  TopK,
  Resize,
  Refuse,
  Attention,
  GroupedMatMul
};

inline constexpr int kMany = 1 << 20;

struct OpInfo {
  std::string_view name;  // of the text form
  int min_inputs = 0;
  int max_inputs = 0;
  int outputs = 0;
  Pattern pattern = Pattern::Opaque;
  ShapeRule shape_rule = ShapeRule::Same;
  bool commutative = false;
  bool composite = false;  // decompose.cpp knows it in terms of others
  bool float_only = false;
  bool logic = false;  // bool, or the bits of integers
  bool bool_result = false;
  bool no_bool = false;   // any input type but bool
  bool int_only = false;  // neither float nor bool
};
[[nodiscard]] const OpInfo& info_of(Op op);
[[nodiscard]] inline std::string_view name_of(Op op) {
  return info_of(op).name;
}
[[nodiscard]] std::optional<Op> parse_op(std::string_view name);
/// The operator on two values that a reduction by sum, product, maximum or minimum repeats; none of
/// other operators.
[[nodiscard]] std::optional<Op> join_of_reduction(Op op);
[[nodiscard]] std::string_view name_of(Pattern pattern);

struct AttributeInfo {
  enum class Type : char {
    Int = 'i',
    Float = 'f',
    String = 's',
    DimList = 'd',
    Element = 't',
    FloatList = 'r'
  };
  std::string_view name;
  Type type = Type::Int;
  bool optional = false;          // may be absent, without a default
  std::string_view default_text;  // empty: none
};
[[nodiscard]] std::span<const AttributeInfo> attributes_of(Op op);
/// Null if the operator has no such attribute.
[[nodiscard]] const AttributeInfo* find_attribute(Op op, std::string_view name);

}  // namespace dvmsim
