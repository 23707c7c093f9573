#include "compiler/runtime/padded_run.h"

#include <fmt/format.h>

#include "compiler/graph/dim_bounds.h"
#include "compiler/graph/shape.h"
#include "compiler/runtime/strategy/bucket.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::string counter_of(const PaddingInput& added) {
  return added.name + ".count";
}

std::vector<std::int64_t> sizes_in(const Graph& model, const Bindings& bindings) {
  std::vector<std::int64_t> sizes;
  for (const std::string& symbol : model.symbols) sizes.push_back(bindings.at(symbol));
  return sizes;
}

Tensor counting(std::int64_t count) {
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(static_cast<double>(i));
  return Tensor::of(DType::F32, {count}, numbers);
}

Tensor one_number(DType dtype, std::vector<std::int64_t> shape, double number) {
  return Tensor::of(dtype, std::move(shape), std::span(&number, 1));
}

}  // namespace

PaddedRun::PaddedRun(const Graph& model, GraphRunner& runner, const StrategyConstants& constants)
    : model_(model), runner_(runner), constants_(constants) {}

/// What a size is to another depends on how large the bucket is: a table may end before it.
const MaskedGraph& PaddedRun::masked_for(const Bindings& bucket) {
  const auto found = masked_.find(bucket);
  if (found != masked_.end()) return found->second;
  Graph bounded = model_;
  for (Value& value : bounded.values) {
    if (!value.type.shape) continue;
    for (Dim& dim : *value.type.shape) dim = simplify(dim, bucket);
  }
  for (Node& node : bounded.nodes) {
    for (auto& [name, attribute] : node.attributes) {
      auto* dims = std::get_if<Dims>(&attribute);
      for (std::size_t i = 0; dims != nullptr && i < dims->size(); ++i) {
        (*dims)[i] = simplify((*dims)[i], bucket);
      }
    }
  }
  return masked_.emplace(bucket, mask_padding(bounded)).first->second;
}

/// Inputs that grow, and masks.
Graph PaddedRun::pad_graph(const Stages& stages) const {
  const Bindings &sizes = stages.sizes, &bucket = stages.bucket;
  Graph graph;
  graph.name = model_.name + ".pad";
  for (ValueId id : model_.inputs) {
    const Value& value = model_.value(id);
    const auto from = resolve(*value.type.shape, sizes), to = resolve(*value.type.shape, bucket);
    if (from == to) continue;
    Dims pads(from.size(), Dim(0));
    for (std::size_t i = 0; i < from.size(); ++i) pads.push_back(Dim(to[i] - from[i]));
    const ValueId input = graph.add_input(value.name, value.type.dtype, as_dims(from));
    graph.add_output(graph.add(Op::Pad, {input}, {{"pads", pads}}, value.name + ".pad"),
                     value.name);
  }
  for (const PaddingInput& added : stages.masked->added) {
    if (added.kind != PaddingInput::Kind::Mask) continue;
    const ValueId count = graph.add_input(counter_of(added), DType::F32, {Dim(1)});
    const ValueId places =
        graph.add_constant(added.name + ".places", counting(resolve(added.size, bucket)));
    graph.add_output(graph.add(Op::Lt, {places, count}, {}, added.name), added.name);
  }
  return graph;
}

Graph PaddedRun::cut_graph(const Bindings& sizes, const Bindings& bucket) const {
  Graph graph;
  graph.name = model_.name + ".cut";
  for (std::size_t i = 0; i < model_.outputs.size(); ++i) {
    const ValueType& type = model_.value(model_.outputs[i]).type;
    const auto from = resolve(*type.shape, bucket), to = resolve(*type.shape, sizes);
    if (from == to) continue;
    Dims starts(to.size(), Dim(0)), axes;
    for (std::size_t axis = 0; axis < to.size(); ++axis) {
      axes.push_back(Dim(static_cast<std::int64_t>(axis)));
    }
    const std::string name = model_.output_names[i];
    const ValueId input = graph.add_input("out" + std::to_string(i), type.dtype, as_dims(from));
    graph.add_output(graph.add(Op::Slice, {input},
                               {{"starts", starts}, {"ends", as_dims(to)}, {"axes", axes}},
                               name + ".cut"));
  }
  return graph;
}

std::shared_ptr<GraphRunner::Stage> PaddedRun::edge(const std::string& path, const Graph& graph,
                                                    const std::vector<std::int64_t>& facts,
                                                    RunResult& result) {
  if (graph.nodes.empty()) return nullptr;
  return runner_.stage_of(
      {std::string(GraphRunner::kEdgePath) + path, facts}, [&] { return deduce_shapes(graph); },
      result);
}

/// Error where a size that is 1 meets another one and padding would change which of them is 1.
void PaddedRun::check_meeting(const Stages& stages) const {
  enum class Relation : std::uint8_t { Same, First, Second, Neither };
  for (const MeetingSizes& sizes : stages.masked->meeting) {
    const auto relation = [&](const Bindings& bindings) {
      const std::int64_t a = resolve(sizes.a, bindings), b = resolve(sizes.b, bindings);
      return a == b   ? Relation::Same
             : a == 1 ? Relation::First
             : b == 1 ? Relation::Second
                      : Relation::Neither;
    };
    if (relation(stages.sizes) == relation(stages.bucket)) continue;
    throw Error(fmt::format(
        "{}: {} and {} no longer fit together when strategy bucket pads them to {} and {}; choose "
        "other buckets, or another strategy",
        sizes.node, to_text(sizes.a), to_text(sizes.b), resolve(sizes.a, stages.bucket),
        resolve(sizes.b, stages.bucket)));
  }
}

PaddedRun::Stages PaddedRun::stages_of(const Bindings& sizes, RunResult& result) {
  Stages stages;
  stages.sizes = sizes;
  for (const std::string& symbol : model_.symbols) {
    const auto found = sizes.find(symbol);
    // An unbound symbol is reported by whoever resolves it.
    if (found != sizes.end()) stages.bucket[symbol] = bucket_of(found->second, constants_);
  }
  const auto bucket = sizes_in(model_, stages.bucket);
  stages.masked = &masked_for(stages.bucket);
  check_meeting(stages);
  std::vector<std::int64_t> facts = sizes_in(model_, sizes);
  facts.insert(facts.end(), bucket.begin(), bucket.end());
  stages.inner = runner_.stage_of(
      {"", bucket}, [&] { return bind_symbols(stages.masked->graph, stages.bucket); }, result);
  const Graph pad = pad_graph(stages);
  stages.padded = pad.output_names;
  stages.pad = edge("/pad", pad, facts, result);
  stages.cut = edge("/cut", cut_graph(sizes, stages.bucket), facts, result);
  return stages;
}

void PaddedRun::prepare(const Stages& stages, std::int64_t input_bytes) {
  for (const auto& stage : {stages.pad, stages.inner, stages.cut}) {
    if (stage != nullptr) runner_.prepare(*stage, input_bytes);
  }
}

/// What the host writes: counts for the masks, ratios for the means.
void PaddedRun::add_numbers(const Stages& stages, Environment& values) {
  ModuleRunner& modules = runner_.modules();
  for (const PaddingInput& added : stages.masked->added) {
    const bool mask = added.kind == PaddingInput::Kind::Mask;
    const auto size = static_cast<double>(resolve(added.size, stages.sizes));
    const auto padded = static_cast<double>(resolve(added.size, stages.bucket));
    values[mask ? counter_of(added) : added.name] = modules.upload(
        mask ? one_number(DType::F32, {1}, size) : one_number(added.dtype, {}, padded / size));
  }
}

void PaddedRun::count_elements(const Stages& stages, RunResult& result) const {
  for (const Node& node : model_.nodes) {
    for (ValueId id : node.outputs) {
      const Dims& shape = *model_.value(id).type.shape;
      const std::int64_t all = element_count(resolve(shape, stages.bucket));
      result.elements += all;
      result.padded_elements += all - element_count(resolve(shape, stages.sizes));
    }
  }
}

std::vector<DeviceTensor> PaddedRun::run(const Stages& stages, Environment inputs,
                                         RunResult& result) {
  count_elements(stages, result);
  runner_.modules().charge(HostWork::Capture, constants_.bucket.choose.count(), model_.name,
                           result.dispatch_ns);
  add_numbers(stages, inputs);
  const auto run_stage = [&](GraphRunner::Stage& stage, const Environment& values) {
    runner_.prepare(stage, 0);
    Environment own;
    for (const std::string& name : GraphRunner::inputs_of(stage)) own[name] = values.at(name);
    return runner_.run(stage, std::move(own), {}, result);
  };
  if (stages.pad != nullptr) {
    const auto made = run_stage(*stages.pad, inputs);
    for (std::size_t i = 0; i < made.size(); ++i) inputs[stages.padded[i]] = made[i];
  }
  auto outputs = run_stage(*stages.inner, inputs);
  if (stages.cut == nullptr || result.fault) return outputs;
  Environment whole;
  for (std::size_t i = 0; i < outputs.size(); ++i) whole["out" + std::to_string(i)] = outputs[i];
  const auto cut = run_stage(*stages.cut, whole);
  std::size_t next = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Dims& shape = *model_.value(model_.outputs[i]).type.shape;
    if (resolve(shape, stages.sizes) != outputs[i].shape) outputs[i] = cut[next++];
  }
  return outputs;
}

}  // namespace dvmsim
