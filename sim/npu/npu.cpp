#include "sim/npu/npu.h"

#include <algorithm>

#include "sim/host/timeline.h"

namespace dvmsim {

Npu::Npu(sc_core::sc_module_name name, const Machine& machine, const NpuOptions& options,
         const Probes& probes)
    : sc_module(name), machine_(machine), costs_(machine), ports_(machine), teams_(machine, *this) {
  launches.bind(*this);
  const auto make_memory = [&] {
    memory_ = std::make_unique<MemorySystem>("memory", machine, options.memory, probes);
  };
  if (!options.reverse_build) make_memory();
  make_cores(options.reverse_build, probes);
  if (options.reverse_build) make_memory();
  for (const auto& core : cores_) {
    core->memory.bind(memory_->requests);
    memory_->cores.bind(core->control);
  }
}

void Npu::make_cores(bool reverse, const Probes& probes) {
  const int count = machine_.cores.cube + (machine_.cores.unified ? 0 : machine_.cores.vector);
  cores_.resize(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const int number = reverse ? count - 1 - i : i;
    cores_[static_cast<std::size_t>(number)] = make_core(number, probes);
  }
}

std::unique_ptr<CoreModule> Npu::make_core(int number, const Probes& probes) {
  const CoreId id = id_of(number);
  const std::string name = std::string(name_of(id.kind)) + std::to_string(id.index);
  if (id.kind == CoreKind::Vector) {
    return std::make_unique<VectorCore>(name.c_str(), costs_, ports_, id, number, probes, teams_);
  }
  return std::make_unique<CubeCore>(name.c_str(), costs_, ports_, id, number, probes, teams_);
}

CoreId Npu::id_of(int number) const {
  if (machine_.cores.unified) return {CoreKind::Unified, number};
  const int cubes = machine_.cores.cube;
  return number < cubes ? CoreId{CoreKind::Cube, number} : CoreId{CoreKind::Vector, number - cubes};
}

void Npu::begin(const NpuLaunch& launch) {
  const Launch& what = *launch.launch;
  const int cubes = what.cube_cores, cores = cubes + what.vector_cores;
  begin_ = launch.begin;
  memory_->server().begin(cores);
  teams_.begin(what);
  taking_part_.clear();
  const Cycles start = launch.begin + launch_head(machine_, what);
  const std::int64_t skew = in_cycles(machine_.launch.skew).count();
  for (int i = 0; i < cores; ++i) {
    const int number = i < cubes ? i : machine_.cores.cube + i - cubes;
    take_part(number, launch, start + Cycles(cores > 1 ? skew * i / (cores - 1) : 0));
  }
}

void Npu::take_part(int number, const NpuLaunch& launch, Cycles start) {
  CoreModule& core = *cores_[static_cast<std::size_t>(number)];
  const CoreId id = core.core().id();
  const Program& program = *launch.launch->program;
  const bool vector = id.kind == CoreKind::Vector;
  const std::uint64_t code = launch.code_address + (vector ? 8 * program.cube.size() : 0);
  std::vector<std::uint32_t> tasks;
  for (std::uint32_t i = 0; i < program.tasks.size(); ++i) {
    if (program.tasks[i].team.has(id)) tasks.push_back(i);
  }
  if (tasks.empty() && !program.tasks.empty()) return;
  core.begin({launch.launch, std::move(tasks), start, code, launch.free_firmware, launch.meaning,
              launch.contents});
  taking_part_.push_back(&core);
}

Cycles Npu::in_cycles(Picoseconds time) const {
  return cycles_in(time, machine_.clock.core);
}

LaunchReport Npu::finish(const DatedFault& meant) {
  LaunchReport report;
  report.begin = report.end = begin_;
  report.first_dispatch = Cycles(-1);
  DatedFault first_fault = meant;
  for (CoreModule* module : taking_part_) {
    Core& core = module->core();
    const CoreReport& part = core.finish();
    report.end = std::max(report.end, part.end);
    report.instructions += part.instructions;
    report.assumed += part.assumed;
    report.commands += part.commands;
    report.decode += part.decode;
    const Cycles first = part.first_dispatch < Cycles(0) ? part.end : part.first_dispatch;
    if (report.first_dispatch < Cycles(0)) report.first_dispatch = first;
    report.first_dispatch = std::min(report.first_dispatch, first);
    report.longest_core = std::max(report.longest_core, part.end - first);
    if (part.fault.fault && (!first_fault.fault || comes_before(part.fault, first_fault))) {
      first_fault = part.fault;
    }
  }
  report.fault = first_fault.fault;
  if (report.first_dispatch < Cycles(0)) report.first_dispatch = begin_;
  if (!report.fault) report.fault = deadlock();
  return report;
}

Fault Npu::deadlock() {
  Fault fault;
  for (CoreModule* module : taking_part_) {
    Core& core = module->core();
    if (core.finished()) continue;
    if (!fault)
      fault = {FaultKind::Deadlock, core.id(), core.blocked_at(), "deadlock: "};
    else
      fault.text += "; ";
    fault.text += core.blocked();
  }
  return fault;
}

}  // namespace dvmsim
