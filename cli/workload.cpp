#include "cli/workload.h"

#include <algorithm>
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
