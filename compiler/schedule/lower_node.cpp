#include <bit>
#include <limits>

#include "compiler/schedule/lowering.h"
#include "vm/base/error.h"

namespace dvmsim {

using namespace lower_rules;
using isa::Order;

std::optional<std::int32_t> Lowering::immediate(ValueId id) const {
  const Value& value = graph_.value(id);
  if (value.kind != ValueKind::Constant || known_.contains(id) || narrow_.contains(id)) {
    return std::nullopt;
  }
  if (element_count(known_shape(value)) != 1) return std::nullopt;
  const Tensor tensor = constant_tensor(value);
  if (is_float(tensor.dtype())) return std::bit_cast<std::int32_t>(tensor.floats()[0]);
  const std::int64_t number = tensor.ints()[0];
  if (number != static_cast<std::int32_t>(number)) return std::nullopt;
  return static_cast<std::int32_t>(number);
}

void Lowering::lower_binary(const Node& node, const BinaryRule& rule) {
  const ValueId result = node.outputs[0];
  const Extent extent = extent_of(mask_of(result));
  const DType dtype = type_of(node.inputs[0]);
  const auto right = immediate(node.inputs[1]), left = immediate(node.inputs[0]);
  const auto with_scalar = [&](VOp op, ValueId tensor, std::int32_t scalar) {
    known_[result] =
        emit(op, dtype, new_value(dtype, extent), {read(tensor, extent), -1, -1}, scalar);
  };
  if (right && rule.op == Op::Sub && *right != std::numeric_limits<std::int32_t>::min()) {
    const bool real = is_float(dtype);
    const std::int32_t negated =
        real ? std::bit_cast<std::int32_t>(-std::bit_cast<float>(*right)) : -*right;
    return with_scalar(VOp::vadds, node.inputs[0], negated);
  }
  if (rule.op == Op::Pow) {
    if (!is_float(dtype)) return lower_integer_power(node);
    if (right && lower_constant_power(node)) return;
  }
  if (right && rule.right != VOp::halt) return with_scalar(rule.right, node.inputs[0], *right);
  if (left && rule.left != VOp::halt) return with_scalar(rule.left, node.inputs[1], *left);
  const int a = read(node.inputs[0], extent);
  const Extent divisor = extent_of(mask_of(node.inputs[1]));
  if (rule.op == Op::Div && is_float(dtype) && extent == Extent::Full &&
      (divisor == Extent::Column || divisor == Extent::Scalar)) {
    // One division a row, and a product for each element: four times the rate.
    const int inverse = emit(VOp::vsdiv, dtype, new_value(dtype, divisor),
                             {read(node.inputs[1]), -1, -1}, std::bit_cast<std::int32_t>(1.0F));
    known_[result] =
        emit(VOp::vmul, dtype, new_value(dtype, extent), {a, spread(inverse, extent), -1});
    return;
  }
  int b = read(node.inputs[1], extent);
  const KernelValue exponent = made_.kernel.values[static_cast<std::size_t>(b)];
  if (exponent.dtype != dtype) {  // pow's exponent may have a type of its own
    b = emit(VOp::vcvt, exponent.dtype, new_value(dtype, exponent.extent), {b, -1, -1});
  }
  const bool floored = rule.op == Op::Mod && node.int_of("fmod") == 0;
  known_[result] = floored ? floored_remainder(writer(dtype, extent), a, b)
                           : emit(rule.inst, dtype, new_value(dtype, extent), {a, b, -1});
}

/// x^2 and x^0.5.
bool Lowering::lower_constant_power(const Node& node) {
  const bool whole = !is_float(graph_.value(node.inputs[1]).type.dtype);
  const std::int32_t bits = *immediate(node.inputs[1]);
  const float power = whole ? static_cast<float>(bits) : std::bit_cast<float>(bits);
  if (power != 2.0F && power != 0.5F) return false;
  const Extent extent = extent_of(mask_of(node.outputs[0]));
  const int base = read(node.inputs[0], extent);
  const StepWriter steps = writer(type_of(node.inputs[0]), extent);
  known_[node.outputs[0]] =
      power == 2.0F ? steps.binary(VOp::vmul, base, base) : steps.unary(VOp::vsqrt, base);
  return true;
}

void Lowering::lower_integer_power(const Node& node) {
  const Extent extent = extent_of(mask_of(node.outputs[0]));
  const DType dtype = type_of(node.inputs[0]), other = type_of(node.inputs[1]);
  const auto as = [&](int value, DType from, DType to) {
    return from == to ? value : emit(VOp::vcvt, from, new_value(to, extent), {value, -1, -1});
  };
  const int base = read(node.inputs[0], extent), exponent = read(node.inputs[1], extent);
  if (!is_float(other)) {
    known_[node.outputs[0]] =
        integer_power(writer(dtype, extent), base, as(exponent, other, dtype));
    return;
  }
  const int power =
      writer(DType::F32, extent)
          .binary(VOp::vpow, as(base, dtype, DType::F32), as(exponent, other, DType::F32));
  known_[node.outputs[0]] = as(power, DType::F32, dtype);
}

void Lowering::lower_compare(const Node& node, const CompareRule& rule) {
  const ValueId result = node.outputs[0];
  const Extent extent = extent_of(mask_of(result));
  const DType dtype = type_of(node.inputs[0]);
  const auto right = immediate(node.inputs[1]), left = immediate(node.inputs[0]);
  const int to = new_value(DType::Bool, extent);
  if (right || left) {
    const int tensor = read(node.inputs[right ? 0 : 1], extent);
    known_[result] = emit(VOp::vcmps, dtype, to, {tensor, -1, -1}, right ? *right : *left,
                          static_cast<int>(right ? rule.order : rule.mirrored));
    return;
  }
  const int a = read(node.inputs[0], extent), b = read(node.inputs[1], extent);
  known_[result] = emit(VOp::vcmp, dtype, to, {a, b, -1}, 0, static_cast<int>(rule.order));
}

void Lowering::lower_reduce(const Node& node, const ReduceRule& rule) {
  const ValueId result = node.outputs[0];
  const DType dtype = type_of(node.inputs[0]);
  const Mask gone = mask_of(node.inputs[0]) & ~mask_of(result);
  const int source = read(node.inputs[0]);
  if (gone == 0) {  // every reduced dimension has one element
    known_[result] = source;
    return;
  }
  const bool over_columns = !merged_.back().empty() && (gone >> merged_.back().front() & 1) != 0;
  // A column is packed: its rows lie side by side.
  const bool packed =
      made_.kernel.values[static_cast<std::size_t>(source)].extent == Extent::Column;
  known_[result] = emit(over_columns || packed ? VOp::vredx : VOp::vredy, dtype,
                        new_value(dtype, extent_of(mask_of(result))), {source, -1, -1}, 0,
                        static_cast<int>(rule.how));
}

void Lowering::lower_scan(const Node& node, std::size_t axis) {
  label_ = node.name.empty() ? std::string(name_of(node.op)) : node.name;
  const ValueId result = node.outputs[0];
  const DType dtype = type_of(node.inputs[0]);
  const int source = read(node.inputs[0]);
  if (domain_[axis] == 1 || (mask_of(result) >> axis & 1) == 0) {
    known_[result] = source;  // along one element
    return;
  }
  const Extent extent = extent_of(mask_of(result));
  const bool along_rows = extent != Extent::Full || merged_.back() == std::vector{axis};
  known_[result] = emit(along_rows ? VOp::vscanx : VOp::vscany, dtype, new_value(dtype, extent),
                        {source, -1, -1});
}

void Lowering::lower_node(const Node& node) {
  label_ = node.name.empty() ? std::string(name_of(node.op)) : node.name;
  const ValueId result = node.outputs[0];
  const Extent extent = extent_of(mask_of(result));
  if (const auto* rule = find(kBinary, node.op)) return lower_binary(node, *rule);
  if (const auto* rule = find(kCompare, node.op)) return lower_compare(node, *rule);
  if (const auto* rule = find(kReduce, node.op)) return lower_reduce(node, *rule);
  if (node.op == Op::Select) {
    const DType dtype = type_of(node.inputs[1]);
    const int mask = read(node.inputs[0], extent), a = read(node.inputs[1], extent),
              b = read(node.inputs[2], extent);
    known_[result] = emit(VOp::vsel, dtype, new_value(dtype, extent), {mask, a, b});
    return;
  }
  const int source = read(node.inputs[0], extent);
  const DType dtype = type_of(node.inputs[0]);
  if (node.op == Op::IsNan) {
    known_[result] = emit(VOp::vcmp, dtype, new_value(DType::Bool, extent), {source, source, -1}, 0,
                          static_cast<int>(Order::Ne));
    return;
  }
  const UnaryRule* rule = find(kUnary, node.op);
  DVMSIM_ASSERT(rule != nullptr, "a vector node has a lowering rule");
  const DType target = type_of(result);
  known_[result] = rule->inst == VOp::vcvt && target == dtype
                       ? source
                       : emit(rule->inst, dtype, new_value(target, extent), {source, -1, -1});
}

}  // namespace dvmsim
