#include "compiler/runtime/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "vm/base/error.h"

namespace dvmsim {

/// A module and its memory on the device.
struct Session::Loaded {
  Module module{};
  CompileWork work{};
  std::uint64_t constants = 0, workspace = 0;
  std::vector<std::uint64_t> own{};  // by tensor: inputs and outputs
  bool ran = false;
};

Session::Session(Graph graph, const Machine& machine, Device& device, SessionOptions options)
    : graph_(std::move(graph)),
      machine_(machine),
      machine_hash_(hash_of(machine)),
      device_(device),
      options_(std::move(options)) {}

Session::Session(Module module, const Machine& machine, Device& device, SessionOptions options)
    : fixed_(true),
      machine_(machine),
      machine_hash_(hash_of(machine)),
      device_(device),
      options_(std::move(options)) {
  if (module.machine != machine_hash_) {
    throw Error(
        fmt::format("program '{}' was compiled for another machine; compile it again with this "
                    "hardware file",
                    module.name));
  }
  auto loaded = std::make_unique<Loaded>();
  loaded->module = std::move(module);
  loaded_[{}] = std::move(loaded);
}

Session::~Session() = default;

namespace {

void upload_constants(const Module& module, std::uint64_t block, Device& device) {
  for (const ModuleConstant& constant : module.constants) {
    const ModuleTensor& tensor = module.tensors[static_cast<std::size_t>(constant.tensor)];
    const Tensor bytes =
        constant.bytes ? *constant.bytes : filled(tensor.dtype, tensor.shape, *constant.fill);
    device.write(block + static_cast<std::uint64_t>(tensor.offset), bytes.bytes());
  }
}

}  // namespace

Session::Loaded& Session::load(const Bindings& dims, bool& compiled) {
  const Bindings key = fixed_ ? Bindings{} : dims;
  auto& slot = loaded_[key];
  compiled = slot == nullptr;
  if (slot == nullptr) {
    auto made = std::make_unique<Loaded>();
    CompileOptions options;
    options.fusion = options_.strategy->fusion;
    options.path = options_.strategy->path;
    options.tiling = options_.tiling;
    options.cores = options_.cores;
    options.machine_hash = machine_hash_;
    made->module = compile(specialize(graph_, dims), machine_, options, &made->work);
    made->module.strategy = std::string(options_.strategy->name);
    slot = std::move(made);
  }
  Loaded& loaded = *slot;
  if (loaded.own.empty()) {
    const Module& module = loaded.module;
    if (module.constant_bytes > 0)
      loaded.constants = device_.allocate(Bytes(module.constant_bytes));
    if (module.workspace_bytes > 0)
      loaded.workspace = device_.allocate(Bytes(module.workspace_bytes));
    loaded.own.resize(module.tensors.size() + 1, 0);
    for (std::size_t i = 0; i < module.tensors.size(); ++i) {
      const ModuleTensor& tensor = module.tensors[i];
      if (tensor.kind == ModuleTensor::Kind::Input || tensor.kind == ModuleTensor::Kind::Output) {
        loaded.own[i] = device_.allocate(Bytes(std::max<std::int64_t>(tensor.bytes, 1)));
      }
    }
    if (options_.mode == Mode::Functional) upload_constants(module, loaded.constants, device_);
  }
  return loaded;
}

const Module& Session::module_for(const Bindings& dims) {
  bool compiled = false;
  return load(dims, compiled).module;
}

std::uint64_t Session::address_of(const Loaded& loaded, int tensor) const {
  const ModuleTensor& found = loaded.module.tensors[static_cast<std::size_t>(tensor)];
  switch (found.kind) {
    case ModuleTensor::Kind::Workspace:
      return loaded.workspace + static_cast<std::uint64_t>(found.offset);
    case ModuleTensor::Kind::Constant:
      return loaded.constants + static_cast<std::uint64_t>(found.offset);
    default:
      return loaded.own[static_cast<std::size_t>(tensor)];
  }
}

void Session::charge(HostWork work, std::int64_t picoseconds, const std::string& label,
                     std::int64_t& total_ns) {
  const std::int64_t nanoseconds = machine_.host.speed.ceil_of(picoseconds) / 1000;
  if (nanoseconds == 0) return;
  total_ns += nanoseconds;
  device_.host_work(work, nanoseconds, HostThread::Front, label);
}

void Session::launch(const ModuleStep& step, Loaded& loaded, RunResult& result) {
  const Program& program = loaded.module.programs[static_cast<std::size_t>(step.program)];
  const auto launches = std::max<std::int64_t>(1, loaded.work.groups);
  if (options_.strategy->compiles && (options_.strategy->encodes_each_run || !loaded.ran)) {
    const std::int64_t words =
        static_cast<std::int64_t>(program.cube.size() + program.vector.size());
    charge(HostWork::Encode,
           machine_.host.word.count() * words +
               machine_.host.tile.count() * loaded.work.tiles / launches,
           step.label, result.encode_ns);
  } else {
    std::int64_t dispatch = 0;
    charge(HostWork::Capture, machine_.host.capture.count(), step.label, dispatch);
  }
  Launch launch;
  launch.program = &program;
  launch.path = step.path;
  launch.cube_cores = step.cube_cores;
  launch.vector_cores = step.vector_cores;
  launch.label = step.label;
  for (const ModuleArgument& argument : step.arguments) {
    const bool address = argument.kind == ModuleArgument::Kind::Tensor;
    launch.arguments.push_back((address ? address_of(loaded, argument.tensor) : 0) +
                               static_cast<std::uint64_t>(argument.value));
  }
  result.launches.push_back({});
  const Ticket ticket = device_.submit(launch);
  tickets_.push_back(ticket);
}

void Session::run_steps(const std::vector<ModuleStep>& steps, Loaded& loaded, RunResult& result) {
  for (const ModuleStep& step : steps) {
    if (step.kind == ModuleStep::Kind::Launch) {
      launch(step, loaded, result);
      continue;
    }
    if (options_.mode == Mode::Timing) {
      throw Error(
          fmt::format("node '{}' decides by a value that only a functional run computes; use "
                      "--mode functional",
                      step.label));
    }
    if (!tickets_.empty()) {
      const LaunchReport last = device_.wait(tickets_.back());
      if (last.fault) return;
    }
    std::byte taken{};
    device_.read(address_of(loaded, step.condition), {&taken, 1});
    run_steps(taken != std::byte{0} ? step.then_steps : step.else_steps, loaded, result);
  }
}

RunResult Session::run(const Bindings& dims, const std::map<std::string, Tensor>& inputs) {
  Bindings bound = dims;
  if (!fixed_ && !inputs.empty()) {
    std::vector<std::vector<std::int64_t>> shapes;
    for (ValueId id : graph_.inputs) {
      const auto found = inputs.find(graph_.value(id).name);
      if (found == inputs.end()) {
        throw Error(fmt::format("input '{}' is missing; give --input {}=FILE.npy",
                                graph_.value(id).name, graph_.value(id).name));
      }
      shapes.push_back(found->second.shape());
    }
    for (const auto& [name, value] : bindings_from(graph_, shapes)) bound[name] = value;
  }
  RunResult result;
  Loaded& loaded = load(bound, result.compiled);
  const Module& module = loaded.module;
  result.module = &module;
  result.output_names = module.output_names;
  for (const Program& program : module.programs) result.program_bytes += program.bytes();

  for (int tensor : module.inputs) {
    const ModuleTensor& input = module.tensors[static_cast<std::size_t>(tensor)];
    if (options_.mode == Mode::Timing) break;
    const auto found = inputs.find(input.name);
    if (found == inputs.end() || found->second.dtype() != input.dtype ||
        found->second.shape() != input.shape) {
      throw Error(fmt::format("input '{}' must be {} of shape [{}]", input.name,
                              name_of(input.dtype), fmt::join(input.shape, ", ")));
    }
    device_.write(address_of(loaded, tensor), found->second.bytes());
  }
  if (options_.before_run) {
    for (std::size_t i = 0; i < module.tensors.size(); ++i) {
      if (module.tensors[i].kind == ModuleTensor::Kind::Workspace) continue;
      const ModuleTensor& tensor = module.tensors[i];
      options_.before_run(tensor.name, address_of(loaded, static_cast<int>(i)),
                          Bytes(tensor.bytes));
    }
  }
  if (options_.strategy->compiles && !analysed_ && !fixed_) {
    charge(HostWork::Compile, machine_.host.node.count() * loaded.work.nodes, module.name,
           result.compile_ns);
    analysed_ = true;
  }
  tickets_.clear();
  run_steps(module.steps, loaded, result);
  loaded.ran = true;
  for (std::size_t i = 0; i < tickets_.size(); ++i) {
    result.launches[i] = device_.wait(tickets_[i]);
    if (result.launches[i].fault && !result.fault) result.fault = result.launches[i].fault;
  }
  if (options_.mode == Mode::Functional && !result.fault) {
    for (int tensor : module.outputs) {
      const ModuleTensor& output = module.tensors[static_cast<std::size_t>(tensor)];
      Tensor value(output.dtype, output.shape);
      device_.read(address_of(loaded, tensor), value.mutable_bytes());
      result.outputs.push_back(std::move(value));
    }
  }
  return result;
}

}  // namespace dvmsim
