#include "cli/program.h"

#include <algorithm>

#include "cli/text/files.h"
#include "vm/base/error.h"
#include "vm/isa/text.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kAlign = 512;  // of a buffer in the workspace, as Device::allocate's

bool begins_as_program(const std::vector<std::uint8_t>& bytes) {
  std::uint32_t magic = 0;
  for (std::size_t i = 0; i < 4 && i < bytes.size(); ++i) {
    magic |= static_cast<std::uint32_t>(bytes[i]) << (8 * i);
  }
  return magic == kProgramMagic;
}

ModuleTensor buffer_of(const Argument& argument, Module& module, const std::string& where) {
  if (argument.bytes <= 0) {
    throw Error(where + ": buffer '" + argument.name + "' has no bytes; say how many in its .arg");
  }
  ModuleTensor tensor;
  tensor.name = argument.name;
  tensor.dtype = DType::U8;
  tensor.shape = {argument.bytes};
  tensor.bytes = argument.bytes;
  if (argument.kind == Argument::Kind::Workspace) {
    tensor.offset = module.workspace_bytes;
    module.workspace_bytes += (argument.bytes + kAlign - 1) / kAlign * kAlign;
    return tensor;
  }
  const bool input = argument.kind == Argument::Kind::Input;
  tensor.kind = input ? ModuleTensor::Kind::Input : ModuleTensor::Kind::Output;
  const int index = static_cast<int>(module.tensors.size());
  (input ? module.inputs : module.outputs).push_back(index);
  if (!input) module.output_names.push_back(argument.name);
  return tensor;
}

std::int64_t value_of(const Argument& argument,
                      const std::vector<std::pair<std::string, std::int64_t>>& scalars,
                      const std::string& where) {
  std::optional<std::int64_t> value = argument.value;
  for (const auto& [name, given] : scalars) {
    if (name == argument.name) value = given;
  }
  if (!value) {
    throw Error(where + ": scalar '" + argument.name + "' has no value; give --arg " +
                argument.name + "=N, or value=N in its .arg");
  }
  return *value;
}

int cores_of(std::span<const std::uint64_t> code, int asked, int all, const char* kind,
             const std::string& where) {
  if (code.empty() && asked > 0) {
    throw Error(where + ": launched on " + kind + " cores, but it has no code for them");
  }
  if (asked > all) {
    throw Error(where + ": launched on " + std::to_string(asked) + " " + kind +
                " cores; the machine has " + std::to_string(all));
  }
  return code.empty() ? 0 : asked == 0 ? all : asked;
}

void refuse_unknown(const Program& program,
                    const std::vector<std::pair<std::string, std::int64_t>>& scalars,
                    const std::string& where) {
  for (const auto& [name, value] : scalars) {
    const bool known = std::any_of(program.arguments.begin(), program.arguments.end(),
                                   [&, wanted = name](const auto& a) {
                                     return a.kind == Argument::Kind::Scalar && a.name == wanted;
                                   });
    if (!known) throw Error("--arg " + name + ": " + where + " has no such scalar");
  }
}

}  // namespace

std::optional<Program> program_in(const std::string& path) {
  if (path.ends_with(".s")) return isa::assemble(read_text(path), path);
  if (!path.ends_with(".dvm")) return {};
  const std::vector<std::uint8_t> bytes = read_bytes(path);
  if (!begins_as_program(bytes)) return {};
  return load_program(bytes, path);
}

Module module_of(Program program, const Machine& machine,
                 const std::vector<std::pair<std::string, std::int64_t>>& scalars,
                 const std::string& launch, const std::string& where) {
  if (!launch.empty()) {
    program.launch = isa::parse_launch(launch, "--launch", program.launch.value_or(LaunchForm{}));
  }
  if (!program.launch) {
    throw Error(where + ": does not say how it is launched; write .launch, as in " +
                "'.launch path=bytecode cube=1'");
  }
  const LaunchForm form = *program.launch;
  const std::uint64_t hash = hash_of(machine);
  if (program.machine != 0 && program.machine != hash) {
    throw Error(where + ": was compiled for another machine; compile it again");
  }
  isa::check(program, machine, where);
  refuse_unknown(program, scalars, where);

  Module module;
  module.name = program.name;
  module.strategy = "program";
  module.machine = program.machine = hash;
  ModuleStep step;
  step.path = form.path;
  step.cube_cores = cores_of(program.cube, form.cube, machine.cores.cube, "cube", where);
  const int vectors = machine.cores.unified ? 0 : machine.cores_of(CoreKind::Vector);
  step.vector_cores = cores_of(program.vector, form.vector, vectors, "vector", where);
  if (step.cube_cores + step.vector_cores == 0) {
    throw Error(where + ": has no code for any core of this machine");
  }
  step.label = program.name.empty() ? "program" : program.name;
  for (const Argument& argument : program.arguments) {
    if (argument.kind == Argument::Kind::Scalar) {
      step.arguments.push_back(
          {ModuleArgument::Kind::Scalar, 0, value_of(argument, scalars, where)});
      continue;
    }
    ModuleTensor tensor = buffer_of(argument, module, where);
    step.arguments.push_back(
        {ModuleArgument::Kind::Tensor, static_cast<int>(module.tensors.size()), 0});
    module.tensors.push_back(std::move(tensor));
  }
  module.programs.push_back(std::move(program));
  module.steps.push_back(std::move(step));
  return module;
}

}  // namespace dvmsim
