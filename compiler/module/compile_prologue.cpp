// Products of which an operand is made in their own launch.
#include "compiler/codegen/prologue.h"
#include "compiler/module/module_compiler.h"
#include "compiler/pass/prologue.h"

namespace dvmsim {

void ModuleCompiler::compile_prologue(Scope& scope, const Group& group) {
  auto made = prologue_of(*scope.graph, group, machine_);
  DVMSIM_ASSERT(made.has_value(), "a group of the partition lowers");
  const Node& node = scope.graph->node(made->product);
  PrologueKernel& kernel = made->kernel;
  const auto& [offset_a, offset_b, offset_c] = made->plan.launches.front();
  ProductOperands operands;
  if (kernel.of_a) {
    operands.b = at(base_of(scope, node.inputs[1]), offset_b);
  } else {
    operands.a = at(base_of(scope, node.inputs[0]), offset_a);
  }
  if (kernel.product.bias) operands.bias = at(tensor_of(scope, node.inputs[2]));
  const std::string& label = kernel.prologue.name;
  const Overridden of = overridden(label, KernelKind::Matmul);
  if (of.choice<MatmulChoice>().k_step.value_or(0) != 0) {
    throw Error(fmt::format(
        "{}: k_step: vector cores make an operand of '{}', so k goes in one launch; split them "
        "first",
        of.by->where, label));
  }
  MatmulTactics tactics = tactics_of(kernel.product, {of.number, nullptr});
  (kernel.of_a ? tactics.a_row : tactics.b_row) = 0;  // it has no rows in memory
  kernel.product = prepare(kernel.product, tactics, node.name, operands);
  const MatmulSchedule chosen = schedule_product(kernel.product, node.name, of, Sharing::No);
  const auto schedule = of.by != nullptr ? prologue_schedule(kernel, chosen, machine_)
                                         : choose_prologue(kernel, chosen, machine_, cube_cores());
  if (!schedule) {
    throw Error(
        fmt::format("product '{}': a block of its operand does not fit UB while it is "
                    "made; compile without the feature cube-fusion",
                    label));
  }
  note(fmt::format("prologue {}: {}\n", label, to_string(*schedule)));
  if (options_.schedules != nullptr) note(to_text(kernel.prologue));
  note_product(kernel.product, label, *schedule, 0, of);
  const int slots =
      workspace(node.name + ".slots", DType::U8, {prologue_workspace_bytes(kernel, *schedule)});
  const std::vector<std::uint64_t> tensors(made->inputs.size());
  std::vector<ModuleArgument> arguments =
      scalars(prologue_arguments(kernel, *schedule, {}, tensors));
  arguments[0] = kernel.of_a ? at(slots) : operands.a;
  arguments[1] = kernel.of_a ? operands.b : at(slots);
  arguments[2] = at(base_of(scope, node.outputs[0]), offset_c);
  if (kernel.product.bias) arguments[3] = operands.bias;
  std::size_t next = arguments.size() - tensors.size();
  for (ValueId id : made->inputs) arguments[next++] = at(tensor_of(scope, id));
  launch(prologue_program(kernel, *schedule, machine_), std::move(arguments), schedule->cores,
         schedule->cores * machine_.cores.per_group, label);
}

}  // namespace dvmsim
