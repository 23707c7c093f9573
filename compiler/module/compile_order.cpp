#include "compiler/codegen/order.h"
#include "compiler/module/module_compiler.h"

namespace dvmsim {
namespace {

/// The size of the node's axis, behind which there are only ones.
std::int64_t along_axis(const Node& node, const Sizes& shape) {
  if (shape.empty()) return 1;
  const std::int64_t axis = node.int_of("axis");
  return shape[static_cast<std::size_t>(axis < 0 ? axis + std::ssize(shape) : axis)];
}

}  // namespace

void ModuleCompiler::compile_row_gather(Scope& scope, const Group& group) {
  const Graph& graph = *scope.graph;
  const Node& node = graph.node(group.nodes.front());
  const Sizes data = known_shape(graph.value(node.inputs[0])),
              indices = known_shape(graph.value(node.inputs[1]));
  RowGatherKernel kernel{node.name, graph.value(node.inputs[0]).type.dtype,
                         graph.value(node.inputs[1]).type.dtype};
  kernel.size = along_axis(node, data);
  kernel.count = along_axis(node, indices);
  kernel.rows = element_count(indices) / kernel.count;
  if (!fits(kernel, machine_)) {
    throw Error(fmt::format("{}: a row of {} elements does not fit UB", describe(graph, node),
                            kernel.size));
  }
  row_gather(kernel, tensor_of(scope, node.inputs[0]), tensor_of(scope, node.inputs[1]),
             tensor_of(scope, node.outputs[0]));
}

void ModuleCompiler::row_gather(const RowGatherKernel& kernel, int data, int index, int out) {
  const CopyLimits limits = limits_of(kernel);
  const CopyPlan plan = plan_moves(
      kernel.name, {&limits, 1},
      fmt::format("elements of {}x{} {}", kernel.rows, kernel.count, name_of(kernel.dtype)),
      [&](int cores, const CopyChoice& choice) {
        return schedule_row_gather(kernel, machine_, cores, choice);
      });
  note(fmt::format("gather {}: {} rows of {} on {} cores\n", kernel.name, kernel.rows, kernel.count,
                   plan.cores));
  launch(emit_row_gather(kernel, plan, machine_), {at(data), at(index), at(out)}, 0, plan.cores,
         kernel.name);
}

void ModuleCompiler::compile_top(Scope& scope, const Group& group) {
  const Graph& graph = *scope.graph;
  const Node& node = graph.node(group.nodes.front());
  const Sizes shape = known_shape(graph.value(node.inputs[0]));
  TopKernel kernel{node.name, graph.value(node.inputs[0]).type.dtype};
  kernel.size = along_axis(node, shape);
  kernel.count = along_axis(node, known_shape(graph.value(node.outputs[0])));
  kernel.rows = element_count(shape) / kernel.size;
  kernel.largest = node.int_of("largest") != 0;
  int cores = vector_cores();
  Program program = emit_top(kernel, machine_, cores);
  note(fmt::format("top {}: {} rows on {} cores\n", node.name, kernel.rows, cores));
  launch(std::move(program),
         {at(tensor_of(scope, node.inputs[0])), at(tensor_of(scope, node.outputs[0])),
          at(tensor_of(scope, node.outputs[1]))},
         0, cores, node.name);
}

void ModuleCompiler::compile_scatter(Scope& scope, const Group& group) {
  const Graph& graph = *scope.graph;
  const Node& node = graph.node(group.nodes.front());
  const Sizes data = known_shape(graph.value(node.inputs[0])),
              updates = known_shape(graph.value(node.inputs[2]));
  const int out = tensor_of(scope, node.outputs[0]);
  copy_whole(node.name, tensor_of(scope, node.inputs[0]), out);
  if (element_count(updates) == 0) return;
  using How = ScatterKernel::How;
  const std::string how = node.string_of("reduction");
  ScatterKernel kernel{node.name, graph.value(node.inputs[0]).type.dtype,
                       graph.value(node.inputs[1]).type.dtype};
  kernel.rows = data[0];
  kernel.width = data[1];
  kernel.count = updates[0];
  kernel.how = how == "add"   ? How::Add
               : how == "mul" ? How::Multiply
               : how == "max" ? How::Max
               : how == "min" ? How::Min
                              : How::Replace;
  if (kernel.dtype == DType::Bool) kernel.dtype = DType::U8;
  int cores = vector_cores();
  Program program = emit_scatter(kernel, machine_, cores);
  note(fmt::format("scatter {}: {} rows of {} on {} cores\n", node.name, kernel.count, kernel.width,
                   cores));
  launch(std::move(program),
         {at(tensor_of(scope, node.inputs[1])), at(tensor_of(scope, node.inputs[2])), at(out)}, 0,
         cores, node.name);
}

}  // namespace dvmsim
