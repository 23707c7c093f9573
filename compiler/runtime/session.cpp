#include "compiler/runtime/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

RunnerOptions runner_options(const SessionOptions& options) {
  return {options.strategy, options.constants, options.mode, options.before_run};
}

CompileSettings settings_of(const SessionOptions& options) {
  return {options.tiling, options.cores, options.features.value_or(options.strategy->features),
          options.ready_modules, options.overrides};
}

}  // namespace

Session::Session(const Graph& graph, const Machine& machine, Device& device, SessionOptions options)
    : graph_(infer_shapes(graph)),
      runner_(machine, device, runner_options(options), settings_of(options)),
      output_names_(graph_.output_names) {
  if (options.strategy->pads && !graph_.symbols.empty()) {
    padded_.emplace(graph_, runner_, options.constants);
  }
}

Session::Session(Module module, const Machine& machine, Device& device, SessionOptions options)
    : runner_(machine, device, runner_options(options), settings_of(options)),
      output_names_(module.output_names) {
  fixed_ = runner_.stage_of(std::move(module));
}

Session::~Session() = default;

const MemoryUse& Session::memory() const {
  return runner_.memory();
}

void Session::carry(const std::string& output, const std::string& input) {
  if (fixed_ != nullptr) throw Error("state '" + output + "': a compiled module carries none");
  const auto at = std::find(output_names_.begin(), output_names_.end(), output);
  if (at == output_names_.end()) {
    throw Error("state '" + output + "': the model has no such output; it has " +
                fmt::format("{}", fmt::join(output_names_, ", ")));
  }
  const ValueId made = graph_.outputs[static_cast<std::size_t>(at - output_names_.begin())];
  for (ValueId id : graph_.inputs) {
    if (graph_.value(id).name != input) continue;
    if (graph_.value(id).type.dtype != graph_.value(made).type.dtype) {
      throw Error(fmt::format("state '{}': is {}, and input '{}' {}", output,
                              name_of(graph_.value(made).type.dtype), input,
                              name_of(graph_.value(id).type.dtype)));
    }
    carries_[input] = output;
    return;
  }
  throw Error("state '" + output + "': the model has no input '" + input + "'");
}

Bindings Session::bind(const Bindings& dims, const Tensors& inputs) const {
  Bindings bound = dims;
  if (fixed_ != nullptr) return bound;
  std::vector<std::vector<std::int64_t>> shapes;
  for (ValueId id : graph_.inputs) {
    const Value& value = graph_.value(id);
    const auto given = inputs.find(value.name);
    const auto carried = carried_.find(value.name);
    if (given != inputs.end()) {
      shapes.push_back(given->second.shape());
    } else if (carried != carried_.end()) {
      shapes.push_back(carried->second.shape);
    } else if (inputs.empty() && value.type.shape) {
      // Not given in timing mode: `dims` say how large it is.
      Dims declared = *value.type.shape;
      Bindings known = bound;
      for (const auto& [name, tensor] : carried_) {
        const auto at =
            std::find_if(graph_.inputs.begin(), graph_.inputs.end(),
                         [&](ValueId other) { return graph_.value(other).name == name; });
        const auto& type = graph_.value(*at).type;
        for (std::size_t i = 0; type.shape && i < type.shape->size(); ++i) {
          if (const auto symbol = (*type.shape)[i].symbol_name()) known[*symbol] = tensor.shape[i];
        }
      }
      shapes.push_back(resolve(declared, known));
    } else {
      throw Error(
          fmt::format("input '{}' is missing; give --input {}=FILE.npy", value.name, value.name));
    }
  }
  for (const auto& [name, value] : bindings_from(graph_, shapes)) bound[name] = value;
  return bound;
}

std::vector<std::int64_t> Session::sizes_of(const Bindings& dims) const {
  std::vector<std::int64_t> sizes;
  sizes.reserve(graph_.symbols.size());
  for (const std::string& symbol : graph_.symbols) {
    const auto found = dims.find(symbol);
    sizes.push_back(found == dims.end() ? GraphRunner::kUnbound : found->second);
  }
  return sizes;
}

std::shared_ptr<GraphRunner::Stage> Session::stage_for(const Bindings& dims, RunResult& result) {
  if (fixed_ != nullptr) return fixed_;
  if (padded_) return padded_->stages_of(dims, result).inner;
  return runner_.stage_of(graph_, sizes_of(dims), result);
}

void Session::encode_ahead(const Bindings& dims, RunResult& result) {
  const bool may = runner_.features().has(Feature::Parametric) && fixed_ == nullptr && !padded_;
  if (!may || graph_.symbols.empty()) return;
  next_sizes_.saw(sizes_of(dims));
  if (auto next = next_sizes_.guess()) runner_.make_ahead(graph_, std::move(*next), result);
}

const Module& Session::module_for(const Bindings& dims) {
  RunResult ignored;
  const auto stage = stage_for(dims, ignored);
  const Module* module = GraphRunner::module_of(*stage);
  if (module == nullptr) {
    throw Error(driven_by(GraphRunner::plan_of(*stage)) +
                ": what follows depends on values, so the host drives the model; run it instead");
  }
  return *module;
}

const Module* Session::prepared(const Bindings& dims) {
  RunResult ignored;
  return GraphRunner::module_of(*stage_for(dims, ignored));
}

std::map<std::string, Session::InputType> Session::input_types(const GraphRunner::Stage& stage,
                                                               const Bindings& dims) const {
  std::map<std::string, InputType> types;
  if (fixed_ != nullptr) {
    const Module& module = *GraphRunner::module_of(stage);
    for (int index : module.inputs) {
      const ModuleTensor& tensor = module.tensors[static_cast<std::size_t>(index)];
      types[tensor.name] = {tensor.dtype, tensor.shape};
    }
    return types;
  }
  for (ValueId id : graph_.inputs) {
    const Value& value = graph_.value(id);
    types[value.name] = {value.type.dtype, resolve(value.type.shape.value_or(Dims{}), dims)};
  }
  return types;
}

GraphRunner::Environment Session::inputs_of(const GraphRunner::Stage& stage,
                                            const std::map<std::string, InputType>& types,
                                            const Tensors& inputs) {
  const bool functional = runner_.modules().mode() == Mode::Functional;
  GraphRunner::Environment values;
  // Those of the module in its order, which decides the addresses; then the others.
  std::vector<std::string> order = GraphRunner::inputs_of(stage);
  std::erase_if(order, [&](const std::string& name) { return !types.contains(name); });
  for (const auto& [name, type] : types) {
    if (std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
  }
  for (const std::string& name : order) {
    const InputType& type = types.at(name);
    const auto given = inputs.find(name);
    if (given == inputs.end() && carried_.contains(name)) {
      values[name] = carried_.at(name);
      continue;
    }
    if (!functional) {
      values[name] = runner_.modules().allocate(type.dtype, type.shape);
      continue;
    }
    if (given == inputs.end() || given->second.dtype() != type.dtype ||
        given->second.shape() != type.shape) {
      throw Error(fmt::format("input '{}' must be {} of shape [{}]", name, name_of(type.dtype),
                              fmt::join(type.shape, ", ")));
    }
    values[name] = runner_.modules().upload(given->second);
  }
  return values;
}

RunResult Session::run(const Bindings& dims, const Tensors& inputs) {
  RunResult result;
  result.output_names = output_names_;
  const Bindings bound = bind(dims, inputs);
  std::optional<PaddedRun::Stages> padded;
  if (padded_) padded = padded_->stages_of(bound, result);
  const auto stage = padded ? padded->inner : stage_for(bound, result);
  const auto types = input_types(*stage, bound);
  std::int64_t input_bytes = 0;
  for (const auto& [name, type] : types) {
    const bool there = !inputs.contains(name) && carried_.contains(name);
    if (!there)
      input_bytes += DeviceMemory::rounded(element_count(type.shape) * size_of(type.dtype));
  }
  ModuleRunner& modules = runner_.modules();
  if (padded) {
    padded_->prepare(*padded, input_bytes);
  } else {
    runner_.prepare(*stage, input_bytes);
  }
  modules.memory().reset_peak();
  GraphRunner::Environment values = inputs_of(*stage, types, inputs);
  carried_.clear();
  const auto outputs = padded ? padded_->run(*padded, std::move(values), result)
                              : runner_.run(*stage, std::move(values), {}, result);
  encode_ahead(bound, result);
  modules.finish(result);
  result.module = GraphRunner::module_of(*stage);
  for (std::size_t i = 0; result.module != nullptr && i < result.module->programs.size(); ++i) {
    result.program_bytes += result.module->programs[i].bytes();
  }
  if (result.module == nullptr) result.program_bytes = runner_.memory().programs;
  result.memory = modules.memory().peak();
  if (result.fault) return result;
  for (const auto& [input, output] : carries_) {
    const auto at = std::find(output_names_.begin(), output_names_.end(), output);
    carried_[input] = outputs[static_cast<std::size_t>(at - output_names_.begin())];
  }
  if (modules.mode() == Mode::Functional) {
    for (const DeviceTensor& output : outputs) result.outputs.push_back(modules.download(output));
  }
  return result;
}

}  // namespace dvmsim
