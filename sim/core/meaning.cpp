#include "sim/core/meaning.h"

#include <algorithm>

#include "vm/exec/exec.h"

namespace dvmsim {

FunctionalState::FunctionalState(const Machine& machine, GlobalMemory& global)
    : machine_(machine), global_(global), touches_global_(256) {
  const int vectors = machine.cores.unified ? 0 : machine.cores.vector;
  cores_.resize(static_cast<std::size_t>(machine.cores.cube + vectors));
  for (const isa::Row& row : isa::rows()) {
    const auto operands = row.all();
    touches_global_[static_cast<std::size_t>(row.op)] =
        std::any_of(operands.begin(), operands.end(), [](const isa::Operand& operand) {
          return operand.kind == isa::OperandKind::Memory && operand.space == Space::GM;
        });
  }
}

void FunctionalState::begin(const std::vector<CoreId>& cores, int cubes_of_machine) {
  for (const CoreId& id : cores) {
    const int number = id.index + (id.kind == CoreKind::Vector ? cubes_of_machine : 0);
    CoreState& core = cores_[static_cast<std::size_t>(number)];
    core.id = id;
    if (core.memory == nullptr) {
      core.memory = std::make_unique<CoreMemory>(machine_, id.kind);
    } else {
      core.memory->poison();
    }
  }
}

DatedFault FunctionalState::finish() {
  atomics_.finish(global_);
  if (faults_.empty()) return {};
  const auto first = std::min_element(faults_.begin(), faults_.end(), comes_before);
  DatedFault fault = *first;
  faults_.clear();
  return fault;
}

void FunctionalState::perform(int number, const isa::Command& command, std::uint64_t issued,
                              Cycles start) {
  CoreMemory& memory = *cores_[static_cast<std::size_t>(number)].memory;
  if (!touches_global_[static_cast<std::size_t>(command.op)]) {
    remember(number, command, start, dvmsim::execute(command, memory, global_));
    return;
  }
  const std::lock_guard turn(global_turn_);
  remember(number, command, start,
           atomics_.execute(command, memory, global_, Atomics::order_of(number, issued)));
}

Fault FunctionalState::read(int number, const isa::Command& command, std::int64_t& value) {
  CoreState& core = cores_[static_cast<std::size_t>(number)];
  const std::lock_guard turn(global_turn_);
  Fault fault = atomics_.read(command, *core.memory, global_, value);
  fault.core = core.id;
  fault.pc = command.pc;
  return fault;
}

void FunctionalState::remember(int number, const isa::Command& command, Cycles start, Fault fault) {
  if (!fault) return;
  fault.core = cores_[static_cast<std::size_t>(number)].id;
  fault.pc = command.pc;
  const std::lock_guard turn(fault_turn_);
  faults_.push_back({start, number, std::move(fault)});
}

}  // namespace dvmsim
