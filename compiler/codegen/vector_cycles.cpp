#include "compiler/codegen/vector_cycles.h"

#include "compiler/codegen/vector_steps.h"

namespace dvmsim {

double vector_cycles(const CostModel& cost, const VectorKernel& kernel,
                     std::span<const KernelStep> steps, const VectorSchedule& schedule) {
  Builder scratch(CoreKind::Vector);
  VectorSteps writer(scratch, kernel, schedule, schedule.tile.rows, schedule.tile.columns);
  for (const KernelStep& step : steps) writer.step(step);
  double sum = 0;
  isa::Command command;  // lanes that the row does not have are not looked at
  for (const isa::Inst& inst : scratch.code()) {
    const isa::Row& row = isa::row_of(inst.op);
    command.op = inst.op;
    command.pipe = row.pipe;
    for (std::size_t i = 0; i < static_cast<std::size_t>(row.operands); ++i) {
      command.operand[i] = inst.lane[i].immediate;
    }
    const Cost one = cost.of(command);
    sum += static_cast<double>((one.busy + one.tail).count());
  }
  return sum;
}

}  // namespace dvmsim
