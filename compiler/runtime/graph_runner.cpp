#include "compiler/runtime/graph_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "compiler/graph/shape.h"
#include "compiler/runtime/stage_state.h"
#include "vm/base/error.h"
#include "vm/firmware/mode.h"

namespace dvmsim {
namespace {

/// What distinguishes one use of a graph from another: shapes, and numbers that were looked at.
std::vector<std::int64_t> facts_of(const Graph& graph, const GraphRunner::Environment& inputs,
                                   const std::map<std::string, Tensor>& contents) {
  std::vector<std::int64_t> facts;
  const auto add = [&](const std::vector<std::int64_t>& numbers) {
    facts.push_back(static_cast<std::int64_t>(numbers.size()));
    facts.insert(facts.end(), numbers.begin(), numbers.end());
  };
  for (ValueId id : graph.inputs) {
    const std::string& name = graph.value(id).name;
    add(inputs.at(name).shape);
    const auto known = contents.find(name);
    if (known != contents.end()) add(known->second.ints());
  }
  return facts;
}

/// The graph with the shapes its inputs have, and the numbers in those that were looked at.
Graph with_facts(const Graph& graph, const GraphRunner::Environment& inputs,
                 const std::map<std::string, Tensor>& contents) {
  Graph result = graph;
  Bindings bindings;
  for (ValueId id : graph.inputs) {
    Value& input = result.value(id);
    const std::vector<std::int64_t>& shape = inputs.at(input.name).shape;
    const Dims declared = input.type.shape.value_or(Dims{});
    for (std::size_t i = 0; i < declared.size() && declared.size() == shape.size(); ++i) {
      if (const auto symbol = declared[i].symbol_name()) bindings[*symbol] = shape[i];
    }
    input.type.shape = Dims(shape.begin(), shape.end());
    const auto known = contents.find(input.name);
    input.type.contents.reset();
    if (known == contents.end()) continue;
    const auto numbers = known->second.ints();
    input.type.contents = Dims(numbers.begin(), numbers.end());
  }
  return bind_symbols(result, bindings);
}

}  // namespace

GraphRunner::GraphRunner(const Machine& machine, Device& device, RunnerOptions runner,
                         CompileSettings settings)
    : machine_(machine),
      modules_(machine, device, runner),
      settings_(settings),
      strategy_(*runner.strategy),
      machine_hash_(hash_of(machine)),
      planned_(as_planned(machine, compile_options(strategy_).path)),
      captured_(planned_, modules_, compile_options(strategy_), settings.ready_modules),
      constants_(runner.constants),
      specializations_(constants_.jit.automatic_dynamic, constants_.jit.recompile_limit) {}

GraphRunner::~GraphRunner() = default;

CompileOptions GraphRunner::compile_options(const Strategy& strategy) const {
  CompileOptions options;
  options.fusion = strategy.fusion;
  options.features = settings_.features;
  options.path = path_of(strategy, settings_.features);
  options.tiling = settings_.tiling;
  options.cores = settings_.cores;
  options.machine_hash = machine_hash_;
  options.overrides = settings_.overrides;
  return options;
}

GraphRunner::Making GraphRunner::making_of(const Key& key, bool dynamic) {
  using Verdict = Specializations::Verdict;
  Making making{&strategy_, dynamic, false, {}};
  if (strategy_.specializes) {
    const Verdict verdict = specializations_.ask(key.path, key.facts);
    making.compiles = verdict == Verdict::Compile;
    if (verdict == Verdict::GiveUp) making.strategy = &kEager;
  }
  if (strategy_.pads) making.compiles = !key.path.starts_with(kEdgePath);
  making.options = compile_options(*making.strategy);
  if (making.options.fusion == Fusion::Pointwise && constants_.jit.max_autotune) {
    making.options.fusion = Fusion::Patterns;
  }
  return making;
}

void GraphRunner::make_ready(ReadyModule& ready, Module module, const Making& making) const {
  ready.module = std::move(module);
  ready.module.strategy = std::string(strategy_.name);
  ready.strategy = making.strategy;
  ready.dynamic = making.dynamic;
  ready.compiles = making.compiles;
  ready.keeps = settings_.features.has(Feature::Parametric);
  if (!strategy_.one_submission) return;
  for (const ModuleStep& step : ready.module.steps) {
    if (step.kind != ModuleStep::Kind::Branch) continue;
    throw Error(
        fmt::format("node '{}' (if): the host decides it between launches, which strategy "
                    "{} captures as one; use another strategy",
                    step.label, strategy_.name));
  }
}

std::shared_ptr<GraphRunner::Stage> GraphRunner::make_stage(const Key& key, const Graph& graph,
                                                            const Making& making) {
  auto made = std::make_shared<Stage>();
  made->key = key;
  made->plan = plan_stage(graph);
  if (strategy_.one_submission && !made->plan.whole) {
    throw Error(
        fmt::format("{}: the host drives the graph there, which strategy {} captures as "
                    "one; use another strategy",
                    driven_by(made->plan), strategy_.name));
  }
  if (!made->plan.whole && made->plan.device.nodes.empty()) return made;
  for (ValueId id : made->plan.device.inputs) {
    made->inputs.push_back(made->plan.device.value(id).name);
  }
  made->captures = strategy_.captures;
  if (made->captures) return made;
  ReadyModule& ready = made->ready.emplace();
  make_ready(ready, compile(made->plan.device, planned_, making.options, &ready.work), making);
  ready.analyses = strategy_.compiles;
  made->plan.device = {};  // the module stands for it now
  return made;
}

/// Of a plan that is bound.
std::shared_ptr<GraphRunner::Stage> GraphRunner::planned_stage(const Key& key, const Graph& model,
                                                               Plan& plan,
                                                               const Making& making) const {
  auto made = std::make_shared<Stage>();
  made->key = key;
  made->plan.whole = true;
  for (ValueId id : model.outputs) made->plan.device_outputs.push_back(model.value(id).name);
  ReadyModule& ready = made->ready.emplace();
  make_ready(ready, plan.compile(&ready.work), making);
  for (ValueId id : model.inputs) made->inputs.push_back(model.value(id).name);
  return made;
}

std::shared_ptr<GraphRunner::Stage> GraphRunner::make_stage(const Key& key, const Graph& model,
                                                            std::span<const std::int64_t> sizes) {
  constexpr std::size_t kMostPlans = 64;
  const Making making = making_of(key, !model.symbols.empty());
  for (const KnownPlan& known : plans_) {
    if (known.strategy != making.strategy || !known.plan->bind(sizes)) continue;
    return planned_stage(key, model, *known.plan, making);
  }
  Bindings bindings;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] != kUnbound) bindings[model.symbols[i]] = sizes[i];
  }
  const Graph bound = bind_symbols(model, bindings);
  const bool whole =
      !strategy_.captures && bindings.size() == sizes.size() && plan_stage(bound).whole;
  if (!whole || model.symbols.empty()) return make_stage(key, bound, making);
  auto plan = std::make_unique<Plan>(model, sizes, planned_, making.options);
  auto made = planned_stage(key, model, *plan, making);
  made->ready->analyses = strategy_.compiles;
  if (plan->symbolic()) plans_.insert(plans_.begin(), {making.strategy, std::move(plan)});
  if (plans_.size() > kMostPlans) plans_.pop_back();
  return made;
}

std::shared_ptr<GraphRunner::Stage> GraphRunner::used(std::shared_ptr<Stage> stage) {
  stage->last_use = ++uses_;
  return stage;
}

std::shared_ptr<GraphRunner::Stage> GraphRunner::stage_of(const Graph& model,
                                                          std::vector<std::int64_t> sizes,
                                                          RunResult& result) {
  const Key key{{}, std::move(sizes)};
  const auto found = stages_.find(key);
  if (found != stages_.end()) return used(found->second);
  const auto made = stages_[key] = make_stage(key, model, key.facts);
  result.compiled = true;
  (void)used(made);
  keep_few(*made);
  return made;
}

void GraphRunner::make_ahead(const Graph& model, std::vector<std::int64_t> sizes,
                             RunResult& result) {
  const Key key{{}, std::move(sizes)};
  // With room for one module only, the one that runs would go.
  if (settings_.ready_modules < 2 || stages_.contains(key)) return;
  const Making making = making_of(key, true);
  for (const KnownPlan& known : plans_) {
    if (known.strategy != making.strategy || !known.plan->bind(key.facts)) continue;
    std::shared_ptr<Stage> made;
    try {
      made = planned_stage(key, model, *known.plan, making);
    } catch (const Error&) {
      return;  // said when it is asked for
    }
    modules_.encode_ahead(*made->ready, result);
    stages_[key] = made;
    (void)used(made);
    keep_few(*made);
    return;
  }
}

std::shared_ptr<GraphRunner::Stage> GraphRunner::stage_of(const Key& key,
                                                          const std::function<Graph()>& graph,
                                                          RunResult& result) {
  const auto found = stages_.find(key);
  if (found != stages_.end()) return used(found->second);
  const auto made = stages_[key] = make_stage(key, graph(), making_of(key, true));
  result.compiled = true;
  (void)used(made);
  keep_few(*made);
  return made;
}

std::shared_ptr<GraphRunner::Stage> GraphRunner::stage_of(Module module) {
  if (module.machine != machine_hash_) {
    throw Error(
        fmt::format("program '{}' was compiled for another machine; compile it again with this "
                    "hardware file",
                    module.name));
  }
  auto made = std::make_shared<Stage>();
  made->plan.whole = true;
  made->plan.device_outputs = module.output_names;
  for (int tensor : module.inputs) {
    made->inputs.push_back(module.tensors[static_cast<std::size_t>(tensor)].name);
  }
  made->ready.emplace();
  made->ready->module = std::move(module);
  made->ready->strategy = &strategy_;
  return stages_[{}] = made;
}

void GraphRunner::drop(Stages::iterator stage) {
  if (stage->second->ready) modules_.drop(*stage->second->ready);
  stages_.erase(stage);
}

void GraphRunner::keep_few(const Stage& keep) {
  while (stages_.size() > static_cast<std::size_t>(std::max(1, settings_.ready_modules))) {
    auto oldest = stages_.end();
    for (auto at = stages_.begin(); at != stages_.end(); ++at) {
      if (at->second.get() == &keep) continue;
      if (oldest == stages_.end() || at->second->last_use < oldest->second->last_use) oldest = at;
    }
    drop(oldest);
  }
}

void GraphRunner::make_room(const Stage& keep, std::int64_t input_bytes) {
  const std::int64_t size = machine_.hbm.size.count();
  const auto all_needed = [&] {
    MemoryUse needs = modules_.memory().used() + modules_.needs(*keep.ready);
    needs.inputs_outputs += input_bytes;
    return needs;
  };
  while (all_needed().total() > size) {
    auto oldest = stages_.end();
    for (auto at = stages_.begin(); at != stages_.end(); ++at) {
      if (at->second.get() == &keep || !at->second->ready || !at->second->ready->placed) continue;
      if (oldest == stages_.end() || at->second->last_use < oldest->second->last_use) oldest = at;
    }
    if (oldest == stages_.end()) break;
    drop(oldest);
  }
  check_room(all_needed(), machine_);
}

void GraphRunner::prepare(Stage& stage, std::int64_t input_bytes) {
  if (stage.captures && !stage.weights) {
    stage.weights = place_weights(stage.plan.device, machine_, modules_);
  }
  if (!stage.ready) return;
  make_room(stage, input_bytes);
  modules_.place(*stage.ready);
  modules_.reserve_workspace(*stage.ready);
}

const Module* GraphRunner::module_of(const Stage& stage) {
  return stage.plan.whole && stage.ready ? &stage.ready->module : nullptr;
}
const std::vector<std::string>& GraphRunner::inputs_of(const Stage& stage) {
  return stage.inputs;
}
const StagePlan& GraphRunner::plan_of(const Stage& stage) {
  return stage.plan;
}

std::vector<DeviceTensor> GraphRunner::run(Stage& stage, Environment inputs, const Place& place,
                                           RunResult& result) {
  std::vector<DeviceTensor> made;
  if (stage.ready) made = run_module(stage, inputs, place, result);
  if (stage.captures) made = run_captured(stage, inputs, place, result);
  if (stage.plan.whole || result.fault) return made;
  for (std::size_t i = 0; i < made.size(); ++i) inputs[stage.plan.device_outputs[i]] = made[i];
  for (const HostNode& node : stage.plan.host) {
    if (result.fault) return {};
    run_host_node(stage.key, node, inputs, result);
  }
  if (result.fault) return {};
  return gather_outputs(stage, std::move(inputs), place, result);
}

std::vector<DeviceTensor> GraphRunner::run_module(Stage& stage, const Environment& values,
                                                  const Place& place, RunResult& result) {
  ReadyModule& ready = *stage.ready;
  const Module& module = ready.module;
  if (std::exchange(ready.analyses, false)) {
    modules_.charge(HostWork::Compile, machine_.host.node.count() * ready.work.nodes, module.name,
                    result.compile_ns);
  }
  std::vector<DeviceTensor> inputs, outputs(module.outputs.size());
  for (const std::string& name : stage.inputs) inputs.push_back(values.at(name));
  // In the order of the module's tensors, which is that of their first use.
  std::vector<std::size_t> order(outputs.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return module.outputs[a] < module.outputs[b]; });
  for (std::size_t i : order) {
    const ModuleTensor& tensor = module.tensors[static_cast<std::size_t>(module.outputs[i])];
    const std::optional<std::size_t> wanted = stage.output_of(i);
    std::optional<DeviceTensor> given;
    if (place && wanted) given = place(*wanted, tensor.dtype, tensor.shape);
    outputs[i] = given ? *given : modules_.allocate(tensor.dtype, tensor.shape);
  }
  modules_.run(ready, inputs, outputs, result);
  return outputs;
}

std::vector<DeviceTensor> GraphRunner::run_captured(Stage& stage, const Environment& values,
                                                    const Place& place, RunResult& result) {
  Lazy lazy(machine_, modules_, captured_, result);
  std::vector<LazyTensor> inputs;
  for (const std::string& name : stage.inputs) inputs.push_back(lazy.load(values.at(name), name));
  const auto outputs =
      GraphCapture(lazy, *stage.weights, result).run(stage.plan.device, std::move(inputs));
  for (std::size_t i = 0; place && i < outputs.size(); ++i) {
    const std::optional<std::size_t> wanted = stage.output_of(i);
    if (!wanted) continue;
    const auto given = place(*wanted, outputs[i].dtype(), outputs[i].shape());
    if (given) lazy.store(outputs[i], *given);
  }
  lazy.flush();
  std::vector<DeviceTensor> made;
  for (const LazyTensor& output : outputs) made.push_back(lazy.tensor(output));
  return made;
}

std::vector<DeviceTensor> GraphRunner::gather_outputs(Stage& stage, Environment values,
                                                      const Place& place, RunResult& result) {
  const StagePlan& plan = stage.plan;
  std::vector<DeviceTensor> outputs, later;
  Environment kept;  // what the rest needs is handed to it, so that it can let go
  for (const OutputSource& source : plan.outputs) {
    if (!source.name.empty()) kept[source.name] = values.at(source.name);
  }
  if (plan.rest) {
    std::map<std::size_t, std::size_t> place_of;
    for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
      if (plan.outputs[i].rest >= 0) place_of[static_cast<std::size_t>(plan.outputs[i].rest)] = i;
    }
    const Place inner = [&](std::size_t output, DType dtype,
                            const std::vector<std::int64_t>& shape) {
      return place ? place(place_of.at(output), dtype, shape) : std::nullopt;
    };
    Environment needed;
    for (ValueId id : plan.rest->inputs) {
      const std::string& name = plan.rest->value(id).name;
      needed[name] = values.at(name);
    }
    values.clear();
    later = run_graph(stage.key, "", *plan.rest, std::move(needed), plan.reads, inner, result);
    if (result.fault) return {};
  }
  for (const OutputSource& source : plan.outputs) {
    outputs.push_back(source.rest >= 0  ? later[static_cast<std::size_t>(source.rest)]
                      : source.constant ? modules_.upload(constant_tensor(*source.constant))
                                        : kept.at(source.name));
  }
  return outputs;
}

std::vector<DeviceTensor> GraphRunner::run_graph(const Key& key, const std::string& step,
                                                 const Graph& graph, Environment inputs,
                                                 const std::vector<std::string>& reads,
                                                 const Place& place, RunResult& result) {
  std::map<std::string, Tensor> contents;
  for (const std::string& name : reads) {
    if (!inputs.contains(name)) continue;
    contents[name] = modules_.read_back(inputs.at(name), "value '" + name + "'", result);
    if (result.fault) return {};
  }
  Key own{key.path + "/" + step, key.facts};
  const std::vector<std::int64_t> facts = facts_of(graph, inputs, contents);
  own.facts.push_back(static_cast<std::int64_t>(facts.size()));
  own.facts.insert(own.facts.end(), facts.begin(), facts.end());
  const auto stage = stage_of(
      own, [&] { return with_facts(graph, inputs, contents); }, result);
  prepare(*stage, 0);
  return run(*stage, std::move(inputs), place, result);
}

}  // namespace dvmsim
