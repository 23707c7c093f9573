// The shape of the products of a list of groups.
#include <utility>

#include "compiler/graph/shape_rules.h"

namespace dvmsim::shape_rules {
namespace {

bool differ(const Dim& a, const Dim& b) {
  return a.is_known() && b.is_known() && !(a == b);
}

}  // namespace

Types grouped_matmul(const Use& use) {
  const std::string& axis = use.node.string_of("axis");
  if (axis != "m" && axis != "k") use.fail("groups along axis '" + axis + "', not m or k");
  const bool of_rows = axis == "m";
  Dims a = use.shape(0), b = use.shape(1);
  const Dims& list = use.shape(2);
  if (a.size() != 2) use.fail("a is " + to_text(a) + ", not a matrix");
  if (b.size() != (of_rows ? 3u : 2u)) {
    use.fail("b is " + to_text(b) + (of_rows ? ", not [groups, k, n]" : ", not a matrix"));
  }
  const DType index = use.in(2).dtype;
  if (list.size() != 1 || (index != DType::I32 && index != DType::I64)) {
    use.fail("the list is " + std::string(name_of(index)) + to_text(list) +
             ", not i32 or i64 of one dimension");
  }
  if (list[0].is(0)) use.fail("the list has no groups");
  if (use.in(0).dtype != use.in(1).dtype) use.fail("inputs have different element types");
  if (use.node.int_of("trans_a") != 0) std::swap(a[0], a[1]);
  if (use.node.int_of("trans_b") != 0) std::swap(b.back(), b[b.size() - 2]);
  if (differ(a[1], b[b.size() - 2])) {
    use.fail("inner dimensions differ: " + to_text(use.shape(0)) + " times " +
             to_text(use.shape(1)));
  }
  if (of_rows && differ(b[0], list[0])) {
    use.fail(to_text(list[0]) + " groups have " + to_text(b[0]) + " matrices");
  }
  if (use.has(3)) {
    if (!of_rows) use.fail("groups along k have no bias");
    const Dims& bias = use.shape(3);
    if (bias.size() != 2 || differ(bias[0], list[0]) || differ(bias[1], b.back())) {
      use.fail("the bias is " + to_text(bias) + ", not " + to_text(Dims{list[0], b.back()}));
    }
  }
  Dims shape = {a[0], b.back()};
  if (!of_rows) shape.insert(shape.begin(), list[0]);
  const bool given = use.node.find("to") != nullptr;
  return {{given ? use.node.dtype_of("to") : use.in(0).dtype, std::move(shape), std::nullopt}};
}

}  // namespace dvmsim::shape_rules
