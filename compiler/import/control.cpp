// Control flow: bodies become graphs of their own, with what they capture as inputs.
#include <algorithm>

#include "compiler/graph/shape.h"
#include "compiler/import/lower.h"
#include "vm/base/error.h"

namespace dvmsim::onnx_import {
namespace {

/// Defines the formal inputs of a body with the types that its node gives them.
void define_inputs(Scope& scope, const onnx::GraphProto& body,
                   const std::vector<ValueType>& types) {
  const std::vector<std::string> names = input_names(body);
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::string& name = names[i];
    const ValueId id = scope.graph().add_input(name, types[i].dtype, {});
    scope.graph().value(id).type = types[i];
    scope.define(name, id);
  }
}

void append_captures(std::vector<ValueId>& inputs, const Scope& scope) {
  for (const Scope::Capture& capture : scope.captures()) inputs.push_back(capture.outer);
}

/// Types that hold for a carried value before and after a round: what differs is a new symbol.
bool generalise(ValueType& type, const ValueType& after, const std::string& name) {
  const std::optional<Dims> before = type.shape;
  if (!type.shape || !after.shape || type.shape->size() != after.shape->size()) {
    type.shape.reset();
  } else {
    for (std::size_t i = 0; i < type.shape->size(); ++i) {
      Dim& dim = (*type.shape)[i];
      if (!(dim == (*after.shape)[i])) dim = Dim::symbol(name + "_" + std::to_string(i));
    }
  }
  return type.shape != before;
}

void lower_loop(Lower& l) {
  l.lower_loop();
}
void lower_scan(Lower& l) {
  l.lower_scan();
}

constexpr Entry kTable[] = {{"Loop", lower_loop}, {"Scan", lower_scan}};

/// A transpose that brings `axis` to the front, or the front to `axis`.
Dims to_front(std::int64_t axis, std::size_t rank, bool back) {
  Dims perm;
  for (std::size_t i = 0; i < rank; ++i) perm.emplace_back(static_cast<std::int64_t>(i));
  const auto at = perm.begin() + axis;
  if (back) {
    std::rotate(perm.begin(), perm.begin() + 1, at + 1);
  } else {
    std::rotate(perm.begin(), at, at + 1);
  }
  return perm;
}

}  // namespace

std::vector<ValueId> Lower::op_with_body(Op op, std::vector<ValueId> inputs, Graph body,
                                         AttributeMap attributes) {
  Graph& graph = scope_.graph();
  const std::size_t count = body.outputs.size() - (op == Op::Loop ? 1 : 0);
  const NodeId id = graph.add_node(op, std::move(inputs), std::vector<std::string>(count, label_),
                                   std::move(attributes), label_);
  graph.node(id).subgraphs.push_back(std::move(body));
  deduce(id);
  return graph.node(id).outputs;
}

void Lower::lower_loop() {
  const onnx::GraphProto& body = graph_of("body");
  std::vector<ValueId> inputs = {in_or_none(0), in_or_none(1)};
  std::vector<ValueType> types = {{DType::I64, Dims{}, std::nullopt},
                                  {DType::Bool, Dims{}, std::nullopt}};
  for (int i = 2; i < this->inputs(); ++i) {
    inputs.push_back(in(i));
    types.push_back(scope_.graph().value(inputs.back()).type);
    types.back().contents.reset();
  }
  const std::size_t carried = inputs.size() - 2;
  if (input_names(body).size() != inputs.size() ||
      static_cast<std::size_t>(output_count(body)) !=
          carried + 1 +
              static_cast<std::size_t>(std::max(0, outputs() - static_cast<int>(carried)))) {
    fail("its body has another number of inputs or outputs than the node");
  }
  for (;;) {
    Graph graph;
    Scope inside(graph, &scope_);
    define_inputs(inside, body, types);
    lower_graph(model_, inside, body);
    bool changed = false;
    for (std::size_t i = 0; i < carried; ++i) {
      const ValueType& after = graph.value(graph.outputs[i + 1]).type;
      const std::string name = label_ + "_" + std::to_string(i);
      changed = generalise(types[i + 2], after, name) || changed;
    }
    if (changed) continue;
    append_captures(inputs, inside);
    const std::vector<ValueId> made = op_with_body(
        Op::Loop, inputs, std::move(graph), {{"carried", static_cast<std::int64_t>(carried)}});
    for (int i = 0; i < outputs(); ++i) out(i, made[static_cast<std::size_t>(i)]);
    return;
  }
}

void Lower::lower_scan() {
  const onnx::GraphProto& body = graph_of("body");
  const auto scans = static_cast<std::size_t>(int_of("num_scan_inputs", 0));
  const bool batched = opset() < 9;  // then input 0 are lengths, and every value has a batch
  const auto given = static_cast<std::size_t>(inputs()) - (batched ? 1 : 0);
  if (scans == 0 || scans > given || input_names(body).size() != given) {
    fail("its body has another number of inputs than the node");
  }
  if (output_count(body) != outputs()) {
    fail("its body has another number of outputs than the node");
  }
  const std::size_t states = given - scans;
  if (batched) {
    const std::vector<ValueId> made = scan_batches(body, states);
    for (int i = 0; i < outputs(); ++i) out(i, made[static_cast<std::size_t>(i)]);
    return;
  }
  const auto axes = ints_of("scan_input_axes");
  std::vector<ValueId> inputs;
  std::vector<ValueType> types;
  for (std::size_t i = 0; i < given; ++i) {
    ValueId id = in(static_cast<int>(i));
    if (i >= states && i - states < axes.size()) {
      const int at = axis(axes[i - states], rank(id));
      const Dims perm = to_front(at, shape(id).size(), false);
      if (at != 0) id = op(Op::Transpose, {id}, {{"perm", perm}});
    }
    inputs.push_back(id);
    types.push_back(scope_.graph().value(id).type);
    types.back().contents.reset();
    if (i >= states && !shape(id).empty()) types.back().shape->erase(types.back().shape->begin());
  }
  Graph graph;
  Scope inside(graph, &scope_);
  define_inputs(inside, body, types);
  lower_graph(model_, inside, body);
  append_captures(inputs, inside);
  const auto dims = [&](const char* name) {
    const auto values = ints_of(name);
    return Dims(values.begin(), values.end());
  };
  const std::vector<ValueId> made =
      op_with_body(Op::Scan, inputs, std::move(graph),
                   {{"states", static_cast<std::int64_t>(states)},
                    {"scans", static_cast<std::int64_t>(scans)},
                    {"input_backwards", dims("scan_input_directions")},
                    {"output_backwards", dims("scan_output_directions")}});
  const auto output_axes = ints_of("scan_output_axes");
  for (std::size_t i = 0; i < made.size(); ++i) {
    ValueId id = made[i];
    if (i >= states && i - states < output_axes.size()) {
      const int at = axis(output_axes[i - states], rank(id));
      const Dims perm = to_front(at, shape(id).size(), true);
      if (at != 0) id = op(Op::Transpose, {id}, {{"perm", perm}});
    }
    out(static_cast<int>(i), id);
  }
}

/// Opset 8: a scan over the batch whose body is the scan over the sequence.
std::vector<ValueId> Lower::scan_batches(const onnx::GraphProto& body, std::size_t states) {
  if (has(0)) fail("sequence lengths are not supported; pad the sequences");
  const std::vector<std::int64_t> directions = ints_of("directions");
  std::vector<ValueId> inputs;
  std::vector<ValueType> one, slices;
  for (int i = 1; i < this->inputs(); ++i) {
    inputs.push_back(in(i));
    one.push_back(scope_.graph().value(inputs.back()).type);
    one.back().contents.reset();
    if (shape(inputs.back()).empty()) fail("input " + std::to_string(i) + " has no batch");
    one.back().shape->erase(one.back().shape->begin());
    slices.push_back(one.back());
    if (slices.size() <= states) continue;
    if (one.back().shape->empty()) fail("input " + std::to_string(i) + " has no sequence");
    slices.back().shape->erase(slices.back().shape->begin());
  }
  const auto count = static_cast<std::int64_t>(inputs.size());
  Graph outer, inner;
  Scope around(outer, &scope_), inside(inner, &around);
  std::vector<ValueId> passed;
  for (const ValueType& type : one) {
    passed.push_back(outer.add_input("batch." + std::to_string(passed.size()), type.dtype, {}));
    outer.value(passed.back()).type = type;
  }
  define_inputs(inside, body, slices);
  lower_graph(model_, inside, body);
  append_captures(passed, inside);
  const std::size_t results = inner.outputs.size();
  const NodeId id =
      outer.add_node(Op::Scan, passed, std::vector<std::string>(results, label_),
                     {{"states", static_cast<std::int64_t>(states)},
                      {"scans", count - static_cast<std::int64_t>(states)},
                      {"input_backwards", Dims(directions.begin(), directions.end())}},
                     label_ + ".sequence");
  outer.node(id).subgraphs.push_back(std::move(inner));
  for (ValueId output : outer.node(id).outputs) outer.add_output(output);
  append_captures(inputs, around);
  return op_with_body(Op::Scan, inputs, infer_shapes(outer),
                      {{"states", std::int64_t{0}}, {"scans", count}});
}

std::span<const Entry> control_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
