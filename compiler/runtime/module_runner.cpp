#include "compiler/runtime/module_runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "vm/base/error.h"

namespace dvmsim {

/// A module in the middle of a run: where its tensors are.
struct ModuleRunner::Running {
  ReadyModule& ready;
  std::vector<std::uint64_t> own;  // by tensor: inputs and outputs
  std::uint64_t workspace = 0;
  bool submitted = false;          // a launch has been
  std::vector<char> dispatched{};  // by operator: its first launch has been

  /// Does the launch begin an operator, for which the host is charged? Counts those that do.
  [[nodiscard]] bool dispatches(const ModuleStep& step, RunResult& result) {
    if (step.operation < 0) return true;
    const auto index = static_cast<std::size_t>(step.operation);
    dispatched.resize(ready.module.operators.size(), 0);
    if (dispatched[index] != 0) return false;
    dispatched[index] = 1;
    const ModuleOperator& begun = ready.module.operators[index];
    ++result.operators.framework;
    result.operators.written += begun.written;
    if (!begun.kind.empty()) ++result.operators.rerolled[begun.kind];
    return true;
  }
  [[nodiscard]] std::uint64_t address_of(int tensor) const {
    const ModuleTensor& found = ready.module.tensors[static_cast<std::size_t>(tensor)];
    switch (found.kind) {
      case ModuleTensor::Kind::Workspace:
        return workspace + static_cast<std::uint64_t>(found.offset);
      case ModuleTensor::Kind::Constant:
        return ready.constants.at(tensor)->address;
      default:
        return own[static_cast<std::size_t>(tensor)];
    }
  }
};

namespace {

constexpr std::int64_t kPicosecondsPerNanosecond = 1000;

}  // namespace

MemoryUse ModuleRunner::needs(const ReadyModule& ready) const {
  MemoryUse needs;
  const Module& module = ready.module;
  if (!ready.placed) {
    needs.weights = weights_.missing(module);
    for (const Program& program : module.programs)
      needs.programs += DeviceMemory::rounded(program.bytes());
  }
  needs.intermediates = std::max<std::int64_t>(0, module.workspace_bytes - workspace_bytes_);
  for (int tensor : module.outputs) {
    needs.inputs_outputs +=
        DeviceMemory::rounded(module.tensors[static_cast<std::size_t>(tensor)].bytes);
  }
  return needs;
}

void ModuleRunner::place(ReadyModule& ready) {
  if (ready.placed) return;
  ready.constants = weights_.place(ready.module);
  for (const Program& program : ready.module.programs) {
    memory_.count_programs(DeviceMemory::rounded(program.bytes()));
  }
  ready.placed = true;
}

void ModuleRunner::drop(ReadyModule& ready) {
  if (!ready.placed) return;
  for (const Program& program : ready.module.programs) {
    memory_.count_programs(-DeviceMemory::rounded(program.bytes()));
    device_.forget(program);
  }
  ready.constants.clear();
  ready.placed = false;
}

void ModuleRunner::charge(HostWork work, std::int64_t picoseconds, const std::string& label,
                          std::int64_t& total_ns) {
  const std::int64_t nanoseconds =
      machine_.host.speed.ceil_of(picoseconds) / kPicosecondsPerNanosecond;
  if (nanoseconds == 0) return;
  total_ns += nanoseconds;
  device_.host_work(work, nanoseconds, HostThread::Front, label);
}

void ModuleRunner::charge(const HostCharge& charge, const std::string& label, RunResult& result) {
  std::int64_t& total = charge.work == HostWork::Compile  ? result.compile_ns
                        : charge.work == HostWork::Encode ? result.encode_ns
                                                          : result.dispatch_ns;
  this->charge(charge.work, charge.time.count(), label, total);
}

HostFacts ModuleRunner::facts_of(const ReadyModule& ready) const {
  return {machine_,      options_.constants, ready.work,    nullptr,    !ready.ran,
          ready.dynamic, ready.compiles,     ready.encoded, ready.keeps};
}

void ModuleRunner::launch(const ModuleStep& step, Running& running, RunResult& result) {
  const ReadyModule& ready = running.ready;
  const Program& program = ready.module.programs[static_cast<std::size_t>(step.program)];
  HostFacts facts = facts_of(ready);
  facts.program = &program;
  if (running.dispatches(step, result)) {
    charge(ready.strategy->before_launch(facts), step.label, result);
  }
  Launch launch;
  launch.program = &program;
  launch.path = step.path;
  launch.cube_cores = step.cube_cores;
  launch.vector_cores = step.vector_cores;
  launch.label = step.label;
  launch.follows = ready.strategy->one_submission && running.submitted;
  running.submitted = true;
  for (const ModuleArgument& argument : step.arguments) {
    const bool address = argument.kind == ModuleArgument::Kind::Tensor;
    launch.arguments.push_back((address ? running.address_of(argument.tensor) : 0) +
                               static_cast<std::uint64_t>(argument.value));
  }
  tickets_.push_back(device_.submit(launch));
}

void ModuleRunner::run_steps(const std::vector<ModuleStep>& steps, Running& running,
                             RunResult& result) {
  for (const ModuleStep& step : steps) {
    if (result.fault) return;
    if (step.kind == ModuleStep::Kind::Launch) {
      launch(step, running, result);
      continue;
    }
    DeviceTensor condition;
    condition.dtype = DType::Bool;
    condition.range = std::make_shared<const std::uint64_t>(running.address_of(step.condition));
    const Tensor taken = read_back(condition, fmt::format("node '{}' (if)", step.label), result);
    if (result.fault) return;
    run_steps(taken.ints()[0] != 0 ? step.then_steps : step.else_steps, running, result);
  }
}

void ModuleRunner::run(ReadyModule& ready, std::span<const DeviceTensor> inputs,
                       std::span<const DeviceTensor> outputs, RunResult& result) {
  const Module& module = ready.module;
  DVMSIM_ASSERT(inputs.size() == module.inputs.size() && outputs.size() == module.outputs.size(),
                "a module runs on all its inputs and outputs");
  Running running{ready, std::vector<std::uint64_t>(module.tensors.size(), 0)};
  if (workspace_ != nullptr) running.workspace = *workspace_;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    running.own[static_cast<std::size_t>(module.inputs[i])] = inputs[i].address();
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    running.own[static_cast<std::size_t>(module.outputs[i])] = outputs[i].address();
  }
  if (options_.before_run) {
    for (std::size_t i = 0; i < module.tensors.size(); ++i) {
      if (module.tensors[i].kind == ModuleTensor::Kind::Workspace) continue;
      const ModuleTensor& tensor = module.tensors[i];
      options_.before_run(tensor.name, running.address_of(static_cast<int>(i)),
                          Bytes(tensor.bytes));
    }
  }
  if (!ready.ran) count_code(ready, result);
  if (ready.strategy->before_module != nullptr) {
    charge(ready.strategy->before_module(facts_of(ready)), module.name, result);
  }
  run_steps(module.steps, running, result);
  ready.ran = true;
  ready.encoded = ready.keeps;
}

/// Branches too: which arm is taken is not known yet.
void ModuleRunner::encode_steps(const std::vector<ModuleStep>& steps, const ReadyModule& ready,
                                RunResult& result) {
  HostFacts facts = facts_of(ready);
  for (const ModuleStep& step : steps) {
    if (step.kind == ModuleStep::Kind::Launch) {
      facts.program = &ready.module.programs[static_cast<std::size_t>(step.program)];
      charge(ready.strategy->before_launch(facts), step.label + " ahead", result);
    }
    encode_steps(step.then_steps, ready, result);
    encode_steps(step.else_steps, ready, result);
  }
}

void ModuleRunner::encode_ahead(ReadyModule& ready, RunResult& result) {
  DVMSIM_ASSERT(ready.keeps, "only what is kept is encoded ahead");
  encode_steps(ready.module.steps, ready, result);
  ready.encoded = true;
}

/// Called with a module's first run.
void ModuleRunner::count_code(const ReadyModule& ready, RunResult& result) {
  const Strategy& strategy = *options_.strategy;
  if (strategy.code == Strategy::Code::Programs) return;
  const std::int64_t bytes = native_bytes(ready.module, machine_);
  if (strategy.code == Strategy::Code::Generic) native_bytes_ = std::max(native_bytes_, bytes);
  if (strategy.one_submission) {
    captured_bytes_ += options_.constants.sink.task.count() * ready.work.launches;
  }
  if (!ready.compiles) return;
  native_bytes_ += bytes;
  if (!strategy.pads) return;
  const std::int64_t time = options_.constants.jit.trace.count() * ready.work.nodes +
                            native_compile_time(ready.work, options_.constants).count();
  result.ahead_ns += machine_.host.speed.ceil_of(time) / kPicosecondsPerNanosecond;
}

void ModuleRunner::reserve_workspace(const ReadyModule& ready) {
  if (ready.module.workspace_bytes <= workspace_bytes_) return;
  workspace_.reset();
  workspace_bytes_ = ready.module.workspace_bytes;
  workspace_ = memory_.allocate(MemoryKind::Intermediates, workspace_bytes_);
}

DeviceTensor ModuleRunner::allocate(DType dtype, std::vector<std::int64_t> shape, MemoryKind kind) {
  DeviceTensor tensor{dtype, std::move(shape), {}, 0, {}};
  tensor.range = memory_.allocate(kind, tensor.bytes());
  return tensor;
}

DeviceTensor ModuleRunner::upload(const Tensor& tensor) {
  constexpr std::int64_t kRemembered = 256;  // elements
  DeviceTensor result = allocate(tensor.dtype(), tensor.shape());
  device_.write(result.address(), tensor.bytes());
  if (tensor.count() <= kRemembered) result.value = tensor;
  return result;
}

Tensor ModuleRunner::download(const DeviceTensor& tensor) {
  Tensor value(tensor.dtype, tensor.shape);
  device_.read(tensor.address(), value.mutable_bytes());
  return value;
}

Tensor ModuleRunner::read_back(const DeviceTensor& tensor, const std::string& who,
                               RunResult& result) {
  if (tensor.value) return *tensor.value;
  if (options_.mode == Mode::Timing) {
    throw Error(who +
                ": decides by a value that only a functional run computes; use --mode functional");
  }
  for (; checked_ < tickets_.size(); ++checked_) {
    const LaunchReport report = device_.wait(tickets_[checked_]);
    if (report.fault && !result.fault) result.fault = report.fault;
  }
  result.host.add(who);
  ++result.host.synchronisations;
  result.host.bytes_read += tensor.bytes();
  const Cycles cycles = machine_.launch.copy_rate.cycles_for(Bytes(tensor.bytes()));
  const std::int64_t transfer = cycles.count() * 1'000'000'000 / machine_.clock.core.count();
  const std::int64_t start = machine_.launch.copy.count() / kPicosecondsPerNanosecond;
  device_.host_work(HostWork::Copy, start + transfer, HostThread::Front, who);
  return download(tensor);
}

void ModuleRunner::finish(RunResult& result) {
  result.fault = {};
  for (const Ticket ticket : tickets_) {
    result.launches.push_back(device_.wait(ticket));
    if (result.launches.back().fault && !result.fault) result.fault = result.launches.back().fault;
  }
  tickets_.clear();
  checked_ = 0;
  const bool bytecode = options_.strategy->code == Strategy::Code::Programs;
  result.code_bytes = bytecode ? memory_.used().programs : native_bytes_ + captured_bytes_;
  device_.forget_launches();
}

}  // namespace dvmsim
