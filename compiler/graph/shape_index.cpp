// Shape rules of the operators that choose or place elements by number or by size.
#include <cmath>

#include "compiler/graph/shape.h"
#include "compiler/graph/shape_rules.h"

namespace dvmsim::shape_rules {
namespace {

bool differ(const Dim& a, const Dim& b) {
  return a.is_known() && b.is_known() && !(a == b);
}

void check_indices(const Use& use, int input) {
  if (is_float(use.in(input).dtype) || use.in(input).dtype == DType::Bool) {
    use.fail("indices are not integers");
  }
}

}  // namespace

Types gather_elements(const Use& use) {
  const auto axis = static_cast<std::size_t>(use.axis(use.node.int_of("axis"), use.rank(0)));
  check_indices(use, 1);
  const Dims &data = use.shape(0), &indices = use.shape(1);
  bool fits = data.size() == indices.size();
  for (std::size_t i = 0; fits && i < data.size(); ++i) {
    const bool larger =
        data[i].is_known() && indices[i].is_known() && indices[i].value() > data[i].value();
    fits = i == axis || !larger;
  }
  if (!fits) use.fail("indices " + to_text(indices) + " do not fit data " + to_text(data));
  return {{use.in(0).dtype, indices, std::nullopt}};
}

Types scatter_rows(const Use& use) {
  check_indices(use, 1);
  const Dims &data = use.shape(0), &rows = use.shape(1), &updates = use.shape(2);
  if (data.size() != 2 || rows.size() != 1 || updates.size() != 2 || differ(data[1], updates[1]) ||
      differ(rows[0], updates[0]) || use.in(0).dtype != use.in(2).dtype) {
    use.fail("data " + to_text(data) + ", rows " + to_text(rows) + " and updates " +
             to_text(updates) + " do not fit");
  }
  const std::string how = use.node.string_of("reduction");
  if (how != "none" && how != "add" && how != "mul" && how != "max" && how != "min") {
    use.fail("reduction '" + how + "' is not known; use none, add, mul, max or min");
  }
  return {{use.in(0).dtype, data, std::nullopt}};
}

Types top_k(const Use& use) {
  const Numbers k = numbers(use, "k", 1);
  if (!k.given) use.fail("needs k");
  if (!is_float(use.in(0).dtype)) use.fail("sorts floats only; cast its input");
  Types types(2, ValueType{use.in(0).dtype, std::nullopt, std::nullopt});
  types[1].dtype = DType::I64;
  if (!k.values) return types;
  const auto axis = static_cast<std::size_t>(use.axis(use.node.int_of("axis"), use.rank(0)));
  Dims shape = use.shape(0);
  if (k.values->size() != 1) use.fail("k is not one number");
  const Dim& count = k.values->front();
  if (count.is_known() &&
      (count.value() < 0 || (shape[axis].is_known() && count.value() > shape[axis].value()))) {
    use.fail("takes " + to_text(count) + " of " + to_text(shape[axis]) + " elements");
  }
  shape[axis] = count;
  types[0].shape = types[1].shape = shape;
  return types;
}

namespace {

/// floor(size * scale), for sizes that are not known too if the scale is a simple fraction.
Dim scaled(const Use& use, const Dim& size, double scale) {
  if (size.is_known()) {
    return static_cast<std::int64_t>(std::floor(static_cast<double>(size.value()) * scale));
  }
  for (std::int64_t below = 1; below <= 64; ++below) {
    const double above = scale * static_cast<double>(below);
    if (above != std::floor(above)) continue;
    return floor_div(size * Dim(static_cast<std::int64_t>(above)), below);
  }
  use.fail("scales a dimension that is not known by no simple fraction; give it with --dim");
}

}  // namespace

Types resize(const Use& use) {
  const std::string mode = use.node.string_of("mode");
  if (mode != "nearest" && mode != "linear" && mode != "cubic") {
    use.fail("mode '" + mode + "' is not known; use nearest, linear or cubic");
  }
  const DType dtype = use.in(0).dtype;
  if (mode != "nearest" && !is_float(dtype)) use.fail("interpolates floats only; cast its input");
  const Numbers sizes = numbers(use, "sizes", 1);
  const std::vector<double> scales = use.node.floats_of("scales");
  const Dims& shape = use.shape(0);
  if (sizes.given && !sizes.values) return {{dtype, std::nullopt, std::nullopt}};
  if (sizes.given ? sizes.values->size() != shape.size() : scales.size() != shape.size()) {
    use.fail("needs one scale or size for each axis of " + to_text(shape));
  }
  constexpr double kMostScale = 1 << 20;
  for (const double scale : scales) {
    if (!(scale > 0 && scale <= kMostScale)) use.fail("scales must be positive, and at most 2^20");
  }
  Dims result;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const Dim size = sizes.given ? (*sizes.values)[i] : scaled(use, shape[i], scales[i]);
    if (size.is_known() && size.value() < 0) use.fail("sizes are negative");
    if (shape[i].is(0) && !size.is(0)) use.fail("resizes an axis without elements");
    result.push_back(size);
  }
  return {{dtype, std::move(result), std::nullopt}};
}

}  // namespace dvmsim::shape_rules
