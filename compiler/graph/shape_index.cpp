// Shape rules of the operators that choose or place elements by number or by size.
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

}  // namespace dvmsim::shape_rules
