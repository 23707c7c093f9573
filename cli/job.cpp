#include "cli/job.h"

#include <algorithm>
#include <filesystem>

#include "cli/features.h"
#include "cli/machine.h"
#include "cli/npy.h"
#include "cli/program.h"
#include "cli/strategy_constants.h"
#include "cli/text/files.h"
#include "cli/workload.h"
#include "vm/base/error.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

/// Inputs of a compiled module have their shapes; they may only be given whole.
void refuse_sizes(const std::string& path, const RunOptions& options) {
  if (!options.known.empty()) throw Error("--known: only .onnx models are compiled for values");
  if (!options.schedule.empty()) throw Error("--schedule: " + path + " is compiled already");
  if (options.check) throw Error("--check eval: " + path + " holds no graph; run the model itself");
  if (!options.dims.empty() || !options.shapes.empty()) {
    throw Error("--dim and --shape: the sizes in " + path + " are fixed; run the model itself");
  }
}

void refuse_program_options(const std::string& path, const RunOptions& options) {
  if (options.scalars.empty() && options.launch.empty()) return;
  throw Error("--arg and --launch: " + path + " is no assembled program");
}

/// The bytes of a tensor, where a program asks for nothing else.
Tensor as_bytes(const Tensor& tensor) {
  const auto bytes = tensor.bytes();
  return Tensor(DType::U8, {static_cast<std::int64_t>(bytes.size())}, {bytes.begin(), bytes.end()});
}

/// Those that --input names from their files, the others random or, if whole numbers, zero.
void add_inputs(Job& job, const std::string& path, const RunOptions& options, bool bytes) {
  const Module& module = *job.module;
  const auto tensor_at = [&](int index) -> const ModuleTensor& {
    return module.tensors[static_cast<std::size_t>(index)];
  };
  for (const auto& [name, file] : options.inputs) {
    const auto is_it = [&, wanted = name](int index) { return tensor_at(index).name == wanted; };
    if (std::none_of(module.inputs.begin(), module.inputs.end(), is_it)) {
      throw Error("--input " + name + ": " + path + " has no such input");
    }
    job.inputs[name] = bytes ? as_bytes(load_npy(file)) : load_npy(file);
  }
  std::int64_t position = 0;
  for (int index : module.inputs) {
    const ModuleTensor& tensor = tensor_at(index);
    const Fill random{Fill::Kind::Random, options.seed * 1000 + ++position, 1.0};
    if (job.inputs.contains(tensor.name)) continue;
    job.inputs[tensor.name] = is_float(tensor.dtype) ? filled(tensor.dtype, tensor.shape, random)
                                                     : Tensor(tensor.dtype, tensor.shape);
  }
}

Job job_of_module(const std::string& path, const Machine& machine, const RunOptions& options) {
  refuse_sizes(path, options);
  refuse_program_options(path, options);
  Job job;
  job.name = fs::path(path).filename().string();
  job.module = load_module(read_bytes(path), path);
  for (const Program& program : job.module->programs) isa::check(program, machine, path);
  if (mode_of(options) == Mode::Functional) add_inputs(job, path, options, false);
  return job;
}

Job job_of_program(Program program, const Machine& machine, const RunOptions& options) {
  const std::string& path = options.model;
  refuse_sizes(path, options);
  if (options.cores != 0) {
    throw Error("--cores: " + path + " says itself on how many it runs, in its .launch");
  }
  if (options.floats) throw Error("--dtype: the types in " + path + " are fixed");
  Job job;
  job.name = fs::path(path).filename().string();
  job.module = module_of(std::move(program), machine, options.scalars, options.launch, path);
  if (mode_of(options) == Mode::Functional) add_inputs(job, path, options, true);
  return job;
}

/// Without values unless something needs them.
void choose_mode(RunOptions& options) {
  const bool needs_values = options.check || !options.output.empty() || !options.inputs.empty();
  if (!options.mode) options.mode = needs_values ? Mode::Functional : Mode::Timing;
}

std::string title_of(const OpOptions& op) {
  std::string name = op.op;
  for (const auto& shape : op.shapes) {
    name += " ";
    for (std::size_t i = 0; i < shape.size(); ++i) {
      name += (i == 0 ? "" : "x") + std::to_string(shape[i]);
    }
  }
  return name + " " + std::string(name_of(op.dtype));
}

Job job_of_file(const Machine& machine, RunOptions& options) {
  const std::string& path = options.model;
  if (auto program = program_in(path)) {
    choose_mode(options);
    options.strategy = "eager";  // compiled before: the host encodes nothing
    return job_of_program(std::move(*program), machine, options);
  }
  if (path.ends_with(".dvm")) return job_of_module(path, machine, options);
  refuse_program_options(path, options);
  Graph graph = load_model(path, options.floats, known_inputs(options));
  return job_of(fs::path(path).filename().string(), std::move(graph), options);
}

}  // namespace

Job job_of(std::string name, Graph graph, const RunOptions& options) {
  Job job;
  job.name = std::move(name);
  auto inputs = read_inputs(graph, options);
  job.dims = bindings_of(graph, options, inputs);
  if (mode_of(options) == Mode::Functional) {
    add_missing_inputs(inputs, graph, job.dims, options.seed);
    job.inputs = std::move(inputs);
  }
  job.graph = std::move(graph);
  return job;
}

Prepared prepare(const CommandLine& line) {
  (void)features_of(line.run);
  Prepared prepared;
  prepared.options = line.run;
  prepared.machine = machine_from(line.run.hardware, machine_sets(line.run.sets));
  if (line.verb == CommandLine::Verb::Op) {
    if (!line.run.known.empty()) throw Error("--known: an op has no values to compile for");
    choose_mode(prepared.options);
    prepared.job = job_of(title_of(line.op), graph_of(line.op), prepared.options);
  } else {
    prepared.job = job_of_file(prepared.machine, prepared.options);
  }
  return prepared;
}

}  // namespace dvmsim
