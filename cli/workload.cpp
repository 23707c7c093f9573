#include "cli/workload.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "cli/npy.h"
#include "compiler/graph/narrow.h"
#include "compiler/graph/text.h"
#include "compiler/import/onnx.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (std::int64_t size : shape) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text.empty() ? "scalar" : text;
}

ValueId input_named(const Graph& graph, const std::string& name, const std::string& option) {
  std::string known;
  for (ValueId id : graph.inputs) {
    if (graph.value(id).name == name) return id;
    known += (known.empty() ? "" : ", ") + graph.value(id).name;
  }
  throw Error(option + " " + name + ": no such input; the model has " + known);
}

void fit(const Graph& graph, ValueId id, const std::vector<std::int64_t>& shape,
         const std::string& option, Bindings& bindings) {
  const Value& value = graph.value(id);
  const std::string place = option + " " + value.name + "=" + shape_text(shape);
  if (!value.type.shape) return;
  const Dims& declared = *value.type.shape;
  const std::string expected = ": the model declares " + to_text(declared);
  if (declared.size() != shape.size()) throw Error(place + expected);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (declared[i].is_known()) {
      if (!declared[i].is(shape[i])) throw Error(place + expected);
      continue;
    }
    const auto symbol = declared[i].symbol_name();
    if (!symbol) continue;  // an expression: checked when everything is bound
    const auto [known, is_new] = bindings.emplace(*symbol, shape[i]);
    if (!is_new && known->second != shape[i]) {
      throw Error(place + ": " + *symbol + " is already " + std::to_string(known->second));
    }
  }
}

DType input_type(Op op, std::size_t input, DType asked) {
  if (info_of(op).logic || (op == Op::Select && input == 0)) return DType::Bool;
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

Graph read_model(const std::string& path, const ImportOptions& options) {
  if (path.ends_with(".onnx")) return import_onnx(path, options);
  if (!options.known.empty()) throw Error("--known: only .onnx models are compiled for values");
  if (path.ends_with(".graph")) return load_graph(path);
  throw Error(path + ": not a model; name an .onnx or a .graph file");
}

}  // namespace

std::map<std::string, Tensor> known_inputs(const RunOptions& options) {
  std::map<std::string, Tensor> known;
  for (const std::string& name : options.known) {
    const auto found = std::find_if(options.inputs.begin(), options.inputs.end(),
                                    [&](const auto& input) { return input.first == name; });
    if (found == options.inputs.end()) {
      throw Error("--known " + name + ": give its values with --input " + name + "=FILE.npy");
    }
    known[name] = load_npy(found->second);
  }
  return known;
}

Graph load_model(const std::string& path, std::optional<DType> floats,
                 const std::map<std::string, Tensor>& known) {
  Graph graph = read_model(path, {known, floats.has_value()});
  for (const auto& [name, value] : known) (void)input_named(graph, name, "--known");
  return floats ? narrowed(graph, *floats) : graph;
}

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

std::map<std::string, Tensor> read_inputs(const Graph& graph, const RunOptions& options) {
  std::map<std::string, Tensor> inputs;
  for (const auto& [name, file] : options.inputs) {
    const ValueId id = input_named(graph, name, "--input");
    Tensor tensor = load_npy(file);
    const DType expected = graph.value(id).type.dtype;
    if (tensor.dtype() != expected) {
      throw Error("--input " + name + ": " + file + " holds " +
                  std::string(name_of(tensor.dtype())) + "; the model takes " +
                  std::string(name_of(expected)));
    }
    inputs[name] = std::move(tensor);
  }
  return inputs;
}

Bindings bindings_of(const Graph& graph, const RunOptions& options,
                     const std::map<std::string, Tensor>& given) {
  Bindings bindings;
  for (const auto& [name, size] : options.dims) {
    if (std::find(graph.symbols.begin(), graph.symbols.end(), name) == graph.symbols.end()) {
      throw Error("--dim " + name + ": the model has no such dimension");
    }
    bindings[name] = size;
  }
  for (const auto& [name, shape] : options.shapes) {
    fit(graph, input_named(graph, name, "--shape"), shape, "--shape", bindings);
  }
  for (const auto& [name, tensor] : given) {
    fit(graph, input_named(graph, name, "--input"), tensor.shape(), "--input", bindings);
  }
  for (const std::string& symbol : graph.symbols) {
    if (!bindings.contains(symbol)) {
      throw Error("dimension '" + symbol + "' has no size; say --dim " + symbol + "=N");
    }
  }
  return bindings;
}

void add_missing_inputs(std::map<std::string, Tensor>& inputs, const Graph& graph,
                        const Bindings& bindings, std::int64_t seed) {
  std::int64_t position = 0;
  for (ValueId id : graph.inputs) {
    ++position;
    const Value& value = graph.value(id);
    if (inputs.contains(value.name)) continue;
    if (!value.type.shape) {
      throw Error("input '" + value.name + "' declares no shape; give it with --input");
    }
    const auto shape = resolve(*value.type.shape, bindings);
    if (is_float(value.type.dtype)) {
      const Fill random{Fill::Kind::Random, seed * 1000 + position, 1.0};
      inputs[value.name] = filled(value.type.dtype, shape, random);
    } else {
      inputs[value.name] = Tensor(value.type.dtype, shape);
    }
  }
}

}  // namespace dvmsim
