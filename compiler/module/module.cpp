#include "compiler/module/module.h"

#include <bit>

#include "vm/base/error.h"
#include "vm/program/bytes.h"

namespace dvmsim {
namespace {

// The file, little-endian: magic 4 | version 2 | machine hash 8 | name | strategy | programs, each
// with its size | tensors | inputs | outputs with names | constants | block sizes | operators |
// steps | checksum 8. Lists begin with their length in 4 bytes.
constexpr std::uint64_t kMagic = 0x4d4d5644;  // "DVMM"
constexpr std::uint64_t kVersion = 2;
constexpr int kDeepestBranch = 64;

std::span<const std::uint8_t> as_bytes(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

void put(ByteWriter& out, const ModuleStep& step) {
  out.number(static_cast<std::uint64_t>(step.kind), 1);
  out.text(step.label);
  if (step.kind == ModuleStep::Kind::Branch) {
    out.count(static_cast<std::size_t>(step.condition));
    for (const auto* branch : {&step.then_steps, &step.else_steps}) {
      out.count(branch->size());
      for (const ModuleStep& inner : *branch) put(out, inner);
    }
    return;
  }
  out.count(static_cast<std::size_t>(step.program));
  out.number(static_cast<std::uint64_t>(step.path), 1);
  out.count(static_cast<std::size_t>(step.cube_cores));
  out.count(static_cast<std::size_t>(step.vector_cores));
  out.count(static_cast<std::size_t>(step.operation + 1));
  out.count(step.arguments.size());
  for (const ModuleArgument& argument : step.arguments) {
    out.number(static_cast<std::uint64_t>(argument.kind), 1);
    out.count(static_cast<std::size_t>(argument.tensor));
    out.number(static_cast<std::uint64_t>(argument.value), 8);
  }
}

/// Reads the parts of a module, checking every index against what was read before it.
class ModuleReader {
 public:
  ModuleReader(std::span<const std::uint8_t> bytes, const std::string& where)
      : in_(bytes, where), where_(where) {}

  Module read();

 private:
  std::int64_t integer() { return static_cast<std::int64_t>(in_.number(8)); }
  int tensor_index() { return static_cast<int>(in_.below(module_.tensors.size(), 4, "tensor")); }
  std::vector<std::int64_t> shape();
  void constants();
  void operators();
  std::vector<ModuleStep> steps(int depth);
  ModuleStep step(int depth);

  ByteReader in_;
  const std::string& where_;
  Module module_{};
};

std::vector<std::int64_t> ModuleReader::shape() {
  std::vector<std::int64_t> dims(static_cast<std::size_t>(in_.below(64, 4, "rank")));
  for (std::int64_t& dim : dims)
    dim = static_cast<std::int64_t>(in_.below(1ull << 40, 8, "dimension"));
  return dims;
}

void ModuleReader::constants() {
  for (std::uint64_t left = in_.number(4); left > 0; --left) {
    ModuleConstant constant;
    constant.tensor = tensor_index();
    const ModuleTensor& tensor = module_.tensors[static_cast<std::size_t>(constant.tensor)];
    if (in_.below(2, 1, "kind of constant") == 0) {
      const auto bytes = in_.bytes(in_.number(8));
      if (static_cast<std::int64_t>(bytes.size()) != tensor.bytes)
        in_.fail("a constant's size is wrong");
      std::vector<std::byte> data(bytes.size());
      for (std::size_t i = 0; i < bytes.size(); ++i) data[i] = std::byte{bytes[i]};
      constant.bytes = Tensor(tensor.dtype, tensor.shape, std::move(data));
    } else {
      Fill fill;
      fill.kind = static_cast<Fill::Kind>(in_.below(2, 1, "kind of fill"));
      fill.seed = integer();
      fill.value = std::bit_cast<double>(in_.number(8));
      constant.fill = fill;
    }
    module_.constants.push_back(std::move(constant));
  }
}

void ModuleReader::operators() {
  for (std::uint64_t left = in_.number(4); left > 0; --left) {
    ModuleOperator made;
    made.kind = in_.text();
    made.written = static_cast<int>(in_.below(1 << 30, 4, "number of operators"));
    module_.operators.push_back(std::move(made));
  }
}

ModuleStep ModuleReader::step(int depth) {
  ModuleStep step;
  step.kind = static_cast<ModuleStep::Kind>(in_.below(2, 1, "kind of step"));
  step.label = in_.text();
  if (step.kind == ModuleStep::Kind::Branch) {
    if (depth == kDeepestBranch) in_.fail("branches are nested too deeply");
    step.condition = tensor_index();
    step.then_steps = steps(depth + 1);
    step.else_steps = steps(depth + 1);
    return step;
  }
  step.program = static_cast<int>(in_.below(module_.programs.size(), 4, "program"));
  step.path = static_cast<CodePath>(in_.below(kCodePaths, 1, "code path"));
  step.cube_cores = static_cast<int>(in_.below(1 << 16, 4, "number of cores"));
  step.vector_cores = static_cast<int>(in_.below(1 << 16, 4, "number of cores"));
  step.operation = static_cast<int>(in_.below(module_.operators.size() + 1, 4, "operator")) - 1;
  for (std::uint64_t left = in_.number(4); left > 0; --left) {
    ModuleArgument argument;
    argument.kind = static_cast<ModuleArgument::Kind>(in_.below(2, 1, "kind of argument"));
    argument.tensor = static_cast<int>(in_.below(module_.tensors.size() + 1, 4, "tensor"));
    argument.value = integer();
    step.arguments.push_back(argument);
  }
  const auto expected = module_.programs[static_cast<std::size_t>(step.program)].arguments.size();
  if (step.arguments.size() != expected) in_.fail("a launch has the wrong number of arguments");
  return step;
}

std::vector<ModuleStep> ModuleReader::steps(int depth) {
  std::vector<ModuleStep> list;
  for (std::uint64_t left = in_.number(4); left > 0; --left) list.push_back(step(depth));
  return list;
}

Module ModuleReader::read() {
  if (in_.left() < 4 || in_.number(4) != kMagic)
    in_.fail("not a compiled module; `dvmsim compile` makes one, `dvmsim asm` single programs");
  if (in_.number(2) != kVersion) in_.fail("another format version; compile it again");
  in_.check_sum();
  module_.machine = in_.number(8);
  module_.name = in_.text();
  module_.strategy = in_.text();
  for (std::uint64_t left = in_.number(4); left > 0; --left) {
    module_.programs.push_back(load_program(in_.bytes(in_.number(8)), where_));
  }
  for (std::uint64_t left = in_.number(4); left > 0; --left) {
    ModuleTensor tensor;
    tensor.kind = static_cast<ModuleTensor::Kind>(in_.below(4, 1, "kind of tensor"));
    tensor.name = in_.text();
    tensor.dtype = static_cast<DType>(in_.below(kDTypes.size(), 1, "element type"));
    tensor.shape = shape();
    tensor.offset = integer();
    tensor.bytes = integer();
    module_.tensors.push_back(std::move(tensor));
  }
  for (std::uint64_t left = in_.number(4); left > 0; --left)
    module_.inputs.push_back(tensor_index());
  for (std::uint64_t left = in_.number(4); left > 0; --left) {
    module_.outputs.push_back(tensor_index());
    module_.output_names.push_back(in_.text());
  }
  constants();
  module_.constant_bytes = integer();
  module_.workspace_bytes = integer();
  operators();
  module_.steps = steps(0);
  if (in_.left() != 8) in_.fail("bytes after the end");
  return std::move(module_);
}

void put_constant(ByteWriter& out, const ModuleConstant& constant) {
  out.count(static_cast<std::size_t>(constant.tensor));
  out.number(constant.bytes ? 0 : 1, 1);
  if (constant.bytes) {
    out.number(constant.bytes->bytes().size(), 8);
    out.bytes(as_bytes(constant.bytes->bytes()));
    return;
  }
  out.number(static_cast<std::uint64_t>(constant.fill->kind), 1);
  out.number(static_cast<std::uint64_t>(constant.fill->seed), 8);
  out.number(std::bit_cast<std::uint64_t>(constant.fill->value), 8);
}

}  // namespace

std::vector<std::uint8_t> save(const Module& module) {
  ByteWriter out;
  out.number(kMagic, 4);
  out.number(kVersion, 2);
  out.number(module.machine, 8);
  out.text(module.name);
  out.text(module.strategy);
  out.count(module.programs.size());
  for (const Program& program : module.programs) {
    const auto bytes = save(program);
    out.number(bytes.size(), 8);
    out.bytes(bytes);
  }
  out.count(module.tensors.size());
  for (const ModuleTensor& tensor : module.tensors) {
    out.number(static_cast<std::uint64_t>(tensor.kind), 1);
    out.text(tensor.name);
    out.number(static_cast<std::uint64_t>(tensor.dtype), 1);
    out.count(tensor.shape.size());
    for (std::int64_t dim : tensor.shape) out.number(static_cast<std::uint64_t>(dim), 8);
    out.number(static_cast<std::uint64_t>(tensor.offset), 8);
    out.number(static_cast<std::uint64_t>(tensor.bytes), 8);
  }
  out.count(module.inputs.size());
  for (int input : module.inputs) out.count(static_cast<std::size_t>(input));
  out.count(module.outputs.size());
  for (std::size_t i = 0; i < module.outputs.size(); ++i) {
    out.count(static_cast<std::size_t>(module.outputs[i]));
    out.text(module.output_names[i]);
  }
  out.count(module.constants.size());
  for (const ModuleConstant& constant : module.constants) put_constant(out, constant);
  out.number(static_cast<std::uint64_t>(module.constant_bytes), 8);
  out.number(static_cast<std::uint64_t>(module.workspace_bytes), 8);
  out.count(module.operators.size());
  for (const ModuleOperator& each : module.operators) {
    out.text(each.kind);
    out.count(static_cast<std::size_t>(each.written));
  }
  out.count(module.steps.size());
  for (const ModuleStep& step : module.steps) put(out, step);
  return out.finish();
}

Module load_module(std::span<const std::uint8_t> bytes, const std::string& where) {
  return ModuleReader(bytes, where).read();
}

}  // namespace dvmsim
