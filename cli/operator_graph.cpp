#include "cli/operator_graph.h"

#include <algorithm>
#include <charconv>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

DType input_type(Op op, std::size_t input, DType asked) {
  if (info_of(op).logic || (op == Op::Select && input == 0)) return DType::Bool;
  if (op == Op::GroupedMatMul && input == 2) return DType::I64;
  const bool numbered = op == Op::Gather || op == Op::GatherElements || op == Op::ScatterRows;
  if (numbered && input == 1) return DType::I64;
  return asked;
}

template <class Number>
Number number_of(const std::string& text, const std::string& option) {
  Number value{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) {
    throw Error(option + ": '" + text + "' is not a number");
  }
  return value;
}

template <class Number>
std::vector<Number> list_of(const std::string& text, const std::string& option) {
  std::vector<Number> numbers;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    numbers.push_back(number_of<Number>(text.substr(at, end - at), option));
    at = end + 1;
  }
  return numbers;
}

Attribute attribute_of(Op op, const std::string& name, const std::string& text) {
  const std::string option = "--attr " + name;
  const AttributeInfo* info = find_attribute(op, name);
  if (info == nullptr) {
    std::string known;
    for (const auto& each : attributes_of(op)) {
      known += (known.empty() ? "" : ", ") + std::string(each.name);
    }
    throw Error(option + ": " + std::string(name_of(op)) + " has no such attribute; it has " +
                (known.empty() ? "none" : known));
  }
  switch (info->type) {
    case AttributeInfo::Type::Int:
      return number_of<std::int64_t>(text, option);
    case AttributeInfo::Type::Float:
      return number_of<double>(text, option);
    case AttributeInfo::Type::String:
      return text;
    case AttributeInfo::Type::Element: {
      const auto type = parse_dtype(text);
      if (!type) throw Error(option + ": '" + text + "' is no element type");
      return *type;
    }
    case AttributeInfo::Type::DimList: {
      const auto numbers = list_of<std::int64_t>(text, option);
      return Dims(numbers.begin(), numbers.end());
    }
    case AttributeInfo::Type::FloatList:
      break;
  }
  return list_of<double>(text, option);
}

std::size_t outputs_of(const Node& node) {
  const int outputs = info_of(node.op).outputs;
  if (outputs < kMany) return static_cast<std::size_t>(outputs);
  const Dims* sizes = node.dims_of("sizes");
  if (sizes == nullptr) throw Error("op split: say --attr sizes=N,N,...");
  return sizes->size();
}

}  // namespace

Graph graph_of(const OpOptions& options) {
  std::vector<Dims> shapes;
  for (const auto& shape : options.shapes) shapes.push_back(as_dims(shape));
  return graph_of(options, shapes);
}

Graph graph_of(const OpOptions& options, const std::vector<Dims>& shapes) {
  const auto op = parse_op(options.op);
  if (!op || info_of(*op).pattern == Pattern::Control)
    throw Error("op " + options.op + ": no such operator");
  const OpInfo& info = info_of(*op);
  const int given = static_cast<int>(shapes.size());
  if (given < info.min_inputs || given > info.max_inputs) {
    throw Error("op " + options.op + ": takes " + std::to_string(info.min_inputs) +
                (info.max_inputs > info.min_inputs ? " or more" : "") + " shapes, not " +
                std::to_string(given));
  }
  Graph graph;
  graph.name = options.op;
  Node node;
  node.op = *op;
  for (const auto& [name, text] : options.attributes) {
    node.set(name, attribute_of(*op, name, text));
  }
  for (const auto& [flag, name] :
       {std::pair(options.trans_a, "trans_a"), std::pair(options.trans_b, "trans_b")}) {
    if (flag) node.set(name, attribute_of(*op, name, "1"));
  }
  std::vector<ValueId> inputs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    inputs.push_back(graph.add_input(std::string(1, static_cast<char>('a' + i % 26)),
                                     input_type(*op, i, options.dtype), shapes[i]));
  }
  std::vector<std::string> names;
  const std::size_t outputs = outputs_of(node);
  for (std::size_t i = 0; i < outputs; ++i) {
    names.push_back(outputs == 1 ? "out" : "out" + std::to_string(i));
  }
  const NodeId id = graph.add_node(*op, std::move(inputs), names, node.attributes, options.op);
  const auto results = graph.node(id).outputs;
  for (std::size_t i = 0; i < results.size(); ++i) graph.add_output(results[i], names[i]);
  return graph;
}

}  // namespace dvmsim
