#include "compiler/codegen/conv.h"
#include "compiler/codegen/mix.h"
#include "compiler/codegen/moves.h"
#include "compiler/codegen/window.h"
#include "compiler/module/module_compiler.h"
#include "compiler/pass/mix_group.h"
#include "compiler/schedule/conv.h"
#include "compiler/schedule/conv_node.h"
#include "compiler/schedule/window_node.h"
#include "vm/isa/window.h"

namespace dvmsim {
namespace {

/// Ranking a convolution's tiles takes the host about as long as ranking so many of a vector
/// kernel.
constexpr std::int64_t kTilesOfAConvolution = 384;
constexpr std::int64_t kTilesOfAPool = 16;

}  // namespace

void ModuleCompiler::compile_conv(Scope& scope, const Group& group) {
  const Graph& graph = *scope.graph;
  const Node& node = graph.node(group.nodes.front());
  const Sizes x = known_shape(graph.value(node.inputs[0])),
              w = known_shape(graph.value(node.inputs[1]));
  const std::size_t spatial = x.size() - 2;
  if (spatial != 1 && spatial != 2) {
    throw Error(fmt::format("{}: convolution over {} dimensions is not supported; 1 and 2 are",
                            describe(graph, node), spatial));
  }
  ConvSpec spec;
  spec.batch = x[0];
  spec.channels = x[1];
  spec.out_channels = w[0];
  spec.groups = node.int_of("groups");
  spec.in = graph.value(node.inputs[0]).type.dtype;
  spec.out = graph.value(node.outputs[0]).type.dtype;
  const Sizes strides = node.ints_of("strides", Sizes(spatial, 1));
  const Sizes dilations = node.ints_of("dilations", Sizes(spatial, 1));
  const Sizes pads = node.ints_of("pads", Sizes(2 * spatial, 0));
  for (std::size_t i = 0; i < spatial; ++i) {
    const std::size_t to = i + 2 - spatial;
    spec.size[to] = x[i + 2];
    spec.kernel[to] = w[i + 2];
    spec.stride[to] = strides[i];
    spec.dilation[to] = dilations[i];
    spec.pad_begin[to] = pads[i];
    spec.pad_end[to] = pads[i + spatial];
  }
  const ConvPlan plan = plan_conv(spec);
  int input = tensor_of(scope, node.inputs[0]);
  const Sizes padded(plan.padded.begin(), plan.padded.end());
  if (plan.pads) {
    const int to = workspace(node.name + ".padded", spec.in, padded);
    copy(node.name + ".pad", spec.in, {input}, {to},
         pad_copies({spec.batch, spec.channels, spec.size[0], spec.size[1]}, padded,
                    {0, 0, spec.pad_begin[0], spec.pad_begin[1]}, "constant", node.int_of("fill")));
    input = to;
  }
  if (plan.gathers) {
    const int to = workspace(node.name + ".columns", spec.in, {plan.column_elements});
    copy(node.name + ".img2col", spec.in, {input}, {to}, {plan.gather});
    input = to;
  }
  multiply(plan.matmul, node.name, at(tensor_of(scope, node.inputs[1])), at(input),
           at(tensor_of(scope, node.outputs[0])), -1);
}

/// As a user has decided, or the cheapest.
ConvSchedule ModuleCompiler::schedule_conv(const ConvTask& task, const std::string& kernel,
                                           const Overridden& of) {
  work_.tiles += kTilesOfAConvolution;
  if (of.by == nullptr) return choose_conv(task, machine_, cube_cores());
  std::string why;
  const auto schedule = choose_conv(task, machine_, cube_cores(), of.choice<ConvChoice>(), &why);
  if (!schedule) refuse(of, kernel, why, choice_of(choose_conv(task, machine_, cube_cores())));
  return *schedule;
}

void ModuleCompiler::note_conv(const ConvTask& task, const std::string& kernel,
                               const ConvSchedule& schedule, const Overridden& of) {
  if (!is_asked(of)) return;
  const isa::ConvArguments& words = task.words;
  ScheduleDecision decision;
  decision.kernel = kernel;
  decision.note = fmt::format("{} x {} x {} positions, {} to {} channels, {} taps, {}",
                              words.images, words.out_h, words.out_w, words.channels, words.outputs,
                              isa::taps_of(words.kernel), name_of(task.type));
  decision.choice = choice_of(schedule);
  note_decision(of, std::move(decision));
}

/// With channels last: one conv macro, perhaps with a ReLU in FixPipe.
void ModuleCompiler::compile_windows(Scope& scope, const Group& group) {
  const Graph& graph = *scope.graph;
  const Node& node = graph.node(group.nodes.front());
  ConvTask task = conv_task(graph, node);
  if (group.nodes.size() > 1) task.words.post = static_cast<std::int64_t>(isa::Post::Relu);
  const std::string label = label_of(graph, group);
  const Overridden of = overridden(label, KernelKind::Conv);
  const ConvSchedule schedule = schedule_conv(task, label, of);
  note(fmt::format("conv {}: {}\n", node.name, to_string(schedule)));
  note_conv(task, label, schedule, of);
  std::vector<ModuleArgument> arguments = scalars(conv_arguments(schedule.words));
  arguments[kConvX] = at(tensor_of(scope, node.inputs[0]));
  arguments[kConvWeights] = at(tensor_of(scope, node.inputs[1]));
  arguments[kConvY] = at(tensor_of(scope, graph.node(group.nodes.back()).outputs[0]));
  if (task.words.bias != 0) arguments[kConvBias] = at(tensor_of(scope, node.inputs[2]));
  if (task.words.scale != 0) arguments[kConvScale] = at(tensor_of(scope, node.inputs[3]));
  launch(conv_program(task), std::move(arguments), schedule.cores, 0, label);
}

/// The vector cores finish it.
void ModuleCompiler::compile_window_mix(Scope& scope, const Group& group, MixGroup mix) {
  const Node& node = scope.graph->node(mix.product);
  ConvTask task = conv_task(*scope.graph, node);
  task.words.out = static_cast<std::int64_t>(mix.plan.spec.out);
  MixKernel kernel{mix.plan.spec, std::move(mix.rest.kernel)};
  kernel.epilogue.name = label_of(*scope.graph, group);
  const std::string label = kernel.epilogue.name;
  const Overridden of = overridden(label, KernelKind::Conv);
  ConvSchedule schedule = schedule_conv(task, label, of);
  const bool by_row = !fits_whole_rows(task, machine_);  // as its epilogue was lowered
  if (of.by != nullptr && (schedule.words.by_row != 0) != by_row) {
    refuse(of, label, fmt::format("by_row: vector cores finish it with by_row: {}", by_row));
  }
  const MatmulSchedule tiles = tiles_of(schedule);
  if (of.by != nullptr && !mix_fits(kernel, tiles, machine_)) refuse_wide(of, label, tiles);
  const MatmulSlots slots = mix_slots(tiles);
  schedule.words.slots = slots.count;
  schedule.words.slot_bytes = slots.bytes;
  note(fmt::format("conv mix {}: {}\n", label, to_string(schedule)));
  if (options_.schedules != nullptr) note(to_text(kernel.epilogue));
  note_conv(task, label, schedule, of);
  const int workspaces = workspace(node.name + ".slots", DType::U8, {mix_workspace_bytes(tiles)});
  std::vector<ModuleArgument> arguments = scalars(conv_arguments(schedule.words));
  arguments[kConvX] = at(tensor_of(scope, node.inputs[0]));
  arguments[kConvWeights] = at(tensor_of(scope, node.inputs[1]));
  arguments[kConvY] = at(workspaces);
  if (task.words.bias != 0) arguments[kConvBias] = at(tensor_of(scope, node.inputs[2]));
  for (std::size_t i = 1; i < mix.rest.inputs.size(); ++i) {
    arguments.push_back(at(tensor_of(scope, mix.rest.inputs[i])));
  }
  for (ValueId id : mix.rest.outputs) arguments.push_back(at(tensor_of(scope, id)));
  launch(finished_program(conv_program(task), kernel, tiles, machine_, packed()),
         std::move(arguments), tiles.cores, tiles.cores * machine_.cores.per_group,
         kernel.epilogue.name);
}

namespace {

WindowChoice choice_of(const WindowProgram& made) {
  const WindowSchedule& tile = made.schedule;
  return {tile.rows, tile.columns, tile.channels, tile.repeat, tile.cores, made.code};
}

}  // namespace

/// As a user has decided, or the cheapest.
WindowProgram ModuleCompiler::program_of(const WindowTask& task, const std::string& kernel,
                                         const Overridden& of) {
  const auto choose = [&](const WindowChoice& choice) {
    return window_program(task, machine_, vector_cores(), choice);
  };
  const WindowChoice choice = of.choice<WindowChoice>();
  std::string why = of.by == nullptr ? "" : impossible(task, vector_cores(), choice);
  if (why.empty()) {
    if (auto made = choose(choice)) return std::move(*made);
    why = "no tile like that fits UB, or gives every core one";
  }
  const auto own = choose({});
  if (!own) {
    throw Error("no tile of its windows fits UB of " + machine_.name + "; use a smaller kernel");
  }
  refuse(of, kernel, why, choice_of(*own));
}

void ModuleCompiler::compile_pool(Scope& scope, const Group& group) {
  const Node& node = scope.graph->node(group.nodes.front());
  const WindowTask task = window_task(*scope.graph, node);
  const Overridden of = overridden(node.name, KernelKind::Window);
  WindowProgram made = program_of(task, node.name, of);
  work_.tiles += kTilesOfAPool;
  note(fmt::format("window {}: {}\n", node.name, to_string(made.schedule)));
  if (is_asked(of)) {
    ScheduleDecision decision;
    decision.kernel = node.name;
    decision.note =
        fmt::format("{} x [{}] outputs, {} channels, {} taps, {}", task.images,
                    fmt::join(task.out, ", "), task.channels, task.taps(), name_of(task.type));
    decision.choice = choice_of(made);
    note_decision(of, std::move(decision));
  }
  std::vector<ModuleArgument> arguments = {at(tensor_of(scope, node.inputs[0]))};
  if (node.input(1) != kNoValue) arguments.push_back(at(tensor_of(scope, node.inputs[1])));
  arguments.push_back(at(tensor_of(scope, node.outputs[0])));
  launch(std::move(made.program), std::move(arguments), 0, made.schedule.cores, node.name);
}

}  // namespace dvmsim
