#include "compiler/graph/shape_rules.h"

#include <algorithm>
#include <array>

#include "compiler/graph/shape.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace shape_rules {

void Use::fail(const std::string& why) const {
  throw Error(describe(graph, node) + ": " + why);
}

int Use::axis(std::int64_t axis, int rank) const {
  if (axis < -rank || axis >= rank) {
    fail("axis " + std::to_string(axis) + " is outside a tensor of rank " + std::to_string(rank));
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Numbers numbers(const Use& use, std::string_view attribute, int input) {
  if (const Dims* dims = use.node.dims_of(attribute)) return {true, *dims};
  if (!use.has(input)) return {};
  return {true, use.in(input).contents};
}

namespace {

ValueType typed(DType dtype, std::optional<Dims> shape) {
  return {dtype, std::move(shape), std::nullopt};
}

void check_dtypes(const Use& use) {
  const OpInfo& info = info_of(use.node.op);
  for (int i = 0; i < static_cast<int>(use.inputs.size()); ++i) {
    if (!use.has(i)) continue;
    const DType dtype = use.in(i).dtype;
    const bool unfit = (info.float_only && !is_float(dtype)) || (info.logic && is_float(dtype)) ||
                       ((info.no_bool || info.int_only) && dtype == DType::Bool) ||
                       (info.int_only && is_float(dtype));
    if (unfit) {
      use.fail("does not take " + std::string(name_of(dtype)) + " (input " + std::to_string(i) +
               ")");
    }
  }
}

Types same(const Use& use) {
  const DType dtype = info_of(use.node.op).bool_result ? DType::Bool : use.in(0).dtype;
  const int rank = use.rank(0);
  if (find_attribute(use.node.op, "axis") != nullptr) {
    (void)use.axis(use.node.int_of("axis"), rank);
  }
  if (use.node.op == Op::BatchNorm) {
    if (rank < 2) use.fail("needs a channel axis, but its input is " + to_text(use.shape(0)));
    for (int i = 1; i < 5; ++i) {
      const std::optional<Dims> fits = broadcast(use.shape(i), {use.shape(0)[1]});
      if (use.rank(i) != 1 || !fits) {
        use.fail("input " + std::to_string(i) + " is " + to_text(use.shape(i)) +
                 ", not one number for each of " + to_text(use.shape(0)[1]) + " channels");
      }
    }
  } else {
    for (int i = 1; i < static_cast<int>(use.inputs.size()); ++i) {
      if (!use.has(i)) continue;
      const std::optional<Dims> fits = broadcast(use.shape(0), use.shape(i));
      if (!fits || fits->size() != use.shape(0).size()) {
        use.fail("input " + std::to_string(i) + " of shape " + to_text(use.shape(i)) +
                 " does not broadcast to " + to_text(use.shape(0)));
      }
    }
  }
  return {typed(dtype, use.shape(0))};
}

Types broadcast_rule(const Use& use) {
  const Op op = use.node.op;
  const int first = op == Op::Select ? 1 : 0;
  const DType dtype = use.in(first).dtype;
  if (op == Op::Select && use.in(0).dtype != DType::Bool) use.fail("the condition is not bool");
  if (op != Op::Pow && use.in(first + 1).dtype != dtype) {
    use.fail("inputs are " + std::string(name_of(dtype)) + " and " +
             std::string(name_of(use.in(first + 1).dtype)) + "; insert a cast");
  }
  Dims shape = use.shape(0);
  for (int i = 1; i < static_cast<int>(use.inputs.size()); ++i) {
    const std::optional<Dims> wider = broadcast(shape, use.shape(i));
    if (!wider) use.fail("cannot broadcast " + to_text(shape) + " with " + to_text(use.shape(i)));
    shape = *wider;
  }
  return {typed(info_of(op).bool_result ? DType::Bool : dtype, shape)};
}

Types cast(const Use& use) {
  return {typed(use.node.dtype_of("to"), use.shape(0))};
}

Types reduce(const Use& use) {
  const int rank = use.rank(0);
  std::vector<bool> reduced(static_cast<std::size_t>(rank), use.node.dims_of("axes") == nullptr);
  for (std::int64_t axis : use.node.ints_of("axes")) {
    reduced[static_cast<std::size_t>(use.axis(axis, rank))] = true;
  }
  Dims shape;
  for (int i = 0; i < rank; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!reduced[at]) {
      shape.push_back(use.shape(0)[at]);
    } else if (use.node.int_of("keepdims") != 0) {
      shape.emplace_back(1);
    }
  }
  return {typed(use.in(0).dtype, std::move(shape))};
}

Types arg(const Use& use) {
  const auto axis = static_cast<std::size_t>(use.axis(use.node.int_of("axis"), use.rank(0)));
  Dims shape = use.shape(0);
  if (shape[axis].is(0)) use.fail("looks for a place among no elements");
  shape[axis] = 1;
  if (use.node.int_of("keepdims") == 0) {
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  return {typed(DType::I64, std::move(shape))};
}

Types matmul(const Use& use) {
  Dims a = use.shape(0);
  Dims b = use.shape(1);
  if (a.size() < 2 || b.size() < 2) {
    use.fail("multiplies matrices, not " + to_text(a) + " and " + to_text(b));
  }
  if (use.in(0).dtype != use.in(1).dtype) use.fail("inputs have different element types");
  if (use.node.int_of("trans_a") != 0) std::swap(a.back(), a[a.size() - 2]);
  if (use.node.int_of("trans_b") != 0) std::swap(b.back(), b[b.size() - 2]);
  const Dim& k = a.back();
  const Dim& k_of_b = b[b.size() - 2];
  if (k.is_known() && k_of_b.is_known() && !(k == k_of_b)) {
    use.fail("inner dimensions differ: " + to_text(use.shape(0)) + " times " +
             to_text(use.shape(1)));
  }
  const std::optional<Dims> batch =
      broadcast(Dims(a.begin(), a.end() - 2), Dims(b.begin(), b.end() - 2));
  if (!batch) use.fail("batches differ: " + to_text(a) + " times " + to_text(b));
  Dims shape = *batch;
  shape.push_back(a[a.size() - 2]);
  shape.push_back(b.back());
  if (use.has(2)) {
    const std::optional<Dims> fits = broadcast(shape, use.shape(2));
    if (use.rank(2) > 1 || !fits || !(fits->back() == shape.back())) {
      use.fail("the bias is " + to_text(use.shape(2)) + ", not [" + to_text(shape.back()) + "]");
    }
  }
  const bool given = use.node.find("to") != nullptr;
  return {typed(given ? use.node.dtype_of("to") : use.in(0).dtype, std::move(shape))};
}

Types shape_of(const Use& use) {
  if (!use.in(0).shape) return {typed(DType::I64, std::nullopt)};
  const auto rank = static_cast<std::int64_t>(use.shape(0).size());
  const auto place = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t begin = place(use.node.int_of("start"));
  const std::int64_t end = use.node.find("end") != nullptr ? place(use.node.int_of("end")) : rank;
  ValueType type = typed(DType::I64, Dims{std::max<std::int64_t>(0, end - begin)});
  type.contents.emplace();
  for (std::int64_t i = begin; i < end; ++i) {
    type.contents->push_back(use.shape(0)[static_cast<std::size_t>(i)]);
  }
  return {std::move(type)};
}

Types range(const Use& use) {
  for (int i = 0; i < 3; ++i) {
    if (use.in(i).dtype != use.in(0).dtype) use.fail("inputs have different element types");
    if (!use.in(i).contents || use.in(i).contents->size() != 1) {
      return {typed(use.in(0).dtype, std::nullopt)};
    }
  }
  const Dim& start = use.in(0).contents->front();
  const Dim& limit = use.in(1).contents->front();
  const Dim& step = use.in(2).contents->front();
  if (!step.is_known()) return {typed(use.in(0).dtype, std::nullopt)};
  if (step.is(0)) use.fail("the step is 0");
  const Dim distance = step.value() > 0 ? limit - start : start - limit;
  const Dim count = max(0, ceil_div(distance, step.value() > 0 ? step.value() : -step.value()));
  return {typed(use.in(0).dtype, Dims{count})};
}

using Rule = Types (*)(const Use&);
/// In the order of ShapeRule.
constexpr Rule kRules[] = {same,         broadcast_rule,
                           cast,         reduce,
                           matmul,       conv,
                           reshape,      transpose,
                           slice,        concat,
                           split,        gather,
                           expand,       pad,
                           shape_of,     range,
                           if_rule,      conv_last,
                           window,       depth_to_space,
                           loop,         scan,
                           nonzero,      non_max_suppression,
                           arg,          gather_elements,
                           scatter_rows, top_k,
                           resize,       refuse,
                           attention,    grouped_matmul};

Types unknown(const Use& use) {
  DType dtype = use.in(use.node.op == Op::Select ? 1 : 0).dtype;
  if (info_of(use.node.op).bool_result) dtype = DType::Bool;
  if (use.node.op == Op::Cast) dtype = use.node.dtype_of("to");
  if (info_of(use.node.op).shape_rule == ShapeRule::Arg) dtype = DType::I64;
  Types types(use.node.outputs.size(), typed(dtype, std::nullopt));
  if (use.node.op == Op::TopK) types[1].dtype = DType::I64;
  return types;
}

}  // namespace

Types apply_rule(const Use& use) {
  const ShapeRule rule = info_of(use.node.op).shape_rule;
  check_dtypes(use);
  if (info_of(use.node.op).pattern != Pattern::Control && rule != ShapeRule::Shape) {
    for (int i = 0; i < static_cast<int>(use.inputs.size()); ++i) {
      if (use.has(i) && !use.in(i).shape) return unknown(use);
    }
  }
  return kRules[static_cast<int>(rule)](use);
}

}  // namespace shape_rules

std::vector<ValueType> deduce_node(const Graph& graph, const Node& node,
                                   std::span<const ValueType> inputs) {
  const shape_rules::Use use{graph, node, inputs};
  std::vector<ValueType> outputs = shape_rules::apply_rule(use);
  shape_rules::deduce_contents(use, outputs);
  return outputs;
}

std::optional<Dims> broadcast(const Dims& a, const Dims& b) {
  if (a.size() < b.size()) return broadcast(b, a);
  Dims result = a;
  const std::size_t offset = a.size() - b.size();
  for (std::size_t i = 0; i < b.size(); ++i) {
    Dim& x = result[offset + i];
    const Dim& y = b[i];
    if (x == y || y.is(1)) continue;
    if (x.is(1)) {
      x = y;
    } else if (x.is_known() && y.is_known()) {
      return std::nullopt;
    } else if (!x.is_known() && !y.is_known()) {
      x = max(x, y);  // equal, or one of them is 1: checked when they are bound
    } else if (y.is_known()) {
      x = y;
    }
  }
  return result;
}

}  // namespace dvmsim
