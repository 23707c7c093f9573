// Shape rules of control flow and of what gives as much as the data say. Sizes that no rule tells
// are symbols named after the node: they stay until a run has seen the values.
#include <algorithm>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/shape_rules.h"
#include "vm/base/error.h"

namespace dvmsim::shape_rules {
namespace {

Dim unknown_dim(const Use& use, std::size_t value, std::size_t axis) {
  return Dim::symbol(use.node.name + "_" + std::to_string(value) + "_" + std::to_string(axis));
}

/// What holds for two shapes of one value: dimensions that differ are unknown.
std::optional<Dims> joined(const Use& use, std::size_t value, const std::optional<Dims>& a,
                           const std::optional<Dims>& b) {
  if (!a || !b || a->size() != b->size()) return std::nullopt;
  Dims result = *a;
  for (std::size_t i = 0; i < a->size(); ++i) {
    if (!(result[i] == (*b)[i])) result[i] = unknown_dim(use, value, i);
  }
  return result;
}

ValueType without_contents(const ValueType& type) {
  return {type.dtype, type.shape, std::nullopt};
}

Graph typed(Graph body, const std::vector<ValueType>& inputs) {
  for (std::size_t i = 0; i < body.inputs.size(); ++i) {
    body.value(body.inputs[i]).type = inputs[i];
  }
  return infer_shapes(body);
}

/// A loop's body whose carried values have types that hold in every round.
Graph typed_loop(const Use& use) {
  const auto carried = static_cast<std::size_t>(use.node.int_of("carried"));
  std::vector<ValueType> types = {{DType::I64, Dims{}, std::nullopt},
                                  {DType::Bool, Dims{}, std::nullopt}};
  if (use.inputs.size() < carried + 2) use.fail("has fewer inputs than carried values");
  for (std::size_t i = 2; i < use.inputs.size(); ++i) {
    types.push_back(i < carried + 2 ? without_contents(use.inputs[i]) : use.inputs[i]);
  }
  // Each time some dimension becomes unknown, so this ends; ranks that change do so twice.
  for (;;) {
    Graph body = typed(use.node.subgraphs[0], types);
    bool changed = false;
    for (std::size_t i = 0; i < carried; ++i) {
      const ValueType& given = body.value(body.outputs[i + 1]).type;
      if (given.dtype != types[i + 2].dtype) {
        use.fail("carried value " + std::to_string(i) + " is " +
                 std::string(name_of(types[i + 2].dtype)) + " before and " +
                 std::string(name_of(given.dtype)) + " after a round");
      }
      const auto shape = joined(use, i, types[i + 2].shape, given.shape);
      changed = changed || shape != types[i + 2].shape;
      types[i + 2].shape = shape;
    }
    if (!changed) return body;
  }
}

Graph typed_scan(const Use& use) {
  const auto states = static_cast<std::size_t>(use.node.int_of("states"));
  const auto scans = static_cast<std::size_t>(use.node.int_of("scans"));
  if (scans == 0 || use.inputs.size() < states + scans) use.fail("has too few inputs");
  std::vector<ValueType> types;
  for (std::size_t i = 0; i < use.inputs.size(); ++i) {
    const bool taken_apart = i >= states && i < states + scans;
    types.push_back(i < states + scans ? without_contents(use.inputs[i]) : use.inputs[i]);
    if (!taken_apart || !types.back().shape) continue;
    if (types.back().shape->empty()) use.fail("input " + std::to_string(i) + " is a scalar");
    types.back().shape->erase(types.back().shape->begin());
  }
  return typed(use.node.subgraphs[0], types);
}

Types output_types(const Graph& body) {
  Types types;
  for (ValueId id : body.outputs) types.push_back(without_contents(body.value(id).type));
  return types;
}

void stack(ValueType& type, const Dim& count) {
  if (type.shape) type.shape->insert(type.shape->begin(), count);
}

/// How often a loop runs, if its condition never ends it.
Dim rounds_of(const Use& use, const Graph& body) {
  ValueId condition = body.outputs[0];
  while (body.value(condition).producer >= 0 &&
         body.node(body.value(condition).producer).op == Op::Identity) {
    condition = body.node(body.value(condition).producer).inputs[0];
  }
  const Value& value = body.value(condition);
  const bool stays = condition == body.inputs[1] || (value.kind == ValueKind::Constant &&
                                                     constant_tensor(value).ints().at(0) != 0);
  const auto says = [&](int input) -> std::optional<Dim> {
    if (!use.has(input) || !use.in(input).contents) return std::nullopt;
    return use.in(input).contents->front();
  };
  const bool begins = !use.has(1) || (says(1) && says(1)->is(1));
  if (stays && begins && says(0)) return max(0, *says(0));
  return Dim::symbol(use.node.name + "_rounds");
}

}  // namespace

std::vector<Graph> typed_subgraphs(const Use& use) {
  if (use.node.op == Op::Loop) return {typed_loop(use)};
  if (use.node.op == Op::Scan) return {typed_scan(use)};
  std::vector<Graph> branches;
  for (const Graph& branch : use.node.subgraphs) {
    branches.push_back(typed(branch, {use.inputs.begin() + 1, use.inputs.end()}));
  }
  return branches;
}

Types if_rule(const Use& use) {
  const std::vector<Graph> branches = typed_subgraphs(use);
  Types result = output_types(branches[0]);
  const Types other = output_types(branches[1]);
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i].dtype != other[i].dtype) {
      use.fail("its branches give different element types");
    }
    result[i].shape = joined(use, i, result[i].shape, other[i].shape);
  }
  return result;
}

Types loop(const Use& use) {
  const Graph body = typed_loop(use);
  Types types = output_types(body);
  types.erase(types.begin());
  const auto carried = static_cast<std::size_t>(use.node.int_of("carried"));
  for (std::size_t i = 0; i < carried; ++i) {
    types[i].shape = body.value(body.inputs[i + 2]).type.shape;  // also after no round
  }
  for (std::size_t i = carried; i < types.size(); ++i) stack(types[i], rounds_of(use, body));
  return types;
}

Types scan(const Use& use) {
  const auto states = static_cast<std::size_t>(use.node.int_of("states"));
  Types types = output_types(typed_scan(use));
  const std::optional<Dims>& first = use.inputs[states].shape;
  for (std::size_t i = states; i < types.size(); ++i) {
    stack(types[i], first ? first->front() : Dim::symbol(use.node.name + "_rounds"));
  }
  return types;
}

Types refuse(const Use& use) {
  const Dims* shape = use.node.dims_of("shape");
  return {{use.node.dtype_of("to"), shape ? std::optional(*shape) : std::nullopt, std::nullopt}};
}

Types nonzero(const Use& use) {
  return {{DType::I64, Dims{use.rank(0), unknown_dim(use, 0, 1)}, std::nullopt}};
}

Types non_max_suppression(const Use& use) {
  if (use.rank(0) != 3 || use.rank(1) != 3) use.fail("takes scores [b, c, n] and a [b, n, n]");
  return {{DType::I64, Dims{unknown_dim(use, 0, 0), 3}, std::nullopt}};
}

}  // namespace dvmsim::shape_rules
