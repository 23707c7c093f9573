// The shape of what softmax(q k' + mask) v gives.
#include <algorithm>

#include "compiler/graph/shape_rules.h"

namespace dvmsim::shape_rules {
namespace {

/// The axes of an operand after its permutation.
Dims permuted(const Use& use, int input, const char* attribute) {
  if (use.rank(input) != 4) {
    use.fail("input " + std::to_string(input) + " is " + to_text(use.shape(input)) +
             ", not [batch, heads, rows, elements]");
  }
  const std::vector<std::int64_t> perm = use.node.ints_of(attribute, {0, 1, 2, 3});
  std::vector<std::int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != std::vector<std::int64_t>{0, 1, 2, 3}) {
    use.fail(std::string(attribute) + " is not a permutation of four axes");
  }
  Dims shape;
  for (std::int64_t axis : perm) shape.push_back(use.shape(input)[static_cast<std::size_t>(axis)]);
  return shape;
}

bool differ(const Dim& a, const Dim& b) {
  return a.is_known() && b.is_known() && !(a == b);
}

}  // namespace

Types attention(const Use& use) {
  const Dims q = permuted(use, 0, "q_perm"), k = permuted(use, 1, "k_perm"),
             v = permuted(use, 2, "v_perm");
  if (use.in(0).dtype != use.in(1).dtype || use.in(0).dtype != use.in(2).dtype) {
    use.fail("queries, keys and values have different element types");
  }
  if (differ(q[3], k[3]))
    use.fail("a query has " + to_text(q[3]) + " elements, a key " + to_text(k[3]));
  if (differ(k[2], v[2])) use.fail(to_text(k[2]) + " keys have " + to_text(v[2]) + " values");
  for (const Dims* kv : {&k, &v}) {
    if (!(*kv)[0].is(1) && differ((*kv)[0], q[0])) use.fail("batches differ");
    const bool known = (*kv)[1].is_known() && q[1].is_known();
    if (differ((*kv)[1], k[1]) || (known && q[1].value() % (*kv)[1].value() != 0)) {
      use.fail(to_text(q[1]) + " heads cannot share " + to_text((*kv)[1]));
    }
  }
  const Dims scores = {q[0], q[1], q[2], k[2]};
  if (use.has(3)) {
    const std::optional<Dims> fits = broadcast(scores, use.shape(3));
    if (!fits || fits->size() != 4 || !(*fits == scores)) {
      use.fail("the mask is " + to_text(use.shape(3)) + ", the scores are " + to_text(scores));
    }
  }
  const Dims out = {q[0], q[1], q[2], v[3]};
  const std::vector<std::int64_t> perm = use.node.ints_of("out_perm", {0, 1, 2, 3});
  Dims shape;
  for (std::int64_t axis : perm) shape.push_back(out.at(static_cast<std::size_t>(axis)));
  return {{use.in(0).dtype, std::move(shape), std::nullopt}};
}

}  // namespace dvmsim::shape_rules
