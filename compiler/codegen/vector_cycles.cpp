#include "compiler/codegen/vector_cycles.h"

#include "compiler/codegen/vector_steps.h"

namespace dvmsim {

double vector_cycles(const CostModel& cost, const VectorKernel& kernel,
                     std::span<const KernelStep> steps, const VectorSchedule& schedule) {
  Builder scratch(CoreKind::Vector);
  VectorSteps(scratch, kernel, schedule, schedule.tile.rows, schedule.tile.columns).emit(steps);
  double sum = 0;
  for (const isa::Inst& inst : scratch.code()) {
    isa::Command command;
    command.op = inst.op;
    command.pipe = isa::row_of(inst.op).pipe;
    for (std::size_t i = 0; i < inst.lane.size(); ++i) command.operand[i] = inst.lane[i].immediate;
    const Cost one = cost.of(command);
    sum += static_cast<double>((one.busy + one.tail).count());
  }
  return sum;
}

}  // namespace dvmsim
